"""Brings a network up with Mininet: hosts, links, addresses, routes, NAT.

Runs inside a world (:mod:`topologies.world`), where it may do as it likes: the
namespaces are private. The only importer of mininet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mininet.net import Mininet
from mininet.node import Host as MininetHost
from mininet.node import Node as MininetNode
from mininet.node import Switch

from topologies import nat
from topologies.processes import Process, Processes, Program
from topologies.spec import Host, Link, Nat, Network, Role, Tap, mac_of

#: Where a host's private files (resolv.conf) lie; /run is the world's own.
_PRIVATE = Path("/run/callpath")

#: IPv6 is off in these networks: its multicast fills backlogs. Interfaces made later inherit it.
_NO_IPV6 = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > $f; done"


def _no_ipv6_here() -> None:
    for setting in Path("/proc/sys/net/ipv6/conf").glob("*/disable_ipv6"):
        setting.write_text("1")


class LabError(Exception):
    """The network could not be brought up. Speaks to a person."""


class LinuxBridge(Switch):  # type: ignore[misc]
    """A LAN switch: a bridge of the kernel, without spanning tree or multicast snooping."""

    def start(self, _controllers: object) -> None:
        """Make the bridge and attach every port."""
        ports = [intf.name for intf in self.intfList() if intf.name != "lo"]
        script = [
            f"ip link add {self.name} type bridge stp_state 0 mcast_snooping 0",
            *(f"ip link set {port} master {self.name} up" for port in ports),
            f"ip link set {self.name} up",
        ]
        _expect_done(self.name, self.cmd(_from_file(self.name, "\n".join(script))))

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803 - Mininet's name
        """Nothing to do: the world's end removes the bridge."""


@dataclass(frozen=True)
class FarEnd:
    """The other end of a tapped link: an interface, and a process that lives in its namespace.

    ``pid`` is None for the world's own namespace, where the bridges are.
    """

    pid: int | None
    interface: str


class Lab:
    """A network that is up. The namespaces go with the world, so there is nothing to stop."""

    def __init__(self, network: Network, processes: Processes) -> None:
        self.network = network
        self._processes = processes
        self._mininet = _mininet()
        self._hosts: dict[str, MininetHost] = {}
        self._bridges: list[LinuxBridge] = []
        self._build()

    def spawn(self, host: str, program: Program, events: Path, log: Path) -> Process:
        """Start a program on a host: the one way in (see :mod:`topologies.processes`)."""
        return self._processes.spawn(program, self._hosts[host].pid, events, log)

    def pid(self, host: str) -> int:
        """A process that lives in the host's namespaces for as long as the lab does."""
        return int(self._hosts[host].pid)

    def far_end(self, tap: Tap) -> FarEnd:
        """The interface at the other end of the tap's cable; of loopback, itself."""
        if tap.link is None:
            return FarEnd(self.pid(tap.host), tap.interface)
        interface = self._hosts[tap.host].nameToIntf[tap.interface]
        cable = interface.link
        other = cable.intf2 if cable.intf1 is interface else cable.intf1
        inside = other.node.inNamespace
        return FarEnd(int(other.node.pid) if inside else None, other.name)

    def _build(self) -> None:
        _PRIVATE.mkdir(exist_ok=True)
        _no_ipv6_here()
        for host in self.network.hosts:
            self._hosts[host.name] = self._mininet.addHost(host.name, ip=None)
        self._all({host.name: _NO_IPV6 for host in self.network.hosts})
        for link in self.network.links:
            self._lay(link)
        for bridge in self._bridges:
            bridge.start([])
        self._all({host.name: setup_script(self.network, host) for host in self.network.hosts})

    def _lay(self, link: Link) -> None:
        """Lay a cable between two hosts, or from each of more hosts to a bridge."""
        ends = list(self.network.attached(link.name))
        if len(ends) == 2:
            self._cable(ends[0], self._hosts[ends[1][0].name], *_port(*ends[1]))
            return
        # Mininet wants a datapath id of every switch; a bridge has no use for it.
        bridge = self._mininet.addSwitch(f"br-{link.name}", cls=LinuxBridge, dpid="1")
        self._bridges.append(bridge)
        for number, end in enumerate(ends):
            self._cable(end, bridge, f"{bridge.name}-{number}", _bridge_mac(link, number))

    def _cable(self, end: tuple[Host, int], other: MininetNode, name: str, mac: str) -> None:
        host, index = end
        own_name, own_mac = _port(host, index)
        self._mininet.addLink(
            self._hosts[host.name],
            other,
            intfName1=own_name,
            intfName2=name,
            addr1=own_mac,
            addr2=mac,
        )

    def _all(self, scripts: Mapping[str, str]) -> None:
        """Run a script on each host, all at once; LabError with what a failing one said."""
        for name, script in scripts.items():
            self._hosts[name].sendCmd(_from_file(name, script))
        for name in scripts:
            _expect_done(name, self._hosts[name].waitOutput())


def setup_script(network: Network, host: Host) -> str:
    """The shell commands that configure a host once its links are there."""
    lines = ["ip link set lo up"]
    for index, interface in enumerate(host.interfaces):
        name = host.interface_name(index)
        lines += [f"ip address add {interface.address} dev {name}", f"ip link set {name} up"]
    lines += [f"ip route add {route.to} via {route.via}" for route in host.routes]
    if host.role in (Role.ROUTER, Role.NAT):
        lines.append("echo 1 > /proc/sys/net/ipv4/ip_forward")
    lines += _resolver_lines(network, host)
    lines += _nat_lines(network, host)
    return "\n".join(lines)


def _resolver_lines(network: Network, host: Host) -> list[str]:
    """A resolv.conf of its own: without one a host would ask the machine's name servers."""
    server = network.host(host.nameserver).address if host.nameserver else None
    content = f"nameserver {server}" if server else "# this host asks nobody"
    private = _PRIVATE / f"{host.name}.resolv.conf"
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


def _mininet() -> Mininet:
    # Mininet would otherwise raise limits and system-wide settings of the machine.
    Mininet.inited = True
    return Mininet(topo=None, controller=None, build=False)


def _port(host: Host, index: int) -> tuple[str, str]:
    return host.interface_name(index), mac_of(host.interfaces[index].address.ip)


def _bridge_mac(link: Link, number: int) -> str:
    """Bridge ports have addresses of their own, so that no host's frame bears one."""
    return "02:01:" + mac_of(link.prefix.network_address + number)[6:]


_DONE = "callpath-script-done"


def _from_file(name: str, script: str) -> str:
    """A short command that runs a script of any length: Mininet types into a terminal."""
    path = _PRIVATE / f"{name}.sh"
    path.write_text(script + "\n", encoding="utf-8")
    return f"sh -e {path} && echo {_DONE}"


def _expect_done(name: str, output: str) -> None:
    if output.strip() != _DONE:
        raise LabError(f"host {name} could not be set up: {output.strip() or 'it said nothing'}")
