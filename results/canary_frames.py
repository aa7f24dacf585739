"""Canaries: frames that show, before and after the calls, that a tap sees its link."""

from enum import StrEnum

#: EtherType of our canaries: "local experimental" (IEEE 802, 0x88B5).
CANARY_ETHERTYPE = 0x88B5

#: UDP port of canaries inside a tunnel, where there are no frames: "discard" (RFC 863).
CANARY_PORT = 9


class Moment(StrEnum):
    """When a canary crossed a tapped link."""

    BEFORE = "before"
    AFTER = "after"


def canary(run: str, tap: str, moment: Moment) -> bytes:
    """Payload of the canary frame that crosses the tap's link, after the Ethernet header."""
    return f"callpath {run} {tap} {moment}".encode()
