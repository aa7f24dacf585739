"""The sources of a call: each that was declared must have come, and no other."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pylibsrtp
import pytest

from results.media import Stream, authenticated, media_paths, rtp_packets
from results.packets import PacketTable
from results.problems import Ground
from results.protocols.sdp import read_description
from results.schema import PlannedCall, StreamKind
from results.setup.calls import Call
from results.setup.turn import Turn
from results.sources import by_source, declared_in, named, source_problems, stream_of
from results.tracing.legs import Conversations
from tests.results.call_story import a_call, described
from tests.results.story import ALICE, ALICE_BOB, BOB, Story, back, ends
from tests.results.test_media import KEYS, media_key

_SECONDS = 1.0
_ALL = (StreamKind.AUDIO, StreamKind.CAMERA, StreamKind.SCREEN)
_CONTENT = {StreamKind.CAMERA: "main", StreamKind.SCREEN: "slides"}

#: User -> stream -> SSRC; a camera's retransmissions have one more.
_SSRC = {
    "alice": {StreamKind.AUDIO: 0xA0, StreamKind.CAMERA: 0xA1, StreamKind.SCREEN: 0xA2},
    "bob": {StreamKind.AUDIO: 0xB0, StreamKind.CAMERA: 0xB1, StreamKind.SCREEN: 0xB2},
}
_AGAIN = {"alice": 0xAA, "bob": 0xBA}


def _sdp(user: str, streams: Sequence[StreamKind], direction: str = "sendrecv") -> str:
    lines = []
    for stream in streams:
        kind = "audio" if stream is StreamKind.AUDIO else "video"
        lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF 96", f"a={direction}"]
        lines += [f"a=content:{_CONTENT[stream]}"] if stream in _CONTENT else []
        ssrc = _SSRC[user][stream]
        if stream is StreamKind.CAMERA:
            lines.append(f"a=ssrc-group:FID {ssrc} {_AGAIN[user]}")
            lines.append(f"a=ssrc:{_AGAIN[user]} cname:x")
        lines.append(f"a=ssrc:{ssrc} cname:x")
    return "\n".join(lines)


def _call(alice: str = _sdp("alice", _ALL), bob: str = _sdp("bob", _ALL)) -> Call:
    media = {"alice": read_description(alice).media, "bob": read_description(bob).media}
    own = {user: replace(described(user), media=media[user]) for user in media}
    return a_call(own["alice"], own["bob"])


@dataclass
class _Talk:
    """What both ends send: a packet of each source every 50 ms."""

    story: Story = field(default_factory=Story)
    sessions: dict[str, pylibsrtp.Session] = field(default_factory=dict)

    def say(self, user: str, ssrc: int, number: int) -> None:
        session = self.sessions.setdefault(user, _session(user))
        header = struct.pack(">BBHII", 0x80, 96, number, number * 960, ssrc)
        payload = bytes(session.protect(header + bytes(50)))
        if user == "alice":
            self.story.send(ALICE_BOB, ends(ALICE, BOB), payload)
        else:
            self.story.send(back(ALICE_BOB), ends(BOB, ALICE), payload)

    def streams(self, folder: Path) -> tuple[PacketTable, list[Stream]]:
        table = self.story.table(folder)
        packets = rtp_packets(table, self.story.travels(folder))
        keys = [media_key(), media_key("bob", "alice")]
        return table, authenticated(packets, keys)[0]


def _session(user: str) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=KEYS[user],
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    )
    return pylibsrtp.Session(policy)


def _talk(silent: Sequence[int] = (), brief: Sequence[int] = (), more: Sequence[int] = ()) -> _Talk:
    """All that is declared but the ``silent``; the ``brief`` end after half of the time."""
    talk = _Talk()
    for number in range(25):
        for user, sources in _SSRC.items():
            for ssrc in (*sources.values(), *(more if user == "alice" else ())):
                if ssrc not in silent and not (ssrc in brief and number > 10):
                    talk.say(user, ssrc, number)
        talk.story.wait(0.05)
    return talk


def _texts(
    talk: _Talk, folder: Path, call: Call, streams: Sequence[StreamKind] = _ALL
) -> list[str]:
    planned = PlannedCall(
        id="c1", caller="alice", callee="bob", seconds=_SECONDS, streams=tuple(streams)
    )
    table, found = talk.streams(folder)
    problems = list(source_problems(table, planned, call, declared_in(call), found))
    assert {problem.ground for problem in problems} <= {Ground.CALL}
    return [problem.text for problem in problems]


def test_all_that_is_declared_and_came_has_no_problem(tmp_path: Path) -> None:
    assert _texts(_talk(), tmp_path, _call()) == []


def test_retransmissions_need_not_come_but_may(tmp_path: Path) -> None:
    assert _texts(_talk(more=[_AGAIN["alice"]]), tmp_path, _call()) == []


@pytest.mark.parametrize("stream", _ALL)
@pytest.mark.parametrize(("user", "other"), [("alice", "bob"), ("bob", "alice")])
def test_a_declared_source_that_nobody_saw(
    stream: StreamKind, user: str, other: str, tmp_path: Path
) -> None:
    ssrc = _SSRC[user][stream]
    assert _texts(_talk(silent=[ssrc]), tmp_path, _call()) == [
        f"call c1 declares the {stream} of {user} (SSRC 0x{ssrc:08X}), "
        f"of which nothing arrived at {other}"
    ]


def test_a_source_that_ends_early(tmp_path: Path) -> None:
    (text,) = _texts(_talk(brief=[0xA2]), tmp_path, _call())
    assert text == "the screen of alice (SSRC 0x000000A2) lasted 0.50 s, less than the planned 1 s"


def test_a_source_that_nobody_declared(tmp_path: Path) -> None:
    (text,) = _texts(_talk(more=[0xEE]), tmp_path, _call())
    assert text == (
        "alice sent media under SSRC 0x000000EE, which its description of call c1 does not "
        "declare (first: frame 4 of alice-eth0)"
    )


def test_a_planned_stream_that_is_not_declared(tmp_path: Path) -> None:
    voice = _ALL[:2]
    talk = _talk(silent=[0xA2, 0xB2])
    call = _call(_sdp("alice", voice), _sdp("bob", voice))
    assert _texts(talk, tmp_path, call) == [
        f"the descriptions of call c1 have {user} send audio and camera, "
        "not audio, camera and screen"
        for user in ("alice", "bob")
    ]


def test_a_stream_that_was_not_planned(tmp_path: Path) -> None:
    texts = _texts(_talk(), tmp_path, _call(), [StreamKind.AUDIO])
    assert [text.split(" send ")[1] for text in texts] == [
        "audio, camera and screen, not audio"
    ] * 2


def test_what_the_other_end_does_not_take_is_not_sent() -> None:
    one_way = _call(_sdp("alice", _ALL, "sendonly"), _sdp("bob", _ALL, "recvonly"))
    assert {one.user for one in declared_in(one_way)} == {"alice"}
    refused = _call(bob=_sdp("bob", _ALL).replace("m=video 9", "m=video 0"))
    assert [one.stream for one in declared_in(refused) if one.repeats is None] == [
        StreamKind.AUDIO,
        StreamKind.AUDIO,
    ]


def test_each_source_has_a_path_of_its_own_that_tells_what_it_is(tmp_path: Path) -> None:
    talk = _talk(more=[_AGAIN["alice"], 0xEE])
    _, (stream, _other) = talk.streams(tmp_path)
    known = declared_in(_call())
    conversations = Conversations(talk.story.places, talk.story.travels(tmp_path).paths)
    found = [
        path
        for ssrc, part in by_source(stream, known).items()
        for path in named(media_paths(part, [], conversations, Turn()), ssrc, known)
    ]
    assert [(path.stream, path.ssrc, path.repeats, path.authenticated) for path in found] == [
        (StreamKind.AUDIO, 0xA0, None, 25),
        (StreamKind.CAMERA, 0xAA, 0xA1, 25),
        (StreamKind.CAMERA, 0xA1, None, 25),
        (StreamKind.SCREEN, 0xA2, None, 25),
        (None, 0xEE, None, 25),
    ]
    assert stream_of(stream.packets[0], "alice", known) is StreamKind.AUDIO
    assert stream_of(stream.packets[0], "bob", known) is None
