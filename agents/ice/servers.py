"""What an ICE agent is told of the service's STUN and TURN servers, and of the way there."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from aiortc.rtcicetransport import parse_stun_turn_uri

from topologies.addresses import with_port

Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy, with the login that it may ask for."""

    address: str
    port: int
    user: str | None = None
    password: str = ""

    @property
    def url(self) -> str:
        """The proxy as a URL, without the login."""
        return f"http://{with_port(self.address, self.port)}"


@dataclass(frozen=True)
class Way:
    """One way to a relay: its name and port, what carries TURN there, and by whom it goes."""

    host: str
    port: int
    transport: Transport
    proxy: Proxy | None = None

    def __str__(self) -> str:
        through = f" through {self.proxy.url}" if self.proxy else ""
        return f"{self.transport} to {self.host}:{self.port}{through}"


@dataclass(frozen=True)
class Servers:
    """URIs of STUN and TURN servers (RFC 7064, RFC 7065) in order of preference."""

    urls: tuple[str, ...]
    username: str
    credential: str
    #: Whom to trust as a relay under TLS.
    context: ssl.SSLContext
    proxy: Proxy | None = None
    #: Whether only relayed candidates may be used (RFC 9429 section 3.5.3).
    relay_only: bool = False

    @property
    def stun(self) -> tuple[str, int] | None:
        """Name and port of the first STUN server."""
        found = (uri for uri in map(parse_stun_turn_uri, self.urls) if uri["scheme"] == "stun")
        return next(((uri["host"], uri["port"]) for uri in found), None)

    def ways(self, version: int) -> list[Way]:
        """The ways to the relays over a version of IP: the URIs', then through the proxy.

        A proxy lets CONNECT lead to TLS, and often looks whether TLS is what follows.
        """
        direct = list(_direct(self.urls))
        tunnelled = (way for way in direct if way.transport == "tls")
        if self.proxy is None or ip_address(self.proxy.address).version != version:
            return direct
        return direct + [Way(way.host, way.port, "tls", self.proxy) for way in tunnelled]


def _direct(urls: Iterable[str]) -> Iterable[Way]:
    for uri in map(parse_stun_turn_uri, urls):
        if uri["scheme"] in ("turn", "turns"):
            transport: Transport = "tls" if uri["scheme"] == "turns" else uri["transport"]
            yield Way(uri["host"], uri["port"], transport)
