"""What a client sends, and what its description tells of it."""

import asyncio

import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection

from agents.streams import add_streams, longest_gap, with_contents
from results.protocols.sdp_media import media_lines

_ALL = ["audio", "camera", "screen"]


async def _offer(streams: list[str]) -> str:
    configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    connection = RTCPeerConnection(configuration)
    add_streams(connection, streams, "eve", 400)
    offer = await connection.createOffer()
    await connection.close()
    return offer.sdp


@pytest.mark.parametrize("streams", [_ALL, ["audio"], ["audio", "screen"], ["camera", "audio"]])
def test_a_description_tells_what_each_video_shows(streams: list[str]) -> None:
    sdp = with_contents(asyncio.run(_offer(streams)), streams)
    contents = {"audio": "", "camera": "main", "screen": "slides"}
    assert [line.content for line in media_lines(sdp)] == [contents[one] for one in streams]


def test_video_is_vp8_with_retransmission() -> None:
    sdp = asyncio.run(_offer(_ALL))
    codecs = [line.split()[1] for line in sdp.splitlines() if line.startswith("a=rtpmap:")]
    assert set(codecs[-4:]) == {"VP8/90000", "rtx/90000"}
    assert "H264/90000" not in codecs


def test_the_slowest_stream_makes_the_longest_gap() -> None:
    assert longest_gap(_ALL) == 1 / 5
    assert longest_gap(["audio", "camera"]) == 1 / 15
    assert longest_gap(["audio"]) == 0
