"""VPN users: where signalling and media go, and what changes when a rule or a route does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from results.absence import find_canaries
from results.packets import Kind, PacketTable, read_table
from results.schema import RunFolder
from results.tracing.places import places_of
from results.tunnelling.tunnels import tunnels_of
from results.tunnelling.wireguard import carried
from tests.lab.support import CHECKOUT, callpath, results_of


@dataclass(frozen=True)
class Expected:
    """Exact sets, and what the reason must say beside them."""

    signalling: list[str]
    media: list[str]
    said: tuple[str, ...]
    unsupported: str | None = None


_INSIDE = ["2", "2'", "4"]
_AROUND = "no media in the tunnel of vic: none at vic-wg0, vpn_gw-wg0 and vpn_gw-eth1"
_THROUGH = ("unsupported, as expected: media over VPN", "vic, vic_nat, inet, vpn_gw, core, alice")

_EXPECTED = {
    "vpn_internal_relayed": Expected(_INSIDE, ["3", "4"], (_AROUND, "vpn: no_media_to_lan")),
    "vpn_internal_direct": Expected(_INSIDE, ["2"], (_AROUND, "vpn: no_media_to_lan")),
    "vpn_external_direct": Expected(["2", "2'", "3", "4"], ["6"], (_AROUND,)),
    "vpn_media_in_tunnel": Expected(_INSIDE, ["2'"], _THROUGH, "media over VPN"),
    "vpn_full_tunnel": Expected(_INSIDE, ["2'"], _THROUGH, "media over VPN"),
    "vpn_to_vpn": Expected(_INSIDE, ["6"], (_AROUND, "vpn: no_media_to_members")),
    "vpn_connects_mid_call": Expected(
        ["2", "2'", "3", "4"],
        ["6"],
        (
            "after, Flow 6 both, longest gap around it",
            "its signalling Flow 3 before and Flows 2'",
        ),
    ),
}


def _run(runs: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    process = callpath("run", *arguments, "--json", "--runs", str(runs))
    (result,) = results_of(process)
    return process.returncode, result


@pytest.mark.parametrize("scenario", _EXPECTED)
def test_each_scenario_has_exactly_its_flows(scenario: str, runs: Path) -> None:
    expected = _EXPECTED[scenario]
    code, result = _run(runs, scenario)
    assert (code, result["verdict"]) == (0, "PASS"), result["reason"]
    assert result["signalling_flows"] == expected.signalling
    assert result["media_flows"] == expected.media
    assert result["unsupported"] == expected.unsupported
    for words in expected.said:
        assert words in result["reason"]
    paths = [path for call in result["calls"] for path in call["media"]]
    assert all(path["packets"] == path["authenticated"] > 90 for path in paths)


def test_the_run_folder_names_the_datapath_and_the_wireguard_that_were_used(runs: Path) -> None:
    _, result = _run(runs, "vpn_internal_direct")
    folder = RunFolder(runs / result["run"])
    used, logs = folder.read_run().facilities, folder.path / "logs"
    switch = (logs / "vswitchd.log").read_text(encoding="utf-8")
    assert ("the kernel's datapath" in used["openvswitch"]) == ("system@ovs-system: " in switch)
    assert ("userspace datapath" in used["openvswitch"]) == ("netdev@ovs-netdev: " in switch)
    assert ("wireguard-go" in used["wireguard"]) == (logs / "vic-wg0.log").exists()


def test_the_steps_of_a_vpn_user(runs: Path) -> None:
    _, result = _run(runs, "vpn_internal_relayed")
    flows = {step["step"]: step["flows"] for step in result["calls"][0]["steps"]}
    assert flows == {
        1: ["2'", "2"],
        2: ["3"],
        3: ["2'", "4"],
        4: ["4"],
        5: ["4"],
        6: ["2'", "4"],
        7: ["3", "4"],
        8: ["2'", "4"],
    }


def test_all_in_the_tunnel_is_consistent_with_what_is_outside(runs: Path) -> None:
    _, result = _run(runs, "vpn_media_in_tunnel")
    table = _table(runs / result["run"])
    network = RunFolder(runs / result["run"]).read_run().network
    found = carried(table, places_of(network), find_canaries(table, result["run"]))
    assert [(one.client, one.untied, one.strays) for one in found] == [
        ("vic", (), ()),
        ("vera", (), ()),
    ]
    assert found[0].count > 208
    assert found[0].words in result["reason"]


@pytest.mark.parametrize(
    ("scenario", "opener"), [("vpn_internal_direct", "vic"), ("vpn_to_vpn", "v")]
)
def test_without_rules_for_media_it_takes_the_tunnel(
    scenario: str, opener: str, runs: Path
) -> None:
    code, result = _run(runs, scenario, "--policy", "vpn=vpn_open")
    assert (code, result["verdict"]) == (1, "FAIL")
    assert result["media_flows"] == ["2'"]
    assert result["unsupported"] == "media over VPN"
    assert f"unsupported: media over VPN: {opener}" in result["reason"]


def test_without_one_rule_media_to_the_office_takes_the_tunnel(runs: Path, tmp_path: Path) -> None:
    policy = _without("no_media_to_lan", tmp_path)
    code, result = _run(runs, "vpn_internal_direct", "--policy", f"vpn={policy}")
    assert (code, result["verdict"]) == (1, "FAIL")
    assert (result["media_flows"], result["unsupported"]) == (["2'"], "media over VPN")


def test_without_the_rule_for_members_the_next_one_still_refuses(
    runs: Path, tmp_path: Path
) -> None:
    policy = _without("no_media_to_members", tmp_path)
    code, result = _run(runs, "vpn_to_vpn", "--policy", f"vpn={policy}")
    assert (code, result["media_flows"]) == (0, ["6"])
    assert "vpn: no_media_out" in result["reason"]


def test_the_relay_in_the_tunnel_leaves_no_way_for_media(runs: Path, tmp_path: Path) -> None:
    """The gateway refuses UDP to it, so vic has neither a relayed nor a reflexive candidate.

    His physical interface gathers nothing: the way to the relay is the tunnel.
    """
    policies = {"office": "service_only", **_BYPASS}
    wider = '(*SPLIT, IPv4Network("203.0.113.9/32"))'
    scenario = _scenario(tmp_path, wider, policies=policies)
    process = callpath("run", str(scenario), "--runs", str(runs))
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    assert "the connection is failed" in " ".join(output.split())
    (folder,) = runs.glob("*/")
    table = _table(folder)
    assert not (table.inner_kind == Kind.RTP).any()
    asked = [
        table.tap_name(row)
        for row in range(len(table))
        if table.kind[row] == Kind.STUN and table.dport[row] == 3478 and table.dst[row] == _RELAY
    ]
    assert "vpn_gw-eth1" in asked
    assert not {"core-eth3", "vic-eth0"} & set(asked)


def test_the_offices_address_in_the_tunnel_changes_nothing(runs: Path, tmp_path: Path) -> None:
    """Sockets are bound to their devices, so what vic sends from home still leaves from home.

    Only checks from his address in the tunnel follow the route; the gateway refuses them,
    if there are any before the direct way is found.
    """
    policies = {"office": "udp_out", **_BYPASS}
    wider = '(*SPLIT, IPv4Network("198.51.100.2/32"))'
    scenario = _scenario(tmp_path, wider, policies=policies)
    code, result = _run(runs, str(scenario))
    assert (code, result["media_flows"]) == (0, ["2"]), result["reason"]
    assert _AROUND in result["reason"]


def test_everything_in_the_tunnel_turns_media_for_home_at_the_office(
    runs: Path, tmp_path: Path
) -> None:
    """Into the tunnel by Flow 2', and out of the office again by Flow 2."""
    scenario = _scenario(
        tmp_path,
        "EVERYTHING",
        "eve",
        signalling=["2", "2'", "3", "4"],
        media=["2", "2'"],
        unsupported="media over VPN",
    )
    code, result = _run(runs, str(scenario))
    assert (code, result["media_flows"]) == (0, ["2", "2'"]), result["reason"]
    assert "the tunnel adds 4 hops" in result["reason"]


