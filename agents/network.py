"""Changes of this host's addresses and routes, as they happen (rtnetlink(7))."""

from collections.abc import AsyncIterator

from pyroute2 import AsyncIPRoute

_CHANGES = ("RTM_NEWADDR", "RTM_DELADDR", "RTM_NEWROUTE", "RTM_DELROUTE")


async def changes() -> AsyncIterator[str]:
    """The name of each change, such as ``RTM_NEWROUTE``."""
    async with AsyncIPRoute() as netlink:
        await netlink.bind()
        while True:
            async for message in netlink.get():
                if message["event"] in _CHANGES:
                    yield message["event"]
