"""From records to columns, some ten thousand packets at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from results.canary_frames import CANARY_ETHERTYPE
from results.wire.capture import LinkType, Records
from results.wire.captures import CaptureFile, Place
from results.wire.columns import Columns, Spans
from results.wire.data import Data
from results.wire.fingerprint import fingerprints
from results.wire.kinds import HEAD, Kind, looks_like_wireguard, within_tcp
from results.wire.link import ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, read_link
from results.wire.near import Near
from results.wire.network import read_ipv4, read_ipv6, together
from results.wire.pieces import Batch, read_pieces
from results.wire.transport import (
    IP_ICMP,
    IP_ICMPV6,
    IP_TCP,
    IP_UDP,
    of_protocol,
    read_tcp,
    read_udp,
    set_payload,
)
from results.wire.turn import Payloads, innermost, payloads_of

#: Packets that are read at once: their columns fit the cache of a processor.
BATCH = 1 << 14

DNS_PORT = 53

_BY_ETHERTYPE = {ETHERTYPE_ARP: Kind.ARP, CANARY_ETHERTYPE: Kind.CANARY}


def read_batches(file: CaptureFile, own_mac: int | None = None) -> Iterator[Batch]:
    """The packets of a capture, batch by batch, in the order of each interface; none is kept.

    ``own_mac`` is the address of the interface that was captured: frames with it as
    their source are outgoing. Raises CaptureError where the file is damaged or cut.
    """

    def read(records: Records, first: int) -> Iterator[Batch]:
        return _batches(file, records, first, own_mac)

    place, alone = Place(file), 1
    while place.left:
        for _ in range(alone):
            if place.left:
                first = place.frames + 1
                yield from read(place.part(), first)
        yield from read_pieces(place, read)
        # Where that stopped something is amiss, as may be what follows.
        alone *= 2


def _batches(
    file: CaptureFile, records: Records, first: int, own_mac: int | None
) -> Iterator[Batch]:
    """Some records, of which the first is that of the frame with this number."""
    frames = np.arange(first, first + len(records))
    for number, which, own in _by_interface(file, records):
        numbers = frames[which]
        for some in _evenly(len(own)):
            interface = file.interfaces[number]
            columns = read_columns(file.data, interface.link_type, own.part(some), own_mac)
            columns.frame = numbers[some]
            yield Batch(interface, columns)


def _evenly(count: int) -> Iterator[slice]:
    """So many records cut into batches of about one size."""
    batches = -(-count // BATCH)
    size = -(-count // max(batches, 1))
    for number in range(batches):
        yield slice(number * size, (number + 1) * size)


def _by_interface(
    file: CaptureFile, records: Records
) -> Iterable[tuple[int, NDArray[np.intp] | slice, Records]]:
    """The records of each interface apart; where there is one, there is nothing to look at."""
    return records.by_interface() if len(file.interfaces) > 1 else [(0, slice(None), records)]


def read_columns(data: Data, link_type: LinkType, records: Records, own_mac: int | None) -> Columns:
    """All columns of some packets but ``frame``."""
    columns = Columns.blank(len(records))
    end = records.start + records.size
    columns.time, columns.frame_start = records.time, records.start
    columns.frame_size = records.size
    columns.payload_start, columns.inner_start = end.copy(), end.copy()
    near = Near(data, records.start)
    ethertype, at = read_link(near, link_type, own_mac, records, columns)
    frames = Spans(np.arange(len(records)), at, end)
    for number, kind in _BY_ETHERTYPE.items():
        set_payload(columns, frames.only(ethertype == number), kind)
    packets = together(
        read_ipv4(near, frames.only(ethertype == ETHERTYPE_IPV4), columns),
        read_ipv6(near, frames.only(ethertype == ETHERTYPE_IPV6), columns),
    )
    read_udp_payloads(near, read_udp(near, of_protocol(packets, IP_UDP), columns), columns)
    _read_tcp_payloads(near, read_tcp(near, of_protocol(packets, IP_TCP), columns), columns)
    set_payload(columns, of_protocol(packets, IP_ICMP), Kind.ICMP)
    set_payload(columns, of_protocol(packets, IP_ICMPV6), Kind.ICMPV6)
    return columns


def read_udp_payloads(near: Near, spans: Spans, columns: Columns) -> None:
    """Set what the payloads of datagrams tell: their kinds, and what TURN wraps in them."""
    if not len(spans.rows):
        return
    outer = payloads_of(spans, near.gather(spans, HEAD))
    rows, sizes = spans.rows, spans.sizes
    named = (columns.sport[rows] == DNS_PORT) | (columns.dport[rows] == DNS_PORT)
    outer.kinds[named] = Kind.DNS
    plain = np.flatnonzero(outer.kinds == Kind.UDP)
    tunnel = looks_like_wireguard(outer.heads[plain], sizes[plain])
    outer.kinds[plain[tunnel]] = Kind.WIREGUARD
    inner = innermost(near.data, outer)
    columns.kind[rows], columns.inner_kind[rows] = outer.kinds, inner.kinds
    columns.payload_start[rows], columns.payload_size[rows] = spans.start, sizes
    columns.inner_start[rows], columns.inner_size[rows] = inner.spans.start, inner.spans.sizes
    columns.fingerprint[rows] = fingerprints(
        near.data, inner.spans.start, inner.spans.sizes, inner.heads
    )
    _set_stun_types(columns.stun_type, outer)
    _set_stun_types(columns.inner_stun_type, inner)
    _set_rtp(columns, inner)


def _set_stun_types(column: NDArray[np.uint16], found: Payloads) -> None:
    stun = np.flatnonzero(found.kinds == Kind.STUN)
    column[found.spans.rows[stun]] = found.heads["type"][stun]


def _set_rtp(columns: Columns, inner: Payloads) -> None:
    """Fields of RTP (RFC 3550, section 5.1) and RTCP (section 6.4)."""
    rtp = np.flatnonzero(inner.kinds == Kind.RTP)
    rows, heads = inner.spans.rows[rtp], inner.heads[rtp]
    columns.ssrc[rows], columns.sequence[rows] = heads["ssrc"], heads["length"]
    columns.rtp_time[rows] = heads["cookie"]
    columns.payload_type[rows] = heads["second"] & 0x7F
    rtcp = np.flatnonzero(inner.kinds == Kind.RTCP)
    rows, heads = inner.spans.rows[rtcp], inner.heads[rtcp]
    columns.ssrc[rows], columns.payload_type[rows] = heads["sender"], heads["second"]


def _read_tcp_payloads(near: Near, spans: Spans, columns: Columns) -> None:
    if not len(spans.rows):
        return
    set_payload(columns, spans, Kind.TCP)
    heads = near.gather(spans, HEAD)
    columns.inner_kind[spans.rows] = within_tcp(heads, spans.sizes)
