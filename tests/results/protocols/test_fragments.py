"""Datagrams that came in fragments are put together; what is missing or doubled is not."""

import random
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from results.packets import Kind, read_table
from results.protocols.fragments import Datagram, datagrams
from tests.results.story import channel_data, rtp
from topologies.spec import Tap

TAP = Tap(name="tap", host="host", interface="eth0", link="wire", mac=None)
MEDIA = rtp(1, 2500)


def pieces(payload: bytes, number: int = 7, *, v6: bool = False) -> list[Packet]:
    datagram = UDP(sport=40000, dport=50000) / Raw(payload)
    if v6:
        whole = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=number)
        return list(fragment6(whole / datagram, 1280))  # type: ignore[no-untyped-call]
    return list(fragment(IP(src="10.0.0.1", dst="10.0.0.2", id=number) / datagram, 1200))  # type: ignore[no-untyped-call]


def read(path: Path, parts: list[Packet]) -> list[Datagram]:
    for index, part in enumerate(parts):
        part.time = 1_700_000_000 + index
    wrpcap(str(path), [Ether() / part for part in parts], nano=True, linktype=1)
    table = read_table({TAP: path})
    assert not table.fingerprint.any()
    return datagrams(table, 0)


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_fragments_are_put_together_in_any_order(tmp_path: Path, v6: bool, wrapped: bool) -> None:
    parts = pieces(channel_data(MEDIA) if wrapped else MEDIA, v6=v6)
    assert len(parts) == 3
    random.Random(1).shuffle(parts)  # noqa: S311 (not for secrets)
    (found,) = read(tmp_path / "a.pcap", parts)
    assert (found.row, found.sport, found.dport) == (2, 40000, 50000)
    assert found.payload.kind is (Kind.CHANNEL_DATA if wrapped else Kind.RTP)
    assert (found.payload.inner_kind, found.payload.innermost) == (Kind.RTP, MEDIA)


def test_the_fingerprint_is_that_of_the_whole(tmp_path: Path) -> None:
    one, other = (
        read(tmp_path / "a.pcap", pieces(payload))[0].payload.fingerprint
        for payload in (MEDIA, channel_data(MEDIA))
    )
    assert one == other != 0


def test_two_datagrams_at_once(tmp_path: Path) -> None:
    pairs = zip(pieces(MEDIA), pieces(rtp(2, 2500), 8), strict=True)
    parts = [part for pair in pairs for part in pair]
    assert [found.row for found in read(tmp_path / "a.pcap", parts)] == [4, 5]


def test_a_fragment_that_is_missing(tmp_path: Path) -> None:
    for missing in range(3):
        parts = pieces(MEDIA)
        del parts[missing]
        assert read(tmp_path / "a.pcap", parts) == []


def test_an_overlap_is_not_put_together(tmp_path: Path) -> None:
    parts = pieces(MEDIA)
    assert read(tmp_path / "a.pcap", [parts[0], parts[0], *parts[1:]]) == []
