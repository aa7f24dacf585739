"""What a description says of the media that it sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.protocols.sdp_media import MediaLine, Source, media_lines

_HEAD = "v=0\ns=-\na=group:BUNDLE 0 1\n"


def _section(head: str, *attributes: str) -> str:
    return "\n".join((f"m={head} UDP/TLS/RTP/SAVPF 97", *(f"a={one}" for one in attributes), ""))


def _only(*attributes: str, head: str = "video 50000") -> MediaLine:
    (line,) = media_lines(_HEAD + _section(head, *attributes))
    return line


def test_lines_keep_their_order_and_their_own_attributes() -> None:
    sdp = _HEAD + _section("audio 9", "ssrc:7 cname:a") + _section("video 9", "content:slides")
    audio, video = media_lines(sdp.replace("\n", "\r\n"))
    assert (audio.kind, audio.content, audio.sources) == ("audio", "", (Source(7),))
    assert (video.kind, video.content, video.sources) == ("video", "slides", ())


def test_a_source_of_retransmissions_tells_whose_it_repeats() -> None:
    line = _only("ssrc-group:FID 11 12", "ssrc:11 cname:a", "ssrc:11 msid:b c", "ssrc:12 cname:a")
    assert line.sources == (Source(11), Source(12, repeats=11))


@pytest.mark.parametrize(
    ("head", "attributes", "sends", "receives"),
    [
        ("video 50000", (), True, True),
        ("video 50000", ("sendrecv",), True, True),
        ("video 50000", ("sendonly",), True, False),
        ("video 50000", ("recvonly",), False, True),
        ("video 50000", ("inactive",), False, False),
        ("video 0", ("sendrecv",), False, False),
        ("video 0", ("sendrecv", "bundle-only"), True, True),
    ],
)
def test_the_direction_of_a_line(
    head: str, attributes: tuple[str, ...], sends: bool, receives: bool
) -> None:
    line = _only(*attributes, head=head)
    assert (line.sends, line.receives) == (sends, receives)


@given(st.text())
def test_nonsense_has_no_lines_that_fail(text: str) -> None:
    for line in media_lines(f"m={text}\na=ssrc:{text}\na=ssrc-group:FID {text}"):
        assert line.kind
