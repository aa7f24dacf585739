"""Reading what the capture program says, and how many canaries a tap gets."""

import pytest

from results.schema import TapCount
from topologies.parts import impaired
from topologies.reference import office, office_with_vpn
from topologies.taps import copies, drop_count


def test_counts_are_read_from_dumpcaps_last_line() -> None:
    lines = [
        "Capturing on 'alice-eth0'",
        "File: -",
        "Packets captured: 571",
        "Packets received/dropped on interface 'alice-eth0': 571/3 "
        "(pcap:1/dumpcap:2/flushed:0/ps_ifdrop:0) (99.5%)",
    ]
    assert drop_count(lines) == TapCount(received=571, dropped=3)


def test_a_capture_that_died_has_no_counts() -> None:
    assert drop_count(["Capturing on 'alice-eth0'", "File: -"]) is None


@pytest.mark.parametrize(
    ("tap", "count"),
    # Toward inet one in two is lost: 30 all are one time in a thousand million.
    [("inet-eth0", 30), ("office_nat-eth1", 1), ("alice-eth0", 1), ("relay-lo", 1)],
)
def test_a_lossy_cable_gets_more_canaries(tap: str, count: int) -> None:
    network = impaired(office(), "access", sender="office_nat", loss=0.5)
    (one,) = (one for one in network.taps() if one.name == tap)
    assert copies(network, one) == count


def test_a_tunnel_gets_canaries_for_all_cables_that_it_may_take() -> None:
    network = impaired(office_with_vpn(), "vpn_up", sender="inet", loss=0.5)
    tunnelled = [tap for tap in network.taps() if tap.tunnel]
    assert tunnelled
    assert {copies(network, tap) for tap in tunnelled} == {30}
