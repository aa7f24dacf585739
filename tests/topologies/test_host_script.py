"""The scripts that configure hosts, without a lab."""

from topologies import nat
from topologies.host_script import ipv6_script, setup_script
from topologies.ipv6 import NAT64, dual_stack, ipv6_only_behind_nat64
from topologies.reference import office
from topologies.spec import Nat


def test_a_user_gets_a_name_server_and_does_not_forward() -> None:
    script = setup_script(office(), office().host("alice")).splitlines()
    assert "echo 'nameserver 10.10.0.53' > /run/callpath/alice.resolv.conf" in script
    assert not any("ip_forward" in line for line in script)


def test_a_router_forwards() -> None:
    assert "echo 1 > /proc/sys/net/ipv4/ip_forward" in setup_script(office(), office().host("core"))


def test_a_host_without_name_server_does_not_ask_the_machines() -> None:
    script = setup_script(office(), office().host("core"))
    assert "echo '# this host asks nobody' > /run/callpath/core.resolv.conf" in script


def test_the_nat_router_masquerades_outward_only() -> None:
    script = setup_script(office(), office().host("office_nat"))
    assert nat.ruleset("office_nat-eth0", "office_nat-eth1", Nat.ENDPOINT_INDEPENDENT) in script


def test_the_nat_drops_new_input_from_outside() -> None:
    rules = nat.ruleset("in0", "out0", Nat.ENDPOINT_INDEPENDENT)
    assert 'iifname "out0" ct state new counter drop comment "unsolicited_to_router"' in rules
    assert 'oifname "out0" counter masquerade comment' in rules
    assert "policy drop" in rules


def test_a_symmetric_nat_takes_a_new_port_for_each_peer() -> None:
    rules = nat.ruleset("in0", "out0", Nat.SYMMETRIC)
    assert 'oifname "out0" counter masquerade fully-random comment' in rules


def test_a_router_with_ipv6_forwards_it_and_filters_as_it_does_ipv4() -> None:
    script = setup_script(dual_stack(), dual_stack().host("office_nat"))
    assert "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding" in script
    assert nat.ruleset_of_ipv6("office_nat-eth0", "office_nat-eth1") in script
    assert "ipv6" not in setup_script(office(), office().host("core"))
    assert "ip6" not in setup_script(office(), office().host("office_nat"))


def test_ipv6_is_filtered_and_not_translated() -> None:
    rules = nat.ruleset_of_ipv6("in0", "out0")
    assert "masquerade" not in rules
    assert 'iifname "in0" oifname { "out0" } counter accept comment "outward"' in rules
    assert 'iifname "out0" counter drop comment "unsolicited"' in rules


def test_a_nat64_stands_between_ipv6_and_the_nat_of_ipv4() -> None:
    network = ipv6_only_behind_nat64()
    script = setup_script(network, network.host("office_nat"))
    assert f"prefix {NAT64}" in script
    assert nat.ruleset("nat64", "office_nat-eth1", Nat.ENDPOINT_INDEPENDENT) in script
    assert nat.ruleset_of_ipv6("office_nat-eth0", "office_nat-eth1", "nat64") in script
    assert 'oifname { "office_nat-eth1", "nat64" }' in script
    assert "tayga" not in setup_script(network, network.host("eve_nat"))


def test_ipv6_is_switched_on_where_there_are_addresses_of_it() -> None:
    script = ipv6_script(ipv6_only_behind_nat64().host("office_nat")).splitlines()
    assert "echo 0 > /proc/sys/net/ipv6/conf/office_nat-eth0/disable_ipv6" in script
    assert "echo 0 > /proc/sys/net/ipv6/conf/office_nat-eth1/disable_ipv6" in script
    assert "echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6" in script
    inet = ipv6_script(ipv6_only_behind_nat64().host("inet"))
    assert "inet-eth0/disable_ipv6" in inet
    assert "inet-eth2/disable_ipv6" not in inet, "the service has IPv4 alone"


def test_a_host_asks_for_names_in_its_own_family() -> None:
    network = ipv6_only_behind_nat64()
    assert "nameserver 2001:db8:10:1::53" in setup_script(network, network.host("alice"))
    assert "nameserver 198.51.100.53" in setup_script(network, network.host("eve"))


def test_counters_are_read_by_the_rules_comments() -> None:
    listing = (
        '{"nftables": [{"metainfo": {}}, {"rule": {"comment": "outward", "expr": '
        '[{"match": {}}, {"counter": {"packets": 7, "bytes": 1}}, {"accept": null}]}}]}'
    )
    assert nat.counters(listing) == {"outward": 7}
