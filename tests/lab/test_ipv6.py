"""Calls where there is IPv6: over which family media goes, and that firewalls let IPv6 work."""

import json
from pathlib import Path
from typing import Any

import pytest

from controllers.policy import find, load
from tests.lab.support import callpath, results_of
from tests.lab.worlds import Inside, up, world
from topologies.ipv6 import dual_stack, ipv6_only_behind_nat64
from topologies.reference import office

#: Scenario -> signalling flows, media flows, the relay that carries the media, versions of IP.
_EXPECTED: dict[str, tuple[list[str], list[str], str | None, set[str]]] = {
    "dual_stack": (["2", "3", "4"], ["2"], None, {"IPv6"}),
    "dual_stack_ipv4_media": (["2", "3", "4"], ["2"], None, {"IPv4"}),
    "ipv6_only_intranet": (["2", "4"], ["5"], None, {"IPv6"}),
    "ipv6_only_relayed": (["2", "3", "4"], ["3", "4"], "relay", {"IPv6"}),
    "ipv6_only_nat64": (["2", "3", "4"], ["3", "4"], "relay", {"IPv4", "IPv6"}),
}

#: Scenario, another policy, and what must be said of what then happens.
_OPPOSITES = [
    ("dual_stack", "both_ipv4_media", "expected media over IPv6, but that from alice to eve went"),
    ("dual_stack_ipv4_media", "both_udp_out", "expected media over IPv4, but that from alice to"),
    ("ipv6_only_relayed", "both_udp_out", "unexpected media Flow 2: "),
]

_IPV6_ADDRESS_OF = {host.name: str(host.addresses[-1]) for host in dual_stack().hosts}

#: The relay as the NAT64 and the DNS64 have it.
_RELAY_64 = "2001:db8:64::cb00:7109"


