"""What a packet can be, and how its bytes tell (RFC 7983, section 7; RFC 5761, section 4)."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from results.wire.data import Places

#: The magic cookie of STUN (RFC 8489, section 5).
_COOKIE = 0x2112A442

# Sizes of headers in bytes; of RTCP a header and the sender's SSRC.
_STUN_HEADER = 20
_DTLS_RECORD_HEADER = 13
_RTP_HEADER = 12
_RTCP_HEADER = 8
CHANNEL_DATA_HEADER = 4


class Kind(IntEnum):
    """What a packet is, as far as its own bytes and ports tell.

    RTP and DTLS are guesses by first byte (RFC 7983): only authentication and a
    parsed handshake prove them.
    """

    OTHER = 0
    ARP = 1
    ICMP = 2
    TCP = 3
    #: UDP that is none of the following.
    UDP = 4
    DNS = 5
    STUN = 6
    CHANNEL_DATA = 7
    DTLS = 8
    RTP = 9
    RTCP = 10
    CANARY = 11
    #: To or from the outside of a VPN gateway; what is in it can be seen in the tunnel only.
    WIREGUARD = 12
    #: Within TCP: a segment that begins with a record of TLS or a message of HTTP/1, and in
    #: the packet table those that follow in its direction.
    TLS = 13
    HTTP = 14
    ICMPV6 = 15


#: The first bytes of a payload, by the names that the protocols give them.
HEAD = np.dtype(
    {
        "names": (
            *("first", "second", "type", "length", "cookie", "ssrc", "sender"),
            *("word", "low", "high", "bytes"),
        ),
        "formats": (
            *("u1", "u1", ">u2", ">u2", ">u4", ">u4", ">u4"),
            *("<u4", "<u8", "<u8", "(16,)u1"),
        ),
        "offsets": (0, 1, 0, 2, 4, 8, 4, 0, 0, 8, 0),
        "itemsize": 16,
    }
)

Heads = NDArray[np.void]
Kinds = NDArray[np.uint8]


def _by_first_bytes() -> Kinds:
    """What may begin with each two bytes (RFC 7983, section 7; RFC 5761, section 4)."""
    kinds = np.full((256, 256), Kind.UDP, np.uint8)
    kinds[0:4] = Kind.STUN
    kinds[20:64] = Kind.DTLS
    kinds[64:80] = Kind.CHANNEL_DATA
    kinds[128:192] = Kind.RTP
    kinds[128:192, 192:224] = Kind.RTCP
    return kinds.ravel()


def _smallest() -> Places:
    """The size of the smallest payload of each kind."""
    sizes = np.zeros(len(Kind), np.int64)
    sizes[Kind.STUN], sizes[Kind.DTLS] = _STUN_HEADER, _DTLS_RECORD_HEADER
    sizes[Kind.RTP], sizes[Kind.RTCP] = _RTP_HEADER, _RTCP_HEADER
    return sizes


_BY_FIRST_BYTES = _by_first_bytes()
_SMALLEST = _smallest()


def demultiplexed(heads: Heads, sizes: Places) -> Kinds:
    """The kinds of UDP payloads by their first bytes and their sizes."""
    kinds: Kinds = _BY_FIRST_BYTES[heads["type"]]
    kinds[sizes < _SMALLEST[kinds]] = Kind.UDP
    stun = np.flatnonzero(kinds == Kind.STUN)
    kinds[stun[heads["cookie"][stun] != _COOKIE]] = Kind.UDP
    channel = np.flatnonzero(kinds == Kind.CHANNEL_DATA)
    kinds[channel[~_is_channel_data(heads["length"][channel], sizes[channel])]] = Kind.UDP
    return kinds


def _is_channel_data(length: NDArray[np.uint16], sizes: Places) -> NDArray[np.bool_]:
    """Whether the length field fits; over UDP, padding to 4 bytes may follow (RFC 8656, 12.5)."""
    padding: Places = sizes - CHANNEL_DATA_HEADER - length
    return (padding >= 0) & (padding <= 3)


#: Sizes of WireGuard's messages, in bytes, by type (whitepaper, section 5.4); data may be more.
_WIREGUARD_SIZES = np.array([0, 148, 92, 64, 32])
_WIREGUARD_DATA = 4


def looks_like_wireguard(heads: Heads, sizes: Places) -> NDArray[np.bool_]:
    """Which payloads have type, zeros and size of a WireGuard message."""
    word: NDArray[np.uint32] = heads["word"]
    known = (word >= 1) & (word <= _WIREGUARD_DATA)
    rest: Places = sizes - _WIREGUARD_SIZES[np.where(known, word, 0)]
    likely: NDArray[np.bool_] = known & ((rest == 0) | (rest > 0) & (word == _WIREGUARD_DATA))
    return likely


#: What requests and responses of HTTP/1 begin with (RFC 9112, sections 3 and 4).
_HTTP = ("GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "CONN", "PATC", "TRAC", "HTTP")
_HTTP_WORDS = np.array([int.from_bytes(word.encode(), "little") for word in _HTTP], np.uint32)

_TLS_TYPES = (20, 23)
_TLS_RECORD_HEADER = 5
_TLS_LONGEST = 2**14 + 2048


def within_tcp(heads: Heads, sizes: Places) -> Kinds:
    """TLS or HTTP where a segment begins with one, TCP elsewhere."""
    raw = heads["bytes"]
    record = raw[:, 3].astype(np.int64) << 8 | raw[:, 4]
    is_tls = (heads["first"] >= _TLS_TYPES[0]) & (heads["first"] <= _TLS_TYPES[1])
    is_tls &= (heads["second"] == 3) & (raw[:, 2] <= 4) & (record <= _TLS_LONGEST)
    is_http = np.isin(heads["word"], _HTTP_WORDS) & (sizes >= len("GET / "))
    kinds = np.full(len(heads), Kind.TCP, np.uint8)
    kinds[is_http] = Kind.HTTP
    kinds[is_tls & (sizes >= _TLS_RECORD_HEADER)] = Kind.TLS
    return kinds
