"""Name servers: the public resolver with the service's zone, and a forwarder inside.

Both are unbound. A run begins with cold caches, see :func:`flush_command`.
"""

from collections.abc import Iterator
from pathlib import Path

from topologies.processes import Program
from topologies.spec import Host, Network, Region

#: Time to live of the service's records in seconds: longer than any run.
_TTL = 300


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
    everybody = ['  local-zone: "." static', *map(_record, (own | named).items())]
    regional = [line for region in network.regions for line in _view(network, region)]
    return _unbound(host, folder, [*everybody, *views], regional)


def _record(named: tuple[str | None, Host]) -> str:
    name, host = named
    return f'  local-data: "{name}. {_TTL} IN A {host.address}"'


def _view(network: Network, region: Region) -> Iterator[str]:
    """What those hear whom a region serves; of other names, what everybody hears."""
    yield from ("view:", f'  name: "{region.name}"', "  view-first: yes")
    for host in map(network.host, region.hosts):
        if host.domain:
            yield f'  local-zone: "{host.domain}." static'
            yield _record((host.domain, host))


def forwarder(host: Host, upstream: Host, folder: Path) -> Program:
    """A forwarder: asks ``upstream`` for everything and keeps what it hears."""
    zone = ["forward-zone:", '  name: "."', f"  forward-addr: {upstream.address}"]
    return _unbound(host, folder, [], zone)


def flush_command(host: Host, folder: Path) -> tuple[str, ...]:
    """The command that empties the server's cache; run it anywhere in the world."""
    return ("unbound-control", "-c", str(_config_path(host, folder)), "flush_zone", ".")


def _unbound(host: Host, folder: Path, server: list[str], zones: list[str]) -> Program:
    lines = [
        "server:",
        f"  interface: {host.address}",
        "  access-control: 0.0.0.0/0 allow",
        '  chroot: ""',
        '  username: ""',
        f'  directory: "{folder}"',
        '  pidfile: ""',
        "  use-syslog: no",
        "  verbosity: 1",
        "  num-threads: 1",
        "  do-ip6: no",
        # No DNSSEC: the zone is the lab's own.
        '  module-config: "iterator"',
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
