"""What the headers of one frame say: its ends, its kind, and where its payload lies.

A frame stays where it is, in the buffer with the bytes of all captures.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from results import stun
from results.capture import LinkType, Record
from results.schema import CANARY_ETHERTYPE

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_ARP = 0x0806

# Sizes of headers in bytes; of RTCP a header and the sender's SSRC.
_ETHERNET_HEADER = 14
_IPV4_HEADER = 20
_UDP_HEADER = 8
_TCP_HEADER = 20
_DTLS_RECORD_HEADER = 13
_RTP_HEADER = 12
_RTCP_HEADER = 8
_CHANNEL_DATA_HEADER = 4

#: The bits of the IPv4 flags field that hold the fragment offset (RFC 791, section 3.1).
_FRAGMENT_OFFSET = 0x1FFF

#: Message types of the Send and the Data indication (RFC 8656, section 17).
_INDICATIONS = (b"\x00\x16", b"\x00\x17")

#: IP protocol numbers (IANA "Assigned Internet Protocol Numbers").
IP_ICMP = 1
IP_TCP = 6
IP_UDP = 17

DNS_PORT = 53


class Kind(IntEnum):
    """What a packet is, as far as its own bytes and ports tell.

    RTP and DTLS are guesses by first byte (RFC 7983): only authentication and a
    parsed handshake prove them.
    """

    OTHER = 0
    ARP = 1
    ICMP = 2
    TCP = 3
    #: UDP that is none of the following.
    UDP = 4
    DNS = 5
    STUN = 6
    CHANNEL_DATA = 7
    DTLS = 8
    RTP = 9
    RTCP = 10
    CANARY = 11
    #: To or from the outside of a VPN gateway; what is in it can be seen in the tunnel only.
    WIREGUARD = 12


class Span(NamedTuple):
    """Bytes of the buffer, and what they are."""

    kind: Kind
    start: int
    end: int


class Headers(NamedTuple):
    """What the headers of one frame say."""

    payload: Span
    src_mac: int = 0
    dst_mac: int = 0
    src: int = 0
    dst: int = 0
    sport: int = 0
    dport: int = 0
    protocol: int = 0
    ttl: int = 0
    transport: int = 0


def headers(buffer: bytes, record: Record, link_type: LinkType) -> Headers:
    """The headers of a frame; a capture that snapped it leaves its payload out."""
    start, end = record.start, record.start + record.size
    whole = record.size >= record.original
    if link_type is not LinkType.ETHERNET:
        return _ipv4(buffer, start, end) if whole else Headers(nothing(end))
    dst_mac = int.from_bytes(buffer[start : min(start + 6, end)])
    src_mac = int.from_bytes(buffer[start + 6 : min(start + 12, end)])
    readable = whole and record.size >= _ETHERNET_HEADER
    packet = _ethernet(buffer, start, end) if readable else Headers(nothing(end))
    return packet._replace(src_mac=src_mac, dst_mac=dst_mac)


def demultiplex(payload: bytes) -> Kind:
    """The kind of a UDP payload by its first byte (RFC 7983, section 7; RFC 5761, section 4)."""
    first = payload[0] if payload else 0
    if first <= 3:
        return Kind.STUN if _is_stun(payload) else Kind.UDP
    if 20 <= first <= 63:
        return Kind.DTLS if len(payload) >= _DTLS_RECORD_HEADER else Kind.UDP
    if 64 <= first <= 79:
        return Kind.CHANNEL_DATA if _is_channel_data(payload) else Kind.UDP
    if 128 <= first <= 191:
        return _rtp_or_rtcp(payload)
    return Kind.UDP


def _is_stun(payload: bytes) -> bool:
    return len(payload) >= stun.HEADER_SIZE and payload[4:8] == stun.MAGIC


def is_indication(payload: bytes) -> bool:
    """Whether a STUN message is a Send or a Data indication."""
    return payload[:2] in _INDICATIONS


def _is_channel_data(payload: bytes) -> bool:
    """Whether the length field fits; over UDP, padding to 4 bytes may follow (RFC 8656, 12.5)."""
    padding = len(payload) - _CHANNEL_DATA_HEADER - int.from_bytes(payload[2:4])
    return 0 <= padding <= 3


def _rtp_or_rtcp(payload: bytes) -> Kind:
    if len(payload) >= _RTCP_HEADER and 192 <= payload[1] <= 223:
        return Kind.RTCP
    return Kind.RTP if len(payload) >= _RTP_HEADER else Kind.UDP


def nothing(end: int) -> Span:
    """No payload that could be read."""
    return Span(Kind.OTHER, end, end)


def _ethernet(buffer: bytes, start: int, end: int) -> Headers:
    ethertype = int.from_bytes(buffer[start + 12 : start + 14])
    payload = start + _ETHERNET_HEADER
    if ethertype == _ETHERTYPE_IPV4:
        return _ipv4(buffer, payload, end)
    kind = _BY_ETHERTYPE.get(ethertype)
    return Headers(nothing(end) if kind is None else Span(kind, payload, end))


_BY_ETHERTYPE = {_ETHERTYPE_ARP: Kind.ARP, CANARY_ETHERTYPE: Kind.CANARY}


def _ipv4(buffer: bytes, start: int, end: int) -> Headers:
    """Read an IPv4 packet (RFC 791, section 3.1); bytes after it are padding of the frame."""
    if end - start < _IPV4_HEADER or buffer[start] >> 4 != 4:
        return Headers(nothing(end))
    version_ihl, total, fragment, ttl, protocol, src, dst = struct.unpack_from(
        ">BxHxxHBBxxII", buffer, start
    )
    # Segmentation offload may leave the length of a large segment 0: it fills the frame.
    packet_end = start + total if total else end
    transport = start + (version_ihl & 0x0F) * 4
    packet = Headers(nothing(end), src=src, dst=dst, protocol=protocol, ttl=ttl)
    read = _TRANSPORTS.get(protocol)
    fits = start + _IPV4_HEADER <= transport <= packet_end <= end
    if read is None or not fits or fragment & _FRAGMENT_OFFSET:
        return packet
    return read(buffer, packet, transport, packet_end)


def _udp(buffer: bytes, packet: Headers, start: int, end: int) -> Headers:
    """Read a UDP datagram (RFC 768); one that its packet does not hold whole stays OTHER."""
    if end - start < _UDP_HEADER:
        return packet
    sport, dport, size = struct.unpack_from(">HHH", buffer, start)
    packet = packet._replace(sport=sport, dport=dport)
    if not _UDP_HEADER <= size <= end - start:
        return packet
    payload, payload_end = start + _UDP_HEADER, start + size
    is_dns = DNS_PORT in (sport, dport)
    kind = Kind.DNS if is_dns else demultiplex(buffer[payload:payload_end])
    return packet._replace(payload=Span(kind, payload, payload_end))


def _tcp(buffer: bytes, packet: Headers, start: int, end: int) -> Headers:
    """Read a TCP segment (RFC 9293, section 3.1)."""
    if end - start < _TCP_HEADER:
        return packet
    sport, dport = struct.unpack_from(">HH", buffer, start)
    payload = start + (buffer[start + 12] >> 4) * 4
    if not start + _TCP_HEADER <= payload <= end:
        return packet._replace(sport=sport, dport=dport)
    span = Span(Kind.TCP, payload, end)
    return packet._replace(payload=span, sport=sport, dport=dport, transport=start)


def _icmp(_buffer: bytes, packet: Headers, start: int, end: int) -> Headers:
    return packet._replace(payload=Span(Kind.ICMP, start, end))


_TRANSPORTS = {IP_ICMP: _icmp, IP_TCP: _tcp, IP_UDP: _udp}


def innermost(buffer: bytes, span: Span) -> Span:
    """Unwrap ChannelData and indications until something else comes to light."""
    while inside := _wrapped(buffer, span):
        start, end = inside
        span = Span(demultiplex(buffer[start:end]), start, end)
    return span


def _wrapped(buffer: bytes, span: Span) -> tuple[int, int] | None:
    """Start and end of what a TURN message carries for a peer (RFC 8656, sections 11 and 12)."""
    if span.kind is Kind.CHANNEL_DATA:
        start = span.start + _CHANNEL_DATA_HEADER
        return start, start + int.from_bytes(buffer[span.start + 2 : start])
    message = buffer[span.start : span.end]
    if span.kind is not Kind.STUN or not is_indication(message):
        return None
    try:
        data = stun.parse(message).find(stun.AttributeType.DATA)
    except stun.StunError:
        return None
    return data and (span.start + data.start, span.start + data.start + len(data.value))