def _run(runs: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    process = callpath("run", *arguments, "--json", "--runs", str(runs))
    (result,) = results_of(process, 110)
    return process.returncode, result


@pytest.mark.parametrize("scenario", _EXPECTED)
def test_each_scenario_has_exactly_its_flows_and_families(scenario: str, runs: Path) -> None:
    code, result = _run(runs, scenario)
    signalling, media, relay, versions = _EXPECTED[scenario]
    assert result["verdict"] == "PASS", result["reason"]
    assert code == 0
    assert (result["signalling_flows"], result["media_flows"]) == (signalling, media)
    paths = [path for call in result["calls"] for path in call["media"]]
    assert {path["relayed_by"] for path in paths} == {relay}
    assert all(set(path["ip"]) == versions for path in paths)
    assert all(path["packets"] == path["authenticated"] > 90 for path in paths)


@pytest.mark.parametrize(
    ("scenario", "policy"),
    [("ipv6_only_relayed", "both_service_only"), ("ipv6_only_nat64", "nat64_service_only")],
)
def test_where_no_udp_leaves_turn_goes_over_tcp(
    scenario: str, policy: str, runs: Path, tmp_path: Path
) -> None:
    turn = {"udp": "protocol: udp, ports: [3478]", "tcp": "protocol: tcp, ports: [443]"}
    text = find(policy).read_text(encoding="utf-8")
    assert turn["udp"] in text
    own = tmp_path / "no_udp.yaml"
    own.write_text(text.replace(turn["udp"], turn["tcp"]), encoding="utf-8")
    code, result = _run(runs, scenario, "--policy", f"office={own}")
    assert (code, result["verdict"]) == (0, "PASS"), result["reason"]
    paths = [path for call in result["calls"] for path in call["media"]]
    assert {path["transport"] for path in paths} == {"tcp"}
    assert all(set(path["ip"]) == _EXPECTED[scenario][-1] for path in paths)


@pytest.mark.parametrize(("scenario", "policy", "reason"), _OPPOSITES)
def test_under_another_policy_it_fails(scenario: str, policy: str, reason: str, runs: Path) -> None:
    code, result = _run(runs, scenario, "--policy", f"office={policy}")
    assert (code, result["verdict"]) == (1, "FAIL")
    assert reason in result["reason"]


def test_the_rule_that_refuses_ipv6_media_has_counted(runs: Path) -> None:
    _, result = _run(runs, "dual_stack_ipv4_media")
    ending = json.loads((runs / result["run"] / "ending.json").read_text(encoding="utf-8"))
    office = ending["firewalls"]["office"]
    assert office["no_ipv6_media"] > 0
    assert office["direct_media"] > 0
    assert office["neighbours"] > 0
    refused = [pair for pair in result["calls"][0]["pairs"] if pair["rule"] == "no_ipv6_media"]
    assert {pair["by"] for pair in refused} == {"office"}
    assert all(":" in pair["remote"]["address"] for pair in refused)


def test_an_ipv4_network_has_no_packet_of_ipv6(runs: Path) -> None:
    _, result = _run(runs, "intranet")
    for capture in (runs / result["run"] / "captures").iterdir():
        assert b"\x86\xdd" not in _ethertypes(capture), capture.name


def _ethertypes(capture: Path) -> set[bytes]:
    from scapy.utils import PcapNgReader

    with PcapNgReader(str(capture)) as reader:
        return {bytes(packet)[12:14] for packet in reader}


_policies = {"office": load(find("both_service_only"))}

guarded = up(dual_stack(), _policies)


def test_neighbours_find_each_other_across_a_firewall(guarded: Inside) -> None:
    before = guarded.firewall_counters()["office"]
    # core knows nobody on the link yet; the ping itself is refused, the question is answered.
    assert guarded.run("core", "ping", "-6", "-c1", "-W1", "2001:db8:10:f0::2").code == 1
    after = guarded.firewall_counters()["office"]
    assert after["neighbours"] >= before["neighbours"] + 2
    assert after["default_deny"] > before["default_deny"]
    known = guarded.run("core", "ip", "-6", "neigh", "show", "2001:db8:10:f0::2").stdout
    assert "lladdr" in known


def test_packet_too_big_passes_a_firewall_that_refuses_icmp(guarded: Inside) -> None:
    front_end = _IPV6_ADDRESS_OF["front_end"]
    assert guarded.run("inet", "ip", "link", "set", "inet-eth2", "mtu", "1280").code == 0
    before = guarded.firewall_counters()["office"]
    # Longer than the MTU of the last link: TCP's own, since a ping is refused.
    guarded.start(
        "front_end", "sink", "python3", "-uc", _SINK.format(address=front_end), ready="listens"
    )
    sent = guarded.run("alice", "python3", "-c", _SOURCE.format(address=front_end))
    assert (sent.code, sent.stdout) == (0, "100000"), sent.stderr
    after = guarded.firewall_counters()["office"]
    assert after["related"] > before["related"]
    path = guarded.run("alice", "ip", "-6", "route", "get", front_end).stdout
    assert "mtu 1280" in path


def test_where_packet_too_big_is_dropped_a_connection_hangs(guarded: Inside) -> None:
    telemetry = _IPV6_ADDRESS_OF["telemetry"]
    assert guarded.run("inet", "ip", "link", "set", "inet-eth2", "mtu", "1280").code == 0
    rules = (
        "add table ip6 black; add chain ip6 black out { type filter hook output priority 0; }; "
        "add rule ip6 black out icmpv6 type packet-too-big counter drop"
    )
    assert guarded.run("inet", "nft", rules).code == 0
    guarded.start(
        "telemetry", "hole", "python3", "-uc", _SINK.format(address=telemetry), ready="listens"
    )
    sent = guarded.run("alice", "python3", "-c", _SOURCE.format(address=telemetry))
    assert sent.code == 1
    assert "TimeoutError" in sent.stderr
    assert guarded.run("inet", "nft", "delete", "table", "ip6", "black").code == 0


#: Takes all that each connection to port 443 brings, and answers with its length.
_SINK = """
import socket
with socket.create_server(("{address}", 443), family=socket.AF_INET6) as server:
    print("listens")
    while True:
        peer, _ = server.accept()
        with peer:
            taken = 0
            while part := peer.recv(65536):
                taken += len(part)
            peer.sendall(str(taken).encode())
"""

_SOURCE = """
import socket
with socket.create_connection(("{address}", 443), timeout=10) as peer:
    peer.sendall(bytes(100000))
    peer.shutdown(socket.SHUT_WR)
    print(peer.recv(100).decode(), end="")
"""

_nat64_policies = {"office": load(find("nat64_service_only"))}

behind_nat64 = up(ipv6_only_behind_nat64(), _nat64_policies)


def test_dns64_makes_up_addresses_of_the_nat64(behind_nat64: Inside) -> None:
    asked = behind_nat64.run("alice", "getent", "ahosts", "relay.service.example")
    assert {line.split()[0] for line in asked.stdout.splitlines()} == {_RELAY_64}


def test_stun_through_the_nat64_sees_the_office_as_ipv4(behind_nat64: Inside) -> None:
    before = behind_nat64.nat_counters()["office_nat"]
    asked = behind_nat64.run("alice", "turnutils_stunclient", _RELAY_64)
    assert "198.51.100.2:" in asked.stdout
    after = behind_nat64.nat_counters()["office_nat"]
    assert after["translated"] > before["translated"]


def test_the_nat64_filters_as_the_nat_does(behind_nat64: Inside) -> None:
    before = behind_nat64.nat_counters()["office_nat"]
    said = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'x', {})"
    assert behind_nat64.run("eve", "python3", "-c", said.format(("198.51.100.2", 1028))).code == 0
    after = behind_nat64.nat_counters()["office_nat"]
    assert after["unsolicited_to_router"] > before["unsolicited_to_router"]


def test_without_a_nat64_ipv4_is_out_of_reach(tmp_path: Path) -> None:
    network = ipv6_only_behind_nat64()
    plain = tuple(one.model_copy(update={"nat64": None}) for one in network.perimeters)
    with world(network.model_copy(update={"perimeters": plain}), tmp_path / "world") as without:
        asked = without.run("alice", "getent", "ahosts", "relay.service.example")
        assert "2001:db8:" not in asked.stdout
        assert without.run("alice", "ping", "-c1", "-W1", _RELAY_64).code != 0


def test_the_office_alone_has_ipv6_switched_off(tmp_path: Path) -> None:
    with world(office(), tmp_path / "world") as plain:
        assert plain.run("alice", "ip", "-6", "address").stdout == ""
