"""The network layer: IPv4 with options, IPv6 with extension headers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import Columns, Spans
from results.wire.data import Data, Places, among
from results.wire.near import Near

_IPV4 = np.dtype(
    [
        *(("version_ihl", "u1"), ("service", "u1"), ("total", ">u2"), ("id", ">u2")),
        *(("fragment", ">u2"), ("ttl", "u1"), ("protocol", "u1"), ("checksum", ">u2")),
        *(("src", ">u4"), ("dst", ">u4")),
    ]
)
#: The bits of the IPv4 flags field that hold the fragment offset (RFC 791, section 3.1).
_FRAGMENT_OFFSET = 0x1FFF
_MORE_FRAGMENTS = 0x2000
_FRAGMENT_BITS = _MORE_FRAGMENTS | _FRAGMENT_OFFSET

_IPV6 = np.dtype(
    [
        *(("version_class", "u1"), ("class_label", "u1"), ("label", ">u2"), ("length", ">u2")),
        *(("next", "u1"), ("hop_limit", "u1"), ("src", ">u8", 2), ("dst", ">u8", 2)),
    ]
)
_EXTENSION = np.dtype([("next", "u1"), ("length", "u1"), ("offset", ">u2"), ("id", ">u4")])

# Extension headers of IPv6 (IANA "IPv6 Extension Header Types").
_FRAGMENT, _AUTHENTICATION = 44, 51
#: Those whose length is told in units of 8 bytes, the first not counted (RFC 8200, section 4).
_OPTIONS = (0, 43, 60, 135, 139, 140)
_EXTENSIONS = (*_OPTIONS, _FRAGMENT, _AUTHENTICATION)
#: The bits of its offset field that hold the fragment offset (RFC 8200, section 4.5).
_FRAGMENT_OFFSET_V6 = 0xFFF8
#: More headers than this no packet has but one that is made to deceive.
_MOST_EXTENSIONS = 16


class Transports(NamedTuple):
    """Payloads of IP packets and their protocols."""

    spans: Spans
    protocol: NDArray[np.uint8]


def read_ipv4(near: Near, packets: Spans, columns: Columns) -> Transports:
    """Read IPv4 headers (RFC 791, section 3.1); bytes after the packet pad the frame.

    What is given back are the payloads of packets that are whole, and of first fragments.
    """
    packets = packets.only(packets.sizes >= _IPV4.itemsize)
    head = near.gather(packets, _IPV4)
    is_ipv4 = head["version_ihl"] >> 4 == 4
    if not is_ipv4.all():
        packets, head = packets.only(is_ipv4), head[is_ipv4]
    rows = packets.rows
    columns.version[rows] = 4
    columns.src[rows], columns.dst[rows] = head["src"], head["dst"]
    columns.protocol[rows], columns.ttl[rows] = head["protocol"], head["ttl"]
    # Segmentation offload may leave the length of a large segment 0: it fills the frame.
    total = head["total"].astype(np.int64)
    end = np.where(total == 0, packets.end, packets.start + total)
    start = packets.start + (head["version_ihl"] & 0x0F).astype(np.int64) * 4
    fits = (start >= packets.start + _IPV4.itemsize) & (start <= end) & (end <= packets.end)
    payloads = Spans(rows, start, end)
    _set_transport(columns, payloads, fits)
    fragments = np.flatnonzero(fits & (head["fragment"] & _FRAGMENT_BITS != 0))
    columns.fragment[rows[fragments]] = head["fragment"][fragments] & _FRAGMENT_BITS
    columns.fragment_id[rows[fragments]] = head["id"][fragments]
    fits &= head["fragment"] & _FRAGMENT_OFFSET == 0
    return _those(Transports(payloads, head["protocol"]), fits)


def read_ipv6(near: Near, packets: Spans, columns: Columns) -> Transports:
    """Read IPv6 headers (RFC 8200, section 3), extension headers included."""
    packets = packets.only(packets.sizes >= _IPV6.itemsize)
    head = near.gather(packets, _IPV6)
    is_ipv6 = head["version_class"] >> 4 == 6
    packets, head = packets.only(is_ipv6), head[is_ipv6]
    rows = packets.rows
    columns.version[rows] = 6
    columns.src6[rows], columns.dst6[rows] = head["src"], head["dst"]
    columns.ttl[rows] = head["hop_limit"]
    start = packets.start + _IPV6.itemsize
    length = head["length"].astype(np.int64)
    end = np.where(length == 0, packets.end, start + length)
    payload = Transports(Spans(rows, start, end), head["next"].copy())
    whole = (end <= packets.end) & (start <= end)
    fits = _after_extensions(near.data, payload, whole, columns)
    columns.protocol[rows] = payload.protocol
    _set_transport(columns, payload.spans, whole)
    return _those(payload, fits)


def _set_transport(columns: Columns, payloads: Spans, which: NDArray[np.bool_]) -> None:
    payloads = payloads.only(which)
    columns.transport_start[payloads.rows] = payloads.start
    columns.transport_size[payloads.rows] = payloads.sizes


def _after_extensions(
    data: Data, payload: Transports, whole: NDArray[np.bool_], columns: Columns
) -> NDArray[np.bool_]:
    """Step over extension headers, in place; which packets have a payload to be read after them.

    ``whole`` are those whose frame holds them whole.
    """
    (rows, start, end), protocol = payload
    good = whole.copy()
    for _ in range(_MOST_EXTENSIONS):
        extended = np.flatnonzero(good & among(protocol, _EXTENSIONS))
        if not len(extended):
            return good
        head = data.gather(start[extended], _EXTENSION)
        kind = protocol[extended]
        size = _extension_sizes(kind, head["length"].astype(np.int64))
        fits = start[extended] + size <= end[extended]
        _set_fragments(columns, rows[extended], head, fits & (kind == _FRAGMENT))
        later = (kind == _FRAGMENT) & (head["offset"] & _FRAGMENT_OFFSET_V6 != 0)
        good[extended] = fits & ~later
        step = extended[fits]
        protocol[step] = head["next"][fits]
        start[step] += size[fits]
    return good & ~among(protocol, _EXTENSIONS)


def _extension_sizes(kind: NDArray[np.uint8], length: Places) -> Places:
    """Sizes of extension headers (RFC 8200, section 4; RFC 4302, section 2.2)."""
    authentication = np.where(kind == _AUTHENTICATION, (length + 2) * 4, (length + 1) * 8)
    return np.where(kind == _FRAGMENT, _EXTENSION.itemsize, authentication)


def _set_fragments(
    columns: Columns,
    rows: NDArray[np.intp],
    head: NDArray[np.void],
    which: NDArray[np.bool_],
) -> None:
    """Say which packets are fragments, as IPv4 does: the offset in units of 8 bytes, a flag above.

    A packet that is whole all the same is none (RFC 6946).
    """
    offset = head["offset"][which]
    columns.fragment[rows[which]] = offset >> 3 | (offset & 1) * np.uint16(_MORE_FRAGMENTS)
    columns.fragment_id[rows[which]] = head["id"][which]


def _those(payloads: Transports, which: NDArray[np.bool_]) -> Transports:
    if which.all():
        return payloads
    return Transports(payloads.spans.only(which), payloads.protocol[which])


def together(*parts: Transports) -> Transports:
    """Payloads of several families as one."""
    some = [part for part in parts if len(part.protocol)] or list(parts[:1])
    if len(some) == 1:
        return some[0]
    spans = (np.concatenate(columns) for columns in zip(*(p.spans for p in some), strict=True))
    return Transports(Spans(*spans), np.concatenate([part.protocol for part in some]))
