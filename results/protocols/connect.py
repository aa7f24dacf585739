"""HTTP CONNECT: what a client and a proxy say before a tunnel stands (RFC 9110, section 9.3.6)."""

import re
from typing import NamedTuple

from results.protocols.tcp import TcpStream

_REQUEST = re.compile(rb"CONNECT (\S+) HTTP/1\.[01]\r\n")
_SUCCESS = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")
_END = b"\r\n\r\n"


class Opened(NamedTuple):
    """Both directions of a connection beyond what was said to a proxy, and whom it leads to."""

    target: str | None
    from_client: TcpStream
    from_server: TcpStream


def beyond(from_client: TcpStream, from_server: TcpStream) -> Opened:
    """The tunnel within a connection that begins with CONNECT; any other as it is.

    Where the proxy refused, or its answer was not captured, nothing is in the tunnel.
    """
    asked = _REQUEST.match(from_client.data)
    if asked is None:
        return Opened(None, from_client, from_server)
    target = asked[1].decode("ascii", "backslashreplace")
    if not _SUCCESS.match(from_server.data):
        return Opened(target, TcpStream(), TcpStream())
    return Opened(target, _after_header(from_client), _after_header(from_server))


def _after_header(stream: TcpStream) -> TcpStream:
    end = stream.data.find(_END)
    return stream.after(end + len(_END)) if end >= 0 else TcpStream()
