"""A call between two regions that took place: what is read from it, and drawn of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.judge import Judged, examine, judge
from results.report.content import Beside, Content, content_of
from results.report.page import page
from results.report.sentences import headline
from results.report.sites import scenery
from results.schema import RunFolder, Verdict
from tests.results.recorded import change_json, reseal, told_then, unpack

NAME = "relay_to_relay"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack(tmp_path, NAME)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return examine(unpack(tmp_path_factory.mktemp("recorded"), NAME))


@pytest.fixture(scope="module")
def content(judged: Judged) -> Content:
    return content_of(judged, Beside())


def test_it_is_judged_as_it_was(judged: Judged, folder: Path) -> None:
    assert judged.result.verdict is Verdict.PASS
    assert told_then(judged.result, folder) == RunFolder(folder).read_result()


def test_both_are_served_where_they_are(judged: Judged) -> None:
    (call,) = judged.result.calls
    served = {(one.user, one.role): (one.server, one.asked) for one in call.nearness}
    assert served == {
        ("alice", "front end"): ("front_west", "forwarder"),
        ("alice", "relay"): ("relay_west", "forwarder"),
        ("eve", "front end"): ("front_east", "resolver"),
        ("eve", "relay"): ("relay_east", "resolver"),
    }
    assert all(one.is_nearest and len(one.round_trip_ms) == 3 for one in call.nearness)


def test_media_passes_both_relays_and_the_backbone(judged: Judged) -> None:
    there, back = judged.result.calls[0].media
    assert (there.relayed_by, back.relayed_by) == (
        "relay_west, relay_east",
        "relay_east, relay_west",
    )
    cable = {"west_rtr-eth3", "east_rtr-eth3"}
    assert cable <= set(there.taps)
    assert cable <= set(back.taps)
    delay = {hop.from_: hop.delay_ms for hop in there.hops}["west_rtr-eth3"]
    assert delay == pytest.approx(20, abs=3)


def test_what_one_front_end_passed_on_is_read_with_its_keys(judged: Judged, folder: Path) -> None:
    said = "requests of call 1-alice-eve passed on from front_east to front_west"
    assert said in judged.result.reason
    (folder / "keys" / "front_east.tls").write_text("", encoding="utf-8")
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "what front_east says to the front end at 203.0.113.5 cannot be read" in result.reason


def _far(run: dict[str, Any]) -> None:
    run["expect"]["far_edge"] = ["eve"]


def _exit(run: dict[str, Any]) -> None:
    run["expect"]["exits"] = {"alice": "eve_nat"}


def _own(run: dict[str, Any]) -> None:
    run["expect"]["allocated_by"] = ["alice"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_far, "expected for eve (far edge: DNS over VPN), but it was not seen"),
        (_exit, "alice leaves the customer network by office_nat, not by eve_nat: a TCP"),
        (_own, "passed the TURN allocations of alice and eve"),
    ],
)
def test_another_expectation_fails(
    folder: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    change_json(folder / "run.json", change)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is Verdict.FAIL
    assert reason in result.reason


def test_each_region_is_drawn_by_itself(judged: Judged) -> None:
    sites = scenery(judged.run.network, {}, ()).sites
    regions = {site.name: [host.name for host in site.hosts] for site in sites[-3:]}
    assert regions == {
        place: [f"front_{place}", f"relay_{place}", f"telem_{place}"]
        for place in ("west", "mid", "east")
    }


def test_handshakes_that_only_measure_are_not_drawn(content: Content) -> None:
    ways = {(way.origin, way.target) for arrow in content.flows for way in arrow.ways}
    assert ("alice", "front_west") in ways
    assert not {("alice", "front_mid"), ("alice", "front_east"), ("eve", "front_west")} & ways


def test_the_headline_names_a_far_edge_that_was_expected(judged: Judged) -> None:
    expect = judged.run.expect.model_copy(update={"far_edge": frozenset({"vic"})})
    far = replace(judged, run=judged.run.model_copy(update={"expect": expect}))
    assert headline(far).endswith(", from the far edge of vic (DNS over VPN), as expected.")


def test_the_report_names_both_relays_and_who_serves_whom(content: Content) -> None:
    assert "through relay_east and relay_west (Flows 3 and 4)" in content.headline
    assert [(one.user, one.server) for one in content.nearness] == [
        ("alice", "front_west"),
        ("alice", "relay_west"),
        ("eve", "front_east"),
        ("eve", "relay_east"),
    ]
    text = page(content)
    assert "Who serves whom, and how near" in text
    assert "<td>relay_east</td><td>east</td>" in text
