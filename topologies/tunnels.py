"""WireGuard tunnels: keys, configuration, and bringing an end of one up.

The kernel's WireGuard is used where the kernel has it, else wireguard-go; both
take the same configuration from wg(8). An end is made in two steps, so that a
capture can listen before the user connects: its interface, then its connection.
"""

import base64
from ipaddress import IPv4Interface, IPv4Network, ip_network
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from topologies.host_script import PRIVATE, resolver_file
from topologies.lab import Lab
from topologies.processes import PATIENCE, Processes, Program
from topologies.spec import Address, Vpn

#: Seconds between packets that keep a NAT's mapping.
_KEEPALIVE = 25

#: Routing table for what comes out of the tunnel at the gateway.
_TABLE = 100

_EVERYWHERE = IPv4Network("0.0.0.0/0")


class Tunnels:
    """The tunnels of a world: one key for each end, made anew."""

    def __init__(self, lab: Lab, processes: Processes, logs: Path) -> None:
        self._lab = lab
        self._processes = processes
        self._logs = logs
        self._keys = {
            (vpn.name, host): X25519PrivateKey.generate()
            for vpn in lab.network.vpns
            for host in vpn.ends()
        }
        for vpn in lab.network.vpns:
            for host in vpn.ends():
                self._make_interface(vpn, host)
            # The listening side first, or a client's first packets wait for seconds.
            self.connect(vpn, vpn.gateway)

    def connect(self, vpn: Vpn, host: str) -> None:
        """Configure an end: keys and peers, address, routes. LabError when that fails."""
        configuration = self._configuration(vpn, host)
        path = PRIVATE / f"{vpn.interface_of(host)}.conf"
        path.touch(mode=0o600)
        path.write_text(configuration, encoding="utf-8")
        self._lab.output_of(host, "wg", "setconf", vpn.interface_of(host), str(path))
        if host == vpn.gateway:
            _attach_gateway(self._lab, vpn)
            return
        _attach_client(self._lab, vpn, host)
        self._processes.wait(
            lambda: self._has_shaken_hands(vpn, host), PATIENCE, f"{host}'s tunnel", every=0.02
        )

    def _has_shaken_hands(self, vpn: Vpn, host: str) -> bool:
        """Whether the gateway has answered, and so knows where the client is."""
        told = self._lab.output_of(host, "wg", "show", vpn.interface_of(host), "latest-handshakes")
        return any(line.split()[-1] != "0" for line in told.splitlines())

    def _make_interface(self, vpn: Vpn, host: str) -> None:
        name = vpn.interface_of(host)
        links = self._lab.links(host)
        if not links.add_wireguard(name):
            self._start_userspace(host, name)
        links.up(name, mtu=vpn.mtu)

    def _start_userspace(self, host: str, name: str) -> None:
        program = Program(
            name=name,
            argv=("wireguard-go", "-f", name),
            ready="UAPI listener started",
            environment={
                "LOG_LEVEL": "verbose",
                # It asks for this where it believes that the kernel's would do.
                "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1",
            },
        )
        log = self._logs / f"{name}.log"
        self._processes.wait_ready([self._lab.spawn(host, program, log, log)])

    def _configuration(self, vpn: Vpn, host: str) -> str:
        if host == vpn.gateway:
            peers = [
                _peer(self._public(vpn, client.host), f"{client.address}/32")
                for client in vpn.clients
            ]
            return _interface(self._private(vpn, host), f"ListenPort = {vpn.port}") + "".join(peers)
        outside = _outside_address(self._lab, vpn)
        allowed = ", ".join(str(prefix) for prefix in (*vpn.tunnelled, f"{vpn.gateway_address}/32"))
        # A client behind a NAT must begin, and go on, or the gateway cannot reach it.
        endpoint = f"Endpoint = {outside}:{vpn.port}\nPersistentKeepalive = {_KEEPALIVE}"
        peer = _peer(self._public(vpn, vpn.gateway), allowed, endpoint)
        return _interface(self._private(vpn, host)) + peer

    def _private(self, vpn: Vpn, host: str) -> str:
        return base64.b64encode(self._keys[vpn.name, host].private_bytes_raw()).decode()

    def _public(self, vpn: Vpn, host: str) -> str:
        return base64.b64encode(self._keys[vpn.name, host].public_key().public_bytes_raw()).decode()


def _attach_gateway(lab: Lab, vpn: Vpn) -> None:
    """Address and routes of the gateway's end."""
    links, name = lab.links(vpn.gateway), vpn.interface_of(vpn.gateway)
    links.add_address(name, IPv4Interface((vpn.gateway_address, vpn.pool.prefixlen)))
    # What comes out of the tunnel leaves by the inner leg, never by the public one,
    # so that the firewall there sees all of it.
    links.route_via(_EVERYWHERE, _next_hop(lab, vpn), _TABLE)
    links.look_up_from(name, _TABLE)


def _attach_client(lab: Lab, vpn: Vpn, host: str) -> None:
    """Address, routes and name server of a client's end."""
    links, name = lab.links(host), vpn.interface_of(host)
    links.add_address(name, IPv4Interface(vpn.ends()[host]))
    links.route_into(IPv4Network(vpn.gateway_address), name)
    if _EVERYWHERE in vpn.tunnelled:
        _keep_way_to_gateway(lab, vpn, host)
    for prefix in vpn.tunnelled:
        links.route_into(prefix, name)
    server = lab.network.host(vpn.nameserver).address
    resolver_file(host).write_text(f"nameserver {server}\n", encoding="ascii")


def _next_hop(lab: Lab, vpn: Vpn) -> Address:
    """The other router on the gateway's inner link."""
    return next(
        host.interfaces[index].address.ip
        for host, index in lab.network.attached(vpn.inside)
        if host.name != vpn.gateway
    )


def _keep_way_to_gateway(lab: Lab, vpn: Vpn, host: str) -> None:
    """With everything tunnelled, the tunnel's own packets still need their way outside."""
    gateway = _outside_address(lab, vpn)
    for route in lab.network.host(host).routes:
        lab.links(host).route_via(ip_network(gateway), route.via)


def _outside_address(lab: Lab, vpn: Vpn) -> Address:
    """Where the gateway listens."""
    interfaces = lab.network.host(vpn.gateway).interfaces
    return next(i.address.ip for i in interfaces if i.link == vpn.outside)


def _interface(private_key: str, more: str = "") -> str:
    return f"[Interface]\nPrivateKey = {private_key}\n{more}\n"


def _peer(public_key: str, allowed: str, more: str = "") -> str:
    return f"[Peer]\nPublicKey = {public_key}\nAllowedIPs = {allowed}\n{more}\n"
