"""Payloads with one fingerprint are told apart by their bytes; sightings are joined by payload."""

from pathlib import Path

import numpy as np
import pytest

from results.packets import PacketTable
from results.tracing.identity import identities
from results.tracing.joining import join
from results.tracing.paths import follow_udp
from results.tracing.sightings import LONGEST_HOP
from tests.results.story import (
    ALICE,
    ALICE_BOB,
    ALICE_NAT,
    BOB,
    NAT,
    NAT_RELAY,
    RELAY,
    Story,
    channel_data,
    ends,
    rtp,
)


def twins(size: int = 600) -> tuple[bytes, bytes]:
    """Two payloads that differ in the middle only, and so have one fingerprint."""
    one = bytearray(rtp(1, size))
    other = one.copy()
    other[len(other) // 2] ^= 1
    return bytes(one), bytes(other)


def table_of(tmp_path: Path, *payloads: bytes) -> PacketTable:
    story = Story()
    for payload in payloads:
        story.send(ALICE_BOB, ends(ALICE, BOB), payload)
    return story.table(tmp_path)


def everything(table: PacketTable) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.arange(len(table))


@pytest.mark.parametrize("size", [30, 100, 244, 245, 600, 1400])
def test_a_collision_is_found_and_resolved(tmp_path: Path, size: int) -> None:
    one, other = twins(size)
    table = table_of(tmp_path, one, other, one, other)
    assert len(set(table.fingerprint.tolist())) == 1
    assert identities(table, everything(table)).tolist() == [0, 0, 2, 2, 0, 0, 2, 2]


def test_payloads_that_collide_take_paths_of_their_own(tmp_path: Path) -> None:
    story = Story()
    one, other = twins()
    story.send(ALICE_BOB, ends(ALICE, BOB), one)
    story.send(ALICE_BOB, ends(ALICE, BOB), other, lost=True)
    groups = follow_udp(story.table(tmp_path), story.places).groups
    assert [[path.complete for path in group] for group in groups] == [[True], [False]]


def test_short_payloads(tmp_path: Path) -> None:
    table = table_of(tmp_path, b"\xff", b"\xff\0", b"\xff", b"\xff" * 15, b"\xff" * 16)
    numbers = identities(table, everything(table)).tolist()
    assert numbers == [0, 0, 2, 2, 0, 0, 6, 6, 8, 8]


def test_no_packets(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    assert identities(table, everything(table)).tolist() == []
    assert len(join(table)) == 0


def test_sightings_are_joined_through_nat_and_wrapping(tmp_path: Path) -> None:
    story = Story()
    for number in range(3):
        story.send(ALICE_NAT, ends(ALICE, RELAY), channel_data(rtp(number)))
        story.send(NAT_RELAY, ends(NAT, RELAY), rtp(number))
    table = story.table(tmp_path)
    passages = join(table)
    assert passages.sizes.tolist() == [8, 8, 8]
    for number in range(3):
        rows = passages.of(number)
        assert {table.innermost(int(row)) for row in rows} == {rtp(number)}
        assert np.all(np.diff(table.time[rows]) > 0)


def test_a_retransmission_is_another_packet(tmp_path: Path) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1), lost=True)
    story.wait(LONGEST_HOP / 1e9)
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    assert join(story.table(tmp_path)).sizes.tolist() == [1, 2]


def test_a_packet_that_one_tap_saw_twice_at_once_is_two(tmp_path: Path) -> None:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(2))
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    table = story.table(tmp_path)
    passages = join(table)
    assert [passages.of(number).tolist() for number in range(3)] == [[0, 1], [4, 5], [2, 3]]
