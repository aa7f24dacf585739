"""NAT64: how hosts with IPv6 alone reach what has IPv4 alone (RFC 6146), by tayga.

tayga translates without state (RFC 7915) and in user space, between the kernel and a TUN
interface of the router: each user becomes one address of a pool. From there on the router is the
NAT that it is for IPv4 anyway, so that all share its public address. IPv4 addresses lie in the
last 32 bits of a prefix (RFC 6052, section 2.2); the forwarder makes up such addresses for names
that have none of IPv6 (DNS64, RFC 6147). The prefix is the network's own: with the well-known one,
64:ff9b::/96, tayga refuses documentation addresses, which are not global.
"""

from ipaddress import IPv6Network

from topologies.processes import Program

#: tayga's interface on the router.
DEVICE = "nat64"

#: What users are translated to; seen on the router alone. The first is tayga's own.
_POOL, _OWN = "192.168.64.0/24", "192.168.64.1"


def program(host: str, config: str) -> Program:
    """Tayga on a router, with the configuration of :func:`script`; it writes line by line."""
    argv = ("stdbuf", "-oL", "tayga", "-d", "-c", config)
    return Program(name=host, argv=argv, ready="^Dynamic pool: ")


def script(prefix: IPv6Network, config: str) -> str:
    """The shell commands that make the interface and lead packets into it.

    Packets get no fragment header where they fit without one: what has it, though whole, some
    firewalls drop.
    """
    return f"""cat > {config} <<'EOF'
tun-device {DEVICE}
ipv4-addr {_OWN}
prefix {prefix}
dynamic-pool {_POOL}
strict-frag-hdr off
EOF
tayga -c {config} --mktun > /dev/null
echo 0 > /proc/sys/net/ipv6/conf/{DEVICE}/disable_ipv6
ip link set {DEVICE} up
ip route add {_POOL} dev {DEVICE}
ip route add {prefix} dev {DEVICE}"""
