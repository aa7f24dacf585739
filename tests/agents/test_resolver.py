"""What the public resolver is told to answer, and to whom."""

import subprocess
from pathlib import Path

from agents.resolver import resolver
from topologies.reference import office
from topologies.regions import three_regions
from topologies.spec import Network


def _written(network: Network, folder: Path) -> str:
    resolver(network.host("resolver"), network, folder)
    path = folder / "resolver.unbound.conf"
    subprocess.run(["unbound-checkconf", str(path)], check=True, capture_output=True)
    return path.read_text(encoding="utf-8")


def test_each_region_answers_whom_it_serves(tmp_path: Path) -> None:
    text = _written(three_regions(), tmp_path)
    everybody, west, mid, east = text.split("view:\n")
    assert "access-control-view: 198.51.100.8/30 east" in everybody
    assert "front-end.service.example. 300 IN A 203.0.113.5" in everybody
    for view, address in ((west, "203.0.113.9"), (mid, "203.0.113.73"), (east, "203.0.113.137")):
        assert "view-first: yes" in view
        assert f"relay.service.example. 300 IN A {address}" in view


def test_each_host_of_a_region_has_a_name_of_its_own(tmp_path: Path) -> None:
    text = _written(three_regions(), tmp_path)
    assert "relay.east.service.example. 300 IN A 203.0.113.137" in text.split("view:\n")[0]


def test_one_region_takes_no_views(tmp_path: Path) -> None:
    text = _written(office(), tmp_path)
    assert "view:" not in text
    assert text.count("local-data:") == 3
