"""Keys of a call come from a handshake on its ICE sockets with the announced certificates."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path as FilePath

import pytest

from results.media_keys import MediaKey, Socket, keys_of_call
from results.packets import PacketTable
from results.problems import Ground, Problem
from results.protocols.dtls import Certificate, Handshake
from results.protocols.srtp import Profile
from results.setup.calls import Call
from tests.results.call_story import a_call, described
from tests.results.story import ALICE, ALICE_BOB, BOB, Story, end, ends, rtp

ALICES, BOBS = Socket("alice", *end(ALICE)), Socket("bob", *end(BOB))
RANDOM = bytes(range(32))
KEYLOG = {RANDOM: bytes(48)}
CALL = a_call(
    described("alice", fingerprint=sha256(b"alice's").hexdigest()),
    described("bob", fingerprint=sha256(b"bob's").hexdigest()),
)
HANDSHAKE = Handshake(
    client=BOBS,
    server=ALICES,
    client_random=RANDOM,
    client_hello_row=0,
    server_random=bytes(32),
    server_hello_row=1,
    suite=0xC02B,
    srtp_profile=Profile.AEAD_AES_256_GCM,
    client_certificate=Certificate(b"bob's", 1),
    server_certificate=Certificate(b"alice's", 0),
)


@pytest.fixture
def table(tmp_path: FilePath) -> PacketTable:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), rtp(1))
    return story.table(tmp_path)


def keys(
    table: PacketTable, *found: Handshake, call: Call = CALL, keylog: dict[bytes, bytes] = KEYLOG
) -> tuple[list[MediaKey], list[Problem]]:
    return keys_of_call(table, call, {ALICES, BOBS}, found, keylog)


def test_each_direction_has_the_key_of_its_sender(table: PacketTable) -> None:
    (first, second), problems = keys(table, HANDSHAKE)
    assert (first.sender, first.receiver) == ("bob", "alice")
    assert (second.sender, second.receiver) == ("alice", "bob")
    assert first.key != second.key
    assert {len(key.key) for key in (first, second)} == {44}
    assert problems == []


def test_no_handshake(table: PacketTable) -> None:
    found, (problem,) = keys(table)
    assert found == []
    assert problem.text == (
        "no DTLS handshake between alice and bob was seen on the ICE sockets of call c1"
    )
    assert problem.ground is Ground.CALL


def test_a_handshake_between_other_sockets_is_another_calls(table: PacketTable) -> None:
    other = replace(HANDSHAKE, client=Socket("bob", *end("10.10.0.12:9")))
    found, problems = keys(table, other)
    assert found == []
    assert len(problems) == 1


def test_a_certificate_that_the_sdp_does_not_announce(table: PacketTable) -> None:
    forged = replace(HANDSHAKE, client_certificate=Certificate(b"mallory's", 1))
    found, (problem,) = keys(table, forged)
    assert found == []
    digest = Certificate(b"mallory's", 1).fingerprint
    assert problem.text == (
        f"bob (10.10.0.12:50001) showed certificate {digest} in DTLS, "
        "not what its SDP of call c1 announces"
    )
    assert problem.ground is Ground.CALL
    assert [(frame.tap, frame.frame) for frame in problem.citations] == [("bob-eth0", 1)]


def test_no_certificate_at_all(table: PacketTable) -> None:
    found, (problem,) = keys(table, replace(HANDSHAKE, server_certificate=None))
    assert found == []
    assert problem.text == (
        "alice (10.10.0.11:50000) showed no certificate in DTLS, "
        "not what its SDP of call c1 announces"
    )


def test_keys_that_nobody_logged(table: PacketTable) -> None:
    found, (problem,) = keys(table, HANDSHAKE, keylog={})
    assert found == []
    assert problem.ground is Ground.KEYS
    assert problem.text.startswith(
        "DTLS association of bob (10.10.0.12:50001) with alice (10.10.0.11:50000): "
    )
