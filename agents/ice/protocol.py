"""What the rest of Callpath needs of an ICE agent (RFC 8445), and nothing more."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aiortc import RTCIceCandidate

from agents.ice.servers import Servers


@dataclass(frozen=True)
class Candidate:
    """A transport address; ``type`` is host, srflx, prflx or relay (RFC 8445 section 5.1.1)."""

    type: str
    address: str
    port: int
    protocol: str


@dataclass(frozen=True)
class SelectedPair:
    """The nominated pair; ``local`` is the base that packets are sent from."""

    local: Candidate
    remote: Candidate


class Described(NamedTuple):
    """What one end tells the other of its part in a restart."""

    ufrag: str
    password: str
    candidates: tuple[RTCIceCandidate, ...]

    @property
    def has_relay(self) -> bool:
        """Whether a relay has given it an address."""
        return any(candidate.type == "relay" for candidate in self.candidates)


class IceAgent(Protocol):
    """One ICE session of one component, from gathering to its end."""

    #: Why no way led to a relay, one sentence for each; empty where one did.
    unrelayed: tuple[str, ...]

    def use(self, servers: Servers) -> None:
        """Gather from these servers."""

    async def gather_candidates(self) -> None:
        """Gather host, server-reflexive and relayed candidates."""

    async def connect(self) -> None:
        """Check pairs until one is nominated; ConnectionError when none works."""

    async def checked_every_pair(self) -> None:
        """Wait until a first check on each pair was sent, or checks have ended."""

    async def begin_restart(self, servers: Servers) -> Described:
        """Gather anew (RFC 8445, section 9); the old pair carries on."""

    async def finish_restart(self, remote: Described) -> None:
        """Go over to a pair of the new candidates; ConnectionError when none works."""

    async def close(self) -> None:
        """Give back sockets and allocations."""

    def gathered(self) -> list[Candidate]:
        """The candidates that were gathered."""

    def selected(self) -> SelectedPair | None:
        """The nominated pair, once there is one."""
