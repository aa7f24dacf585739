"""The shell commands that configure a host once its links are there; data in, text out.

Links, addresses and routes themselves are netlink's (:mod:`topologies.links`).
"""

from pathlib import Path

from topologies import nat
from topologies.spec import Host, Nat, Network, Role

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
    links = [interface.link for interface in host.interfaces]
    return [
        _nft(
            host.interface_name(links.index(perimeter.inside)),
            host.interface_name(links.index(perimeter.outside)),
            perimeter.nat,
        )
        for perimeter in network.perimeters
        if perimeter.host == host.name
    ]


def _nft(inside: str, outside: str, kind: Nat) -> str:
    return f"nft -f - <<'EOF'\n{nat.ruleset(inside, outside, kind)}EOF"
