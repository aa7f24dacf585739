"""Which relayed addresses a user declares (RFC 8839, section 5.1)."""

from collections.abc import Iterator


def relayed_candidates(sdp: str) -> Iterator[tuple[str, str]]:
    """Address and port of each relayed candidate of a description, or of a trickled one.

    The fields are foundation, component, transport, priority, address, port, the word
    "typ" and the type.
    """
    for line in sdp.splitlines():
        words = line.removeprefix("a=").split()
        if words[6:8] == ["typ", "relay"] and words[0].startswith("candidate:"):
            yield words[4], words[5]
