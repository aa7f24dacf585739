"""The networks whose ways out are measured: what the office's inner router does to packets."""

from topologies.parts import attached_to, default_route
from topologies.reference import office_and_homes
from topologies.spec import Host, Network, Proxy, Role, Segment

#: Who gathers, the router that stops packets, and the office's HTTP proxy.
CLIENT, ROUTER, PROXY = "alice", "core", "proxy"

#: What does not get out -> how nftables says it.
STOPPED = {
    "nothing": "",
    "UDP": "meta l4proto udp",
    "UDP, where the relay offers TLS": "meta l4proto udp",
    "all but by the proxy": "ip saddr 10.10.0.11 ip protocol { tcp, udp }",
}

#: What does not get out -> what the service offers, where that is not all.
OFFERED = {"UDP, where the relay offers TLS": ("udp", "tls")}

#: How packets are stopped -> what the router does; a rejected one is answered (RFC 1812, 5.2.7.1).
HOW = {"dropped": "drop", "rejected": "reject with icmp type admin-prohibited"}


def network() -> Network:
    """The office and two homes, with a proxy whose users may also ask for names themselves."""
    plain = office_and_homes()
    proxy = Host(
        name=PROXY,
        role=Role.PROXY,
        segment=Segment.CUSTOMER,
        interfaces=attached_to(head="10.10.0.80/24"),
        routes=(default_route("10.10.0.1"),),
        nameserver="resolver",
    )
    return plain.model_copy(
        update={"hosts": (*plain.hosts, proxy), "proxies": (Proxy(host=PROXY),)}
    )


def rules(stopped: str, how: str) -> str:
    """What the router is told: a table in the way of what it forwards, DNS aside."""
    rule = f"{STOPPED[stopped]} {HOW[how]};" if STOPPED[stopped] else ""
    kept = "udp dport 53 accept; udp sport 53 accept;"
    chain = f"chain way {{ type filter hook forward priority 0; {kept} {rule} }}"
    return f"table ip ways {{ {chain}; }}"
