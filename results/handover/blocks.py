"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng), as bytes in little-endian order.

A file is a section header, a description of each interface, secrets, then packets:
each refers to its interface by number, in the order of the descriptions.
"""

import struct
from collections.abc import Iterable

#: Link types (tcpdump.org/linktypes.html): frames, and bare IP packets, as within tunnels.
ETHERNET, RAW_IP = 1, 101

_SECTION = 0x0A0D0D0A
_INTERFACE, _INTERFACE_STATISTICS, _ENHANCED_PACKET, _SECRETS = 1, 5, 6, 10

#: Types of secrets (section 4.7): an NSS key log, which is for TLS and DTLS alike.
_TLS_KEY_LOG = 0x544C534B

_COMMENT = 1
_APPLICATION = 4
_NAME, _DESCRIPTION, _TIME_RESOLUTION = 2, 3, 9
_RECEIVED, _DROPPED = 4, 5

#: Units of 10^-9 s.
_NANOSECONDS = b"\x09"

#: The length of an option has 16 bits.
_LONGEST_OPTION = 65_535

_END_OF_OPTIONS = bytes(4)


def section(application: str, comment: str) -> bytes:
    """Section Header Block (section 4.1), of unknown length."""
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION, head + _options((_COMMENT, comment), (_APPLICATION, application)))


def interface(name: str, description: str, link_type: int) -> bytes:
    """Interface Description Block (section 4.2): whole packets, times in nanoseconds."""
    head = struct.pack("<HHI", link_type, 0, 0)
    texts = _options((_NAME, name), (_DESCRIPTION, description))
    return _block(_INTERFACE, head + _option(_TIME_RESOLUTION, _NANOSECONDS) + texts)


def tls_secrets(key_log: bytes) -> bytes:
    """Decryption Secrets Block (section 4.7) with the lines of NSS key logs."""
    head = struct.pack("<II", _TLS_KEY_LOG, len(key_log))
    return _block(_SECRETS, head + _padded(key_log))


def packet(interface: int, time: int, data: bytes, comments: Iterable[str]) -> bytes:
    """Enhanced Packet Block (section 4.3); ``time`` in nanoseconds since the epoch."""
    size = len(data)
    head = struct.pack("<IIIII", interface, time >> 32, time & 0xFFFFFFFF, size, size)
    options = _options(*((_COMMENT, comment) for comment in comments))
    return _block(_ENHANCED_PACKET, head + _padded(data) + options)


def statistics(interface: int, time: int, received: int, dropped: int) -> bytes:
    """Interface Statistics Block (section 4.6): what a capture program counted, in packets."""
    head = struct.pack("<III", interface, time >> 32, time & 0xFFFFFFFF)
    counts = ((_RECEIVED, received), (_DROPPED, dropped))
    options = b"".join(_option(code, struct.pack("<Q", count)) for code, count in counts)
    return _block(_INTERFACE_STATISTICS, head + options + _END_OF_OPTIONS)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _options(*texts: tuple[int, str]) -> bytes:
    """Options that are text (section 3.5), and the end of options; nothing without any."""
    found = b"".join(_option(code, _utf8(text)) for code, text in texts if text)
    return found + _END_OF_OPTIONS if found else b""


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _utf8(text: str) -> bytes:
    """Text in UTF-8, cut to what an option can hold, but not in the midst of a character."""
    encoded = text.encode("utf-8", "backslashreplace")[:_LONGEST_OPTION]
    return encoded.decode("utf-8", "ignore").encode()


def _padded(data: bytes) -> bytes:
    """Blocks and options fill 32-bit words."""
    return data + bytes(-len(data) % 4)
