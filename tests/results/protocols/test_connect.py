"""The tunnel within a connection that begins with CONNECT."""

import pytest

from results.protocols.connect import beyond
from results.protocols.tcp import TcpStream

_ASKED = b"CONNECT relay:443 HTTP/1.1\r\nHost: relay:443\r\n\r\n"
_GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _stream(*segments: bytes) -> TcpStream:
    """A stream whose segments came in rows from 1 on."""
    stream, at = TcpStream(), 0
    stream.begin(-1)
    for row, segment in enumerate(segments, start=1):
        stream.add(at, segment, row)
        at += len(segment)
    return stream


def test_what_follows_both_headers_is_in_the_tunnel() -> None:
    opened = beyond(_stream(_ASKED, b"hello"), _stream(_GRANTED + b"wel", b"come"))
    assert opened.target == "relay:443"
    assert bytes(opened.from_client.data) == b"hello"
    assert bytes(opened.from_server.data) == b"welcome"
    assert opened.from_client.row(5) == 2
    assert [opened.from_server.row(end) for end in (3, 4)] == [1, 2]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 407 Who are you\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nHalf", b""]
)
def test_where_the_proxy_did_not_agree_nothing_is_in_the_tunnel(answer: bytes) -> None:
    opened = beyond(_stream(_ASKED + b"hello"), _stream(answer))
    assert opened.target == "relay:443"
    assert not opened.from_server.data


def test_another_connection_is_as_it_was() -> None:
    client, server = _stream(b"GET / HTTP/1.1\r\n\r\n"), _stream(b"HTTP/1.1 200 OK\r\n\r\n")
    assert beyond(client, server) == (None, client, server)
