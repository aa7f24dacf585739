"""What an ICE agent of a test is told of servers."""

import ssl

from agents.ice.servers import Proxy, Servers

NAME = "relay.service.example"

URLS = (
    f"stun:{NAME}:3478",
    f"turn:{NAME}:3478?transport=udp",
    f"turn:{NAME}:443?transport=tcp",
    f"turns:{NAME}:443?transport=tcp",
)


def servers(*urls: str, proxy: Proxy | None = None) -> Servers:
    """Servers under URLs, with the login of a test."""
    return Servers(urls or URLS, "user", "word", ssl.create_default_context(), proxy)
