"""Signalling flows: all DNS queries and all TCP connections count, expected or not."""

from pathlib import Path as FilePath

import pytest

from results.tracing.legs import UNLISTED
from results.tracing.openings import connections, missing_hello, queries, unlisted
from tests.results.story import (
    ALICE_NAT,
    BOB_NAT,
    FORWARDER_NAT,
    NAT_FRONT_END,
    NAT_RELAY,
    NAT_RESOLVER,
    Hop,
    Story,
    back,
    dns_answer,
    dns_query,
    ends,
    hops,
)
from topologies.spec import Flow

NAME = "front-end.service.example"
TO_FORWARDER = (Hop("alice-eth0", "forwarder-eth0"),)
CLIENT = ends("10.10.0.11:40000", "10.10.0.53:53")
FORWARDER = ends("10.10.0.53:4000", "198.51.100.53:53")
TRANSLATED = ends("198.51.100.2:4000", "198.51.100.53:53")
HTTPS = ends("10.10.0.11:40001", "203.0.113.5:443")
HTTPS_OUTSIDE = ends("198.51.100.2:40001", "203.0.113.5:443")
EVE_RESOLVER = hops("eve-eth0>resolver-eth0")
EVE_FRONT_END = hops("eve-eth0>inet-eth1", "inet-eth2>front_end-eth0")


def resolve(story: Story) -> None:
    """Alice asks the forwarder, and it the public resolver."""
    story.send(TO_FORWARDER, CLIENT, dns_query(NAME, 1))
    story.send(FORWARDER_NAT, FORWARDER, dns_query(NAME, 2))
    story.send(NAT_RESOLVER, TRANSLATED, dns_query(NAME, 2))
    story.send(back(NAT_RESOLVER), TRANSLATED.reversed(), dns_answer(NAME, 2))
    story.send(back(FORWARDER_NAT), FORWARDER.reversed(), dns_answer(NAME, 2))
    story.send(back(TO_FORWARDER), CLIENT.reversed(), dns_answer(NAME, 1))


def connect(story: Story, isn: int = 7) -> None:
    """Alice opens a connection with the front end."""
    story.syn(ALICE_NAT, HTTPS, isn)
    story.syn(NAT_FRONT_END, HTTPS_OUTSIDE, isn)


def test_a_query_to_the_forwarder_has_no_number_and_its_own_has(tmp_path: FilePath) -> None:
    story = Story()
    resolve(story)
    table = story.table(tmp_path)
    found = queries(table, story.places, story.travels(tmp_path))
    assert [(query.asked_by, query.asked, query.opening.flows) for query in found] == [
        ("alice", "forwarder", ()),
        ("forwarder", "resolver", (Flow.F2,)),
    ]
    assert [query.name for query in found] == [NAME, NAME]
    rows = [query.answer_row for query in found]
    assert [table.tap_name(row or 0) for row in rows] == ["alice-eth0", "forwarder-eth0"]


def test_an_outside_users_query_has_no_number(tmp_path: FilePath) -> None:
    story = Story()
    story.send(EVE_RESOLVER, ends("198.51.100.60:5000", "198.51.100.53:53"), dns_query(NAME))
    (query,) = queries(story.table(tmp_path), story.places, story.travels(tmp_path))
    assert query.opening.flows == ()
    assert query.answer_row is None


def test_a_query_of_the_service_is_unlisted(tmp_path: FilePath) -> None:
    story = Story()
    route = hops("relay-eth0>inet-eth2", "inet-eth1>resolver-eth0")
    story.send(route, ends("203.0.113.9:5000", "198.51.100.53:53"), dns_query(NAME))
    (query,) = queries(story.table(tmp_path), story.places, story.travels(tmp_path))
    assert query.opening.flows == (UNLISTED,)
    assert unlisted(query.opening) == (
        "a DNS query for front-end.service.example goes from the service to the internet, "
        "which has no flow number"
    )


def test_a_query_that_the_perimeter_dropped_is_no_flow(tmp_path: FilePath) -> None:
    story = Story()
    story.send(FORWARDER_NAT, FORWARDER, dns_query(NAME))
    assert queries(story.table(tmp_path), story.places, story.travels(tmp_path)) == []


