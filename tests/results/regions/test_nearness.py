"""The nearest server by round trips; what is not the nearest, not measured or not told."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from results.problems import Ground
from results.protocols.sdp import Description
from results.regions.nearness import Edges, nearness_findings
from results.regions.round_trips import RoundTrip, round_trips
from results.schema import Expectation, Nearness, Run
from results.setup.calls import Call
from results.setup.signalling import Act, Carrier, Message
from results.setup.turn import Turn
from results.tracing.openings import connections, queries
from results.tracing.paths import follow_udp
from results.tunnelling.vpn import Findings
from tests.results.regions_story import (
    FRONT_EAST,
    FRONT_WEST,
    TO_EAST,
    TO_WEST,
    ask,
    handshake,
    story,
)
from topologies.regions import three_regions

NAME = "front-end.service.example"
TO_MID = ("eve_nat", "inet_east", "inet_mid", "mid_rtr", "front_mid")


def _run(*far_edge: str) -> Run:
    return Run(
        run="r",
        scenario="s",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        network=three_regions(),
        calls=(),
        expect=Expectation(signalling=frozenset(), media=frozenset(), far_edge=frozenset(far_edge)),
        versions={},
        facilities={},
    )


def _read(
    folder: Path, seconds: Mapping[str, float], *, told: str = "203.0.113.133"
) -> tuple[tuple[Nearness, ...], Findings]:
    """Eve is told an address and begins a call in the east, after so long handshakes."""
    scene = story()
    ask(scene, NAME, told)
    ways = {
        "front_east": (TO_EAST, FRONT_EAST),
        "front_mid": (TO_MID, "203.0.113.69:443"),
        "front_west": (TO_WEST, FRONT_WEST),
    }
    for number, (server, took) in enumerate(seconds.items(), 1):
        way, end = ways[server]
        handshake(scene, way, end, 7 * number, took)
    table, places = scene.table(folder), scene.places
    udp, tcp = follow_udp(table, places), connections(table, places)
    edges = Edges(
        table=table,
        run=_run(),
        places=places,
        tcp=tcp,
        turn=Turn(),
        queries=queries(table, places, udp),
        trips=round_trips(table, places, tcp, ()),
    )
    (syn,) = (one.path.first.row for one in tcp.openings if one.path.target == "front_east")
    invite = Message(Act.INVITE, "c1", Carrier(syn, NAME, "eve"), told=False, row=syn, to="nina")
    described = {"eve": Description(), "nina": Description()}
    found = edges.nearness(Call("c1", "eve", "nina", described, invite, None, None, None, {}))
    return found, nearness_findings(edges, found)


NEAR = {"front_east": 0.002, "front_mid": 0.036, "front_west": 0.06}


def test_the_nearest_is_told_with_all_figures(tmp_path: Path) -> None:
    (one,), found = _read(tmp_path, NEAR)
    assert (one.user, one.server, one.region, one.asked) == (
        "eve",
        "front_east",
        "east",
        "resolver",
    )
    assert one.is_nearest
    assert found.problems == ()
    (remark,) = found.remarks
    assert remark.text.startswith("nearest front end of eve: front_east (2.")
    assert [citation.tap for citation in remark.citations] == ["eve-eth0"]


def test_another_that_is_nearer_is_a_problem_with_both_frames(tmp_path: Path) -> None:
    _, found = _read(tmp_path, {**NEAR, "front_mid": 0.001})
    (problem,) = found.problems
    assert problem.ground is Ground.FLOWS
    assert problem.text.startswith("the front end of eve is front_east (2.")
    assert problem.text.endswith("though front_mid is nearer: resolver was asked")
    assert [citation.what for citation in problem.citations] == [
        "front_east answers eve",
        "front_mid answers eve",
    ]


def test_a_server_that_was_not_measured_leaves_it_open(tmp_path: Path) -> None:
    _, found = _read(tmp_path, {"front_east": 0.002, "front_west": 0.06})
    (problem,) = found.problems
    assert problem.ground is Ground.UNMEASURED
    assert problem.text == (
        "no round trip of eve to front_mid was seen, so that it cannot be told whether "
        "front_east is the nearest front end"
    )


def test_a_server_of_which_no_answer_told_leaves_it_open(tmp_path: Path) -> None:
    _, found = _read(tmp_path, NEAR, told="203.0.113.5")
    (problem,) = found.problems
    assert problem.ground is Ground.UNMEASURED
    assert problem.text == (
        "no DNS answer with the address of front_east, which served eve, was seen"
    )


def _far(through: str | None, role: Literal["front end", "relay"] = "relay") -> Nearness:
    name = {"front end": "front", "relay": "relay"}[role]
    return Nearness(
        user="eve",
        role=role,
        server=f"{name}_west",
        region="west",
        round_trip_ms={f"{name}_west": 60.0, f"{name}_mid": 36.0, f"{name}_east": 1.0},
        asked="forwarder",
        through=through,
    )


@pytest.mark.parametrize(
    ("expected", "through", "said"),
    [
        (
            (),
            "office",
            "far edge: DNS over VPN: the relay of eve is relay_west (60.00 ms; relay_east "
            "1.00, relay_mid 36.00), though relay_east is nearer: forwarder was asked, through "
            "the tunnel of office",
        ),
        (("eve",), "office", None),
        (
            ("eve",),
            None,
            "expected for eve (far edge: DNS over VPN), but it was not seen",
        ),
    ],
)
def test_the_far_edge_of_a_vpn(
    tmp_path: Path, expected: tuple[str, ...], through: str | None, said: str | None
) -> None:
    texts = _texts(tmp_path, _far(through), *expected)
    assert texts[-1:] == ([said] if said else [])


def test_a_far_front_end_is_none(tmp_path: Path) -> None:
    assert _texts(tmp_path, _far("office", "front end"), "eve") == [
        "the front end of eve is front_west (60.00 ms; front_east 1.00, front_mid 36.00), "
        "though front_east is nearer: forwarder was asked",
        "expected for eve (far edge: DNS over VPN), but it was not seen",
    ]


def _texts(folder: Path, found: Nearness, *expected: str) -> list[str]:
    """What is said of a server, with a frame for each of its figures."""
    scene = story()
    handshake(scene, TO_EAST, FRONT_EAST, 7, 0.001)
    table, places = scene.table(folder), scene.places
    edges = Edges(
        table=table,
        run=_run(*expected),
        places=places,
        tcp=connections(table, places),
        turn=Turn(),
        queries=(),
        trips={("eve", name): RoundTrip(ms, 0) for name, ms in found.round_trip_ms.items()},
    )
    return [problem.text for problem in nearness_findings(edges, [found]).problems]


def test_of_two_that_are_as_near_the_chosen_one_is_the_nearest() -> None:
    even = _far(None).model_copy(update={"round_trip_ms": {"relay_east": 1.0, "relay_west": 1.0}})
    assert even.is_nearest
