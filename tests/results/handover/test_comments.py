"""The story of runs that took place, and of changed copies of them."""

import itertools
from pathlib import Path

import pytest

from results.handover.comments import comments_of
from results.judge import examine
from tests.results.frame_kinds import is_rtp
from tests.results.recorded import frames, keep, reseal, unpack


def said(folder: Path) -> list[str]:
    """All comments."""
    comments = comments_of(examine(folder))
    return [comment for row in sorted(comments) for comment in comments[row]]


@pytest.fixture(scope="module")
def tunnelled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The comments of a call whose media takes the tunnel."""
    return said(unpack(tmp_path_factory.mktemp("tunnelled"), "vpn_media_in_tunnel"))


def test_media_in_a_tunnel_has_its_flow_until_the_tunnel_ends(tunnelled: list[str]) -> None:
    assert "Flow 2' · media vic → alice, audio · direct" in tunnelled
    # Beyond the gateway the documents have no number for it.
    assert "media vic → alice, audio · direct" in tunnelled


def test_signalling_through_a_tunnel_has_the_flows_of_both_parts(tunnelled: list[str]) -> None:
    assert "Flows 2' and 4 · step 3 · vic invites alice" in tunnelled


def test_a_chat_is_told_where_it_was_said_and_heard(tmp_path: Path) -> None:
    found = said(unpack(tmp_path, "chat_in_call"))
    assert "Flow 4 · alice says something in the chat" in found
    assert "Flow 3 · the service tells eve what was said in the chat" in found


def test_packets_around_a_tunnel_are_told_by_their_ends(tunnelled: list[str]) -> None:
    assert "Flow 2' · WireGuard vic → vpn_gw" in tunnelled
    assert "Flow 2' · WireGuard vpn_gw → vic" in tunnelled


def test_media_that_no_key_is_for_is_not_called_media(tmp_path: Path) -> None:
    folder = unpack(tmp_path)
    for keys in (folder / "keys").glob("*.dtls"):
        keys.write_text("")
    reseal(folder)
    found = said(folder)
    assert not [comment for comment in found if " · media " in comment]
    assert [
        text for text in found if text.endswith("looks like SRTP, but is under no key of this run")
    ]


def test_media_that_was_not_seen_to_arrive_says_where_it_was_last(tmp_path: Path) -> None:
    folder = unpack(tmp_path)
    inward = [frame.data for frame in frames(folder, "bob-eth0") if is_rtp(frame.data)]
    lost = next(itertools.islice((data for data in inward if data[26:30] == _ALICE), 20, None))
    keep(folder, "bob-eth0", lambda data: data != lost)
    reseal(folder)
    why = "left alice-eth0 and was not seen to arrive at bob-eth0"
    (comment,) = (text for text in said(folder) if why in text and "media" in text.split(" · ")[0])
    assert comment == f"media alice → bob, audio · direct · {why}"


_ALICE = bytes([10, 10, 0, 11])


def test_what_one_tap_missed_is_told_at_the_others(tmp_path: Path) -> None:
    folder = unpack(tmp_path, "external_relayed")
    requests = [text for text in said(folder) if "Allocate request" in text]
    keep(folder, "alice-eth0", lambda data: data[42:44] != b"\x00\x03")
    reseal(folder)
    assert 0 < len([text for text in said(folder) if "Allocate request" in text]) < len(requests)
