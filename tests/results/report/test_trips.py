"""How lines run: their channels and the gate that they pass."""

import pytest

from results.report.arrows import Refusal
from results.report.sites import scenery
from results.report.trips import Channel, Planner
from topologies.reference import office_with_vpn

C, I, S = Channel.CUSTOMER, Channel.INTERNET, Channel.SERVICE  # noqa: E741

POLICIES = {"office": "service_only", "vpn": "vpn_media_bypass", "branch": "branch_no_udp"}
NETWORK = office_with_vpn()
PLANNER = Planner(NETWORK, scenery(NETWORK, POLICIES, ()))


@pytest.mark.parametrize(
    ("hosts", "channels", "gate"),
    [
        ("alice bob", (C,), ""),
        ("bea branch_rtr core alice", (C,), ""),
        ("alice core office_nat inet relay", (C, S), "office_nat"),
        ("alice core office_nat inet vic_nat vic", (C, I), "office_nat"),
        ("vic vic_nat inet relay", (S,), ""),
        ("vic vic_nat inet vera_nat vera", (I,), ""),
        ("vic vpn_gw", (I,), "vpn_gw"),
        ("vpn_gw core office_nat inet front_end", (C, S), "office_nat"),
        ("vpn_gw core alice", (C,), ""),
    ],
)
def test_a_flow(hosts: str, channels: tuple[Channel, ...], gate: str) -> None:
    trip = PLANNER.along(tuple(hosts.split()))
    assert (trip.channels, trip.gate) == (channels, gate)


@pytest.mark.parametrize(
    ("origin", "by", "channels", "gate"),
    [
        ("alice", "office", (C,), "office_nat"),
        ("alice", "vpn", (C,), "vpn_gw"),
        ("vic", "vpn", (I,), "vpn_gw"),
        ("vic", "office_nat", (I,), "office_nat"),
        ("relay", "office_nat", (S,), "office_nat"),
        ("alice", "relay", (C, S), "office_nat"),
        ("alice", "vic_nat", (C, I), "office_nat"),
        ("vera", "vic_nat", (I,), ""),
        ("bea", "branch", (C,), ""),
        ("vic", "vic", (), ""),
        ("vic", "vic_nat", (), ""),
        ("vic", "nobody knows it", (), ""),
    ],
)
def test_a_refusal(origin: str, by: str, channels: tuple[Channel, ...], gate: str) -> None:
    trip = PLANNER.of_refusal(Refusal(origin, None, by, ("rule",), ()))
    assert (trip.channels, trip.gate) == (channels, gate)


def test_what_goes_between_wall_and_service_crosses_the_internet() -> None:
    crossing = PLANNER.along(("alice", "office_nat", "relay"))
    beside = PLANNER.along(("alice", "office_nat", "vic"))
    assert (crossing.crosses_internet, beside.crosses_internet) == (True, False)
