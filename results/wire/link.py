"""The link layer: Ethernet with VLAN tags, what Linux makes of other links, and none at all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.capture import LinkType, Records
from results.wire.columns import Columns, Spans
from results.wire.data import Data, Places, among
from results.wire.near import Near

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD

#: IEEE 802.1Q, 802.1ad, and what switches used before that.
_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_DEEPEST = 8

_ETHERNET = np.dtype(
    [
        *(("dst_high", ">u2"), ("dst_low", ">u4")),
        *(("src_high", ">u2"), ("src_low", ">u4")),
        ("type", ">u2"),
    ]
)
_FIRST_BYTE = np.dtype([("value", "u1")])
_TAG = np.dtype([("control", ">u2"), ("type", ">u2")])

#: tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and …_SLL2.html.
_COOKED = np.dtype(
    [
        *(("packet", ">u2"), ("hardware", ">u2"), ("address_size", ">u2")),
        *(("src_high", ">u2"), ("src_low", ">u4"), ("rest", ">u2"), ("type", ">u2")),
    ]
)
_COOKED_V2 = np.dtype(
    [
        *(("type", ">u2"), ("reserved", ">u2"), ("interface", ">u4"), ("hardware", ">u2")),
        *(("packet", "u1"), ("address_size", "u1")),
        *(("src_high", ">u2"), ("src_low", ">u4"), ("rest", ">u2")),
    ]
)
_SENT_BY_US = 4
_MAC_SIZE = 6


class Network(NamedTuple):
    """What lies above the link layer: its EtherType and where it begins.

    The type is 0 where the frame could not be read so far, or was snapped.
    """

    ethertype: NDArray[np.uint16]
    at: Places


def read_link(
    near: Near, link_type: LinkType, own_mac: int | None, records: Records, columns: Columns
) -> Network:
    """Read link-layer headers; of raw IP, tell the version."""
    whole = records.size >= records.original
    end = records.start + records.size
    if link_type is LinkType.ETHERNET:
        network = _ethernet(near, records, columns)
        columns.outgoing = columns.src_mac == (-1 if own_mac is None else own_mac)
    elif link_type in (LinkType.LINUX_COOKED, LinkType.LINUX_COOKED_V2):
        network = _cooked(near, link_type, records, columns)
    else:
        network = _raw_ip(near, records)
    network = _without_tags(near.data, network, end)
    network.ethertype[~whole | (network.at > end)] = 0
    return network


def _ethernet(near: Near, records: Records, columns: Columns) -> Network:
    head = near.gather(_frames(records), _ETHERNET)
    has_macs = records.size >= 2 * _MAC_SIZE
    columns.dst_mac = _mac(head["dst_high"], head["dst_low"]) * has_macs
    columns.src_mac = _mac(head["src_high"], head["src_low"]) * has_macs
    return Network(head["type"].astype(np.uint16), records.start + _ETHERNET.itemsize)


def _frames(records: Records) -> Spans:
    return Spans(np.arange(len(records)), records.start, records.start + records.size)


def _mac(high: NDArray[np.uint16], low: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return high.astype(np.uint64) << np.uint64(32) | low


def _cooked(near: Near, link_type: LinkType, records: Records, columns: Columns) -> Network:
    """Of the addresses there is that of the sender alone; the kernel tells the direction."""
    kind = _COOKED if link_type is LinkType.LINUX_COOKED else _COOKED_V2
    head = near.gather(_frames(records), kind)
    whole = records.size >= kind.itemsize
    has_mac = whole & (head["address_size"] == _MAC_SIZE)
    columns.src_mac = _mac(head["src_high"], head["src_low"]) * has_mac
    columns.outgoing = whole & (head["packet"] == _SENT_BY_US)
    return Network(head["type"].astype(np.uint16), records.start + kind.itemsize)


def _raw_ip(near: Near, records: Records) -> Network:
    version = near.gather(_frames(records), _FIRST_BYTE)["value"] >> 4
    types = np.zeros(16, np.uint16)
    types[4], types[6] = ETHERTYPE_IPV4, ETHERTYPE_IPV6
    return Network(types[version], records.start)


def _without_tags(data: Data, network: Network, end: Places) -> Network:
    """Step over VLAN tags (IEEE 802.1Q, clause 9), of which there may be several."""
    ethertype, at = network
    for _ in range(_DEEPEST):
        tagged = np.flatnonzero(among(ethertype, _VLAN_TAGS) & (at + _TAG.itemsize <= end))
        if not len(tagged):
            break
        ethertype[tagged] = data.gather(at[tagged], _TAG)["type"]
        at[tagged] += _TAG.itemsize
    return Network(ethertype, at)
