"""A second reader of captures, which takes one packet after the other: slow and plain.

It shares no code with the one in columns. What both say of damaged files and packets is
compared: where they differ, one of them misreads. Of links it knows Ethernet without tags,
of networks IPv4.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from results.packets import Kind
from results.protocols import stun

LONGEST = 262_144
_MAGIC = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}
_IPV4, _ARP, _CANARY = 0x0800, 0x0806, 0x88B5


class DamagedError(Exception):
    """A file that ends within a record, or whose records cannot be."""


class Record(NamedTuple):
    """One frame: time in ns, place, size, size on the wire, number of the interface."""

    time: int
    start: int
    size: int
    original: int
    interface: int = 0


class Seen(NamedTuple):
    """What one frame is, with offsets from its begin."""

    kind: Kind = Kind.OTHER
    inner: Kind = Kind.OTHER
    payload: bytes = b""
    innermost: bytes = b""
    ends: tuple[int, int, int, int] = (0, 0, 0, 0)
    protocol: int = 0


def records(data: bytes) -> Iterator[Record]:
    """The records of a file of either format; DamagedError where it is."""
    if data[:4] == b"\n\r\r\n":
        yield from _blocks(data)
    elif data[:4] in _MAGIC and len(data) >= 24:
        yield from _pcap(data, *_MAGIC[data[:4]])
    else:
        raise DamagedError


def _pcap(data: bytes, order: str, unit: int) -> Iterator[Record]:
    if struct.unpack_from(order + "HH", data, 4) != (2, 4):
        raise DamagedError
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            raise DamagedError
        seconds, fraction, size, original = struct.unpack_from(order + "IIII", data, at)
        at += 16 + size
        if at > len(data) or size > LONGEST:
            raise DamagedError
        yield Record(seconds * 10**9 + fraction * unit, at - size, size, original)


def _blocks(data: bytes) -> Iterator[Record]:
    order, units, at, earlier = "", list[tuple[int, int]](), 0, 0
    while at < len(data):
        if data[at : at + 4] == b"\n\r\r\n":
            orders = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
            earlier += len(units)
            order, units = orders.get(data[at + 8 :][:4], ""), []
        kind, length = _block(data, at, order)
        body = data[at + 8 : at + length - 4]
        if kind == 1:
            units.append(_interface(order, body))
        elif kind in (2, 6):
            yield _packet(order, kind, at, body, units, earlier)
        at += length


def _block(data: bytes, at: int, order: str) -> tuple[int, int]:
    """Type and length of a block."""
    if at + 12 > len(data) or not order:
        raise DamagedError
    kind, length = struct.unpack_from(order + "II", data, at)
    again = data[at + length - 4 : at + length]
    if length < 12 or length % 4 or again != struct.pack(order + "I", length) or kind == 3:
        raise DamagedError
    return kind, length


def _interface(order: str, body: bytes) -> tuple[int, int]:
    if len(body) < 8:
        raise DamagedError
    units, offset, at = 10**6, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == 0 or len(value) < size:
            break
        if code == 9 and size == 1:
            units = (2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F)
        elif code == 9:
            units = 10**6
        if code == 14:
            offset = struct.unpack(order + "q", value)[0] if size == 8 else 0
        at += 4 + size + -size % 4
    return units, offset


def _packet(
    order: str, kind: int, at: int, body: bytes, units: list[tuple[int, int]], earlier: int
) -> Record:
    if len(body) < 20:
        raise DamagedError
    which, high, low, size, original = struct.unpack_from(order + "IIIII", body)
    if kind == 2:
        (which,) = struct.unpack_from(order + "H", body)
    if which >= len(units) or size > min(len(body) - 20, LONGEST):
        raise DamagedError
    unit, offset = units[which]
    time = (high << 32 | low) * 10**9 // unit + offset * 10**9
    if not 0 <= time < 2**63:
        raise DamagedError
    return Record(time, at + 28, size, original, earlier + which)


def frame(data: bytes, original: int) -> Seen:
    """What an Ethernet frame is; a capture that snapped it leaves its payload out."""
    if len(data) < max(original, 14):
        return Seen()
    ethertype = int.from_bytes(data[12:14])
    if ethertype == _IPV4:
        return _ipv4(data[14:])
    kind = {_ARP: Kind.ARP, _CANARY: Kind.CANARY}.get(ethertype)
    return Seen() if kind is None else Seen(kind, kind, data[14:], data[14:])


def _ipv4(packet: bytes) -> Seen:
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return Seen()
    total = int.from_bytes(packet[2:4]) or len(packet)
    size, protocol = (packet[0] & 15) * 4, packet[9]
    src, dst = struct.unpack_from(">II", packet, 12)
    seen = Seen(ends=(src, 0, dst, 0), protocol=protocol)
    if not 20 <= size <= total <= len(packet) or int.from_bytes(packet[6:8]) & 0x1FFF:
        return seen
    body = packet[size:total]
    if protocol == 17 and len(body) >= 8:
        return _udp(seen, body)
    if protocol == 6 and len(body) >= 20:
        return _tcp(seen, body)
    if protocol in (1, 58):
        kind = Kind.ICMP if protocol == 1 else Kind.ICMPV6
        return seen._replace(kind=kind, inner=kind, payload=body, innermost=body)
    return seen


def _with_ports(seen: Seen, body: bytes) -> Seen:
    sport, dport = struct.unpack_from(">HH", body)
    return seen._replace(ends=(seen.ends[0], sport, seen.ends[2], dport))


def _udp(seen: Seen, body: bytes) -> Seen:
    seen, size = _with_ports(seen, body), int.from_bytes(body[4:6])
    if not 8 <= size <= len(body):
        return seen
    payload = body[8:size]
    kind = Kind.DNS if 53 in (seen.ends[1], seen.ends[3]) else demultiplexed(payload)
    inner, innermost = kind, payload
    while (found := _unwrapped(inner, innermost)) is not None:
        inner, innermost = demultiplexed(found), found
    return seen._replace(kind=kind, inner=inner, payload=payload, innermost=innermost)


def _tcp(seen: Seen, body: bytes) -> Seen:
    seen, size = _with_ports(seen, body), (body[12] >> 4) * 4
    if not 20 <= size <= len(body):
        return seen
    return seen._replace(kind=Kind.TCP, inner=Kind.TCP, payload=body[size:], innermost=body[size:])


def demultiplexed(payload: bytes) -> Kind:
    """The kind of a UDP payload (RFC 7983, section 7; RFC 5761, section 4)."""
    first, size = payload[0] if payload else 255, len(payload)
    if first <= 3 and size >= 20 and payload[4:8] == stun.MAGIC:
        return Kind.STUN
    if 20 <= first <= 63 and size >= 13:
        return Kind.DTLS
    if 64 <= first <= 79 and size >= 4 and 0 <= size - 4 - int.from_bytes(payload[2:4]) <= 3:
        return Kind.CHANNEL_DATA
    if 128 <= first <= 191 and size >= 8 and 192 <= payload[1] <= 223:
        return Kind.RTCP
    return Kind.RTP if 128 <= first <= 191 and size >= 12 else Kind.UDP


def _unwrapped(kind: Kind, payload: bytes) -> bytes | None:
    """What a TURN message carries for a peer (RFC 8656, sections 11 and 12)."""
    if kind is Kind.CHANNEL_DATA:
        return payload[4 : 4 + int.from_bytes(payload[2:4])]
    if kind is not Kind.STUN or payload[:2] not in (b"\x00\x16", b"\x00\x17"):
        return None
    try:
        found = stun.parse(payload).find(stun.AttributeType.DATA)
    except stun.StunError:
        return None
    return found and found.value
