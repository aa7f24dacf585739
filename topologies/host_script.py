"""The shell commands that configure a host once its links are there; data in, text out.

Links, addresses and routes themselves are netlink's (:mod:`topologies.links`).
"""

from collections.abc import Iterator
from pathlib import Path

from topologies import nat
from topologies.shaping import queue_commands
from topologies.spec import Host, Network, Perimeter, Role

#: Where a host's private files (resolv.conf) lie; /run is the world's own.
PRIVATE = Path("/run/callpath")


def setup_script(network: Network, host: Host) -> str:
    """Forwarding, name servers and NAT of a host."""
    lines = []
    if host.role in (Role.ROUTER, Role.NAT):
        lines.append("echo 1 > /proc/sys/net/ipv4/ip_forward")
    lines += _resolver_lines(network, host)
    lines += _nat_lines(network, host)
    return "\n".join(lines)


def resolver_file(host: str) -> Path:
    """The file that the host sees as its resolv.conf."""
    return PRIVATE / f"{host}.resolv.conf"


def _resolver_lines(network: Network, host: Host) -> list[str]:
    """A resolv.conf of its own: without one a host would ask the machine's name servers."""
    server = network.host(host.nameserver).address if host.nameserver else None
    content = f"nameserver {server}" if server else "# this host asks nobody"
    private = resolver_file(host.name)
    return [
        f"echo '{content}' > {private}",
        f"mount --bind {private} $(readlink -f /etc/resolv.conf)",
    ]


def _nat_lines(network: Network, host: Host) -> list[str]:
    own = [perimeter for perimeter in network.perimeters if perimeter.host == host.name]
    return [line for perimeter in own for line in _perimeter_lines(host, perimeter)]


def _perimeter_lines(host: Host, perimeter: Perimeter) -> Iterator[str]:
    """The packet filter of a NAT router, and the queue of its shaper."""
    inside, outside = (host.interface_on(link) for link in (perimeter.inside, perimeter.outside))
    rules = nat.ruleset(inside, outside, perimeter.nat, perimeter.shaper, perimeter.inspection)
    yield f"nft -f - <<'EOF'\n{rules}EOF"
    if perimeter.shaper:
        yield from queue_commands(outside, perimeter.shaper)
