"""The scripts that configure hosts, without a lab."""

from topologies import nat
from topologies.host_script import setup_script
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


def test_counters_are_read_by_the_rules_comments() -> None:
    listing = (
        '{"nftables": [{"metainfo": {}}, {"rule": {"comment": "outward", "expr": '
        '[{"match": {}}, {"counter": {"packets": 7, "bytes": 1}}, {"accept": null}]}}]}'
    )
    assert nat.counters(listing) == {"outward": 7}
