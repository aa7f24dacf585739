"""What the name servers are told to answer, and to whom; that they do is shown in the lab."""

import subprocess
from pathlib import Path

from agents.resolver import forwarder, resolver
from topologies.ipv6 import NAT64, dual_stack, ipv6_only_behind_nat64
from topologies.reference import office
from topologies.regions import three_regions
from topologies.spec import Network


def _written(network: Network, folder: Path, name: str = "resolver") -> str:
    """The configuration of a name server, which unbound itself has looked through."""
    host = network.host(name)
    if host.nameserver:
        forwarder(host, network.host(host.nameserver), folder, network.nat64)
    else:
        resolver(host, network, folder)
    path = folder / f"{name}.unbound.conf"
    subprocess.run(["unbound-checkconf", str(path)], check=True, capture_output=True)
    return path.read_text(encoding="utf-8")


def _lines(network: Network, name: str, folder: Path) -> list[str]:
    return [line.strip() for line in _written(network, folder, name).splitlines()]


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


def test_a_host_of_both_families_has_a_record_of_each(tmp_path: Path) -> None:
    told = _lines(dual_stack(), "resolver", tmp_path)
    assert 'local-data: "relay.service.example. 300 IN A 203.0.113.9"' in told
    assert 'local-data: "relay.service.example. 300 IN AAAA 2001:db8:203::9"' in told
    assert {"interface: 198.51.100.53", "interface: 2001:db8:53::53", "do-ip6: yes"} <= set(told)


def test_without_ipv6_there_is_none(tmp_path: Path) -> None:
    told = _lines(office(), "resolver", tmp_path)
    assert not any("AAAA" in line for line in told)
    assert {"do-ip6: no", 'module-config: "iterator"'} <= set(told)


def test_a_forwarder_asks_in_its_own_family(tmp_path: Path) -> None:
    assert "forward-addr: 198.51.100.53" in _lines(dual_stack(), "forwarder", tmp_path)
    behind = _lines(ipv6_only_behind_nat64(), "forwarder", tmp_path)
    assert "forward-addr: 2001:db8:53::53" in behind


def test_where_there_is_a_nat64_the_forwarder_is_a_dns64(tmp_path: Path) -> None:
    told = _lines(ipv6_only_behind_nat64(), "forwarder", tmp_path)
    assert {f"dns64-prefix: {NAT64}", 'module-config: "dns64 iterator"'} <= set(told)
    assert not any("dns64" in line for line in _lines(dual_stack(), "forwarder", tmp_path))