_RELAY = int.from_bytes(bytes([203, 0, 113, 9]))

_SCENARIO = """
from ipaddress import IPv4Network
from scenarios.scenario import Call, Scenario
from topologies.reference import EVERYTHING, SPLIT, office_with_vpn
from topologies.spec import Flow

scenario = Scenario(
    name="other_tunnel",
    title="A tunnel that carries something else",
    network=office_with_vpn(tunnelled={tunnelled}),
    calls=(Call("vic", "{callee}"),),
    policies={policies},
    expect_signalling=frozenset(map(Flow, {signalling})),
    expect_media=frozenset(map(Flow, {media})),
    expect_unsupported={unsupported!r},
)
"""

_BYPASS = {"vpn": "vpn_media_bypass"}


def _scenario(folder: Path, tunnelled: str, callee: str = "alice", **values: Any) -> Path:
    """A scenario file with another tunnel; ``tunnelled`` as it is written in Python."""
    path = folder / "other_tunnel.py"
    defaults: dict[str, Any] = {
        "policies": {},
        "signalling": _INSIDE,
        "media": ["2"],
        "unsupported": None,
    }
    text = _SCENARIO.format(tunnelled=tunnelled, callee=callee, **(defaults | values))
    path.write_text(text, encoding="utf-8")
    return path


def _without(rule: str, folder: Path) -> Path:
    """The policy that keeps media out of the tunnel, less one rule."""
    file = CHECKOUT / "controllers" / "policies" / "vpn_media_bypass.yaml"
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy["name"] = f"without_{rule}"
    policy["rules"] = [one for one in policy["rules"] if one["name"] != rule]
    path = folder / f"without_{rule}.yaml"
    path.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return path


def _table(folder: Path) -> PacketTable:
    """What the taps of a run saw, of a run that was cut short too."""
    network = RunFolder(folder).read_run().network
    taps = {tap: RunFolder(folder).capture(tap.name) for tap in network.taps()}
    return read_table(taps, tunnels_of(network))
