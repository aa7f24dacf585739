"""The shell commands that configure a host once its links are there; data in, text out.

Links, addresses and routes themselves are netlink's (:mod:`topologies.links`).
"""

from collections.abc import Iterator
from pathlib import Path

from topologies import nat, nat64
from topologies.shaping import queue_commands
from topologies.spec import Address, Host, Network, Perimeter, Role

#: Where a host's private files (resolv.conf) lie; /run is the world's own.
PRIVATE = Path("/run/callpath")


def setup_script(network: Network, host: Host) -> str:
    """Forwarding, name servers and NAT of a host."""
    lines = []
    if host.role in (Role.ROUTER, Role.NAT):
        lines.append("echo 1 > /proc/sys/net/ipv4/ip_forward")
        if host.has_ipv6:
            lines.append("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    lines += _resolver_lines(network, host)
    lines += _nat_lines(network, host)
    return "\n".join(lines)


def ipv6_script(host: Host) -> str:
    """Switch IPv6 on at the loopback and at the interfaces that have addresses of it.

    All is static, so no router is asked (RFC 4861), and no address checked for another owner
    (RFC 4862, section 5.4): nothing is sent but what packets need.
    """
    names = ["lo"] + [
        host.interface_name(index)
        for index, leg in enumerate(host.interfaces)
        if any(address.version == 6 for address in leg.addresses)
    ]
    settings = {"accept_ra": 0, "autoconf": 0, "accept_dad": 0, "disable_ipv6": 0}
    lines = [
        f"echo {value} > /proc/sys/net/ipv6/conf/{name}/{setting}"
        for name in names
        for setting, value in settings.items()
    ]
    return "\n".join(
        ["[ -e /proc/sys/net/ipv6 ] || { echo this kernel has no IPv6; exit 1; }", *lines]
    )


def resolver_file(host: str) -> Path:
    """The file that the host sees as its resolv.conf."""
    return PRIVATE / f"{host}.resolv.conf"


def _resolver_lines(network: Network, host: Host) -> list[str]:
    """A resolv.conf of its own: without one a host would ask the machine's name servers."""
    content = "# this host asks nobody"
    if host.nameserver:
        content = f"nameserver {_of_its_family(host, network.host(host.nameserver))}"
    private = resolver_file(host.name)
    return [
        f"echo '{content}' > {private}",
        f"mount --bind {private} $(readlink -f /etc/resolv.conf)",
    ]


def _of_its_family(host: Host, other: Host) -> Address:
    """The other's address of the family that a host has first."""
    version = host.address.version
    return next((one for one in other.addresses if one.version == version), other.address)


def _nat_lines(network: Network, host: Host) -> list[str]:
    own = [perimeter for perimeter in network.perimeters if perimeter.host == host.name]
    return [line for perimeter in own for line in _perimeter_lines(host, perimeter)]


def _perimeter_lines(host: Host, perimeter: Perimeter) -> Iterator[str]:
    """The packet filters of a NAT router, its NAT64, and the queue of its shaper."""
    inside, outside = (host.interface_on(link) for link in (perimeter.inside, perimeter.outside))
    translator = nat64.DEVICE if perimeter.nat64 else None
    if perimeter.nat64:
        yield nat64.script(perimeter.nat64, nat64_config(host))
    before, boxes = translator or inside, (perimeter.shaper, perimeter.inspection)
    yield _nft(nat.ruleset(before, outside, perimeter.nat, *boxes))
    if host.has_ipv6:
        yield _nft(nat.ruleset_of_ipv6(inside, outside, translator, perimeter.shaper))
    if perimeter.shaper:
        yield from queue_commands(outside, perimeter.shaper)


def nat64_config(host: Host) -> str:
    """The configuration file of a host's NAT64."""
    return f"{PRIVATE}/{host.name}.tayga.conf"


def _nft(rules: str) -> str:
    return f"nft -f - <<'EOF'\n{rules}EOF"
