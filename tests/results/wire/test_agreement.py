"""tshark and the packet table say the same of every packet of the recorded runs."""

from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

from results.handover.evidence_pcapng import write_evidence
from results.packets import Kind
from tests.results.recorded import DATA, unpack
from tests.results.wire.agreement import check_folder, compare
from tests.tshark import needs_tshark

pytestmark = needs_tshark

#: The run whose captures are always compared.
SAMPLE = "intranet"
#: The run whose evidence is always compared.
TUNNELLED = "vpn_internal_relayed"

NAMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("*.tar.xz"))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == SAMPLE else pytest.mark.long) for n in NAMES]
)
def test_recorded_runs(tmp_path: Path, name: str) -> None:
    check_folder(unpack(tmp_path, name))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == TUNNELLED else pytest.mark.long) for n in NAMES]
)
def test_all_taps_of_a_run_in_one_file(tmp_path: Path, name: str) -> None:
    """The evidence of a VPN run has Ethernet, and raw IP within tunnels."""
    count, differences = compare(write_evidence(unpack(tmp_path, name)))
    assert count > 0
    assert differences == []


def test_a_packet_that_only_one_of_both_knows_is_a_difference(tmp_path: Path) -> None:
    """STUN as of RFC 3489 has no magic cookie; tshark takes it for STUN by its port."""
    classic = Raw(bytes.fromhex("00010000") + bytes(range(16)))
    cookie = Raw(bytes.fromhex("000100002112a442") + bytes(12))
    packets = [Ether() / IP() / UDP(sport=3478, dport=3478) / data for data in (classic, cookie)]
    wrpcap(str(tmp_path / "a.pcap"), packets)
    count, differences = compare(tmp_path / "a.pcap")
    assert count == 2
    (one,) = differences
    assert (one.frame, one.ours.kinds) == (1, (Kind.UDP, Kind.UDP))
    assert one.tshark.kinds != one.ours.kinds
