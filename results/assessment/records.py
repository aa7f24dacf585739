"""An assessment as it is told, and the claims that it is held against."""

from typing import Literal

from results.record import Record
from results.schema import Citation


class WayClaim(Record):
    """What the program that tried a way says of it (agents/assess.py, event ``probed``)."""

    edge: str
    name: str
    port: int
    transport: Literal["udp", "tcp", "tls"]
    is_relay: bool
    #: When it was said, in seconds since the epoch: the next way is tried after that.
    told: float
    answered: int
    round_trips_ms: tuple[float, ...]
    #: What came of the way's use: an HTTP status, or a relayed address.
    used: str | None
    why: str

    @property
    def in_words(self) -> str:
        """The way as a person names it."""
        return f"{self.edge} over {self.transport.upper()} {self.port}"


class Reach(Record):
    """One way to an edge of the service, as the captures show it; times in milliseconds."""

    edge: str
    name: str
    port: int
    transport: Literal["udp", "tcp", "tls"]
    #: Calls are made over it; TCP and TLS to a relay only stand in for UDP.
    needed: bool
    works: bool
    #: Probes that left the host (Binding requests; SYNs, those that were repeated too).
    sent: int
    answered: int
    #: The fraction that was not answered.
    loss: float | None
    least_ms: float | None
    median_ms: float | None
    #: Mean difference of successive round trips.
    jitter_ms: float | None
    #: What came of its use, or why it does not work.
    because: str
    #: The device that refused it, and its rule, where known.
    by: str | None
    rule: str | None
    #: The first probe.
    shown_by: Citation | None


class Assessment(Record):
    """All ways of one host to the service."""

    run: str
    host: str
    ways: tuple[Reach, ...]
    #: Why the captures prove nothing; empty where they do.
    doubts: tuple[str, ...]

    @property
    def lacking(self) -> tuple[Reach, ...]:
        """Ways that are needed and do not work."""
        return tuple(way for way in self.ways if way.needed and not way.works)
