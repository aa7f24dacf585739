"""TLS out of TCP segments: real sessions, made in memory and wrapped into packets by hand."""

import random
import ssl
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from results.protocols.keylog import KeyLogError, read_keylog
from results.protocols.tcp import TcpStream
from results.protocols.tls import (
    TlsError,
    connections,
    prf,
)
from tests.results.tls_sessions import (
    ALICE,
    ANSWER,
    FRONT_END,
    LAST,
    NAME,
    NEXT,
    REQUEST,
    WRAPS,
    Session,
    capture,
    certificate,
    only,
    refusal,
    segments,
    session,
    text,
)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="session")
def certificates(scratch: Path) -> dict[str, Path]:
    """Self-signed certificates with their keys: key type -> PEM file."""
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "RSA": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ECDSA": ec.generate_private_key(ec.SECP256R1()),
    }
    return {kind: certificate(scratch / f"{kind}.pem", key) for kind, key in keys.items()}


@pytest.fixture(scope="session")
def recorded(certificates: dict[str, Path], scratch: Path) -> Session:
    return session(certificates["RSA"], scratch / "recorded.tls", "ECDHE-RSA-AES256-GCM-SHA384")


OPENED = "10.10.0.11:40000 to 203.0.113.5:443 (opened by frame 1 of alice-eth0)"


@pytest.mark.parametrize("ciphers", ["AES256-GCM-SHA384", "AES128-GCM-SHA256"])
@pytest.mark.parametrize("kind", ["RSA", "ECDSA"])
def test_a_real_session_is_opened(
    tmp_path: Path, certificates: dict[str, Path], kind: str, ciphers: str
) -> None:
    made = session(certificates[kind], tmp_path / "alice.tls", f"ECDHE-{kind}-{ciphers}")
    connection = only(tmp_path / "a.pcap", segments(made.flights))
    keylog = read_keylog(made.keylog)
    assert connection.client == (int(IPv4Address(ALICE[0])), ALICE[1])
    assert connection.server == (int(IPv4Address(FRONT_END[0])), FRONT_END[1])
    assert (connection.isn, connection.syn_row) == (1000, 0)
    assert (connection.sni, connection.version) == (NAME, 0x0303)
    assert [connection.client_random] == list(keylog)
    transcript = connection.decrypt(keylog)
    assert text(transcript.from_client) == REQUEST + NEXT
    assert text(transcript.from_server) == ANSWER + LAST


@pytest.mark.parametrize("mss", [50, 700, 60_000])
def test_a_chunk_is_cited_by_the_packet_that_completed_it(
    tmp_path: Path, recorded: Session, mss: int
) -> None:
    sent, keylog = segments(recorded.flights, mss), read_keylog(recorded.keylog)
    whole = only(tmp_path / "whole.pcap", sent)
    transcript = whole.decrypt(keylog)
    for chunk in (*transcript.from_client, *transcript.from_server):
        assert chunk.time == whole.table.time[chunk.row]
        until = only(tmp_path / "until.pcap", sent[: chunk.row + 1]).decrypt(keylog)
        before = only(tmp_path / "before.pcap", sent[: chunk.row]).decrypt(keylog)
        assert chunk in until.from_client + until.from_server
        assert chunk not in before.from_client + before.from_server


def test_sequence_numbers_wrap(tmp_path: Path, recorded: Session) -> None:
    sent = segments(recorded.flights, isn=WRAPS, server_isn=WRAPS)
    transcript = only(tmp_path / "a.pcap", sent).decrypt(read_keylog(recorded.keylog))
    assert text(transcript.from_client) == REQUEST + NEXT
    assert text(transcript.from_server) == ANSWER + LAST


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(100, 1500))
def test_order_and_repetition_do_not_matter(
    scratch: Path, recorded: Session, chance: random.Random, mss: int
) -> None:
    syn, syn_ack, *data = segments(recorded.flights, mss)
    mixed = data + chance.choices(data, k=3)
    chance.shuffle(mixed)
    connection = only(scratch / "mixed.pcap", [syn, syn_ack, *mixed])
    transcript = connection.decrypt(read_keylog(recorded.keylog))
    assert text(transcript.from_client) == REQUEST + NEXT
    assert text(transcript.from_server) == ANSWER + LAST


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60), st.integers(0, 2**32 - 1), st.data())
def test_a_stream_is_put_together_from_any_pieces(
    content: bytes, isn: int, data: st.DataObject
) -> None:
    cuts = st.tuples(st.integers(0, len(content) - 1), st.integers(1, len(content)))
    pieces = data.draw(st.lists(cuts, max_size=12))
    pieces = [(start, size) for start, size in pieces] + [(0, len(content))]
    pieces = data.draw(st.permutations(pieces))
    stream = TcpStream()
    stream.begin(isn)
    for row, (start, size) in enumerate(pieces):
        stream.add((isn + 1 + start) % 2**32, content[start : start + size], row)
    assert bytes(stream.data) == content
    assert [stream.row(end) for end in range(1, len(content) + 1)] == _arrivals(pieces, content)


