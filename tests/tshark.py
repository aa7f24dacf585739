"""Captures as Wireshark's own tools read them: independent of everything of ours."""

import subprocess
from pathlib import Path
from shutil import which
from typing import NamedTuple

import pytest

needs_tshark = pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")

#: Media and its handshakes within TURN and beside it, which Wireshark takes for data else.
_WEBRTC = ("stun_udp", "dtls_stun", "dtls_udp", "rtp_stun", "rtp_udp", "rtcp_stun")

_BETWEEN_COMMENTS = "\x1e"


class Shown(NamedTuple):
    """A frame: its number in the file and at its tap, from 1."""

    number: int
    tap: str
    of_tap: int
    #: Nanoseconds since the epoch.
    time: int
    size: int
    comments: tuple[str, ...]


def shown(capture: Path) -> list[Shown]:
    """Every frame of a capture."""
    frames: list[Shown] = []
    count: dict[str, int] = {}
    names = ("number", "interface_name", "time_epoch", "cap_len", "comment")
    for number, tap, time, size, said in fields(capture, "", *(f"frame.{name}" for name in names)):
        count[tap] = count.get(tap, 0) + 1
        comments = tuple(filter(None, said.split(_BETWEEN_COMMENTS)))
        frames.append(
            Shown(int(number), tap, count[tap], int(time.replace(".", "")), int(size), comments)
        )
    return frames


def fields(capture: Path, wanted: str, *names: str) -> list[list[str]]:
    """Fields of the frames that a display filter lets through."""
    options = ["-T", "fields", "-E", f"aggregator={_BETWEEN_COMMENTS}"]
    options += [option for name in names for option in ("-e", name)]
    options += [option for name in _WEBRTC for option in ("--enable-heuristic", name)]
    options += ["-Y", wanted] if wanted else []
    done = run("tshark", "-n", "-r", str(capture), *options)
    # Not splitlines, which takes our separator of comments for an end of line.
    return [line.split("\t") for line in done.split("\n") if line]


def run(*command: str) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
