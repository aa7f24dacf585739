"""ICE behind one small protocol of ours; the only place that imports aioice."""

import aiortc.rtcicetransport
from aiortc.rtcicetransport import RTCIceTransport

from agents.ice import families
from agents.ice.direct_first import DirectFirst
from agents.ice.protocol import IceAgent


def install() -> None:
    """Have aiortc make our ICE agents (it offers no parameter for that)."""
    families.install()
    aiortc.rtcicetransport.Connection = DirectFirst  # type: ignore[attr-defined]


def agent_of(transport: RTCIceTransport) -> IceAgent:
    """The ICE agent behind an aiortc transport, once :func:`install` was called."""
    agent = transport._connection
    assert isinstance(agent, DirectFirst)
    return agent
