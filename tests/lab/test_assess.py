"""What a host reaches of the service, and what is in the way."""

import json
from pathlib import Path
from typing import Any

import pytest

from results.schema import RunFolder
from tests.documented import files
from tests.lab.support import callpath

_PATIENCE = 100.0

#: Probes of a way over UDP (agents/assess.py).
_DATAGRAMS = 50


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy and the scenario that the documentation shows."""
    folder = tmp_path_factory.mktemp("documented")
    for name in ("web_only.yaml", "far_away.py"):
        (folder / name).write_text(files()[name], encoding="utf-8")
    return folder


def _assess(runs: Path, *arguments: str, rootless: bool = False) -> tuple[int, dict[str, Any]]:
    """The exit code of an assessment, and what it prints."""
    command = ("assess", *arguments, "--json", "--runs", str(runs))
    process = callpath(*command, rootless=rootless)
    output, errors = process.communicate(timeout=_PATIENCE)
    assert output, errors
    return process.returncode, json.loads(output)


def _ways(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The ways that calls need, by edge."""
    return {way["edge"]: way for way in found["ways"] if way["needed"]}


def test_a_host_that_reaches_everything(runs: Path, rootless: bool) -> None:
    code, found = _assess(runs, "intranet", "alice", rootless=rootless)
    assert (code, found["doubts"]) == (0, [])
    ways = _ways(found)
    assert set(ways) == {"front_end", "telemetry", "relay"}
    assert [way["transport"] for way in found["ways"] if way["edge"] == "relay"] == [
        "udp", "tcp", "tls",
    ]  # fmt: skip
    assert all(way["works"] and way["answered"] == way["sent"] for way in found["ways"])
    assert ways["relay"]["sent"] == _DATAGRAMS
    assert ways["relay"]["because"].startswith("203.0.113.9:")
    assert ways["front_end"]["because"] == "HTTP 404"


@pytest.mark.parametrize(
    ("scenario", "relayed"),
    [("ipv6_only_relayed", "2001:db8:203::9:"), ("ipv6_only_nat64", "203.0.113.9:")],
)
def test_a_host_of_ipv6_alone_is_assessed_over_it(runs: Path, scenario: str, relayed: str) -> None:
    code, found = _assess(runs, scenario, "alice")
    assert (code, found["doubts"]) == (0, [])
    ways = _ways(found)
    assert all(way["works"] and way["answered"] == way["sent"] for way in ways.values())
    assert ways["relay"]["because"].startswith(relayed)


def test_udp_that_a_policy_refuses_is_named_with_its_rule(runs: Path, documented: Path) -> None:
    policy = f"office={documented / 'web_only.yaml'}"
    code, found = _assess(runs, "external_direct", "alice", "--policy", policy)
    assert (code, found["doubts"]) == (1, [])
    ways = _ways(found)
    relay = ways["relay"]
    assert not relay["works"]
    assert (relay["sent"], relay["answered"], relay["loss"]) == (_DATAGRAMS, 0, 1.0)
    assert (relay["by"], relay["rule"]) == ("office", "no_udp")
    assert relay["because"] == "UDP was never needed"
    assert relay["median_ms"] is None
    assert ways["front_end"]["works"]
    ending = RunFolder(runs / found["run"]).read_ending()
    assert ending.firewalls["office"]["no_udp"] >= _DATAGRAMS


def test_tcp_that_a_policy_refuses_is_named_with_its_rule(runs: Path, tmp_path: Path) -> None:
    policy = tmp_path / "media_only.yaml"
    web = files()["web_only.yaml"]
    policy.write_text(
        web.replace("action: deny", "action: allow").replace("ports: [443]", "ports: [80]"),
        encoding="utf-8",
    )
    code, found = _assess(runs, "external_direct", "alice", "--policy", f"office={policy}")
    assert (code, found["doubts"]) == (1, [])
    ways = _ways(found)
    assert ways["relay"]["works"]
    for edge in ("front_end", "telemetry"):
        assert not ways[edge]["works"]
        assert ways[edge]["sent"] > 1  # TCP repeats its SYN
        assert (ways[edge]["by"], ways[edge]["rule"]) == ("office", "default_deny")


@pytest.mark.long
def test_names_that_cannot_be_resolved_name_the_rule_too(runs: Path, tmp_path: Path) -> None:
    policy = tmp_path / "no_dns.yaml"
    text = files()["web_only.yaml"]
    policy.write_text(text.replace("ports: [53]", "ports: [54]"), encoding="utf-8")
    code, found = _assess(runs, "external_direct", "alice", "--policy", f"office={policy}")
    assert (code, found["doubts"]) == (1, [])
    for way in found["ways"]:
        assert (way["works"], way["sent"], way["loss"]) == (False, 0, None)
        assert (way["by"], way["rule"]) == ("office", "no_udp")
        assert f"{way['name']} cannot be resolved" in way["because"]


def test_a_slow_and_lossy_line_shows(runs: Path, documented: Path) -> None:
    scenario = str(documented / "far_away.py")
    code, found = _assess(runs, scenario, "alice")
    assert (code, found["doubts"]) == (0, [])
    for way in found["ways"]:
        assert way["loss"] == 0
        assert 40 <= way["least_ms"] <= way["median_ms"]
    code, found = _assess(runs, scenario, "eve")
    assert (code, found["doubts"]) == (0, [])
    for way in found["ways"]:
        # What comes back to her is not delayed.
        assert 25 <= way["least_ms"] <= way["median_ms"] < 40


def test_a_host_that_does_not_exist_is_named_with_those_there_are() -> None:
    process = callpath("assess", "external_direct", "alcie")
    output, errors = process.communicate(timeout=_PATIENCE)
    assert (process.returncode, output) == (2, "")
    assert errors == (
        "callpath: scenario external_direct has no user's host 'alcie'; "
        "there are: alice, bob, bea, eve, nina\n"
    )
