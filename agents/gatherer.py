"""Gathers candidates once, as a client does at the begin of a call, and tells how long it took.

Ends when everything has been given back. Also by hand: ``python -m agents.gatherer CONFIG``.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from agents.ice.direct_first import DirectFirst
from agents.ice.servers import Proxy, Servers
from agents.talk import say
from agents.tls import client_context


async def _gather(config: dict[str, Any]) -> None:
    proxy = config.get("proxy")
    servers = Servers(
        urls=tuple(config["urls"]),
        username=config["username"],
        credential=config["credential"],
        context=client_context(Path(config["authority"]), Path(config["key_log"])),
        proxy=Proxy(**proxy) if proxy else None,
    )
    agent = DirectFirst(ice_controlling=True)
    agent.use(servers)
    began = time.monotonic()
    await agent.gather_candidates()
    seconds = time.monotonic() - began
    say("gathered", seconds=seconds, transport=agent.transport, unrelayed=agent.unrelayed)
    await agent.close()


def main(config: dict[str, Any]) -> int:
    """Gather. ``config``: urls, username, credential, authority and key_log (files), proxy."""
    asyncio.run(_gather(config))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
