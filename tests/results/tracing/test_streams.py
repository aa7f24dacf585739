"""TURN within TCP and TLS as rows of the table, and what is said where it cannot be read."""

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from results.packets import PacketTable
from results.problems import Ground
from results.protocols.keylog import read_keylog
from results.tracing.places import Places, places_of
from results.tracing.streams import Streams, with_streams
from results.wire.kinds import Kind
from tests.results.story import channel_data, rtp, stun
from tests.results.tls_sessions import (
    FRONT_END,
    Flight,
    Segment,
    Session,
    capture,
    certificate,
    segments,
    session,
)
from topologies.ipv6 import ipv6_only, ipv6_only_behind_nat64
from topologies.reference import office
from topologies.spec import Network

_SAID: list[Flight] = [(True, stun(0x0003, 1)), (True, channel_data(rtp(1, 32)))]


@pytest.fixture(scope="module")
def places() -> Places:
    """The office, but that the relay is where the sessions of these tests lead."""
    found = places_of(office())
    server = int(IPv4Address(FRONT_END[0]))
    return replace(found, owners={**found.owners, server: "relay"})


def _session(folder: Path, suite: str) -> Session:
    pem = certificate(folder / "relay.pem", ec.generate_private_key(ec.SECP256R1()))
    return session(pem, folder / "keys", suite, dialogue=_SAID)


def _captured(folder: Path, flights: list[Flight]) -> PacketTable:
    return capture(folder / "a.pcap", [one.packet() for one in segments(flights)])


def _read(folder: Path, places: Places, suite: str) -> Streams:
    made = _session(folder, suite)
    keys = {"alice": read_keylog(made.keylog)}
    return with_streams(_captured(folder, made.flights), places, keys)


def test_messages_in_clear_are_rows_at_their_frames(tmp_path: Path, places: Places) -> None:
    found = with_streams(_captured(tmp_path, _SAID), places, {})
    table = found.table
    rows = np.flatnonzero(table.from_stream).tolist()
    assert [Kind(int(kind)) for kind in table.inner_kind[rows]] == [Kind.STUN, Kind.RTP]
    assert [table.innermost(row) for row in rows] == [stun(0x0003, 1), rtp(1, 32)]
    assert table.frame[rows].tolist() == [3, 4]
    assert not found.problems
    assert table.time.tolist() == sorted(table.time.tolist())


@pytest.mark.parametrize(
    ("network", "server"),
    [
        (ipv6_only(), "2001:db8:203::9"),
        (ipv6_only_behind_nat64(), "2001:db8:64::203.0.113.9"),
    ],
)
def test_a_relay_is_found_over_ipv6_and_behind_a_nat64(
    network: Network, server: str, tmp_path: Path
) -> None:
    packets = [_over_ipv6(one, server) for one in segments(_SAID)]
    table = capture(tmp_path / "a.pcap", packets)
    found = with_streams(table, places_of(network), {})
    assert found.table.from_stream.sum() == 2
    elsewhere = with_streams(table, places_of(office()), {})
    assert not elsewhere.table.from_stream.any()


def _over_ipv6(one: Segment, server: str) -> Packet:
    packet, alice = one.packet(), "2001:db8:10:1::11"
    src, dst = (alice, server) if one.from_client else (server, alice)
    found: Packet = Ether(src=packet.src, dst=packet.dst) / IPv6(src=src, dst=dst) / packet[TCP]
    return found


def test_messages_under_tls_are_rows_too(tmp_path: Path, places: Places) -> None:
    found = _read(tmp_path, places, "ECDHE-ECDSA-AES256-GCM-SHA384")
    rows = np.flatnonzero(found.table.from_stream).tolist()
    assert [found.table.payload(row) for row in rows] == [said for _, said in _SAID]
    assert not found.problems


def test_a_weak_suite_is_named(tmp_path: Path, places: Places) -> None:
    (problem,) = _read(tmp_path, places, "ECDHE-ECDSA-AES128-GCM-SHA256").problems
    assert problem.ground is Ground.CALL
    assert problem.text == (
        "TURN over TLS with front-end.service.example uses suite 0xC02B, not one of AES-256-GCM "
        "(opened by frame 1 of alice-eth0)"
    )


def test_what_its_keys_do_not_open_is_named(tmp_path: Path, places: Places) -> None:
    made = _session(tmp_path, "ECDHE-ECDSA-AES256-GCM-SHA384")
    table = _captured(tmp_path, made.flights)
    found = with_streams(table, places, {"alice": {}})
    (problem,) = found.problems
    assert problem.ground is Ground.KEYS
    assert problem.text.startswith("TURN over TLS cannot be read: ")
    assert found.table is table


def test_a_session_that_was_given_up_in_its_handshake_is_nothing(
    tmp_path: Path, places: Places
) -> None:
    """As losers of a race for the relay are: their keys were never made."""
    made = _session(tmp_path, "ECDHE-ECDSA-AES256-GCM-SHA384")
    for flights in (1, 2, 3):
        table = _captured(tmp_path, made.flights[:flights])
        assert with_streams(table, places, {"alice": {}}).problems == ()


def test_connections_with_others_are_left_alone(tmp_path: Path) -> None:
    table = _captured(tmp_path, _SAID)
    assert with_streams(table, places_of(office()), {}).table is table