def test_a_query_lost_beyond_the_perimeter_is_a_flow(tmp_path: FilePath) -> None:
    story = Story()
    story.send(FORWARDER_NAT, FORWARDER, dns_query(NAME))
    story.send(NAT_RESOLVER[:1], TRANSLATED, dns_query(NAME))
    (query,) = queries(story.table(tmp_path), story.places, story.travels(tmp_path))
    assert query.opening.flows == (Flow.F2,)


def test_a_connection_through_the_nat_is_followed_by_its_sequence_number(
    tmp_path: FilePath,
) -> None:
    story = Story()
    connect(story)
    found = connections(story.table(tmp_path), story.places)
    (opening,) = found.openings
    assert opening.flows == (Flow.F4,)
    assert (opening.path.origin, opening.path.target) == ("alice", "front_end")
    assert opening.what == "a TCP connection of alice to 203.0.113.5:443"
    assert set(found.by_syn) == set(range(8))


def test_connections_do_not_mix(tmp_path: FilePath) -> None:
    story = Story()
    connect(story, isn=1)
    story.syn(BOB_NAT, ends("10.10.0.12:40001", "203.0.113.5:443"), 2)
    story.syn(NAT_FRONT_END, ends("198.51.100.2:40002", "203.0.113.5:443"), 2)
    found = connections(story.table(tmp_path), story.places)
    assert [opening.path.origin for opening in found.openings] == ["alice", "bob"]


def test_a_retransmitted_syn_is_one_connection(tmp_path: FilePath) -> None:
    story = Story()
    story.syn(ALICE_NAT, HTTPS, 7)
    story.wait(1)
    connect(story)
    found = connections(story.table(tmp_path), story.places)
    (opening,) = found.openings
    assert opening.path.complete
    assert found.by_syn[0] is opening


def test_a_connection_with_the_relay_is_gathering(tmp_path: FilePath) -> None:
    story = Story()
    story.syn(ALICE_NAT, ends("10.10.0.11:40001", "203.0.113.9:3478"), 7)
    story.syn(NAT_RELAY, ends("198.51.100.2:40001", "203.0.113.9:3478"), 7)
    assert connections(story.table(tmp_path), story.places).openings == ()


def test_a_user_outside_reaches_the_service_by_flow_3(tmp_path: FilePath) -> None:
    story = Story()
    story.syn(EVE_FRONT_END, ends("198.51.100.60:40001", "203.0.113.5:443"), 7)
    (opening,) = connections(story.table(tmp_path), story.places).openings
    assert opening.flows == (Flow.F3,)


def test_a_connection_between_office_users_counts(tmp_path: FilePath) -> None:
    story = Story()
    story.syn(hops("alice-eth0>bob-eth0"), ends("10.10.0.11:40001", "10.10.0.12:443"), 7)
    (opening,) = connections(story.table(tmp_path), story.places).openings
    assert opening.flows == (Flow.F5,)


def test_a_syn_that_one_tap_missed_is_a_hole(tmp_path: FilePath) -> None:
    story = Story(deaf={"inet-eth0"})
    connect(story)
    (hole,) = connections(story.table(tmp_path), story.places).holes
    assert hole.missed
    assert hole.missed.name == "inet-eth0"


@pytest.mark.parametrize("deaf", [None, "inet-eth2"])
def test_the_first_data_confirms_the_connection_at_every_tap(
    tmp_path: FilePath, deaf: str | None
) -> None:
    story = Story()
    connect(story)
    story.deaf = {deaf} if deaf else set()
    story.say(ALICE_NAT, HTTPS, 8, b"a ClientHello with its random")
    story.say(NAT_FRONT_END, HTTPS_OUTSIDE, 8, b"a ClientHello with its random")
    table = story.table(tmp_path)
    (opening,) = connections(table, story.places).openings
    unseen = missing_hello(table, opening)
    assert (unseen.tap.name if unseen else None) == deaf


def test_a_connection_without_data_needs_no_confirmation(tmp_path: FilePath) -> None:
    story = Story()
    connect(story)
    table = story.table(tmp_path)
    (opening,) = connections(table, story.places).openings
    assert missing_hello(table, opening) is None
