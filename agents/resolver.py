"""Name servers: the public resolver with the service's zone, and a forwarder inside.

Both are unbound. A run begins with cold caches, see :func:`flush_command`. Where only a NAT64
leads to IPv4, the forwarder makes up IPv6 addresses for what has none (DNS64, RFC 6147).
"""

from collections.abc import Iterator
from ipaddress import IPv6Network
from pathlib import Path

from topologies.processes import Program
from topologies.spec import Host, Network, Region

#: Time to live of the service's records in seconds: longer than any run.
_TTL = 300

#: Types of the records that hold an address, by the version of IP.
_TYPES = {4: "A", 6: "AAAA"}


def resolver(host: Host, network: Network, folder: Path) -> Program:
    """The public resolver: authoritative for the hosts' domain names, ignorant of all else.

    A name that several regions share has an address for whoever asks from where a region
    serves (unbound.conf(5), "View Options"); all others are told that of the first region.
    """
    named = {other.domain: other for other in reversed(network.hosts) if other.domain}
    own = {network.own_name(other): other for other in network.hosts if other.domain}
    views = [
        f"  access-control-view: {prefix} {region.name}"
        for region in network.regions
        for prefix in region.serves
    ]
    records = [line for item in (own | named).items() for line in _records(*item)]
    everybody = ['  local-zone: "." static', *records]
    regional = [line for region in network.regions for line in _view(network, region)]
    return _unbound(host, folder, [*everybody, *views], regional)


def _records(name: str | None, host: Host) -> Iterator[str]:
    """One for each address of a host."""
    for address in host.addresses:
        yield f'  local-data: "{name}. {_TTL} IN {_TYPES[address.version]} {address}"'


def _view(network: Network, region: Region) -> Iterator[str]:
    """What those hear whom a region serves; of other names, what everybody hears."""
    yield from ("view:", f'  name: "{region.name}"', "  view-first: yes")
    for host in map(network.host, region.hosts):
        if host.domain:
            yield f'  local-zone: "{host.domain}." static'
            yield from _records(host.domain, host)


def forwarder(
    host: Host, upstream: Host, folder: Path, dns64: IPv6Network | None = None
) -> Program:
    """A forwarder: asks ``upstream`` for everything and keeps what it hears.

    ``dns64`` is the prefix under which a NAT64 reaches IPv4.
    """
    (address, *_) = [one for one in upstream.addresses if one.version == host.address.version]
    zone = ["forward-zone:", '  name: "."', f"  forward-addr: {address}"]
    if dns64 is None:
        return _unbound(host, folder, [], zone)
    return _unbound(host, folder, [f"  dns64-prefix: {dns64}"], zone, "dns64 iterator")


def flush_command(host: Host, folder: Path) -> tuple[str, ...]:
    """The command that empties the server's cache; run it anywhere in the world."""
    return ("unbound-control", "-c", str(_config_path(host, folder)), "flush_zone", ".")


def _unbound(
    host: Host, folder: Path, server: list[str], zones: list[str], modules: str = "iterator"
) -> Program:
    lines = [
        "server:",
        *(f"  interface: {address}" for address in host.addresses),
        "  access-control: 0.0.0.0/0 allow",
        "  access-control: ::/0 allow",
        '  chroot: ""',
        '  username: ""',
        f'  directory: "{folder}"',
        '  pidfile: ""',
        "  use-syslog: no",
        "  verbosity: 1",
        "  num-threads: 1",
        f"  do-ip6: {'yes' if host.has_ipv6 else 'no'}",
        # No DNSSEC: the zone is the lab's own.
        f'  module-config: "{modules}"',
        *server,
        "remote-control:",
        "  control-enable: yes",
        "  control-use-cert: no",
        f"  control-interface: {folder / host.name}.control",
        *zones,
    ]
    path = _config_path(host, folder)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    argv = ("unbound", "-d", "-p", "-c", str(path))
    return Program(name=host.name, argv=argv, ready="start of service")


def _config_path(host: Host, folder: Path) -> Path:
    return folder / f"{host.name}.unbound.conf"
