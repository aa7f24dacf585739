"""The service's transport relay: coturn (STUN and TURN over UDP, RFC 8656).

Whoever may use the relay could reach with it whatever the relay reaches. So it
refuses peers (403, RFC 8656 section 9.2) that are not out on the internet:
private and other special ranges, and the service's own servers. Its own addresses
are allowed: two clients that both need it meet there, relayed address to relayed
address.
"""

from collections.abc import Iterable

from topologies.processes import Program
from topologies.spec import Address, Host

PORT = 3478

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


def program(host: Host, realm: str, secret: str, refused: Iterable[Address] = ()) -> Program:
    """The relay on this host; credentials of the TURN REST kind, checked against ``secret``.

    ``refused`` are the service's own servers, which nobody shall reach through it.
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
            f"--min-port={RELAYED_PORTS[0]}",
            f"--max-port={RELAYED_PORTS[1]}",
            f"--realm={realm}",
            "--use-auth-secret",
            f"--static-auth-secret={secret}",
            f"--user-quota={USER_QUOTA}",
            f"--total-quota={TOTAL_QUOTA}",
            # coturn looks at what is allowed first: this wins over every denied range.
            *(f"--allowed-peer-ip={address}" for address in own),
            *(f"--denied-peer-ip={peers}" for peers in denied),
            "--fingerprint",
            "--no-tls",
            "--no-dtls",
            "--no-tcp",
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
