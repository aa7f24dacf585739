"""A TCP connection to anywhere through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6)."""

import asyncio
import base64
import socket

from agents.ice.families import SOCKETS, version
from agents.ice.servers import Proxy

#: What proxies send before the end of their answer's header; more is no answer, in bytes.
_LONGEST_HEADER = 16_384

_END = b"\r\n\r\n"


class ProxyError(ConnectionError):
    """A proxy that leads nowhere. Speaks to a person."""


async def connect(proxy: Proxy, host: str, port: int) -> socket.socket:
    """A socket at whose other end stands ``host``, whose name the proxy resolves.

    ProxyError when the proxy refuses, OSError when it is not there.
    """
    loop = asyncio.get_running_loop()
    own = socket.socket(SOCKETS[version(proxy.address)], socket.SOCK_STREAM)
    own.setblocking(False)
    try:
        await loop.sock_connect(own, (proxy.address, proxy.port))
        await loop.sock_sendall(own, request(proxy, host, port))
        check(proxy, f"{host}:{port}", await _header(own))
    except BaseException:
        own.close()
        raise
    return own


def request(proxy: Proxy, host: str, port: int) -> bytes:
    """The CONNECT request, with the login if there is one (Basic, RFC 7617)."""
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in login(proxy).items()]
    return "\r\n".join(lines).encode() + _END


def login(proxy: Proxy) -> dict[str, str]:
    """The header with the login, if there is one."""
    if proxy.user is None:
        return {}
    known = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {known}"}


def check(proxy: Proxy, target: str, header: bytes) -> None:
    """ProxyError unless a response's header says that the connection stands."""
    status_line = header.split(b"\r\n", 1)[0].decode("latin-1")
    protocol, _, status = status_line.partition(" ")
    code, _, reason = status.partition(" ")
    if not protocol.startswith("HTTP/1.") or not code.isdecimal():
        raise ProxyError(f"the proxy {proxy.url} does not speak HTTP: it said {status_line!r}")
    if code == "407":
        raise ProxyError(refused_login(proxy))
    if not 200 <= int(code) < 300:
        raise ProxyError(f"the proxy {proxy.url} refused CONNECT to {target}: {code} {reason}")


def refused_login(proxy: Proxy) -> str:
    """A refused login (RFC 9110 section 15.5.8) in words."""
    if proxy.user is None:
        return f"the proxy {proxy.url} asks for a login, and none is set (407)"
    return f"the proxy {proxy.url} refused the login of {proxy.user}: wrong name or password (407)"


async def _header(own: socket.socket) -> bytes:
    """The header of the response, and not a byte of what follows: that is the other end's."""
    loop = asyncio.get_running_loop()
    header = b""
    while not header.endswith(_END):
        # Byte by byte: what comes after belongs to TLS, which reads the socket itself.
        byte = await loop.sock_recv(own, 1)
        if not byte or len(header) > _LONGEST_HEADER:
            raise ProxyError(f"the proxy closed the connection after {len(header)} bytes")
        header += byte
    return header
