"""What a frame of a recorded capture holds, read by hand."""

ETHERNET, IP, UDP = 14, 20, 8
PAYLOAD = ETHERNET + IP + UDP
CANARY = b"\x88\xb5"


def payload(frame: bytes) -> bytes:
    """What UDP carries; nothing when the frame is not UDP over IPv4 without options."""
    is_udp = frame[12:15] == b"\x08\x00\x45" and frame[ETHERNET + 9] == 17
    return frame[PAYLOAD:] if is_udp else b""


def is_rtp(frame: bytes) -> bool:
    """Whether a frame holds plain RTP (RFC 7983), not RTCP and not DNS, whose id can look so."""
    data = payload(frame)
    named = b"\x00\x35" in (frame[34:36], frame[36:38])
    return len(data) > 12 and data[0] >> 6 == 2 and not 192 <= data[1] <= 223 and not named


def is_stun(frame: bytes) -> bool:
    """Whether a frame holds plain STUN."""
    return payload(frame)[4:8] == b"\x21\x12\xa4\x42"


def is_dns_answer(frame: bytes) -> bool:
    """Whether a frame comes from a name server."""
    return bool(payload(frame)) and frame[34:36] == b"\x00\x35"


def is_dtls(frame: bytes) -> bool:
    """Whether a frame holds DTLS."""
    return payload(frame)[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and payload(frame)[1] == 0xFE


def is_canary(frame: bytes) -> bool:
    """Whether a frame is a canary."""
    return frame[12:14] == CANARY


def nominates(frame: bytes) -> bool:
    """Whether a frame is a check with USE-CANDIDATE."""
    return is_stun(frame) and b"\x00\x25\x00\x00" in payload(frame)


def between(frame: bytes, *hosts: str) -> bool:
    """Whether a frame runs between these addresses."""
    addresses = {bytes(int(part) for part in host.split(".")) for host in hosts}
    return {frame[26:30], frame[30:34]} == addresses


ALICE, BOB, BEA = "10.10.0.11", "10.10.0.12", "10.20.0.11"
