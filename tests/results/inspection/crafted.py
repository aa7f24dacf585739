"""Captures made with scapy: two agents, a relay, and whoever listens in between.

A capture sees the packets that are sent past it, each with the time to live that it has
there, and stamps them with a clock of its own.
"""

from dataclasses import dataclass, field
from pathlib import Path

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgWriter, PcapWriter

from results.inspection.inspector import inspect
from results.inspection.records import CallSeen, Inspection
from tests.results.call_story import (
    ICE_CONTROLLING,
    MAPPED,
    REQUEST,
    SUCCESS,
    USE_CANDIDATE,
    USERNAME,
)
from tests.results.home_story import ALLOCATE_SUCCESS, CHANNEL_BIND, CHANNEL_NUMBER, PEER
from tests.results.home_story import RELAYED as RELAYED_ADDRESS
from tests.results.story import channel_data, end, rtp, stun, xored

START = 1_800_000_000.0

A = "10.0.0.5:50000"
A_OUTSIDE = "198.51.100.2:61000"
B = "192.0.2.9:50001"
SERVER = "203.0.113.9:3478"
RELAYED = "203.0.113.9:49152"

#: Time from one packet of media to the next, in seconds.
STEP = 0.02

HUNDRED = range(100)
#: SSRC of the one who answers.
OTHER = 0x22222222


@dataclass
class Capture:
    """One file; its clock is ``ahead`` of the true one by so many seconds."""

    ahead: float = 0.0
    packets: list[Packet] = field(default_factory=list)

    def see(self, at: float, source: str, destination: str, payload: bytes, ttl: int = 64) -> None:
        """Capture a UDP packet at a true time after the start, in seconds."""
        self.add(at, _ip(source, destination, ttl) / Raw(payload))

    def add(self, at: float, packet: Packet) -> None:
        """Capture any IP packet."""
        # Without addresses scapy would ask the machine's own network for them.
        framed = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet
        framed.time = START + at + self.ahead
        self.packets.append(framed)

    def store(self, path: Path) -> Path:
        """Write it, as pcapng or classic by the name."""
        writer = PcapNgWriter if path.suffix == ".pcapng" else PcapWriter
        with writer(str(path)) as file:
            for packet in sorted(self.packets, key=lambda packet: float(packet.time)):
                file.write(packet)
        return path


def _ip(source: str, destination: str, ttl: int) -> Packet:
    (src, sport), (dst, dport) = source.split(":"), destination.split(":")
    return IP(src=src, dst=dst, ttl=ttl) / UDP(sport=int(sport), dport=int(dport))


def media(number: int, ssrc: int = 0x11111111) -> bytes:
    """An RTP packet of Opus, with a payload that no other has."""
    packet = rtp(number, 0)
    return packet[:8] + ssrc.to_bytes(4) + number.to_bytes(40)


def check(
    transaction: int, names: str, *, nominates: bool = False, controlling: bool = True
) -> bytes:
    """A check: ``names`` are the receiver's ufrag and the sender's."""
    role = ICE_CONTROLLING if controlling else 0x8029
    more = [(USE_CANDIDATE, b"")] if nominates else []
    return stun(REQUEST, transaction, (USERNAME, names.encode()), (role, bytes(8)), *more)


def answer(transaction: int, seen_as: str) -> bytes:
    """The success response to a check."""
    return stun(SUCCESS, transaction, (MAPPED, xored(end(seen_as))))


def ice(capture: Capture, a: str = A, b: str = B, *, nominated: bool = True) -> None:
    """Checks between two ends: both ways, then A's nomination."""
    capture.see(0.00, a, b, check(1, "bbbb:aaaa"))
    capture.see(0.01, b, a, answer(1, a), ttl=60)
    capture.see(0.02, b, a, check(2, "aaaa:bbbb", controlling=False), ttl=60)
    capture.see(0.03, a, b, answer(2, b))
    if nominated:
        capture.see(0.04, a, b, check(3, "bbbb:aaaa", nominates=True))
        capture.see(0.05, b, a, answer(3, a), ttl=60)


def talk(
    capture: Capture,
    source: str,
    destination: str,
    numbers: range,
    *,
    ssrc: int = 0x11111111,
    ttl: int = 64,
    late: float = 0.0,
    channel: int | None = None,
) -> None:
    """Media of these numbers, each at its time after 1 s and so much later; in TURN by channel."""
    for number in numbers:
        payload = media(number, ssrc)
        wrapped = payload if channel is None else channel_data(payload, channel)
        capture.see(1 + number * STEP + late, source, destination, wrapped, ttl)


def call_in(folder: Path, *captures: Capture, silence: float = 2.0) -> CallSeen:
    (call,) = inspected(folder, *captures, silence=silence).calls
    return call


def inspected(folder: Path, *captures: Capture, silence: float = 2.0) -> Inspection:
    files = [one.store(folder / f"{number}.pcapng") for number, one in enumerate(captures)]
    return inspect(files, silence)


def a_call(*, nominated: bool = True) -> Capture:
    """What A's own machine sees of a call with media both ways."""
    capture = Capture()
    ice(capture, nominated=nominated)
    talk(capture, A, B, HUNDRED)
    talk(capture, B, A, HUNDRED, ssrc=OTHER, ttl=60)
    return capture


def through_relay(capture: Capture, client: str, *, allocated: bool = True) -> None:
    """A's side of a call through her relay: allocation, channel, media in it."""
    if allocated:
        granted = stun(ALLOCATE_SUCCESS, 31, (RELAYED_ADDRESS, xored(end(RELAYED))))
        capture.see(0.0, SERVER, client, granted, ttl=50)
        bind = stun(CHANNEL_BIND, 32, (PEER, xored(end(B))), (CHANNEL_NUMBER, b"\x40\x00\x00\x00"))
        capture.see(0.1, client, SERVER, bind)
    talk(capture, client, SERVER, HUNDRED, channel=0x4000)
    talk(capture, SERVER, client, HUNDRED, channel=0x4000, ssrc=OTHER, ttl=50)
