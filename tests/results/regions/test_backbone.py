"""What regions say to each other stays on the backbone, and is said at all."""

from pathlib import Path

import pytest

from results.regions.backbone import backbone_findings
from results.schema import Nearness
from results.tracing.legs import UNLISTED
from results.tracing.openings import connections, unlisted
from results.tunnelling.vpn import Findings
from tests.results.regions_story import story, way
from tests.results.story import Story, ends

BACKBONE = ("front_east", "east_rtr", "west_rtr", "front_west")
INTERNET = ("front_east", "east_rtr", "inet_east", "inet_west", "west_rtr", "front_west")
THIRD = ("front_east", "east_rtr", "mid_rtr", "front_mid")
ENDS = ends("203.0.113.133:5000", "203.0.113.5:443")
TO_THIRD = ends("203.0.113.133:5000", "203.0.113.69:443")


def _served(*servers: str) -> list[Nearness]:
    return [
        Nearness(user=server, role="front end", server=server, region="", round_trip_ms={})
        for server in servers
    ]


def _findings(told: Story, folder: Path, *servers: str) -> Findings:
    table, places = told.table(folder), told.places
    tcp = connections(table, places)
    assert all(unlisted(opening) is None for opening in tcp.openings)
    return backbone_findings(table, places, tcp.openings, (), [_served(*servers)])


def test_a_connection_over_the_backbone(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *BACKBONE), ENDS, 7)
    found = _findings(told, tmp_path, "front_east", "front_west")
    assert found.problems == ()
    (remark,) = found.remarks
    assert remark.text == "front ends spoke over the backbone only: front_east to front_west"


def test_a_connection_over_the_internet(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *INTERNET), ENDS, 7)
    (problem,) = _findings(told, tmp_path, "front_east", "front_west").problems
    assert problem.text == (
        "what front_east says to front_west leaves the service's backbone by east_up "
        "(frame 1 of east_rtr-eth1)"
    )


@pytest.mark.parametrize("servers", [("front_east", "front_west"), ("front_west", "front_mid")])
def test_front_ends_that_were_not_seen_to_speak(tmp_path: Path, servers: tuple[str, str]) -> None:
    told = story()
    told.syn(way(told.network, *THIRD), TO_THIRD, 7)
    (problem,) = _findings(told, tmp_path, *servers).problems
    assert problem.text == (
        f"{servers[0]} and {servers[1]} serve one call, but nothing was seen to pass between them"
    )


def test_front_ends_may_speak_by_way_of_a_third(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *THIRD), TO_THIRD, 7)
    third = ends("203.0.113.5:5000", "203.0.113.69:443")
    told.syn(way(told.network, "front_west", "west_rtr", "mid_rtr", "front_mid"), third, 8)
    assert _findings(told, tmp_path, "front_east", "front_west").problems == ()


def test_within_one_region_a_connection_is_still_unlisted(tmp_path: Path) -> None:
    told = story()
    inside = way(told.network, "front_east", "telem_east")
    told.syn(inside, ends("203.0.113.133:5000", "203.0.113.141:443"), 7)
    (opening,) = connections(told.table(tmp_path), told.places).openings
    assert opening.flows == (UNLISTED,)