def _arrivals(pieces: list[tuple[int, int]], content: bytes) -> list[int]:
    """For each byte, the first row with which it and all before it had arrived."""
    first = [
        min(row for row, (start, size) in enumerate(pieces) if start <= at < start + size)
        for at in range(len(content))
    ]
    return [max(first[: at + 1]) for at in range(len(content))]


def test_the_first_delivery_of_a_byte_counts() -> None:
    stream = TcpStream()
    stream.begin(99)
    stream.add(100, b"first", 0)
    stream.add(100, b"OTHERS", 1)
    assert stream.data == b"firstS"
    assert [stream.row(5), stream.row(6)] == [0, 1]


def test_what_lies_before_the_stream_is_dropped() -> None:
    stream = TcpStream()
    stream.add(100, b"before the SYN", 0)
    stream.begin(99)
    stream.add(99, b"?", 1)  # a keep-alive probe
    stream.add(100, b"data", 2)
    assert stream.data == b"data"


def test_a_stream_ends_at_a_hole(tmp_path: Path, recorded: Session) -> None:
    sent = segments(recorded.flights, mss=500)
    answer = max(row for row, item in enumerate(sent) if not item.from_client) - 2
    del sent[answer]
    transcript = only(tmp_path / "a.pcap", sent).decrypt(read_keylog(recorded.keylog))
    assert text(transcript.from_client) == REQUEST + NEXT
    assert transcript.from_server == ()


def test_a_cut_record_yields_nothing(tmp_path: Path, recorded: Session) -> None:
    *flights, (from_client, last) = recorded.flights
    cut = segments([*flights, (from_client, last[:-1])])
    transcript = only(tmp_path / "a.pcap", cut).decrypt(read_keylog(recorded.keylog))
    assert text(transcript.from_server) == ANSWER


def test_a_key_that_was_not_logged(tmp_path: Path, recorded: Session) -> None:
    connection = only(tmp_path / "a.pcap", segments(recorded.flights))
    assert connection.client_random is not None
    assert refusal(connection, {bytes(32): bytes(48)}) == (
        f"{OPENED}: none of the 1 logged sessions has its client random "
        f"{connection.client_random.hex()}; every session must be a full handshake that its "
        "agent logged, not one resumed from a ticket"
    )


def test_a_wrong_key(tmp_path: Path, recorded: Session) -> None:
    connection = only(tmp_path / "a.pcap", segments(recorded.flights))
    wrong = dict.fromkeys(read_keylog(recorded.keylog), bytes(48))
    assert refusal(connection, wrong) == (
        f"{OPENED}: the record that frame 5 of alice-eth0 completes "
        "does not authenticate under the logged keys"
    )


def test_an_altered_byte(tmp_path: Path, recorded: Session) -> None:
    *flights, (from_client, last) = recorded.flights
    altered = last[:-1] + bytes([last[-1] ^ 1])
    sent = segments([*flights, (from_client, altered)])
    connection = only(tmp_path / "a.pcap", sent)
    assert refusal(connection, read_keylog(recorded.keylog)) == (
        f"{OPENED}: the record that frame {len(sent)} of alice-eth0 completes "
        "does not authenticate under the logged keys"
    )


def test_a_record_too_short_to_open(tmp_path: Path, recorded: Session) -> None:
    short = bytes.fromhex("1703030003") + b"abc"
    sent = segments([*recorded.flights, (False, short)])
    connection = only(tmp_path / "a.pcap", sent)
    assert refusal(connection, read_keylog(recorded.keylog)) == (
        f"{OPENED}: frame {len(sent)} of alice-eth0 ends a record too short to open"
    )


def test_tls_1_3_is_refused_by_name(tmp_path: Path, certificates: dict[str, Path]) -> None:
    made = session(
        certificates["RSA"],
        tmp_path / "alice.tls",
        "ECDHE-RSA-AES256-GCM-SHA384",
        ssl.TLSVersion.TLSv1_3,
    )
    connection = only(tmp_path / "a.pcap", segments(made.flights))
    assert connection.version == 0x0304
    assert refusal(connection, read_keylog(made.keylog)) == (
        f"{OPENED} is TLS 1.3; only TLS 1.2 can be read"
    )


