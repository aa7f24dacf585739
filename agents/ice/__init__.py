"""ICE behind one small protocol of ours; the only place that imports aioice."""

import aiortc.rtcicetransport
from aiortc.rtcicetransport import RTCIceTransport

from agents.ice.protocol import IceAgent
from agents.ice.restart import Restartable


def install() -> None:
    """Have aiortc make our ICE agents (it offers no parameter for that)."""
    aiortc.rtcicetransport.Connection = Restartable  # type: ignore[attr-defined]


def agent_of(transport: RTCIceTransport) -> IceAgent:
    """The ICE agent behind an aiortc transport, once :func:`install` was called."""
    agent = transport._connection
    assert isinstance(agent, Restartable)
    return agent
