"""What a hop adds, by the description of cables."""

from results.tracing.lines import Line, lines_of
from topologies.parts import impaired
from topologies.reference import office, office_with_vpn

MS = 1_000_000


def test_a_network_without_impairments_adds_nothing() -> None:
    assert lines_of(office()) == {}


def test_each_direction_of_a_cable_adds_its_own() -> None:
    network = impaired(office(), "access", sender="inet", delay_ms=20, jitter_ms=1.5, loss=0.01)
    line = Line(20 * MS, 1_500_000, 0.01)
    assert lines_of(network) == {("inet-eth0", "office_nat-eth1"): line}
    assert line.longest == 21_500_000


def test_a_tunnel_adds_what_the_cables_add_that_carry_it() -> None:
    network = impaired(office_with_vpn(), "vic_up", delay_ms=20, jitter_ms=2, loss=0.5)
    network = impaired(network, "vpn_up", sender="vpn_gw", delay_ms=30, loss=0.5)
    lines = lines_of(network)
    assert lines["vic-wg0", "vpn_gw-wg0"] == Line(20 * MS, 2 * MS, 0.5)
    assert lines["vpn_gw-wg0", "vic-wg0"] == Line(50 * MS, 2 * MS, 0.75)
    assert lines["vera-wg0", "vpn_gw-wg0"] == Line()
