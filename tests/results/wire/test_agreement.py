"""tshark and the packet table say the same of every packet of the recorded runs."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from results.handover.evidence_pcapng import write_evidence
from results.packets import Kind, PacketTable, read_interfaces
from tests.results.recorded import DATA, unpack
from tests.results.wire import agreement
from tests.results.wire.agreement import SENT_AGAIN, compare
from tests.results.wire.as_tshark import shown
from tests.tshark import fields, needs_tshark

pytestmark = needs_tshark

#: The run whose captures are always compared.
SAMPLE = "intranet"
#: The run whose evidence is always compared.
TUNNELLED = "vpn_internal_relayed"
#: A run in which TCP sent segments again.
LOSSY = "far"

NAMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("*.tar.xz"))

SERVER = "192.0.2.9"

#: Runs in which no call comes about have few packets.
_FEW = 300


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == SAMPLE else pytest.mark.long) for n in NAMES]
)
def test_recorded_runs(tmp_path: Path, name: str) -> None:
    captures = sorted((unpack(tmp_path, name) / "captures").iterdir())
    compared = compare(captures)
    assert compared.packets > _FEW
    compared.check()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == TUNNELLED else pytest.mark.long) for n in NAMES]
)
def test_all_taps_of_a_run_in_one_file(tmp_path: Path, name: str) -> None:
    """The evidence of a VPN run has Ethernet, and raw IP within tunnels."""
    compared = compare([write_evidence(unpack(tmp_path, name))])
    assert compared.packets > _FEW
    compared.check()


def test_a_packet_that_only_one_of_both_knows_is_a_difference(tmp_path: Path) -> None:
    """STUN as of RFC 3489 has no magic cookie; tshark takes it for STUN by its port."""
    classic = Raw(bytes.fromhex("00010000") + bytes(range(16)))
    cookie = Raw(bytes.fromhex("000100002112a442") + bytes(12))
    packets = [Ether() / IP() / UDP(sport=3478, dport=3478) / data for data in (classic, cookie)]
    files = [stored(tmp_path / name, packets[::step]) for name, step in (("a", 1), ("b", -1))]
    compared = compare(files)
    assert compared.packets == 4
    found = [(one.capture, one.frame, one.ours.kinds, one.cause) for one in compared.differences]
    kinds = (Kind.UDP, Kind.UDP)
    assert found == [(files[0], 1, kinds, None), (files[1], 2, kinds, None)]
    with pytest.raises(AssertionError, match=r"/a\.pcap frame 1: tshark says .+, UDP") as raised:
        compared.check()
    assert "/b.pcap frame 2: " in str(raised.value)


def stored(path: Path, packets: Sequence[Packet]) -> Path:
    wrpcap(str(path.with_suffix(".pcap")), packets)
    return path.with_suffix(".pcap")


#: The second of the three segments of a record comes again when the record is whole.
MIDST_AGAIN = ((0, 100), (100, 200), (200, 300), (100, 200))


def in_tls(*parts: tuple[int, int]) -> Sequence[Packet]:
    """A connection that carries a record of 300 octets: from one place to another, in turn."""
    record = b"\x17\x03\x03\x01\x27" + bytes(range(256)) + bytes(39)
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.5", dst=SERVER)
    opening = link / TCP(sport=40000, dport=443, flags="S", seq=999)
    return [opening] + [
        link / TCP(sport=40000, dport=443, flags="PA", seq=1000 + begin) / Raw(record[begin:end])
        for begin, end in parts
    ]


def test_a_part_of_a_record_that_was_sent_again_is_an_explained_difference(tmp_path: Path) -> None:
    compared = compare([stored(tmp_path / "a", in_tls(*MIDST_AGAIN))])
    (one,) = compared.differences
    assert (one.frame, one.cause) == (5, SENT_AGAIN)
    assert one.ours.kinds == (Kind.TCP, Kind.TLS)
    assert str(one).endswith("(TCP sent it again)")
    compared.check()


def test_of_a_datagram_in_fragments_both_take_each_for_itself(tmp_path: Path) -> None:
    datagram = Ether() / IP(src="10.0.0.5", dst=SERVER) / ICMP() / Raw(bytes(1200))
    parts = fragment(datagram, 600)  # type: ignore[no-untyped-call]
    compared = compare([stored(tmp_path / "a", parts)])
    assert (compared.packets, compared.differences) == (3, ())


def again(capture: Path) -> int:
    """The first frame that TCP sent again."""
    return int(fields(capture, "tcp.analysis.retransmission and tcp.len > 0", "frame.number")[0][0])


def media(capture: Path) -> int:
    """A frame of media."""
    return int(fields(capture, "rtp", "frame.number")[0][0])


def stun(capture: Path) -> int:
    """A frame of STUN."""
    return int(fields(capture, "stun.type == 1", "frame.number")[0][0])


@pytest.mark.parametrize(
    ("frame_of", "column", "value"),
    [
        (again, "inner_kind", Kind.HTTP),
        (again, "inner_kind", Kind.TCP),
        (media, "sequence", 7),
        (media, "ssrc", 7),
        (media, "inner_kind", Kind.RTCP),
        (stun, "stun_type", 0x0003),
    ],
)
def test_a_misreading_is_found_where_tshark_is_in_doubt_of_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frame_of: Callable[[Path], int],
    column: str,
    value: int,
) -> None:
    """At a tap where what TCP sent again is to be left out, and from among just that."""
    taps = unpack(tmp_path, LOSSY) / "captures"
    eves = taps / "eve-eth0.pcapng"
    frame = frame_of(eves)

    def misread(*of: object) -> PacketTable:
        table = read_interfaces(*of)  # type: ignore[arg-type]
        (row,) = (
            row
            for row in range(len(table))
            if table.tap_name(row) == eves.stem and table.frame[row] == frame
        )
        getattr(table, column)[row] = value
        return table

    monkeypatch.setattr(agreement, "read_interfaces", misread)
    compared = compare([eves, taps / "eve_nat-eth0.pcapng"])
    (one,) = compared.differences
    assert (one.capture, one.frame, one.cause) == (eves, frame, None)


def test_a_file_that_tshark_cannot_read_is_no_agreement(tmp_path: Path) -> None:
    """What our reader takes for a capture, and tshark does not."""
    file = stored(tmp_path / "a", in_tls((0, 300)))
    with pytest.raises(AssertionError, match=r"cut short"):
        shown(cut(file), one_tap=True)


def cut(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[:-7])
    return file
