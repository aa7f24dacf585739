"""The packet table: what each packet is, where its payload lies, and in which order rows stand."""

import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from results.packets import ACK, SYN, Kind, PacketTable, demultiplex, read_table
from results.wire.capture import CaptureError
from topologies.spec import Tap

OWN, OTHER = "02:00:0a:00:00:01", "02:00:0a:00:00:02"
ALICE, BOB = "10.10.0.11", "198.51.100.2"

STUN = bytes.fromhex("000100002112a442") + bytes(12)
RTP = b"\x80\x60" + bytes(range(30))
RTCP = b"\x81\xc8" + bytes(26)
DTLS = b"\x16\xfe\xfd" + bytes(10)

Reader = Callable[..., PacketTable]


def tap(name: str = "alice-eth0", mac: str | None = OWN) -> Tap:
    return Tap(name=name, host="alice", interface=name, link="head", mac=mac)


def number(address: str) -> int:
    return int(IPv4Address(address))


def frame(payload: Packet, src: str = OWN, dst: str = OTHER) -> Packet:
    return Ether(src=src, dst=dst) / payload


def udp(payload: bytes, sport: int = 40000, dport: int = 50000) -> Packet:
    return frame(IP(src=ALICE, dst=BOB) / UDP(sport=sport, dport=dport) / Raw(payload))


def channel_data(payload: bytes, number: int = 0x4001) -> bytes:
    return struct.pack(">HH", number, len(payload)) + payload


