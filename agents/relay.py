"""The service's transport relay: coturn (STUN and TURN over UDP, TCP and TLS, RFC 8656).

On one port coturn takes both plain TCP and TLS, and tells them apart by the first byte.
TLS is what the service asks for everywhere (agents/tls.py); Debian's coturn ends at TLS 1.2.

Whoever may use the relay could reach with it whatever the relay reaches. So it
refuses peers (403, RFC 8656 section 9.2) that are not out on the internet:
private and other special ranges, and the service's own servers. Its own addresses and
those of the other regions' relays are allowed: two clients that both need a relay meet
there, relayed address to relayed address.
"""

from collections.abc import Iterable
from pathlib import Path

from agents import tls
from topologies.processes import Program
from topologies.spec import Address, Host

PORT = 3478

#: The port for TCP and TLS: the one that perimeters leave open for the web.
STREAM_PORT = 443

#: Transport -> the form of a URI (RFC 7065) for the relay of a domain.
_URIS = {
    "udp": f"turn:{{domain}}:{PORT}?transport=udp",
    "tcp": f"turn:{{domain}}:{STREAM_PORT}?transport=tcp",
    "tls": f"turns:{{domain}}:{STREAM_PORT}?transport=tcp",
}

#: Relayed addresses have ports of this range (RFC 8656 section 7.2 recommends it).
RELAYED_PORTS = (49152, 65535)

#: Allocations that one user may hold at once, over all credentials of that user: several
#: calls of one or two each, and those that ended a moment ago.
USER_QUOTA = 20

#: Allocations of all users together: 60 users at their quota, 7 % of the relayed ports.
TOTAL_QUOTA = 1200

#: Nobody is reached at these from the internet (RFC 6890): this network, private, shared,
#: loopback, link-local; of IPv6 loopback, unique local, link-local. Multicast and broadcast
#: coturn refuses by itself. A range that began with :: would hold all of IPv4 for coturn.
_NOT_ON_THE_INTERNET = (
    "0.0.0.0-0.255.255.255",
    "10.0.0.0-10.255.255.255",
    "100.64.0.0-100.127.255.255",
    "127.0.0.0-127.255.255.255",
    "169.254.0.0-169.254.255.255",
    "172.16.0.0-172.31.255.255",
    "192.168.0.0-192.168.255.255",
    "::1",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)


def uris(domain: str, transports: Iterable[str] = tuple(_URIS)) -> list[str]:
    """Where a relay is asked for what (RFC 7064, RFC 7065), in order of preference."""
    offered = [_URIS[transport].format(domain=domain) for transport in transports]
    return [f"stun:{domain}:{PORT}", *offered]


def program(
    host: Host,
    realm: str,
    secret: str,
    certificate: Path,
    refused: Iterable[Address] = (),
    relays: Iterable[Address] = (),
) -> Program:
    """The relay on this host; credentials of the TURN REST kind, checked against ``secret``.

    ``certificate`` is a file with its key and certificate for TLS; ``refused`` are the
    service's own servers, which nobody shall reach through it; ``relays`` are those of all
    regions.
    """
    own = [str(address) for address in host.addresses]
    denied = (*_NOT_ON_THE_INTERNET, *map(str, refused))
    return Program(
        name=host.name,
        argv=(
            "turnserver",
            "-n",  # no configuration file of the machine
            *(f"--listening-ip={address}" for address in own),
            *(f"--relay-ip={address}" for address in own),
            f"--listening-port={PORT}",
            f"--tls-listening-port={STREAM_PORT}",
            f"--cert={certificate}",
            f"--pkey={certificate}",
            f"--cipher-list={tls.CIPHERS}",
            "--no-tlsv1",
            "--no-tlsv1_1",
            f"--min-port={RELAYED_PORTS[0]}",
            f"--max-port={RELAYED_PORTS[1]}",
            f"--realm={realm}",
            "--use-auth-secret",
            f"--static-auth-secret={secret}",
            f"--user-quota={USER_QUOTA}",
            f"--total-quota={TOTAL_QUOTA}",
            # coturn looks at what is allowed first: this wins over every denied range.
            *(f"--allowed-peer-ip={peers}" for peers in dict.fromkeys((*own, *map(str, relays)))),
            *(f"--denied-peer-ip={peers}" for peers in denied),
            "--fingerprint",
            "--no-dtls",
            "--no-tcp-relay",
            "--no-cli",
            "--no-multicast-peers",
            "--log-file=stdout",
            "--simple-log",
            "--pidfile=",
            "--userdb=/run/callpath/turndb",
            "--relay-threads=1",
        ),
        # Its last word at start; the listeners are open by then.
        ready=r"IO method \(admin thread\)",
    )
