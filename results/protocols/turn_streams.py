"""TURN over TCP and TLS: messages put together from streams (RFC 8656, section 3.1).

A segment may hold a part of a message, or several, so none is a row of the packet table.
Each message has the row with which it was complete. The fingerprint of what it carries is
that of the same payload in a UDP packet, by which both are one packet's sightings.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from results.packets import PacketTable
from results.protocols import stun, tls
from results.protocols.tcp import End, TcpStream
from results.wire.loose import Loose, read_loose

#: The first byte of ChannelData: channels 0x4000 to 0x4FFF (RFC 8656, section 12).
_CHANNELS = range(0x40, 0x50)
_CHANNEL_DATA_HEADER = 4
_PADDING = 4


class StreamMessage(NamedTuple):
    """A message that one end of a TCP connection sent the other."""

    sender: End
    receiver: End
    #: The row with which it was complete.
    row: int
    message: Loose


def turn_messages(
    table: PacketTable, tap_index: int, keylog: Mapping[bytes, bytes]
) -> Iterator[StreamMessage]:
    """All messages of TURN in the TCP connections whose SYN a tap saw, one direction at a time.

    ``keylog`` opens those under TLS (see results.protocols.keylog); of others, and of what is not
    TURN from its first byte on, there are none. A direction ends where something else
    comes, or where its captured bytes end.
    """
    for connection in tls.connections(table, tap_index):
        with contextlib.suppress(tls.TlsError):
            yield from messages_of(connection, keylog)


def messages_of(
    connection: tls.Connection, keylog: Mapping[bytes, bytes]
) -> Iterator[StreamMessage]:
    """All messages of TURN in one connection; TlsError when it cannot be decrypted."""
    ends = connection.client, connection.server
    streams = _plain_text(connection, keylog)
    for (sender, receiver), stream in zip((ends, ends[::-1]), streams, strict=True):
        found = list(_messages(stream))
        loose = read_loose([payload for payload, _ in found])
        for (_, row), message in zip(found, loose, strict=True):
            yield StreamMessage(sender, receiver, row, message)


class _Stream(NamedTuple):
    """The bytes of one direction, and the row with which the first so many were complete."""

    data: bytes
    row: Callable[[int], int]


def _plain_text(connection: tls.Connection, keylog: Mapping[bytes, bytes]) -> list[_Stream]:
    """Both directions, the client's first."""
    if connection.client_random is None:
        return [_as_it_is(connection.from_client), _as_it_is(connection.from_server)]
    said = connection.decrypt(keylog)
    return [_decrypted(said.from_client), _decrypted(said.from_server)]


def _as_it_is(stream: TcpStream) -> _Stream:
    return _Stream(bytes(stream.data), stream.row)


def _decrypted(chunks: tuple[tls.Chunk, ...]) -> _Stream:
    stream = TcpStream()
    stream.begin(-1)
    for chunk in chunks:
        stream.add(len(stream.data), chunk.data, chunk.row)
    return _as_it_is(stream)


def _messages(stream: _Stream) -> Iterator[tuple[bytes, int]]:
    """The messages of a stream without padding, and the row with which each was complete."""
    at = 0
    while size := _size(stream.data[at : at + stun.HEADER_SIZE]):
        end = at + size
        if end > len(stream.data):
            return
        yield stream.data[at:end], stream.row(end)
        # Over TCP messages are padded (RFC 8656, section 12.5); STUN is a multiple of 4 long.
        at = end + -end % _PADDING


def _size(head: bytes) -> int | None:
    """The size of the message that begins so; None where none does."""
    if len(head) >= _CHANNEL_DATA_HEADER and head[0] in _CHANNELS:
        return _CHANNEL_DATA_HEADER + int.from_bytes(head[2:4])
    if len(head) == stun.HEADER_SIZE and head[0] <= 3 and head[4:8] == stun.MAGIC:
        return stun.HEADER_SIZE + int.from_bytes(head[2:4])
    return None
