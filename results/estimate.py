"""An estimate of the quality of speech: the E-model with what captures measured.

What captures cannot tell (codec, coder, jitter buffer) is assumed, and the assumptions
are stored with each estimate (docs/quality.md says where they come from).
"""

from collections.abc import Sequence

from results import emodel
from results.measured import Assumed, Estimate

#: The clock of Opus in RTP, whatever it codes (RFC 7587, section 4.1); nothing else that the
#: clients offer has it.
OPUS_RATE = 48_000


def estimate(
    delay_ms: float,
    delay_p99_ms: float,
    bursts: Sequence[int],
    received: int,
    assumed: Assumed | None = None,
) -> Estimate:
    """R and MOS of one direction, from its delay between the taps of sender and receiver.

    ``bursts`` are the lengths of all losses in a row, ``received`` the packets that came.
    """
    assumed = assumed or Assumed()
    buffer = max(assumed.least_buffer_ms, delay_p99_ms - delay_ms)
    delay = max(0.0, delay_ms) + buffer + assumed.packet_ms + assumed.look_ahead_ms
    lost = sum(bursts)
    loss = lost / (lost + received) if lost else 0.0
    ratio = emodel.burst_ratio(bursts, received)
    r = emodel.rating(delay, loss, assumed.ie, assumed.bpl, ratio)
    return Estimate(
        r=round(r, 1),
        mos=round(emodel.mos(r), 2),
        delay_ms=round(delay, 1),
        buffer_ms=round(buffer, 1),
        loss=round(loss, 4),
        burst_ratio=round(ratio, 2),
        assumed=assumed,
    )


def in_words(found: Estimate | None) -> str:
    """R and MOS for a person."""
    return f"R {found.r:.1f}, MOS {found.mos:.2f}" if found else "not rated"


def assumptions(assumed: Assumed) -> str:
    """What an estimate assumes, for a person."""
    return (
        f"R and MOS are estimates after ITU-T G.107 that assume {assumed.codec} with Ie "
        f"{assumed.ie:g} and Bpl {assumed.bpl:g}, {assumed.packet_ms:g} ms of speech in a packet, "
        f"{assumed.look_ahead_ms:g} ms of looking ahead, and a jitter buffer of at least "
        f"{assumed.least_buffer_ms:g} ms"
    )
