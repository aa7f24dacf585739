"""What regions say to each other stays on the backbone."""

from pathlib import Path

from results.regions.backbone import backbone_findings
from results.tracing.legs import UNLISTED
from results.tracing.openings import connections, unlisted
from results.tunnelling.vpn import Findings
from tests.results.regions_story import story, way
from tests.results.story import Story, ends

BACKBONE = ("front_east", "east_rtr", "west_rtr", "front_west")
INTERNET = ("front_east", "east_rtr", "inet_east", "inet_west", "west_rtr", "front_west")
ENDS = ends("203.0.113.133:5000", "203.0.113.5:443")


def _findings(told: Story, folder: Path) -> Findings:
    table, places = told.table(folder), told.places
    tcp = connections(table, places)
    assert all(unlisted(opening) is None for opening in tcp.openings)
    return backbone_findings(table, places, tcp.openings, ())


def test_a_connection_over_the_backbone(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *BACKBONE), ENDS, 7)
    found = _findings(told, tmp_path)
    assert found.problems == ()
    (remark,) = found.remarks
    assert remark.text == "front ends spoke over the backbone only: front_east to front_west"


def test_a_connection_over_the_internet(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *INTERNET), ENDS, 7)
    (problem,) = _findings(told, tmp_path).problems
    assert problem.text == (
        "what front_east says to front_west leaves the service's backbone by east_up "
        "(frame 1 of east_rtr-eth1)"
    )


def test_within_one_region_a_connection_is_still_unlisted(tmp_path: Path) -> None:
    told = story()
    inside = way(told.network, "front_east", "telem_east")
    told.syn(inside, ends("203.0.113.133:5000", "203.0.113.141:443"), 7)
    (opening,) = connections(told.table(tmp_path), told.places).openings
    assert opening.flows == (UNLISTED,)
