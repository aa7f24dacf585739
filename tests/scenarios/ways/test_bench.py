"""Figures of ways out, and what stops packets there."""

from typing import Any

import pytest

from scenarios.ways.bench import Figure, figure
from scenarios.ways.networks import network, rules
from topologies.world import WorldError


def _told(seconds: float, transport: str | None) -> dict[str, Any]:
    return {"seconds": seconds, "transport": transport, "unrelayed": ["udp to relay: no answer"]}


def test_a_figure_holds_the_median_and_all_that_carried_turn() -> None:
    told = [_told(0.3, "tcp"), _told(0.1, "udp"), _told(0.2, "tcp")]
    assert figure("UDP", "dropped", told) == Figure("UDP", "dropped", "tcp, udp", 0.1, 0.2, 0.3)


def test_without_a_relay_there_is_no_figure() -> None:
    with pytest.raises(WorldError) as error:
        figure("UDP", "rejected", [_told(5.0, None)])
    assert str(error.value) == (
        "with UDP rejected no way led to the relay: ['udp to relay: no answer']"
    )


def test_where_nothing_is_stopped_the_router_has_no_rule_for_it() -> None:
    assert "drop" not in rules("nothing", "dropped")
    assert "meta l4proto udp drop;" in rules("UDP", "dropped")
    assert "meta l4proto udp reject with icmp type admin-prohibited;" in rules("UDP", "rejected")


def test_the_office_has_a_proxy_and_its_users_names() -> None:
    made = network()
    assert made.proxy("proxy").port == 3128
    assert made.host("alice").nameserver == "forwarder"
