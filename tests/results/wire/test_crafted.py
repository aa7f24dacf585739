"""Packets that scapy crafts, of every link and network, are read as scapy made them."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from results.packets import Kind, PacketTable, read_table
from results.wire.capture import LinkType
from topologies.spec import Tap

OWN, OTHER = "02:00:0a:00:00:01", "02:00:0a:00:00:02"
TAP = Tap(name="tap", host="host", interface="eth0", link="wire", mac=OWN)
V6 = ("2001:db8::1", "2001:db8:ffff::2")
WG = UDP(sport=51820, dport=51820)
RTP = b"\x80\x60\x12\x34\x00\x01\x02\x03\xca\xfe\xba\xbe" + bytes(range(40))


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures") / "tap.pcap"


def read(path: Path, *packets: Packet, link: int = LinkType.ETHERNET) -> PacketTable:
    wrpcap(str(path), list(packets), nano=True, linktype=link)
    return read_table({TAP: path})


#: A link type, and how a packet is framed for it.
Link = tuple[int, Callable[[Packet], Packet]]
Crafter = Callable[[], Packet]

LINKS: list[Link] = [
    (1, lambda packet: Ether(src=OWN, dst=OTHER) / packet),
    (1, lambda packet: Ether(src=OWN, dst=OTHER) / Dot1Q(vlan=7) / packet),
    (1, lambda packet: Ether(src=OWN, dst=OTHER) / Dot1AD(vlan=9) / Dot1Q(vlan=7) / packet),
    (101, lambda packet: packet),
    (113, lambda packet: CookedLinux(pkttype=4, lladdrlen=6, src=b"\2\0\n\0\0\1") / packet),
    (276, lambda packet: CookedLinuxV2(pkttype=4, lladdrlen=6, src=b"\2\0\n\0\0\1") / packet),
]

PORTS = st.integers(1024, 65535)
V4_ADDRESSES = st.integers(0x0A000001, 0x0AFFFFFE)
V6_ADDRESSES = st.integers(0x20010DB8 << 96, (0x20010DB8 << 96) + 2**96 - 1)

EXTENSIONS = (
    lambda: IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]),
    lambda: IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]),
    lambda: IPv6ExtHdrRouting(addresses=[V6[0]]),
    lambda: IPv6ExtHdrFragment(offset=0, m=0, id=7),
)


class Ends(NamedTuple):
    """Addresses and ports of a packet to be crafted."""

    src: int
    dst: int
    sport: int
    dport: int


def ends(addresses: st.SearchStrategy[int]) -> st.SearchStrategy[Ends]:
    return st.builds(Ends, addresses, addresses, PORTS, PORTS)


OPTIONS = st.sampled_from([b"", b"\1" * 4, b"\x94\4\0\0" * 3])


@settings(deadline=None)
@given(st.sampled_from(LINKS), ends(V4_ADDRESSES), st.integers(1, 255), OPTIONS)
def test_rtp_over_ipv4(path: Path, link: Link, end: Ends, ttl: int, options: bytes) -> None:
    number, framed = link
    ip = IP(src=str(IPv4Address(end.src)), dst=str(IPv4Address(end.dst)), ttl=ttl, options=options)
    packet = framed(ip / UDP(sport=end.sport, dport=end.dport) / Raw(RTP))
    table = read(path, packet, link=number)
    assert (table.version[0], table.ttl[0], table.protocol[0]) == (4, ttl, 17)
    assert (table.src[0], table.dst[0], table.sport[0], table.dport[0]) == end
    check_addresses(table, Ends(*end))
    check_rtp(table)
    assert table.outgoing[0] == (number != LinkType.RAW_IP)


@settings(deadline=None)
@given(
    st.sampled_from(LINKS), ends(V6_ADDRESSES), st.lists(st.sampled_from(EXTENSIONS), max_size=5)
)
def test_rtp_over_ipv6(path: Path, link: Link, end: Ends, extensions: list[Crafter]) -> None:
    number, framed = link
    packet: Packet = IPv6(src=str(IPv6Address(end.src)), dst=str(IPv6Address(end.dst)), hlim=9)
    for extension in extensions:
        packet /= extension()
    packet = framed(packet / UDP(sport=end.sport, dport=end.dport) / Raw(RTP))
    table = read(path, packet, link=number)
    assert (table.version[0], table.src[0], table.dst[0], table.ttl[0]) == (6, 0, 0, 9)
    halves = [*table.src6[0].tolist(), *table.dst6[0].tolist()]
    assert halves == [*divmod(end.src, 2**64), *divmod(end.dst, 2**64)]
    check_addresses(table, end)
    assert (table.sport[0], table.dport[0], table.protocol[0]) == (end.sport, end.dport, 17)
    check_rtp(table)


def test_an_authentication_header(path: Path) -> None:
    header = AH(nh=17, payloadlen=4, spi=1, seq=1, icv=bytes(12))
    packet = Ether() / IPv6(dst=V6[1], nh=51) / header / UDP(sport=1, dport=2) / Raw(RTP)
    check_rtp(read(path, packet))


def check_addresses(table: PacketTable, end: Ends) -> None:
    """The addresses as numbers, whatever their family, of one packet and of many."""
    assert table.addresses_of(0) == (end.src, end.dst)
    assert table.addresses(np.array([0, 0])) == ([end.src] * 2, [end.dst] * 2)
    everything = slice(None)
    assert table.is_from(end.src, everything).tolist() == [True]
    assert table.is_to(end.dst, everything).tolist() == [True]
    assert table.is_from(end.src ^ 1, everything).tolist() == [False]
    assert table.is_to(end.dst ^ 1, everything).tolist() == [False]


def check_rtp(table: PacketTable) -> None:
    assert (table.kind[0], table.inner_kind[0]) == (Kind.RTP, Kind.RTP)
    assert (table.ssrc[0], table.sequence[0]) == (0xCAFEBABE, 0x1234)
    assert (table.rtp_time[0], table.payload_type[0]) == (0x00010203, 96)
    assert table.payload(0) == table.innermost(0) == RTP


@pytest.mark.parametrize(
    ("packet", "kind", "inner", "protocol"),
    [
        (ARP(), Kind.ARP, Kind.ARP, 0),
        (IP() / ICMP(), Kind.ICMP, Kind.ICMP, 1),
        (IPv6(dst=V6[1]) / ICMPv6EchoRequest(), Kind.ICMPV6, Kind.ICMPV6, 58),
        (IPv6(dst=V6[1]) / TCP(dport=443), Kind.TCP, Kind.TCP, 6),
        (IPv6(dst=V6[1]) / UDP(dport=53) / Raw(b"x"), Kind.DNS, Kind.DNS, 17),
        (IP() / TCP() / Raw(b"\x17\3\3\0\5hello"), Kind.TCP, Kind.TLS, 6),
        (IP() / TCP() / Raw(b"\x17\3\3"), Kind.TCP, Kind.TCP, 6),
        (IP() / TCP() / Raw(b"\x18\3\3\0\5hello"), Kind.TCP, Kind.TCP, 6),
        (IP() / TCP() / Raw(b"GET / HTTP/1.1\r\n"), Kind.TCP, Kind.HTTP, 6),
        (IP() / TCP() / Raw(b"HTTP/1.1 200 OK\r\n"), Kind.TCP, Kind.HTTP, 6),
        (
            IP() / WG / Raw(b"\4\0\0\0" + bytes(28)),
            Kind.WIREGUARD,
            None,
            17,
        ),
        (
            IP() / WG / Raw(b"\1\0\0\0" + bytes(144)),
            Kind.WIREGUARD,
            None,
            17,
        ),
        (IP() / WG / Raw(b"\1\0\0\0" + bytes(143)), Kind.UDP, None, 17),
        (IP() / WG / Raw(b"\5\0\0\0" + bytes(28)), Kind.UDP, None, 17),
    ],
)
def test_kinds(path: Path, packet: Packet, kind: Kind, inner: Kind | None, protocol: int) -> None:
    table = read(path, Ether(src=OWN, dst=OTHER) / packet)
    assert (table.kind[0], table.inner_kind[0]) == (kind, kind if inner is None else inner)
    assert table.protocol[0] == protocol


def test_segments_that_continue_a_record_are_tls(path: Path) -> None:
    table = read(
        path,
        *(
            Ether() / IP(src=source) / TCP(sport=1, dport=443) / Raw(data)
            for source, data in (
                ("10.0.0.1", b"before"),
                ("10.0.0.1", b"\x17\3\3\1\0begin"),
                ("10.0.0.1", b"rest"),
                ("10.0.0.2", b"another"),
            )
        ),
    )
    assert table.inner_kind.tolist() == [Kind.TCP, Kind.TLS, Kind.TLS, Kind.TCP]


@pytest.mark.parametrize(
    "packet",
    [
        IPv6(dst=V6[1]) / IPv6ExtHdrFragment(offset=100, m=0, id=7) / Raw(RTP),
        IPv6(dst=V6[1], nh=60) / Raw(b"\x11\xff" + bytes(30)),
        IPv6(dst=V6[1], nh=59),
        IPv6(dst=V6[1], nh=17, plen=3000) / Raw(bytes(40)),
        IPv6(dst=V6[1], nh=0) / Raw(b"\0\0" + b"\0" * 6 + b"\0\0" * 100),
    ],
)
def test_ipv6_that_cannot_be_read_to_its_payload(path: Path, packet: Packet) -> None:
    table = read(path, Ether(src=OWN, dst=OTHER) / packet)
    assert (table.version[0], table.kind[0], table.payload(0)) == (6, Kind.OTHER, b"")
    assert table.fingerprint[0] == 0


@pytest.mark.parametrize("link", [113, 276])
def test_what_the_kernel_says_of_the_direction(path: Path, link: int) -> None:
    cooked = CookedLinux if link == 113 else CookedLinuxV2
    packets = [cooked(pkttype=kind) / IP() / UDP(sport=1) / Raw(RTP) for kind in (0, 1, 3, 4)]
    assert read(path, *packets, link=link).outgoing.tolist() == [False, False, False, True]


@pytest.mark.parametrize(("link", "size"), [(1, 14), (113, 16), (276, 20)])
def test_frames_cut_within_the_link_layer(path: Path, link: int, size: int) -> None:
    packets = [Raw(bytes(Ether() / IP())[:count]) for count in range(1, size)]
    table = read(path, *packets, link=link)
    assert set(table.kind.tolist()) == {Kind.OTHER}
    assert not table.version.any()


def test_stun_types_inside_and_out(path: Path) -> None:
    check = bytes.fromhex("010100002112a442") + bytes(12)
    head = bytes.fromhex("00130014")
    indication = bytes.fromhex("001700182112a442") + bytes(12) + head + check
    table = read(
        path,
        *(Ether() / IP() / UDP(sport=1, dport=2) / Raw(data) for data in (check, indication)),
        Ether() / IP() / UDP(sport=1, dport=2) / Raw(b"\x40\1" + b"\0\x14" + check),
    )
    assert table.stun_type.tolist() == [0x0101, 0x0017, 0]
    assert table.inner_stun_type.tolist() == [0x0101, 0x0101, 0x0101]
