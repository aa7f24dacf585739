"""Brings a network up with Mininet: hosts, links, addresses, routes, NAT.

Runs inside a world (:mod:`topologies.world`), where it may do as it likes: the
namespaces are private. The only importer of mininet.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mininet.cli import CLI
from mininet.link import Intf
from mininet.net import Mininet
from mininet.node import Host as MininetHost
from mininet.node import Node as MininetNode
from mininet.node import OVSSwitch, Switch

from topologies import ovs
from topologies.host_script import PRIVATE, ipv6_script, setup_script
from topologies.links import Links
from topologies.processes import PATIENCE, Process, Processes, Program
from topologies.spec import Firewall, Host, Link, Network, Tap, mac_of

#: IPv6 is off where nobody asks for it: its multicast fills backlogs. Interfaces made later
#: inherit it. A kernel may have none.
_NO_IPV6 = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $f ] || echo 1 > $f; done"


def _make_ready() -> None:
    """Prepare the world's own namespace, in which the switches are."""
    PRIVATE.mkdir(exist_ok=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for setting in Path("/proc/sys/net/ipv6/conf").glob("*/disable_ipv6"):
        setting.write_text("1")


class LabError(Exception):
    """The network could not be brought up. Speaks to a person."""


class LinuxBridge(Switch):  # type: ignore[misc]
    """A LAN switch: a bridge of the kernel, without spanning tree or multicast snooping."""

    def start(self, _controllers: object) -> None:
        """Make the bridge and attach every port."""
        ports = [intf.name for intf in _ports(self)]
        script = [
            f"ip link add {self.name} type bridge stp_state 0 mcast_snooping 0",
            *(f"ip link set {port} master {self.name}" for port in ports),
            _up([*ports, self.name]),
        ]
        _expect_done(self.name, self.cmd(_from_file(self.name, "\n".join(script))))

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803 - Mininet's name
        """Nothing to do: the world's end removes the bridge."""


class Line(Switch):  # type: ignore[misc]
    """The middle of an impaired cable: two interfaces; :mod:`topologies.lines` connects them."""

    def start(self, _controllers: object) -> None:
        """Set both up."""
        ports = [intf.name for intf in _ports(self)]
        _expect_done(self.name, self.cmd(_from_file(self.name, _up(ports))))

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803 - Mininet's name
        """Nothing to do: the world's end removes the interfaces."""


class FirewallSwitch(OVSSwitch):  # type: ignore[misc]
    """A firewall in line: an Open vSwitch bridge that forwards nothing unless it is told to."""

    def __init__(self, name: str, **parameters: object) -> None:
        super().__init__(
            name,
            datapath=ovs.datapath(),
            protocols="OpenFlow13",
            failMode="secure",
            **parameters,
        )

    def start(self, controllers: list[object]) -> None:
        """Make the bridge and attach every port."""
        super().start(controllers)
        ports = [intf.name for intf in _ports(self)]
        _expect_done(self.name, self.cmd(_from_file(self.name, _up(ports))))
        attached = ovs.ask("ovs-vsctl", "list-ports", self.name).split()
        if sorted(attached) != sorted(ports):
            raise LabError(f"firewall {self.name} has the ports {attached} instead of {ports}")


@dataclass(frozen=True)
class FarEnd:
    """The other end of a tapped link: an interface, and a process that lives in its namespace.

    ``pid`` is None for the world's own namespace, where the bridges are.
    """

    pid: int | None
    interface: str


@dataclass(frozen=True)
class LaidLine:
    """The middle of an impaired cable: its ports, and the interfaces that these are cabled to.

    The first of each is toward the host that is attached to the link first.
    """

    ports: tuple[str, str]
    ends: tuple[FarEnd, FarEnd]


class Lab:
    """A network that is up. The namespaces go with the world, so there is nothing to stop."""

    def __init__(
        self, network: Network, processes: Processes, enforced: Collection[str] = ()
    ) -> None:
        """Build it; ``enforced`` names the firewalls that are not plain cables.

        These need Open vSwitch (:func:`topologies.ovs.start`), and forward nothing
        until :meth:`connect_firewalls`; nor do impaired cables until they are connected
        (:mod:`topologies.lines`).
        """
        self.network = network
        self._processes = processes
        self._enforced = {f.link: f for f in network.firewalls if f.name in enforced}
        self._mininet = _mininet()
        self._hosts: dict[str, MininetHost] = {}
        self._links: dict[str, Links] = {}
        self._switches: list[Switch] = []
        self._lines: dict[str, Line] = {}
        _make_ready()
        self._build()

    def spawn(self, host: str, program: Program, events: Path, log: Path) -> Process:
        """Start a program on a host: the one way in (see :mod:`topologies.processes`)."""
        return self._processes.spawn(program, self._hosts[host].pid, events, log)

    def attach(self, host: str, program: Program, stdio: Sequence[int]) -> Process:
        """Start somebody's program on a host, on somebody's standard input, output and error."""
        return self._processes.attach(program, self.pid(host), stdio)

    def prompt(self, stdio: Sequence[int]) -> None:
        """Mininet's own prompt, on somebody's standard input, output and error."""
        with _standard_streams(stdio):
            CLI(self._mininet)

    def pid(self, host: str) -> int:
        """A process that lives in the host's namespaces for as long as the lab does."""
        return int(self._hosts[host].pid)

    def links(self, host: str) -> Links:
        """Links, addresses, routes and counters of a host."""
        return self._links[host]

    def far_end(self, tap: Tap) -> FarEnd:
        """The interface at the other end of the tap's cable; of loopback, itself."""
        if tap.link is None:
            return FarEnd(self.pid(tap.host), tap.interface)
        other = _other_end(self._hosts[tap.host].nameToIntf[tap.interface])
        if isinstance(other.node, Line):
            (beyond,) = (port for port in _ports(other.node) if port is not other)
            other = _other_end(beyond)
        return _far_end(other)

    def line(self, link: str) -> LaidLine:
        """The middle of an impaired cable."""
        first, second = _ports(self._lines[link])
        ends = _far_end(_other_end(first)), _far_end(_other_end(second))
        return LaidLine((first.name, second.name), ends)

    def connect_firewalls(self, controller: tuple[str, int]) -> None:
        """Connect the firewalls to their controller, which must be listening at this address."""
        for link in self._enforced:
            ovs.ask("ovs-vsctl", "set-controller", f"fw-{link}", "tcp:{}:{}".format(*controller))

    def rule_counters(self, firewall: str) -> dict[int, int]:
        """Packets that each cookie of an enforced firewall has counted; settle OVS first."""
        return ovs.counters(f"fw-{self.network.firewall(firewall).link}")

    def output_of(self, host: str, *command: str) -> str:
        """What a short command prints on a host; LabError when it fails."""
        within = ("mnexec", "-a", str(self.pid(host)), *command)
        done = subprocess.run(within, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(command)} failed on {host}: {done.stderr.strip()}")
        return done.stdout

    def _build(self) -> None:
        for host in self.network.hosts:
            self._hosts[host.name] = self._mininet.addHost(host.name, ip=None)
        self._all({host.name: _NO_IPV6 for host in self.network.hosts})
        for link in self.network.links:
            self._lay(link)
        for switch in (*self._switches, *self._lines.values()):
            switch.start([])
        self._all({host.name: ipv6_script(host) for host in self.network.hosts if host.has_ipv6})
        for host in self.network.hosts:
            self._links[host.name] = Links(host.name, self.pid(host.name))
            _configure(self._links[host.name], host)
        self._all({host.name: setup_script(self.network, host) for host in self.network.hosts})

    def _lay(self, link: Link) -> None:
        """Lay a cable between two hosts, or from each host to a switch in their midst."""
        ends = list(self.network.attached(link.name))
        firewall = self._enforced.get(link.name)
        if len(ends) == 2 and firewall is None:
            far_host, *port = ends[1][0], *_port(*ends[1])
            self._cable(link, ends[0], self._hosts[far_host.name], *port)
            return
        switch = self._add_switch(link, firewall)
        self._switches.append(switch)
        for number, end in enumerate(ends, 1):
            self._cable(link, end, switch, f"{switch.name}-{number}", _switch_mac(link, number))

    def _add_switch(self, link: Link, firewall: Firewall | None) -> Switch:
        if firewall is None:
            # Mininet wants a datapath id of every switch; a bridge has no use for it.
            return self._mininet.addSwitch(f"br-{link.name}", cls=LinuxBridge, dpid="1")
        dpid = f"{ovs.datapath_id(self.network, firewall):x}"
        return self._mininet.addSwitch(f"fw-{link.name}", cls=FirewallSwitch, dpid=dpid)

    def _cable(
        self, link: Link, end: tuple[Host, int], other: MininetNode, name: str, mac: str
    ) -> None:
        """Lay a cable from a host; the first one of an impaired link has a line in its middle."""
        host, index = end
        own, port = self._hosts[host.name], _port(host, index)
        if link.impairments and link.name not in self._lines:
            line = self._lines[link.name] = self._mininet.addSwitch(
                f"dl-{link.name}", cls=Line, dpid="1"
            )
            near, far = ((f"{line.name}-{number}", _line_mac(link, number)) for number in (1, 2))
            self._connect(own, port, line, near)
            own, port = line, far
        self._connect(own, port, other, (name, mac))

    def _connect(
        self, one: MininetNode, port: tuple[str, str], other: MininetNode, far: tuple[str, str]
    ) -> None:
        """Two nodes by a cable; ports are names and MAC addresses."""
        self._mininet.addLink(
            one, other, intfName1=port[0], intfName2=far[0], addr1=port[1], addr2=far[1]
        )

    def _all(self, scripts: Mapping[str, str]) -> None:
        """Run a script on each host, all at once; LabError with what a failing one said."""
        for name, script in scripts.items():
            self._hosts[name].sendCmd(_from_file(name, script))
        for name in scripts:
            _expect_done(name, self._hosts[name].waitOutput())


def _configure(links: Links, host: Host) -> None:
    """Set a host's interfaces up with their addresses, then its routes, which need these."""
    links.up("lo")
    for index, interface in enumerate(host.interfaces):
        for address in interface.addresses:
            links.add_address(host.interface_name(index), address)
        links.up(host.interface_name(index))
    for route in host.routes:
        links.route_via(route.to, route.via)


def _up(interfaces: list[str]) -> str:
    return "\n".join(f"ip link set {name} up" for name in interfaces)


@contextmanager
def _standard_streams(stdio: Sequence[int]) -> Iterator[None]:
    """Have these descriptors stand in for ours for a while."""
    own = [os.dup(number) for number in range(3)]
    sys.stdout.flush()
    try:
        for number, descriptor in enumerate(stdio):
            os.dup2(descriptor, number)
        yield
    finally:
        sys.stdout.flush()
        for number, descriptor in enumerate(own):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _mininet() -> Mininet:
    # Mininet would otherwise raise limits and system-wide settings of the machine.
    Mininet.inited = True
    return Mininet(topo=None, controller=None, build=False)


def _port(host: Host, index: int) -> tuple[str, str]:
    return host.interface_name(index), mac_of(host.interfaces[index].address.ip)


def _switch_mac(link: Link, number: int) -> str:
    """Ports of switches have addresses of their own, so that no host's frame bears one."""
    return "02:01:" + mac_of(link.prefix.network_address + number)[6:]


def _line_mac(link: Link, number: int) -> str:
    return "02:02:" + _switch_mac(link, number)[6:]


def _ports(switch: Switch) -> list[Intf]:
    return [intf for intf in switch.intfList() if intf.name != "lo"]


def _other_end(interface: Intf) -> Intf:
    cable = interface.link
    return cable.intf2 if cable.intf1 is interface else cable.intf1


def _far_end(interface: Intf) -> FarEnd:
    inside = interface.node.inNamespace
    return FarEnd(int(interface.node.pid) if inside else None, interface.name)


_DONE = "callpath-script-done"


def _from_file(name: str, script: str) -> str:
    """A short command that runs a script of any length: Mininet types into a terminal."""
    path = PRIVATE / f"{name}.sh"
    path.write_text(script + "\n", encoding="utf-8")
    return f"sh -e {path} && echo {_DONE}"


def _expect_done(name: str, output: str) -> None:
    if output.strip() != _DONE:
        raise LabError(f"host {name} could not be set up: {output.strip() or 'it said nothing'}")
