"""CONNECT: what is asked, what is taken for a tunnel, and refusals in words."""

import asyncio
import base64
import socket
import threading

import pytest

from agents.ice import proxy
from agents.ice.servers import Proxy

_OPEN = Proxy("127.0.0.1", 3128)
_KNOWN = Proxy("127.0.0.1", 3128, "alice", "secret")


def test_the_request_names_the_target_twice() -> None:
    assert proxy.request(_OPEN, "relay", 443) == (
        b"CONNECT relay:443 HTTP/1.1\r\nHost: relay:443\r\n\r\n"
    )


def test_a_login_goes_with_the_request() -> None:
    login = base64.b64encode(b"alice:secret")
    assert b"\r\nProxy-Authorization: Basic " + login in proxy.request(_KNOWN, "relay", 443)


@pytest.mark.parametrize(
    ("own", "header", "said"),
    [
        (
            _KNOWN,
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "the proxy http://127.0.0.1:3128 refused the login of alice: "
            "wrong name or password (407)",
        ),
        (
            _OPEN,
            b"HTTP/1.0 407 Who are you\r\n\r\n",
            "the proxy http://127.0.0.1:3128 asks for a login, and none is set (407)",
        ),
        (
            _OPEN,
            b"HTTP/1.1 403 Forbidden\r\n\r\n",
            "the proxy http://127.0.0.1:3128 refused CONNECT to relay:443: 403 Forbidden",
        ),
        (
            _OPEN,
            b"SSH-2.0-OpenSSH\r\n\r\n",
            "the proxy http://127.0.0.1:3128 does not speak HTTP: it said 'SSH-2.0-OpenSSH'",
        ),
    ],
)
def test_a_refusal_is_told_in_words(own: Proxy, header: bytes, said: str) -> None:
    with pytest.raises(proxy.ProxyError) as refused:
        proxy.check(own, "relay:443", header)
    assert str(refused.value) == said


def _connect(answer: bytes) -> bytes:
    """What a client finds in the tunnel through a proxy that answers so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer, args=(server, answer))
        thread.start()
        own = Proxy(*server.getsockname())
        try:
            with asyncio.run(proxy.connect(own, "relay", 443)) as made:
                made.setblocking(True)
                return made.recv(100)
        finally:
            thread.join()


def _answer(server: socket.socket, answer: bytes) -> None:
    client, _ = server.accept()
    with client:
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += client.recv(1000)
        client.sendall(answer)


def test_what_follows_the_header_is_left_to_the_tunnel() -> None:
    said = b"HTTP/1.1 200 Connection established\r\nVia: squid\r\n\r\nhello"
    assert _connect(said) == b"hello"


def test_a_proxy_that_hangs_up_is_named() -> None:
    with pytest.raises(proxy.ProxyError, match="closed the connection after 8 bytes"):
        _connect(b"HTTP/1.1")
