"""Video tracks: small pictures with a moving bar, which name the user who sends them.

The upper part of each picture is the name, a row of eight squares a letter: the bits of
its code, white for 1. The bar moves below it. What is seen at the other end can be read.
"""

import asyncio
import fractions
from typing import NamedTuple

from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

#: The clock rate of RTP video (RFC 7741, section 4.1, for VP8).
_RATE = 90_000

_BLACK, _GREY, _WHITE = 16, 128, 235
_BITS = 8

#: The rows of letters, more than a name can have; the rest of the picture is the bar's.
_ROWS, _LETTERS = 16, 12

#: How far the bar moves from picture to picture, and how wide it is, as a part of the picture.
_STEP, _BAR = 16, 8


class Format(NamedTuple):
    """A picture's size, a multiple of 64 by 16, and how many there are in a second."""

    width: int
    height: int
    per_second: int


#: Small, so that the processor has time for captures.
CAMERA = Format(320, 240, 15)
SCREEN = Format(640, 240, 5)


class Pictures(MediaStreamTrack):
    """A moving picture that names its sender."""

    kind = "video"

    def __init__(self, sender: str, format_: Format) -> None:
        super().__init__()
        self._format = format_
        self._name = _name_rows(sender, format_)
        self._count = 0
        self._start = 0.0

    async def recv(self) -> VideoFrame:
        """The next picture, at its time."""
        loop = asyncio.get_running_loop()
        if self._count == 0:
            self._start = loop.time()
        due = self._start + self._count / self._format.per_second
        await asyncio.sleep(due - loop.time())
        frame = self._picture()
        frame.pts = self._count * _RATE // self._format.per_second
        frame.time_base = fractions.Fraction(1, _RATE)
        self._count += 1
        return frame

    def _picture(self) -> VideoFrame:
        width, height, _ = self._format
        frame = VideoFrame(width, height, "yuv420p")
        at = self._count * (width // _STEP) % width
        bar = bytes([_WHITE]) * (width // _BAR) + bytes([_BLACK]) * (width - width // _BAR)
        moved = bar[-at:] + bar[:-at]
        frame.planes[0].update(self._name + moved * (height - len(self._name) // width))
        for plane in frame.planes[1:]:
            plane.update(bytes([_GREY]) * plane.buffer_size)
        return frame


def _name_rows(name: str, format_: Format) -> bytes:
    """The upper part of the picture, from left to right and from top to bottom."""
    codes = name.encode("ascii").ljust(_LETTERS, b"\0")
    if len(codes) > _LETTERS:
        raise ValueError(f"{name} has more than {_LETTERS} letters")
    return b"".join(_letter(code, format_.width) * (format_.height // _ROWS) for code in codes)


def _letter(code: int, width: int) -> bytes:
    bits = [code >> bit & 1 for bit in reversed(range(_BITS))]
    return b"".join(bytes([_WHITE if bit else _BLACK]) * (width // _BITS) for bit in bits)


def name_in(frame: VideoFrame) -> str:
    """The name that a picture shows, as far as its squares can be told."""
    codes = bytes(_code(frame, letter) for letter in range(_LETTERS))
    return codes.rstrip(b"\0").decode("ascii", errors="replace")


def _code(frame: VideoFrame, letter: int) -> int:
    """The letter in a row, by the middle of each square."""
    plane, side = frame.planes[0], frame.width // _BITS
    row = (2 * letter + 1) * (frame.height // _ROWS) // 2
    middle = memoryview(plane)[row * plane.line_size :]
    bits = (middle[bit * side + side // 2] > _GREY for bit in range(_BITS))
    return sum(bit << _BITS - 1 - place for place, bit in enumerate(bits))
