"""The service's transport relay: coturn (STUN and TURN over UDP, RFC 8656)."""

from topologies.processes import Program
from topologies.spec import Host

PORT = 3478


def program(host: Host, realm: str, secret: str) -> Program:
    """The relay on this host; credentials of the TURN REST kind, checked against ``secret``."""
    address = str(host.address)
    return Program(
        name=host.name,
        argv=(
            "turnserver",
            "-n",  # no configuration file of the machine
            f"--listening-ip={address}",
            f"--relay-ip={address}",
            f"--listening-port={PORT}",
            f"--realm={realm}",
            "--use-auth-secret",
            f"--static-auth-secret={secret}",
            "--fingerprint",
            "--no-tls",
            "--no-dtls",
            "--no-tcp",
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
