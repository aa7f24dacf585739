"""What a run folder tells of how packets fared, as it is stored; times are in milliseconds."""

from pydantic import Field

from results.record import Record


class Hop(Record):
    """Media from one tap of its path to the next: over a link or tunnel, or through a host.

    Milliseconds. The two ends of a link can invert by some µs, so a delay may be a
    little less than 0.
    """

    from_: str = Field(alias="from")
    to: str
    #: Packets that passed the first tap, and those of them that the next never saw.
    packets: int
    lost: int
    #: Median, and 99th percentile.
    delay_ms: float
    delay_p99_ms: float
    #: What the hop adds: RFC 3550's estimate with the first tap's times as those of sending.
    jitter_ms: float


class Assumed(Record):
    """What captures do not tell, and an estimate of quality needs (docs/quality.md)."""

    codec: str = "opus"
    #: Equipment impairment of the codec, and its robustness to loss (ITU-T G.107, G.113).
    ie: float = 0.0
    bpl: float = 10.0
    #: Milliseconds of speech in a packet, and how far the coder looks ahead (RFC 6716, 2).
    packet_ms: float = 20.0
    look_ahead_ms: float = 6.5
    #: The jitter buffer waits for 99 of 100 packets, and never less than this.
    least_buffer_ms: float = 20.0


class Estimate(Record):
    """How people would rate a direction of a conversation, by the E-model (ITU-T G.107)."""

    #: Rating, 0 to 100; 93.2 without any fault.
    r: float
    #: Mean opinion, 1 to 4.5.
    mos: float
    #: From mouth to ear: coder, network and jitter buffer.
    delay_ms: float
    buffer_ms: float
    #: Fraction of packets that were lost.
    loss: float
    #: How much longer bursts of loss were than by chance; 1 where they were not.
    burst_ratio: float
    assumed: Assumed


class Quality(Record):
    """How one direction of a call's media arrived by one path, as its last tap saw it."""

    #: Sequence numbers from the first packet to the last that should have come (RFC 3550, A.3).
    expected: int
    lost: int
    #: The most packets lost in a row.
    longest_burst: int
    #: Packets that came after one with a higher number (RFC 4737, section 3).
    reordered: int
    #: Copies of packets that had come already (RFC 5560).
    duplicated: int
    #: Mean and greatest value of the running estimate (RFC 3550, section 6.4.1) in ms; None
    #: where nothing tells the clock rate of the timestamps.
    jitter_ms: float | None
    jitter_max_ms: float | None
    #: From the first tap to the last in ms: median, and 99th percentile.
    delay_ms: float
    delay_p99_ms: float
    #: None where no codec is known to be Opus; results of earlier versions have none.
    estimate: Estimate | None = None


class LineCount(Record):
    """What became of the frames of one sender on an impaired cable, while the run lasted."""

    passed: int
    #: As the cable's description asks. Netem counts here what it had no room for, too.
    lost: int
    #: For want of room, which nobody asked for.
    overflowed: int
    #: Passed more than 3 ms after their time; netem does not tell.
    late: int


class Interruption(Record):
    """A time without media in one direction, at the tap of who should have received it."""

    from_: str = Field(alias="from")
    to: str
    seconds: float
    #: The last packet before and the first after, frames of this tap.
    tap: str
    frames: tuple[int, int]