def test_another_suite_is_refused_by_number(tmp_path: Path, certificates: dict[str, Path]) -> None:
    made = session(certificates["RSA"], tmp_path / "alice.tls", "ECDHE-RSA-CHACHA20-POLY1305")
    connection = only(tmp_path / "a.pcap", segments(made.flights))
    assert refusal(connection, read_keylog(made.keylog)) == (
        f"{OPENED} uses cipher suite 0xCCA8; only ECDHE with AES-GCM can be read"
    )


def test_a_connection_that_is_not_tls(tmp_path: Path) -> None:
    flights = [(True, b"CONNECT front-end.service.example:443 HTTP/1.1\r\n\r\n")]
    connection = only(tmp_path / "a.pcap", segments(flights))
    assert (connection.client_random, connection.sni, connection.version) == (None, None, None)
    assert refusal(connection, {}) == (f"{OPENED}: the client did not open with a TLS ClientHello")


def test_a_handshake_that_was_never_answered(tmp_path: Path, recorded: Session) -> None:
    connection = only(tmp_path / "a.pcap", segments(recorded.flights[:1]))
    assert (connection.sni, connection.suite) == (NAME, None)
    assert refusal(connection, {}) == f"{OPENED}: no ServerHello was captured"


def test_connections_are_told_apart(tmp_path: Path) -> None:
    first = segments([(True, b"one")], isn=1000)
    again = segments([(True, b"two")], isn=2000)
    unopened = segments([(True, b"three")])[2:]
    packets = [segment.packet() for segment in (first[0], *first, *again)]
    packets += [segment.packet(("10.10.0.12", 40000)) for segment in unopened]
    table = capture(tmp_path / "a.pcap", packets)
    found = connections(table, 0)
    assert [(item.isn, item.syn_row) for item in found] == [(1000, 0), (2000, 4)]
    assert [bytes(item.from_client.data) for item in found] == [b"one", b"two"]
    assert connections(table, 1) == []


@settings(deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_arbitrary_streams_are_never_more_than_refused(
    scratch: Path, client: bytes, server: bytes
) -> None:
    hello = bytes.fromhex("1603010028010000240303") + client
    answer = bytes.fromhex("160303002a020000260303") + server
    connection = only(scratch / "any.pcap", segments([(True, hello), (False, answer)]))
    assert refusal(connection, {})


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_damaged_session_is_never_more_than_refused(
    scratch: Path, recorded: Session, data: st.DataObject
) -> None:
    flights = list(recorded.flights)
    index = data.draw(st.integers(0, len(flights) - 1))
    from_client, sent = flights[index]
    at = data.draw(st.integers(0, len(sent) - 1))
    damage = data.draw(st.binary(max_size=8))
    flights[index] = from_client, sent[:at] + damage + sent[at + len(damage) :]
    connection = only(scratch / "damaged.pcap", segments(flights))
    try:
        transcript = connection.decrypt(read_keylog(recorded.keylog))
    except TlsError:
        return
    assert (REQUEST + NEXT).startswith(text(transcript.from_client))
    assert (ANSWER + LAST).startswith(text(transcript.from_server))


def test_the_pseudorandom_function() -> None:
    # The test vector for P_SHA256 that the TLS working group agreed on in 2008.
    output = prf(
        bytes.fromhex("9bbe436ba940f017b17652849a71db35"),
        b"test label",
        bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c"),
        100,
        "sha256",
    )
    assert output.hex() == (
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
        "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
        "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
        "87347b66"
    )


def test_a_key_log(tmp_path: Path) -> None:
    path = tmp_path / "alice.tls"
    path.write_text(
        f"# a comment\n\nSERVER_TRAFFIC_SECRET_0 ab cd\nCLIENT_RANDOM {'a1' * 32} {'b2' * 48}\n"
    )
    assert read_keylog(path) == {b"\xa1" * 32: b"\xb2" * 48}


@pytest.mark.parametrize(
    "line",
    [
        "CLIENT_RANDOM",
        f"CLIENT_RANDOM {'a1' * 32} {'b2' * 47}",
        f"CLIENT_RANDOM {'a1' * 32} {'xy' * 48}",
        f"CLIENT_RANDOM {'a1' * 32} {'b2' * 48} more",
    ],
)
def test_a_malformed_key_log(tmp_path: Path, line: str) -> None:
    path = tmp_path / "alice.tls"
    path.write_text(f"# a comment\n{line}\n")
    with pytest.raises(KeyLogError) as caught:
        read_keylog(path)
    assert str(caught.value) == (
        f"{path}: line 2 is malformed; expected CLIENT_RANDOM, 64 and 96 hexadecimal digits"
    )


def test_a_key_log_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyLogError) as caught:
        read_keylog(tmp_path / "alice.tls")
    assert str(caught.value) == (f"{tmp_path}/alice.tls cannot be read: No such file or directory")
