"""tshark and the packet table say the same of every packet of the recorded runs."""

import shutil
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

from results.packets import Kind
from tests.results.recorded import DATA, unpack
from tests.results.wire.agreement import check_folder, compare

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

#: The run whose captures are always compared.
SAMPLE = "intranet"

NAMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("*.tar.xz"))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n == SAMPLE else pytest.mark.long) for n in NAMES]
)
def test_recorded_runs(tmp_path: Path, name: str) -> None:
    check_folder(unpack(tmp_path, name))


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
