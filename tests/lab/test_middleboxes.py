"""Middleboxes that the documents do not support: what each does to a call, and its opposite."""

from pathlib import Path
from typing import Any

import pytest

from tests.lab.support import callpath, results_of

#: A call of two ends that lose packets on purpose takes longer.
_PATIENCE = 100.0


def run(runs: Path, scenario: str) -> dict[str, Any]:
    process = callpath("run", scenario, "--json", "--runs", str(runs))
    (result,) = results_of(process, _PATIENCE)
    return result


def changed(runs: Path, scenario: str, *replacements: tuple[str, str]) -> str:
    """A scenario that comes with Callpath, with words of it replaced; where it lies."""
    path = Path(__file__).parent.parent.parent / "scenarios" / f"{scenario}.py"
    text = path.read_text(encoding="utf-8")
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    copy = runs / f"{scenario}.py"
    copy.write_text(text, encoding="utf-8")
    return str(copy)


def directions(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sender -> the quality of what it sent."""
    return {path["from"]: path["quality"] for path in result["calls"][0]["media"]}


def ratings(before: dict[str, Any], after: dict[str, Any], runs: Path) -> dict[str, list[float]]:
    """What ``compare`` says of two runs: sender -> R in both."""
    folders = (str(runs / result["run"]) for result in (before, after))
    (compared,) = results_of(callpath("compare", *folders, "--json"))
    return {
        one["from"]: [one["before"]["r"], one["after"]["r"]]
        for call in compared["calls"]
        for one in call["ratings"]
    }


def test_a_shaper_drops_and_delays_and_a_call_without_it_is_better(runs: Path) -> None:
    result, plain = run(runs, "packet_shaper"), run(runs, "external_direct")
    assert (result["verdict"], plain["verdict"]) == ("PASS", "PASS"), result["reason"]
    assert (result["unsupported"], plain["unsupported"]) == ("packet shaper", None)
    assert "(queue_full), of " in result["reason"]
    assert "(over_the_rate), of " in result["reason"]
    found = directions(result)
    # The queue holds 129 ms when it is full; what is policed does not wait.
    assert found["alice"]["delay_ms"] > 50
    assert found["alice"]["lost"] > 0
    assert found["eve"]["lost"] > 0
    assert found["eve"]["delay_ms"] < found["alice"]["delay_ms"]
    for before, after in ratings(plain, result, runs).values():
        assert after < before - 10


def test_a_shaper_that_lets_everything_pass_is_not_found_to_shape(runs: Path) -> None:
    generous = ("police_packets=45, burst_packets=10, queue_kbit=155", "queue_kbit=100_000")
    result = run(runs, changed(runs, "packet_shaper", generous))
    assert result["verdict"] == "FAIL"
    assert result["reason"] == ("expected an unsupported case (packet shaper), but none was seen")


def test_a_shaper_that_nobody_expects_is_named(runs: Path) -> None:
    unexpected = ('    expect_unsupported="packet shaper",\n', "")
    result = run(runs, changed(runs, "packet_shaper", unexpected))
    assert result["verdict"] == "FAIL"
    assert result["reason"].startswith("unsupported: packet shaper: office_nat ")


def test_a_user_refuses_the_box_that_reads_https(runs: Path) -> None:
    result = run(runs, "packet_inspection")
    assert result["verdict"] == "PASS", result["reason"]
    assert (result["signalling_flows"], result["media_flows"]) == (["2", "3"], [])
    assert (result["unsupported"], result["calls"]) == ("packet inspection", [])
    assert (
        "the certificate of front-end.service.example that alice was shown by office_nat is "
        "signed by Office inspection CA, not by the run's CA; alice refused it (unknown_ca)"
    ) in result["reason"]


#: A managed machine, which trusts the box: the call takes place.
_TRUSTED = (
    ("Inspection())", "Inspection(trusted=True))"),
    ("{Flow.F2, Flow.F3}", "{Flow.F2, Flow.F3, Flow.F4}"),
    ("expect_media=frozenset()", "expect_media=frozenset({Flow.F2})"),
)


@pytest.mark.parametrize("expected", [True, False])
def test_a_box_that_is_trusted_is_noticed_all_the_same(runs: Path, expected: bool) -> None:
    """The call takes place; the certificate that was captured is not the edge's."""
    silent = () if expected else (('    expect_unsupported="packet inspection",\n', ""),)
    result = run(runs, changed(runs, "packet_inspection", *_TRUSTED, *silent))
    assert result["verdict"] == ("PASS" if expected else "FAIL"), result["reason"]
    assert "signed by Office inspection CA, not by the run's CA" in result["reason"]
    assert "refused" not in result["reason"].split("not by the run's CA")[1]
    assert len(directions(result)) == 2


#: Signalling through a VPN's tunnel leaves by the office, and so meets the box there.
_VPN = (
    ("office_and_homes", "office_with_vpn"),
    ('Call("alice", "eve")', 'Call("vic", "eve")'),
    ('{"office": "udp_out"}', '{"office": "udp_out", "vpn": "vpn_media_bypass"}'),
    ("{Flow.F2, Flow.F3}", "{Flow.F2, Flow.F2_VPN, Flow.F3}"),
)


def test_a_vpn_user_meets_the_box_beyond_the_tunnel(runs: Path) -> None:
    result = run(runs, changed(runs, "packet_inspection", *_VPN))
    assert result["verdict"] == "PASS", result["reason"]
    assert "that vic was shown by office_nat is signed by Office" in result["reason"]


def test_without_the_box_nothing_is_inspected(runs: Path) -> None:
    plain = ('inspected(office_and_homes(), "office", Inspection())', "office_and_homes()")
    result = run(runs, changed(runs, "packet_inspection", plain))
    assert result["verdict"] == "FAIL"
    assert "expected an unsupported case (packet inspection), but none was seen" in result["reason"]


def test_a_box_that_holds_packets_costs_quality_but_no_path(runs: Path) -> None:
    result, plain = run(runs, "packet_inspection_delay"), run(runs, "external_direct")
    assert result["verdict"] == "PASS", result["reason"]
    assert result["media_flows"] == plain["media_flows"]
    assert all(quality["lost"] == 0 for quality in directions(result).values())
    assert all(quality["delay_ms"] > 120 for quality in directions(result).values())
    for before, after in ratings(plain, result, runs).values():
        assert after < before - 2