def indication(payload: bytes, kind: int = 0x0016) -> bytes:
    """A Send (0x0016) or Data (0x0017) indication, written out by hand (RFC 8656, section 11)."""
    port, ip = 50001 ^ 0x2112, number("203.0.113.9") ^ 0x2112A442
    peer = struct.pack(">HHBBHI", 0x0012, 8, 0, 1, port, ip)
    data = struct.pack(">HH", 0x0013, len(payload)) + payload + bytes(-len(payload) % 4)
    return struct.pack(">HHI", kind, len(peer + data), 0x2112A442) + bytes(12) + peer + data


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read packets as the capture of one tap, a quarter of a second apart."""

    def read(*packets: Packet, mac: str | None = OWN) -> PacketTable:
        path = tmp_path / "alice-eth0.pcap"
        for index, packet in enumerate(packets):
            packet.time = 1_700_000_000 + index / 4
        wrpcap(str(path), list(packets), nano=True, linktype=1)
        return read_table({tap(mac=mac): path})

    return read


def test_the_columns_of_a_datagram(read: Reader) -> None:
    packet = udp(b"hello")
    table = read(packet)
    assert len(table) == 1
    assert (table.tap[0], table.tap_name(0), table.frame[0]) == (0, "alice-eth0", 1)
    assert table.time[0] == 1_700_000_000_000_000_000
    assert (table.src[0], table.sport[0]) == (number(ALICE), 40000)
    assert (table.dst[0], table.dport[0]) == (number(BOB), 50000)
    assert (table.src_mac[0], table.dst_mac[0]) == (0x02000A000001, 0x02000A000002)
    assert (table.protocol[0], table.kind[0], table.inner_kind[0]) == (17, Kind.UDP, Kind.UDP)
    assert table.payload(0) == table.innermost(0) == b"hello"
    assert table.ethernet(0) == bytes(packet)
    assert table.peer(0) is None
    assert table.channel(0) is None


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (STUN, Kind.STUN),
        (STUN[:19], Kind.UDP),
        (STUN.replace(b"\x21\x12", b"\x21\x13"), Kind.UDP),
        (b"\x01\0\0\0" + bytes(144), Kind.UDP),  # WireGuard
        (DTLS, Kind.DTLS),
        (DTLS[:12], Kind.UDP),
        (channel_data(b"abcde"), Kind.CHANNEL_DATA),
        (channel_data(b"abcde") + bytes(3), Kind.CHANNEL_DATA),
        (channel_data(b"abcde") + bytes(4), Kind.UDP),
        (channel_data(b"abcde")[:-1], Kind.UDP),
        (RTP, Kind.RTP),
        (RTP[:11], Kind.UDP),
        (RTCP, Kind.RTCP),
        (b"\x80\xbf" + bytes(10), Kind.RTP),
        (b"\x80\xc0" + bytes(10), Kind.RTCP),
        (b"\x80\xdf" + bytes(10), Kind.RTCP),
        (b"\x80\xe0" + bytes(10), Kind.RTP),
        (b"\xc0" + bytes(20), Kind.UDP),
        (b"", Kind.UDP),
    ],
)
def test_demultiplexing_by_the_first_byte(payload: bytes, kind: Kind) -> None:
    assert demultiplex(payload) is kind


def test_port_53_is_dns_whatever_the_id_looks_like(read: Reader) -> None:
    table = read(udp(RTP, dport=53), udp(RTP, sport=53), udp(RTP, dport=5353))
    assert table.kind.tolist() == [Kind.DNS, Kind.DNS, Kind.RTP]


@pytest.mark.parametrize(
    ("wrapped", "kind"),
    [
        (channel_data(RTP), Kind.CHANNEL_DATA),
        (channel_data(RTP) + bytes(2), Kind.CHANNEL_DATA),
        (indication(RTP), Kind.STUN),
        (indication(RTP, 0x0017), Kind.STUN),
        (indication(channel_data(RTP)), Kind.STUN),
    ],
)
def test_a_packet_keeps_its_fingerprint_through_a_relay(
    read: Reader, wrapped: bytes, kind: Kind
) -> None:
    table = read(udp(RTP), udp(wrapped))
    assert table.kind[1] == kind
    assert table.inner_kind.tolist() == [Kind.RTP, Kind.RTP]
    assert table.innermost(1) == RTP
    assert table.payload(1) == wrapped
    assert table.fingerprint[0] == table.fingerprint[1]


def test_an_altered_payload_has_another_fingerprint(read: Reader) -> None:
    table = read(udp(RTP), udp(channel_data(RTP[:-1] + b"!")))
    assert table.fingerprint[0] != table.fingerprint[1]


def test_peer_and_channel(read: Reader) -> None:
    table = read(udp(indication(RTP)), udp(channel_data(RTP, 0x4007)))
    assert (table.peer(0), table.channel(0)) == ((number("203.0.113.9"), 50001), None)
    assert (table.peer(1), table.channel(1)) == (None, 0x4007)


def test_an_indication_that_is_cut_is_not_unwrapped(read: Reader) -> None:
    table = read(udp(indication(RTP)[:-4]), udp(indication(b"")))
    assert (table.inner_kind[0], table.peer(0)) == (Kind.STUN, None)
    assert (table.inner_kind[1], table.innermost(1), table.fingerprint[1]) == (Kind.UDP, b"", 0)


def test_other_kinds(read: Reader) -> None:
    canary = Ether(src=OWN, dst=OTHER, type=0x88B5) / Raw(b"callpath run tap before")
    ping = frame(IP(src=ALICE, dst=BOB) / ICMP())
    table = read(
        frame(ARP(psrc=ALICE, pdst=BOB)),
        ping,
        canary,
        Ether(src=OWN, dst=OTHER, type=0x86DD) / Raw(bytes(40)),
        frame(IP(src=ALICE, dst=BOB, proto=47) / Raw(bytes(8))),
    )
    assert table.kind.tolist() == [Kind.ARP, Kind.ICMP, Kind.CANARY, Kind.OTHER, Kind.OTHER]
    assert table.protocol.tolist() == [0, 1, 0, 0, 47]
    assert table.payload(1) == bytes(ping[ICMP])
    assert table.payload(2) == b"callpath run tap before"
    assert table.payload(3) == table.payload(4) == b""
    assert not table.fingerprint.any()


def test_a_tcp_segment(read: Reader) -> None:
    options = [("MSS", 1460), ("NOP", None), ("WScale", 7)]
    syn = TCP(sport=40000, dport=443, seq=4294967295, ack=7, flags="SA", options=options)
    table = read(frame(IP(src=ALICE, dst=BOB) / syn / Raw(b"data")), udp(RTP))
    assert (table.kind[0], table.inner_kind[0]) == (Kind.TCP, Kind.TCP)
    assert (table.sport[0], table.dport[0], table.protocol[0]) == (40000, 443, 6)
    assert table.tcp(0) == (4294967295, 7, SYN | ACK)
    assert table.payload(0) == b"data"
    assert table.fingerprint[0] == 0
    with pytest.raises(ValueError, match="frame 2 of alice-eth0 is not TCP"):
        table.tcp(1)


@pytest.mark.parametrize("total", [None, 0])
def test_a_segment_larger_than_the_mtu(read: Reader, total: int | None) -> None:
    big = IP(src=ALICE, dst=BOB, len=total) / TCP(sport=1, dport=2) / Raw(bytes(40_000))
    table = read(frame(big))
    assert len(table.payload(0)) == 40_000


def test_padding_does_not_leak_into_the_payload(read: Reader) -> None:
    short = bytes(udp(b"hi")) + b"padding of sixty bytes"
    ack = bytes(frame(IP(src=ALICE, dst=BOB) / TCP(sport=1, dport=2, flags="A"))) + bytes(6)
    table = read(Raw(short), Raw(ack))
    assert table.payload(0) == b"hi"
    assert table.payload(1) == b""
    assert table.ethernet(0) == short


def test_ip_options_are_skipped(read: Reader) -> None:
    table = read(
        frame(IP(src=ALICE, dst=BOB, options=b"\x94\4\0\0") / UDP(sport=1, dport=2) / Raw(RTP))
    )
    assert (table.kind[0], table.payload(0)) == (Kind.RTP, RTP)


def test_fragments_are_other_packets(read: Reader) -> None:
    whole = IP(src=ALICE, dst=BOB) / UDP(sport=1, dport=2) / Raw(RTP * 40)
    parts = fragment(whole, fragsize=800)  # type: ignore[no-untyped-call]
    table = read(*(frame(part) for part in parts))
    assert table.kind.tolist() == [Kind.OTHER, Kind.OTHER]
    assert table.src.tolist() == [number(ALICE)] * 2
    assert table.sport.tolist() == [1, 0]
    assert not table.fingerprint.any()


def test_a_snapped_packet_is_another_packet(tmp_path: Path) -> None:
    path = tmp_path / "alice-eth0.pcap"
    wrpcap(str(path), [udp(RTP)], nano=True)
    data = bytearray(path.read_bytes())
    data[36:40] = (1500).to_bytes(4, "little")  # the length on the wire
    path.write_bytes(data)
    table = read_table({tap(): path})
    assert (table.kind[0], table.payload(0)) == (Kind.OTHER, b"")
    assert table.outgoing[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:13],
        lambda data: data[:33],
        lambda data: data[:14] + b"\x65" + data[15:],  # version 6
        lambda data: data[:14] + b"\x44" + data[15:],  # a header of 16 bytes
        lambda data: data[:14] + b"\x4f" + data[15:],  # a header beyond the packet
        lambda data: data[:16] + b"\xff\xff" + data[18:],  # IP length beyond the frame
        lambda data: data[:38] + b"\xff\xff" + data[40:],  # UDP length beyond the packet
        lambda data: data[:38] + b"\0\7" + data[40:],  # UDP length within its header
        lambda data: data[:16] + b"\0\x1b" + data[18:],  # too short for a UDP header
        lambda data: data[:23] + b"\x06" + data[24:],  # too short for a TCP header
        lambda data: data[:16] + b"\0\x28" + data[18:23] + b"\x06" + data[24:] + bytes(12),
    ],
)
def test_damaged_packets_are_other_packets(read: Reader, damage: Callable[[bytes], bytes]) -> None:
    table = read(Raw(damage(bytes(udp(b"")))))
    assert (table.kind[0], table.payload(0), table.fingerprint[0]) == (Kind.OTHER, b"", 0)


def test_direction_is_by_the_taps_own_address(read: Reader) -> None:
    arriving = frame(IP(src=BOB, dst=ALICE) / UDP(sport=1, dport=2) / Raw(RTP), src=OTHER, dst=OWN)
    assert read(udp(RTP), arriving).outgoing.tolist() == [True, False]
    assert read(udp(RTP), arriving, mac=None).outgoing.tolist() == [False, False]


def test_taps_are_merged_by_time_and_ties_keep_their_order(tmp_path: Path) -> None:
    times = {"a": [3.0, 1.0, 2.0], "b": [2.0, 1.0, 2.0]}
    captures = {}
    for name, moments in times.items():
        packets = []
        for moment in moments:
            packet = udp(name.encode())
            packet.time = moment
            packets.append(packet)
        captures[tap(name)] = tmp_path / f"{name}.pcap"
        wrpcap(str(captures[tap(name)]), packets, nano=True)
    table = read_table(captures)
    rows = [(table.tap_name(row), int(table.frame[row])) for row in range(len(table))]
    assert rows == [("a", 2), ("b", 2), ("a", 3), ("b", 1), ("b", 3), ("a", 1)]
    assert [table.payload(row).decode() for row in range(6)] == [name for name, _ in rows]
    assert np.all(np.diff(table.time) >= 0)


def test_no_packets_at_all(read: Reader, tmp_path: Path) -> None:
    assert len(read_table({})) == 0
    (tmp_path / "empty.pcap").write_bytes(
        struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    )
    assert len(read_table({tap(): tmp_path / "empty.pcap"})) == 0


def test_a_capture_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"bob-eth0\.pcap does not exist"):
        read_table({tap(): tmp_path / "bob-eth0.pcap"})


def test_a_run_is_read_in_well_under_a_fifth_of_a_second(tmp_path: Path) -> None:
    captures = {}
    for index in range(20):
        captures[tap(f"tap{index}")] = tmp_path / f"{index}.pcap"
        wrpcap(str(tmp_path / f"{index}.pcap"), [udp(channel_data(RTP * 5))] * 150, nano=True)
    started = time.process_time()
    assert len(read_table(captures)) == 3000
    assert time.process_time() - started < 0.2


FRAMES = st.binary(max_size=80) | st.builds(
    lambda head, size, rest: bytes(udp(b""))[:head] + rest[:size],
    st.integers(12, 42),
    st.integers(0, 60),
    st.binary(max_size=60),
)


#: Headers of IPv6, its extensions and VLAN tags at random.
TAGGED = st.builds(
    lambda tags, kinds, rest: bytes(12) + b"".join(tags) + b"\x86\xdd\x60" + kinds + rest,
    st.lists(st.sampled_from([b"\x81\0\0\7", b"\x88\xa8\0\7"]), max_size=10),
    st.builds(
        lambda size, kind: bytes(3) + size.to_bytes(2) + bytes([kind, 64]) + bytes(32),
        st.integers(0, 400) | st.just(65_535),
        st.sampled_from([0, 6, 17, 43, 44, 51, 58, 59, 60]),
    ),
    st.lists(
        st.builds(
            lambda following, size, rest: bytes([following, size]) + rest,
            st.sampled_from([0, 6, 17, 43, 44, 51, 58, 60]),
            st.integers(0, 3) | st.just(255),
            st.binary(min_size=6, max_size=6),
        ),
        max_size=20,
    ).map(b"".join),
)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures") / "alice-eth0.pcap"


@settings(deadline=None)
@given(st.lists(FRAMES | TAGGED, max_size=4))
def test_arbitrary_frames_never_fail(scratch: Path, frames: list[bytes]) -> None:
    wrpcap(str(scratch), [Raw(data) for data in frames], nano=True, linktype=1)
    table = read_table({tap(): scratch})
    for row in range(len(table)):
        assert table.ethernet(row) == frames[table.frame[row] - 1]
        assert table.payload(row) in table.ethernet(row)
        assert table.innermost(row) in table.payload(row)
        table.peer(row)
        table.channel(row)


@settings(deadline=None)
@given(st.binary(max_size=60), st.lists(st.booleans(), max_size=4))
def test_any_nesting_is_unwrapped(scratch: Path, payload: bytes, layers: list[bool]) -> None:
    inner = b"\xff" + payload  # nothing that could be unwrapped further
    outer = inner
    for as_channel in layers:
        outer = channel_data(outer) if as_channel else indication(outer)
    wrpcap(str(scratch), [udp(outer)], nano=True)
    table = read_table({tap(): scratch})
    assert (table.innermost(0), table.inner_kind[0]) == (inner, Kind.UDP)
