"""Services of three regions: who serves whom, which way things go; and what changes that."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab.support import CHECKOUT, callpath, results_of


@dataclass(frozen=True)
class Expected:
    """Exact sets, and what the reason must say beside them."""

    signalling: list[str]
    media: list[str]
    said: tuple[str, ...]
    #: User -> front end and relay.
    served: dict[str, tuple[str, str]]


_WEST, _MID, _EAST = ((f"front_{name}", f"relay_{name}") for name in ("west", "mid", "east"))

_EXPECTED = {
    "nearest_front_end": Expected(
        ["2", "3", "4"],
        ["2", "6"],
        ("front ends spoke over the backbone only: front_",),
        {"alice": _WEST, "eve": _EAST, "nina": _MID},
    ),
    "relay_to_relay": Expected(
        ["2", "3", "4"],
        ["3", "4"],
        ("packets of media between relay_east and relay_west over the backbone",),
        {"alice": _WEST, "eve": _EAST},
    ),
    "vpn_far_office": Expected(
        ["2", "2'", "4"],
        ["3", "4"],
        (
            "far edge: DNS over VPN: the relay of vic is relay_west",
            "though relay_east is nearer: forwarder was asked, through the tunnel of office",
        ),
        {"alice": _WEST, "vic": _WEST},
    ),
    "branch_breakout": Expected(
        ["2", "3", "4"],
        ["2"],
        ("that bea opened left by branch_nat",),
        {"bea": _MID, "eve": _EAST},
    ),
    "private_peering": Expected(
        ["2", "3", "4"],
        ["3", "4"],
        ("that alice opened left by peer_nat, over no link of the internet",),
        {"alice": _WEST, "eve": _EAST},
    ),
}


def _run(runs: Path, scenario: str) -> tuple[int, dict[str, Any]]:
    process = callpath("run", scenario, "--json", "--runs", str(runs))
    (result,) = results_of(process, patience=110)
    return process.returncode, result


@pytest.mark.parametrize("scenario", _EXPECTED)
def test_each_scenario_has_exactly_its_flows_and_servers(scenario: str, runs: Path) -> None:
    expected = _EXPECTED[scenario]
    code, result = _run(runs, scenario)
    assert (code, result["verdict"]) == (0, "PASS"), result["reason"]
    assert result["signalling_flows"] == expected.signalling
    assert result["media_flows"] == expected.media
    for words in expected.said:
        assert words in result["reason"]
    served: dict[str, dict[str, str]] = {}
    for call in result["calls"]:
        for one in call["nearness"]:
            served.setdefault(one["user"], {})[one["role"]] = one["server"]
            assert len(one["round_trip_ms"]) == 3
    pairs = {user: (of["front end"], of["relay"]) for user, of in served.items()}
    assert pairs == expected.served


def test_two_relays_carry_the_media_one_after_the_other(runs: Path) -> None:
    _, result = _run(runs, "relay_to_relay")
    there, back = result["calls"][0]["media"]
    assert (there["relayed_by"], back["relayed_by"]) == (
        "relay_west, relay_east",
        "relay_east, relay_west",
    )
    assert there["allocated_by"] == ["alice", "eve"]
    assert {"west_rtr-eth3", "east_rtr-eth3"} <= set(there["taps"])


#: Scenario, what is changed in its file, and the reason why it fails then.
_OPPOSITES = {
    "the resolver answers the east with the west": (
        "nearest_front_end",
        {"three_regions()": 'three_regions({"west": "west", "mid": "mid", "east": "west"})'},
        r"the front end of eve is front_west \([6-9]\d\.\d+ ms; front_east .*\), though "
        r"front_east is nearer: resolver was asked",
    ),
    "any relay is asked for": (
        "nearest_front_end",
        {"calls=": 'route_type="any", calls='},
        r"the relay of eve is relay_west \(.*\), though relay_east is nearer",
    ),
    "the backbone is out of use": (
        "relay_to_relay",
        {"three_regions()": "three_regions(backbone=False)"},
        r"what front_east says to front_west leaves the service's backbone by east_up .*; "
        r"what relay_\w+ says to relay_\w+ leaves the service's backbone by",
    ),
    "one home lets media through": (
        "relay_to_relay",
        {', "eve_home": "home_regions_only"': ""},
        r"expected media through the TURN allocations of alice and eve, but that from \w+ to "
        r"\w+ passed the TURN allocation of alice",
    ),
    "the VPN user asks around the tunnel": (
        "vpn_far_office",
        {"regions_with_vpn()": 'regions_with_vpn("resolver")'},
        r"expected for vic \(far edge: DNS over VPN\), but it was not seen",
    ),
    "nobody expects a far edge": (
        "vpn_far_office",
        {'expect_far_edge=frozenset({"vic"}),': ""},
        r"far edge: DNS over VPN: the relay of vic is relay_west \(.*\), though relay_east is "
        r"nearer: forwarder was asked, through the tunnel of office",
    ),
    "the branch leaves by the head office": (
        "branch_breakout",
        {"regions_with_breakout()": "regions_with_breakout(breakout=False)"},
        r"bea leaves the customer network by office_nat, not by branch_nat: ",
    ),
    "the branch asks the head office's forwarder": (
        "branch_breakout",
        {"regions_with_breakout()": 'regions_with_breakout("forwarder")'},
        r"the front end of bea is front_west \(.*\), though front_mid is nearer: forwarder was",
    ),
    "no route leads to the peering": (
        "private_peering",
        {"regions_with_peering()": "regions_with_peering(used=False)"},
        r"alice leaves the customer network by office_nat, not by peer_nat: ",
    ),
}


@pytest.mark.parametrize("change", _OPPOSITES)
def test_another_network_fails_for_its_reason(change: str, runs: Path, tmp_path: Path) -> None:
    scenario, changes, reason = _OPPOSITES[change]
    text = (CHECKOUT / "scenarios" / f"{scenario}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / f"{scenario}.py"
    path.write_text(text, encoding="utf-8")
    code, result = _run(runs, str(path))
    assert (code, result["verdict"]) == (1, "FAIL"), result["reason"]
    assert re.search(reason, result["reason"]), result["reason"]
