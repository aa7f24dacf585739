"""What the name servers are told; that they answer so is shown in the lab."""

from pathlib import Path

from agents import resolver
from topologies.ipv6 import NAT64, dual_stack, ipv6_only_behind_nat64
from topologies.reference import office
from topologies.spec import Network


def lines(network: Network, host: str, folder: Path) -> list[str]:
    """The configuration of a name server."""
    asked = network.host(host)
    if asked.nameserver:
        resolver.forwarder(asked, network.host(asked.nameserver), folder, network.nat64)
    else:
        resolver.resolver(asked, network.hosts, folder)
    text = (folder / f"{host}.unbound.conf").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines()]


def test_a_host_of_both_families_has_a_record_of_each(tmp_path: Path) -> None:
    told = lines(dual_stack(), "resolver", tmp_path)
    assert 'local-data: "relay.service.example. 300 IN A 203.0.113.9"' in told
    assert 'local-data: "relay.service.example. 300 IN AAAA 2001:db8:203::9"' in told
    assert {"interface: 198.51.100.53", "interface: 2001:db8:53::53", "do-ip6: yes"} <= set(told)


def test_without_ipv6_there_is_none(tmp_path: Path) -> None:
    told = lines(office(), "resolver", tmp_path)
    assert not any("AAAA" in line for line in told)
    assert {"do-ip6: no", 'module-config: "iterator"'} <= set(told)


def test_a_forwarder_asks_in_its_own_family(tmp_path: Path) -> None:
    assert "forward-addr: 198.51.100.53" in lines(dual_stack(), "forwarder", tmp_path)
    behind = lines(ipv6_only_behind_nat64(), "forwarder", tmp_path)
    assert "forward-addr: 2001:db8:53::53" in behind


def test_where_there_is_a_nat64_the_forwarder_is_a_dns64(tmp_path: Path) -> None:
    told = lines(ipv6_only_behind_nat64(), "forwarder", tmp_path)
    assert {f"dns64-prefix: {NAT64}", 'module-config: "dns64 iterator"'} <= set(told)
    assert not any("dns64" in line for line in lines(dual_stack(), "forwarder", tmp_path))
