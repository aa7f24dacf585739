"""What an inspection tells, as ``inspect --json`` prints it; inspection.schema.json has its form.

Sides of a call are "A" and "B". Times of a file are those of its own clock.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from results.record import Record

Side = Literal["A", "B"]


class FileSeen(Record):
    """A capture file, and what is in it."""

    #: Its name, with the folder only where two files have the same.
    file: str
    packets: int
    begin: datetime | None
    seconds: float
    #: Kind of packet -> how many there are, those within TURN by what is inside.
    kinds: dict[str, int]
    #: Who sends most packets to whom; only where no file has a call.
    busiest: tuple[str, ...] = ()


class Clock(Record):
    """How far one file's clock is ahead of another's, in ms."""

    file: str
    ahead_of: str
    #: The estimate; None without bounds on both sides.
    offset_ms: float | None
    low_ms: float | None
    high_ms: float | None
    because: str


class AllocationSeen(Record):
    """A relayed address, as the relay's answer names it."""

    client: str
    server: str
    relayed: str
    file: str
    frame: int


class Checked(Record):
    """A candidate pair on which one side sent checks, by the ends that its first file shows."""

    side: Side
    local: str
    remote: str
    file: str
    #: The relay that carries the checks, as far as the files show.
    relayed_by: str | None
    checks: int
    answered: int
    nominated: bool


class SelectedPair(Record):
    """The pair of the last nomination that was answered, and the frame of that answer."""

    side: Side
    local: str
    remote: str
    file: str
    frame: int


class Dtls(Record):
    """A DTLS handshake."""

    client: str
    server: str
    file: str
    frame: int
    #: Number of the SRTP protection profile that the server chose (RFC 5764, section 4.1.2).
    srtp_profile: int | None
    #: SHA-256 of the two certificates, as SDP writes them.
    client_certificate: str | None
    server_certificate: str | None


class StreamSeen(Record):
    """One source's media at one place of one file."""

    side: Side
    ssrc: str
    payload_type: int
    clock_rate: int | None
    file: str
    from_: str = Field(alias="from")
    to: str
    #: Whether TURN carries it here.
    wrapped: bool
    packets: int
    begin: datetime
    seconds: float
    lost: int
    longest_burst: int
    reordered: int
    duplicated: int
    jitter_ms: float | None
    jitter_max_ms: float | None


class HopSeen(Record):
    """Media on its way from one place to the next; delays in ms, None where clocks are unknown."""

    from_: str = Field(alias="from")
    to: str
    packets: int
    lost: int
    #: Median by the estimated offset of the clocks, and its bounds.
    delay_ms: float | None
    delay_low_ms: float | None
    delay_high_ms: float | None
    jitter_ms: float


class PathSeen(Record):
    """The places of all files that one side's media passes, in order."""

    side: Side
    places: tuple[str, ...]
    #: Whether time to live, TURN or delays show the order; else it is that of the files.
    order_known: bool
    hops: tuple[HopSeen, ...]


class Silence(Record):
    """A side of which no media came for a while."""

    side: Side
    file: str
    #: None where there never was any.
    begin: datetime | None
    seconds: float | None
    said: str


class CallSeen(Record):
    """One call, as far as packets without keys show it."""

    #: The ufrags of A and B; empty where no checks were seen.
    ufrags: tuple[str, ...]
    ends: dict[Side, tuple[str, ...]]
    checked: tuple[Checked, ...]
    selected: SelectedPair | None
    #: True through a relay, False straight; None where it cannot be known.
    relayed: bool | None
    relayed_by: tuple[str, ...]
    #: Where it was captured: nothing else is read.
    transport: Literal["udp"]
    dtls: tuple[Dtls, ...]
    streams: tuple[StreamSeen, ...]
    paths: tuple[PathSeen, ...]
    silences: tuple[Silence, ...]
    #: What cannot be known, and why.
    unknown: tuple[str, ...]


class Inspection(Record):
    """All that some files of one event show."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    files: tuple[FileSeen, ...]
    clocks: tuple[Clock, ...]
    allocations: tuple[AllocationSeen, ...]
    calls: tuple[CallSeen, ...]
    unknown: tuple[str, ...]

    def to_json(self) -> str:
        """As one line of JSON."""
        return self.model_dump_json(by_alias=True)
