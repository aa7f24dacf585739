"""Round trips are read at the user's own tap; the shortest counts."""

from pathlib import Path

import pytest

from results.regions.round_trips import RoundTrip, round_trips
from results.setup.checks import stun_messages
from results.tracing.openings import connections
from results.tracing.paths import follow_udp
from tests.results.regions_story import (
    EVE,
    FRONT_EAST,
    FRONT_WEST,
    INSIDE,
    TO_EAST,
    TO_WEST,
    USERNAME,
    binding,
    handshake,
    story,
    way,
)
from tests.results.story import Story, back, ends, tcp


def _read(told: Story, folder: Path) -> dict[tuple[str, str], RoundTrip]:
    table, places = told.table(folder), told.places
    spoken = stun_messages(table, follow_udp(table, places))
    return dict(round_trips(table, places, connections(table, places), spoken))


def test_the_shortest_handshake_counts(tmp_path: Path) -> None:
    told = story()
    handshake(told, TO_EAST, FRONT_EAST, 7, seconds=0.009)
    handshake(told, TO_EAST, FRONT_EAST, 70, seconds=0.002)
    handshake(told, TO_WEST, FRONT_WEST, 700, seconds=0.06)
    found = _read(told, tmp_path)
    assert {pair: round(trip.ms) for pair, trip in found.items()} == {
        ("eve", "front_east"): 2,
        ("eve", "front_west"): 60,
    }
    table = told.table(tmp_path)
    assert table.tap_name(found["eve", "front_east"].row) == "eve-eth0"


def test_a_syn_ack_of_another_connection_does_not_count(tmp_path: Path) -> None:
    told = story()
    told.syn(way(told.network, *INSIDE), ends(EVE, FRONT_EAST), 7)
    told.syn(way(told.network, *TO_EAST), ends("198.51.100.10:40000", FRONT_EAST), 7)
    for hop in back(way(told.network, *INSIDE)):
        told.cross(hop, tcp(ends(FRONT_EAST, EVE), 1, 0x12, ack=9))
    assert _read(told, tmp_path) == {}


def test_a_binding_transaction_counts(tmp_path: Path) -> None:
    told = story()
    binding(told, 1, 0.05)
    binding(told, 2, 0.03)
    assert _read(told, tmp_path)["eve", "relay_east"].ms == pytest.approx(30, abs=1)


def test_a_check_does_not_count(tmp_path: Path) -> None:
    told = story()
    binding(told, 1, 0.05, (USERNAME, b"a:b"))
    assert _read(told, tmp_path) == {}
