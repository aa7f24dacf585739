"""The transport layer: UDP, TCP, and ICMP, which is its own payload."""

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import Columns, Spans
from results.wire.kinds import Kind
from results.wire.near import Near
from results.wire.network import Transports

#: IP protocol numbers (IANA "Assigned Internet Protocol Numbers").
IP_ICMP = 1
IP_TCP = 6
IP_UDP = 17
IP_ICMPV6 = 58

_UDP = np.dtype([("sport", ">u2"), ("dport", ">u2"), ("length", ">u2"), ("checksum", ">u2")])
_TCP = np.dtype(
    [
        *(("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4")),
        *(("offset", "u1"), ("flags", "u1"), ("window", ">u2"), ("rest", ">u4")),
    ]
)


def of_protocol(payloads: Transports, protocol: int) -> Spans:
    """The payloads of one protocol."""
    return payloads.spans.only(payloads.protocol == protocol)


def read_udp(near: Near, datagrams: Spans, columns: Columns) -> Spans:
    """Read UDP headers (RFC 768); payloads of datagrams that their packets hold whole."""
    datagrams = datagrams.only(datagrams.sizes >= _UDP.itemsize)
    head = near.gather(datagrams, _UDP)
    _set_ports(columns, datagrams, head)
    length = head["length"].astype(np.int64)
    whole = (length >= _UDP.itemsize) & (length <= datagrams.sizes)
    start = datagrams.start
    return Spans(datagrams.rows, start + _UDP.itemsize, start + length).only(whole)


def read_tcp(near: Near, segments: Spans, columns: Columns) -> Spans:
    """Read TCP headers (RFC 9293, section 3.1); payloads of segments."""
    segments = segments.only(segments.sizes >= _TCP.itemsize)
    head = near.gather(segments, _TCP)
    _set_ports(columns, segments, head)
    size = (head["offset"] >> 4).astype(np.int64) * 4
    good = (size >= _TCP.itemsize) & (size <= segments.sizes)
    segments, head, size = segments.only(good), head[good], size[good]
    columns.tcp_seq[segments.rows] = head["seq"]
    columns.tcp_flags[segments.rows] = head["flags"]
    return Spans(segments.rows, segments.start + size, segments.end)


def _set_ports(columns: Columns, spans: Spans, head: NDArray[np.void]) -> None:
    columns.sport[spans.rows] = head["sport"]
    columns.dport[spans.rows] = head["dport"]


def set_payload(columns: Columns, payloads: Spans, kind: Kind) -> None:
    """Say of what kind payloads are, and where they lie; nothing is wrapped in them."""
    rows = payloads.rows
    columns.kind[rows] = columns.inner_kind[rows] = kind
    columns.payload_start[rows] = columns.inner_start[rows] = payloads.start
    columns.payload_size[rows] = columns.inner_size[rows] = payloads.sizes
