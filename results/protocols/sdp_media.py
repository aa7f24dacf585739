"""The media lines of a session description: what is sent, under which sources (RFC 8866)."""

import re
from typing import NamedTuple

_LINE = re.compile(r"^m=(\S+) (\d+)")
_SSRC = re.compile(r"^a=ssrc:(\d+)\b")
_GROUP = re.compile(r"^a=ssrc-group:FID (\d+) (\d+)")

_SENDING, _RECEIVING = ("sendrecv", "sendonly"), ("sendrecv", "recvonly")
_DIRECTIONS = (*_SENDING, "recvonly", "inactive")


class Source(NamedTuple):
    """A declared synchronization source (RFC 5576, section 4.1)."""

    ssrc: int
    #: The one whose packets it sends again (RFC 4588; RFC 5576, section 4.2: FID).
    repeats: int | None = None


class MediaLine(NamedTuple):
    """One media description; what was rejected has a port of 0 (RFC 3264, section 6)."""

    kind: str
    #: "main", "slides", … (RFC 4796, section 5); empty where nothing is said.
    content: str
    sends: bool
    receives: bool
    sources: tuple[Source, ...]


def media_lines(text: str) -> tuple[MediaLine, ...]:
    """The media lines of an SDP, in its order, by which those of an answer match an offer's."""
    sections: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line)
    found = (_media_line(section) for section in sections)
    return tuple(line for line in found if line)


def _media_line(section: list[str]) -> MediaLine | None:
    head = _LINE.match(section[0])
    if head is None:
        return None
    attributes = [line.removeprefix("a=").strip() for line in section[1:]]
    # RFC 8843, section 7.2.1: a bundled line may have a port of 0, and says so.
    rejected = int(head[2]) == 0 and "bundle-only" not in attributes
    direction = next((one for one in attributes if one in _DIRECTIONS), "sendrecv")
    contents = (one.removeprefix("content:") for one in attributes if one.startswith("content:"))
    return MediaLine(
        kind=head[1],
        content=next(contents, ""),
        sends=direction in _SENDING and not rejected,
        receives=direction in _RECEIVING and not rejected,
        sources=_sources(section),
    )


def _sources(section: list[str]) -> tuple[Source, ...]:
    repeats = {int(m[2]): int(m[1]) for line in section if (m := _GROUP.match(line))}
    ssrcs = dict.fromkeys(int(m[1]) for line in section if (m := _SSRC.match(line)))
    return tuple(Source(ssrc, repeats.get(ssrc)) for ssrc in ssrcs)
