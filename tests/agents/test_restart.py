"""ICE restarts between two agents on this machine, and what descriptions say of them."""

import asyncio
import ssl

import pytest
from aiortc.sdp import SessionDescription

from agents.ice.protocol import Described
from agents.ice.restart import Restartable, described_anew, read_described
from agents.ice.servers import Servers

#: No server: host candidates only.
NOBODY = Servers(urls=(), username="", credential="", context=ssl.create_default_context())

Pair = tuple[Restartable, Restartable]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents speak over loopback, whatever else this machine has."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])


async def _connected() -> Pair:
    """Two agents that have selected a pair."""
    agents = Restartable(ice_controlling=True), Restartable(ice_controlling=False)
    for agent in agents:
        await agent.gather_candidates()
    for agent, other in (agents, agents[::-1]):
        agent.remote_username, agent.remote_password = other.local_username, other.local_password
        for candidate in (*other.local_candidates, None):
            await agent.add_remote_candidate(candidate)
    await asyncio.gather(*(agent.connect() for agent in agents))
    return agents


async def _restart(agents: Pair) -> None:
    described = [await agent.begin_restart(NOBODY) for agent in agents]
    await asyncio.gather(
        *(agent.finish_restart(other) for agent, other in zip(agents, described[::-1], strict=True))
    )


async def _said(agents: Pair) -> list[bytes]:
    """What each hears of the other."""
    await agents[0].send(b"from the first")
    await agents[1].send(b"from the second")
    return [await asyncio.wait_for(agent.recv(), 5) for agent in agents]


async def _end(agents: Pair) -> None:
    for agent in agents:
        await agent.close()


def test_after_a_restart_packets_take_another_pair() -> None:
    async def story() -> None:
        agents = await _connected()
        before = [agent.selected() for agent in agents]
        assert await _said(agents) == [b"from the second", b"from the first"]
        for _ in range(2):
            await _restart(agents)
            after = [agent.selected() for agent in agents]
            assert all(pair and pair not in before for pair in after)
            assert await _said(agents) == [b"from the second", b"from the first"]
            before += after
        await _end(agents)

    asyncio.run(story())


def test_a_restart_that_fails_leaves_all_as_it_was() -> None:
    async def story() -> None:
        agents = await _connected()
        before = agents[0].selected()
        await agents[0].begin_restart(NOBODY)
        with pytest.raises(ConnectionError):
            await agents[0].finish_restart(Described("ufrag", "p" * 22, ()))
        assert agents[0].selected() == before
        assert await _said(agents) == [b"from the second", b"from the first"]
        await _end(agents)

    asyncio.run(story())


def test_the_loss_of_a_socket_is_no_end_but_close_is() -> None:
    async def story() -> None:
        agents = await _connected()
        agents[0]._queue.put_nowait(None)
        await agents[1].send(b"still here")
        assert await agents[0].recv() == b"still here"
        waiting = asyncio.create_task(agents[0].recv())
        await asyncio.sleep(0)
        await _end(agents)
        with pytest.raises(ConnectionError):
            await waiting

    asyncio.run(story())


SDP = """\
v=0
o=- 7 41 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtpmap:96 opus/48000/2
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 AA:BB
a=setup:actpass
"""


async def _own() -> Described:
    agent = Restartable(ice_controlling=True)
    own = await agent.begin_restart(NOBODY)
    await agent.close()
    return own


def test_a_new_description_differs_in_ice_and_version_only() -> None:
    own = asyncio.run(_own())
    after = described_anew(SDP, own)
    assert read_described(after) == own
    old, new = SessionDescription.parse(SDP), SessionDescription.parse(after)
    assert new.origin == "- 7 42 IN IP4 0.0.0.0"
    assert new.media[0].dtls == old.media[0].dtls
    assert new.media[0].rtp == old.media[0].rtp
    assert not own.has_relay
