"""What a user sends in a call, and how its description calls it (RFC 4796, section 3)."""

from collections.abc import Iterable, Iterator

from aiortc import RTCPeerConnection, RTCRtpSender
from aiortc.mediastreams import MediaStreamTrack

from agents.pictures import CAMERA, SCREEN, Format, Pictures
from agents.tone import Tone

#: The pictures of each video stream.
_FORMATS: dict[str, Format] = {"camera": CAMERA, "screen": SCREEN}

#: "main" is what the one who speaks is seen by, "slides" what is presented.
_CONTENTS = {"camera": "main", "screen": "slides"}

#: VP8, which every WebRTC endpoint has (RFC 7742, section 5), and its retransmissions (RFC 4588).
_CODECS = ("video/VP8", "video/rtx")


def add_streams(
    connection: RTCPeerConnection, streams: Iterable[str], user: str, hertz: int
) -> None:
    """Have a connection send these streams of a user: a tone, and pictures with its name."""
    for stream in streams:
        connection.addTrack(_track(stream, user, hertz))
    known = RTCRtpSender.getCapabilities("video").codecs
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences([one for one in known if one.mimeType in _CODECS])


def _track(stream: str, user: str, hertz: int) -> MediaStreamTrack:
    return Tone(hertz) if stream == "audio" else Pictures(user, _FORMATS[stream])


def longest_gap(streams: Iterable[str]) -> float:
    """How long the slowest of some streams may send nothing, in seconds."""
    return max((1 / _FORMATS[one].per_second for one in streams if one in _FORMATS), default=0.0)


def with_contents(sdp: str, streams: Iterable[str]) -> str:
    """A description that tells what each of its video streams shows; they are in this order."""
    return "".join(_told(sdp, (_CONTENTS[stream] for stream in streams if stream in _CONTENTS)))


def _told(sdp: str, contents: Iterator[str]) -> Iterator[str]:
    is_video = False
    for line in sdp.splitlines(keepends=True):
        yield line
        if line.startswith("m="):
            is_video = line.startswith("m=video ")
        elif is_video and line.startswith("a=mid:"):
            yield f"a=content:{next(contents)}\r\n"
