"""Packet shapers as text for nft and tc, and what these tell."""

import json

import pytest
from pydantic import ValidationError

from topologies import nat
from topologies.host_script import setup_script
from topologies.ipv6 import dual_stack
from topologies.parts import shaped
from topologies.reference import office
from topologies.shaping import dropped, police_rule, queue_chain, queue_commands
from topologies.spec import Nat, Shaper


def test_policing_is_a_rule_ahead_of_the_one_that_lets_answers_pass() -> None:
    shaper = Shaper(police_packets=48, burst_packets=7)
    rules = nat.ruleset("in0", "out0", Nat.SYMMETRIC, shaper)
    limit = "limit rate over 48/second burst 7 packets counter drop"
    assert rules.index(limit) < rules.index("ct state established,related counter accept")
    assert 'iifname "out0" meta l4proto udp ct state established limit' in rules


def test_both_families_are_shaped() -> None:
    network = shaped(dual_stack(), "office", Shaper(police_packets=48, queue_kbit=150))
    script = setup_script(network, network.host("office_nat"))
    ipv4, ipv6 = script[script.index("table ip callpath") :].split("table ip6 callpath")
    for rules in (ipv4, ipv6):
        assert "limit rate over 48/second" in rules
        assert "meta priority set 1:10" in rules
    assert script.count("htb rate 150kbit") == 1


def test_what_waits_is_udp_that_goes_out() -> None:
    shaper = Shaper(queue_kbit=150, queue_bytes=2500, burst_bytes=3000)
    assert 'oifname "out0" meta l4proto udp meta priority set 1:10' in queue_chain("out0", shaper)
    assert list(queue_commands("out0", shaper)) == [
        "tc qdisc add dev out0 root handle 1: htb",
        "tc class add dev out0 parent 1: classid 1:10 "
        "htb rate 150kbit ceil 150kbit burst 3000 quantum 1514",
        "tc qdisc add dev out0 parent 1:10 handle 10: bfifo limit 2500",
    ]


def test_without_rates_there_is_nothing_of_it() -> None:
    assert police_rule("out0", Shaper()) == queue_chain("out0", Shaper()) == ""
    assert list(queue_commands("out0", Shaper())) == []
    plain, with_one = (
        nat.ruleset("in0", "out0", Nat.SYMMETRIC, shaper) for shaper in (None, Shaper())
    )
    assert plain == with_one


def test_only_the_router_of_the_perimeter_shapes() -> None:
    network = shaped(office(), "office", Shaper(queue_kbit=150))
    scripts = {host.name: setup_script(network, host) for host in network.hosts}
    assert [name for name, script in scripts.items() if "htb" in script] == ["office_nat"]
    assert "tc qdisc add dev office_nat-eth1 root" in scripts["office_nat"]


def test_a_perimeter_that_is_not_there_cannot_shape() -> None:
    with pytest.raises(KeyError, match="home"):
        shaped(office(), "home", Shaper(queue_kbit=150))


def test_the_queues_own_drops_are_read() -> None:
    listing = [
        {"kind": "htb", "handle": "1:", "drops": 9},
        {"kind": "bfifo", "handle": "10:", "parent": "1:10", "drops": 4},
    ]
    assert dropped(json.dumps(listing)) == 4


def test_a_queue_that_holds_packets_until_they_are_sent_again_is_refused() -> None:
    with pytest.raises(ValidationError, match="holds a packet for 500 ms; up to 300"):
        Shaper(queue_kbit=40, queue_bytes=2500)
