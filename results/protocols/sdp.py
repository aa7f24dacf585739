"""What a session description says of ICE and DTLS (RFC 8839, RFC 8122)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Literal, NamedTuple, cast

from results.protocols.sdp_media import MediaLine, media_lines

CandidateType = Literal["host", "srflx", "prflx", "relay"]

#: An address of either family and a port, both as numbers.
End = tuple[int, int]

#: Payload type and clock rate of "a=rtpmap:111 opus/48000/2".
_RTPMAP = re.compile(r"^a=rtpmap:([0-9]{1,3}) [^/\s]+/([0-9]{1,9})", re.MULTILINE)


class Candidate(NamedTuple):
    """A declared candidate (RFC 8839, section 5.1)."""

    type: CandidateType
    transport: str
    end: End


@dataclass(frozen=True)
class Description:
    """The parts of an offer or answer that the verdict needs."""

    ufrag: str = ""
    pwd: str = field(default="", repr=False)
    candidates: tuple[Candidate, ...] = ()
    #: Hash function and digest of a certificate (RFC 8122, section 5), in lower case, no colons.
    fingerprints: frozenset[tuple[str, str]] = frozenset()
    #: RTP payload type -> clock rate in Hz (RFC 8866, section 6.6).
    clock_rates: Mapping[int, int] = field(default_factory=dict)
    media: tuple[MediaLine, ...] = ()

    def type_of(self, end: End) -> CandidateType:
        """The declared type of an address; prflx when it was not declared.

        RFC 8445, section 7.3.1.3: an address that no candidate has is peer reflexive.
        """
        return next((item.type for item in self.candidates if item.end == end), "prflx")

    def with_candidate(self, line: str) -> "Description":
        """The description after a trickled candidate (RFC 8838)."""
        candidate = read_candidate(line.removeprefix("a="))
        more = (candidate,) if candidate else ()
        return replace(self, candidates=self.candidates + more)


def read_description(text: str) -> Description:
    """Read an SDP; what it lacks stays empty.

    All media are bundled, so the first ufrag and password count for all.
    """
    lines = [line.removeprefix("a=") for line in text.splitlines() if line.startswith("a=")]
    found = (read_candidate(line) for line in lines)
    return Description(
        ufrag=_first(lines, "ice-ufrag:"),
        pwd=_first(lines, "ice-pwd:"),
        candidates=tuple(dict.fromkeys(candidate for candidate in found if candidate)),
        fingerprints=frozenset(_fingerprints(lines)),
        clock_rates={int(kind): int(rate) for kind, rate in _RTPMAP.findall(text)},
        media=media_lines(text),
    )


def read_candidate(line: str) -> Candidate | None:
    """Read ``candidate:…``; None for another line, a name for an address, or nonsense.

    The fields are foundation, component, transport, priority, address, port,
    the word "typ" and the type (RFC 8839, section 5.1).
    """
    words = line.split()
    if not line.startswith("candidate:") or len(words) < 8 or words[6] != "typ":
        return None
    if words[7] not in ("host", "srflx", "prflx", "relay"):
        return None
    try:
        end = int(ip_address(words[4])), int(words[5])
    except ValueError:
        return None
    return Candidate(cast(CandidateType, words[7]), words[2].lower(), end)


def _first(lines: list[str], prefix: str) -> str:
    found = (line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix))
    return next(found, "")


def _fingerprints(lines: list[str]) -> list[tuple[str, str]]:
    pairs = [line.split(":", 1)[1].split() for line in lines if line.startswith("fingerprint:")]
    return [(pair[0].lower(), pair[1].replace(":", "").lower()) for pair in pairs if len(pair) == 2]
