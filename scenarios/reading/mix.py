"""The packets of the benchmark, in a stated mix, and the files that hold them.

What they are made of is drawn from a seeded generator: the same files every time.
"""

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_MAGIC_COOKIE = 0x2112A442
_SECOND = 1_000_000_000
_START = 1_800_000_000 * _SECOND
#: Nanoseconds from packet to packet.
_GAP = 20_000

_CLIENT, _RELAY, _RESOLVER, _SERVER = 0x0A0A000B, 0xCB007109, 0xCB007135, 0xCB007150
_UDP, _TCP = 17, 6


class Share(NamedTuple):
    """A kind of packet, how many of a thousand are of it, and how one is made."""

    name: str
    permille: int
    make: Callable[["Source"], bytes]


class Packet(NamedTuple):
    """A frame and its time in ns since the epoch."""

    time: int
    frame: bytes


class Source:
    """Where the bytes of packets come from, each different from all others."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 (not for secrets)
        self.count = 0
        self._pool = self.random.randbytes(1 << 16)

    def octets(self, size: int) -> bytes:
        """So many bytes that look like ciphertext."""
        at = self.random.randrange(len(self._pool) - size)
        return self._pool[at : at + size]

    def tag(self) -> bytes:
        """Ten bytes that are unique, as the tag of an authenticated packet is."""
        return struct.pack(">QH", self.random.getrandbits(64), self.count & 0xFFFF)


def _rtp(source: Source) -> bytes:
    size = source.random.randint(160, 1100)
    count = source.count
    ssrc = 0x10000000 + count % 8
    head = struct.pack(">BBHII", 0x80, 96, count // 8 & 0xFFFF, count * 960 & 0xFFFFFFFF, ssrc)
    return head + source.octets(size - 22) + source.tag()


def _rtcp(source: Source) -> bytes:
    head = struct.pack(">BBHI", 0x80, 200, 6, 0x10000000 + source.count % 8)
    return head + source.octets(20) + struct.pack(">I", 0x80000000 | source.count) + source.tag()


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _stun(source: Source, kind: int, *attributes: bytes) -> bytes:
    body = b"".join(attributes)
    transaction = struct.pack(">Q", source.random.getrandbits(64)) + source.count.to_bytes(4)
    return struct.pack(">HHI", kind, len(body), _MAGIC_COOKIE) + transaction + body


def _peer(source: Source) -> bytes:
    return _attribute(0x0012, struct.pack(">BBHI", 0, 1, source.count & 0xFFFF, 0x21126543))


def _plain_rtp(source: Source) -> bytes:
    return _udp(_rtp(source), _CLIENT, _RELAY, 50_000, 50_002)


def _in_channel(source: Source) -> bytes:
    inner = _rtp(source)
    return _udp(struct.pack(">HH", 0x4001, len(inner)) + inner, _CLIENT, _RELAY, 50_000, 3478)


def _in_send(source: Source) -> bytes:
    payload = _stun(source, 0x0016, _peer(source), _attribute(0x0013, _rtp(source)))
    return _udp(payload, _CLIENT, _RELAY, 50_000, 3478)


def _in_data(source: Source) -> bytes:
    payload = _stun(source, 0x0017, _peer(source), _attribute(0x0013, _rtp(source)))
    return _udp(payload, _RELAY, _CLIENT, 3478, 50_000)


def _plain_rtcp(source: Source) -> bytes:
    return _udp(_rtcp(source), _CLIENT, _RELAY, 50_000, 50_002)


def _check(source: Source) -> bytes:
    kind = 0x0001 if source.count % 2 else 0x0101
    user = _attribute(0x0006, b"abcd:efgh")
    integrity = _attribute(0x0008, source.octets(10) + source.tag())
    return _udp(_stun(source, kind, user, integrity), _CLIENT, _RELAY, 50_000, 50_002)


def _dtls(source: Source) -> bytes:
    body = source.octets(60) + source.tag()
    head = b"\x17\xfe\xfd\x00\x01" + source.count.to_bytes(6) + len(body).to_bytes(2)
    return _udp(head + body, _CLIENT, _RELAY, 50_000, 50_002)


def _dns(source: Source) -> bytes:
    number = source.random.getrandbits(16)
    name = b"\x05relay\x07service\x07example\x00" + struct.pack(">HH", 1, 1)
    question = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name
    return _udp(question, _CLIENT, _RESOLVER, 40_000 + source.count % 20_000, 53)


def _tls(source: Source) -> bytes:
    body = source.octets(source.random.randint(40, 1200))
    return _tcp(source, b"\x17\x03\x03" + len(body).to_bytes(2) + body)


def _ack(source: Source) -> bytes:
    return _tcp(source, b"")


#: 85 % SRTP, half of it in ChannelData and a little in indications, 5 % RTCP, 3 % STUN,
#: 1 % DTLS; DNS, TLS and bare TCP are the rest.
MIX = (
    Share("SRTP", 405, _plain_rtp),
    Share("SRTP in ChannelData", 425, _in_channel),
    Share("SRTP in Send indications", 10, _in_send),
    Share("SRTP in Data indications", 10, _in_data),
    Share("SRTCP", 50, _plain_rtcp),
    Share("STUN", 30, _check),
    Share("DTLS", 10, _dtls),
    Share("DNS", 10, _dns),
    Share("TLS", 30, _tls),
    Share("TCP", 20, _ack),
)


def packets(count: int, seed: int = 1) -> Iterator[Packet]:
    """So many packets of the mix."""
    source = Source(seed)
    kinds = source.random.choices(MIX, [share.permille for share in MIX], k=1 << 16)
    for number in range(count):
        source.count = number
        yield Packet(_START + number * _GAP, kinds[number % len(kinds)].make(source))


def _udp(payload: bytes, src: int, dst: int, sport: int, dport: int) -> bytes:
    head = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0)
    return _ipv4(head + payload, src, dst, _UDP)


def _tcp(source: Source, payload: bytes) -> bytes:
    seq = source.count * 1500 & 0xFFFFFFFF
    head = struct.pack(">HHIIBBHHH", 50_100, 443, seq, 1, 0x50, 0x18, 65_535, 0, 0)
    return _ipv4(head + payload, _CLIENT, _SERVER, _TCP)


def _ipv4(payload: bytes, src: int, dst: int, protocol: int) -> bytes:
    head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, src, dst)
    return b"\2\0\n\0\0\1\2\0\n\0\0\2\x08\0" + head + payload


def write_pcap(path: Path, some: Iterable[Packet]) -> None:
    """Write classic pcap with nanoseconds."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1))
        for time, frame in some:
            size = len(frame)
            file.write(struct.pack("<IIII", time // _SECOND, time % _SECOND, size, size) + frame)


def write_pcapng(path: Path, some: Iterable[Packet]) -> None:
    """Write pcapng with nanoseconds, as dumpcap does."""
    with path.open("wb") as file:
        file.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        file.write(struct.pack("<IIHHIHHB3xHHI", 1, 32, 1, 0, 262_144, 9, 1, 9, 0, 0, 32))
        for time, frame in some:
            size = len(frame)
            length = 32 + size + -size % 4
            head = struct.pack("<IIIIIII", 6, length, 0, time >> 32, time & 0xFFFFFFFF, size, size)
            file.write(head + frame + bytes(-size % 4) + length.to_bytes(4, "little"))
