"""The E-model of ITU-T G.107 (06/2015): how a conversation is rated, from delay and loss.

All that captures do not tell of a connection has the default value that G.107, table 2,
gives it. Plain functions of numbers; milliseconds, and loss as a fraction. The rating R
is that of the narrowband scale, 0 to 100; 93.2 is a connection without any fault.
"""

from collections.abc import Iterable
from math import e, exp, log2, log10, sqrt

#: G.107, table 2: loudness of sending and receiving, sidetone, listener's sidetone (dB).
_SLR, _RLR, _STMR, _LSTR = 8.0, 2.0, 15.0, 18.0
#: The talker's echo path, and the echo path between both ends (dB).
_TELR, _WEPL = 65.0, 110.0
#: D-value of the sender's set; room noise at both sides (dB(A)), noise of circuit and of the
#: receiving side's floor (dBm0p).
_DS, _PS, _PR, _NC, _NFOR = 3.0, 35.0, 35.0, -70.0, -64.0
#: Units of quantizing distortion.
_QDU = 1.0
#: How sensitive to delay a conversation is, and the least delay that is noticed (ms).
_S_T, _M_T = 1.0, 100.0

#: MOS of the best and of the worst connection (G.107, annex B).
_BEST, _WORST = 4.5, 1.0


def rating(delay_ms: float, loss: float, ie: float, bpl: float, burst_ratio: float = 1.0) -> float:
    """R of a direction; ``delay_ms`` from mouth to ear, ``loss`` of packets (7-1).

    ``ie`` and ``bpl`` are what the codec impairs, and how robust it is (ITU-T G.113).
    """
    ro = _signal_to_noise()
    network = _simultaneous(ro, delay_ms) + _delay(ro, delay_ms)
    return max(0.0, ro - network - ie_eff(loss, ie, bpl, burst_ratio))


def mos(r: float) -> float:
    """The mean opinion that a rating stands for, 1 (bad) to 4.5 (annex B).

    The annex's curve falls below 1 between 0 and 6.5, which no opinion can.
    """
    if r >= 100:
        return _BEST
    return max(_WORST, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def ie_eff(loss: float, ie: float, bpl: float, burst_ratio: float = 1.0) -> float:
    """What codec and loss impair together (7-29)."""
    percent = loss * 100
    return ie + (95 - ie) * percent / (percent / burst_ratio + bpl) if percent else ie


def burst_ratio(bursts: Iterable[int], received: int) -> float:
    """How much longer bursts of loss are than chance would make them (7-30); at least 1.

    ``bursts`` are their lengths in packets. Where each packet is lost by itself with
    probability p, a burst is 1/(1-p) long on the mean.
    """
    lengths = list(bursts)
    if not lengths:
        return 1.0
    lost = sum(lengths)
    return max(1.0, lost / len(lengths) * received / (lost + received))


def absolute_delay(delay_ms: float) -> float:
    """Idd: what delay alone impairs, without any echo (7-27, 7-28)."""
    if delay_ms <= _M_T:
        return 0.0
    x, power = log2(delay_ms / _M_T), 6 * _S_T
    return 25 * (_root(x, power) - 3 * _root(x / 3, power) + 2)


def _root(x: float, power: float) -> float:
    return float((1 + x**power) ** (1 / power))


def _powers(*decibels: float) -> float:
    """The sum of powers that are told in decibels."""
    return 10 * log10(sum(10 ** (one / 10) for one in decibels))


def _noise() -> float:
    """No: all noise, as if it entered at one point (7-3 to 7-7)."""
    olr = _SLR + _RLR
    sender = _PS - _SLR - _DS - 100 + 0.004 * (_PS - olr - _DS - 14) ** 2
    room = _PR + 10 * log10(1 + 10 ** ((10 - _LSTR) / 10))
    receiver = _RLR - 121 + room + 0.008 * (room - 35) ** 2
    return _powers(_NC, sender, receiver, _NFOR + _RLR)


def _signal_to_noise() -> float:
    """Ro (7-2)."""
    return 15 - 1.5 * (_SLR + _noise())


def _simultaneous(ro: float, delay_ms: float) -> float:
    """Is: what impairs while one speaks; loudness, sidetone, quantizing (7-8 to 7-17)."""
    x = (_SLR + _RLR + 0.2 * (64 + _noise() - _RLR)) / 8
    loudness = 20 * (_root(x, 8) - x)
    return loudness + _sidetone(delay_ms) + _quantizing(ro)


def _sidetone(delay_ms: float) -> float:
    """Ist (7-11, 7-12)."""
    heard = -_powers(-_STMR, -_TELR - 10 * log10(e) * delay_ms / 4)
    loud, quiet = (heard - 13) / 6, (heard - 3) / 33
    return 12 * _root(loud, 8) - 28 * _root((heard + 1) / 19.4, 35) - 13 * _root(quiet, 13) + 29


def _quantizing(ro: float) -> float:
    """Iq (7-13 to 7-17)."""
    q = 37 - 15 * log10(_QDU)
    g = 1.07 + 0.258 * q + 0.0602 * q**2
    y, z = (ro - 100) / 15 + 46 / 8.4 - g / 9, 46 / 30 - g / 40
    return 15 * log10(1 + 10**y + 10**z)


def _delay(ro: float, delay_ms: float) -> float:
    """Id: echo of the talker, echo of the listener, and delay itself (7-18)."""
    return _talker_echo(delay_ms) + _listener_echo(ro, 2 * delay_ms) + absolute_delay(delay_ms)


def _talker_echo(delay_ms: float) -> float:
    """Idte, for a one-way delay (7-19 to 7-22)."""
    spread = 40 * log10((1 + delay_ms / 10) / (1 + delay_ms / 150))
    echo = _TELR - spread + 6 * exp(-0.3 * delay_ms**2)
    apart = -1.5 * (_noise() - _RLR) - (80 + 2.5 * (echo - 14))
    return (apart / 2 + sqrt(apart**2 / 4 + 100) - 1) * (1 - exp(-delay_ms))


def _listener_echo(ro: float, round_trip_ms: float) -> float:
    """Idle, for a delay there and back (7-25, 7-26)."""
    apart = ro - 10.5 * (_WEPL + 7) / sqrt(sqrt(round_trip_ms + 1))
    return apart / 2 + sqrt(apart**2 / 4 + 169)
