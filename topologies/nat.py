"""The packet filter of a NAT router, as text for nft(8), and its counters.

Endpoint-independent mapping needs a table of its own: ``masquerade`` alone keeps
the source port wherever that is free *toward the peer at hand*, so two users on
one source port get one external port when they talk to different peers ("port
overloading", RFC 4787 REQ-3), and another one as soon as they talk to the same.
``masquerade fully-random`` takes another port for each peer. Both kinds filter by
the peer's address and port, as connection tracking does.

IPv6 is not translated (there is no NAT66 here): the same filter stands alone, as that of a
stateful router (RFC 6092, section 3.2). Neighbour discovery is no connection, and errors are
related to one, so both pass (RFC 4890).

New input from outside must be dropped: otherwise an early packet from a peer
makes a local conntrack entry, and the client's own packet to that peer cannot
keep its port.
"""

import json
from collections import Counter
from collections.abc import Iterable

from topologies.shaping import police_rule, queue_chain
from topologies.spec import Inspection, Nat, Shaper

#: A mapping lasts five minutes from its last new peer (RFC 4787 REQ-5 recommends as much);
#: what goes on in it lives on in connection tracking. The ports are counted in the
#: machine's byte order: from 1028 on, the first 252 are above 1023 in the network's, too.
_ENDPOINT_INDEPENDENT = """
  map bindings {{
    type ipv4_addr . inet_service : inet_service
    size 65535
    flags dynamic, timeout
    timeout 5m
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "{outside}" meta l4proto udp \\
      update @bindings {{ ip saddr . udp sport : numgen inc mod 64508 offset 1028 }}
    oifname "{outside}" meta l4proto udp counter \\
      masquerade to : ip saddr . udp sport map @bindings comment "translated"
    oifname "{outside}" counter masquerade comment "translated"
  }}"""

_SYMMETRIC = """
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "{outside}" counter masquerade fully-random comment "translated"
  }}"""

_TRANSLATION = {Nat.ENDPOINT_INDEPENDENT: _ENDPOINT_INDEPENDENT, Nat.SYMMETRIC: _SYMMETRIC}


_FILTER = """
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{outside}" ct state new counter drop comment "unsolicited_to_router"
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;{police}
    ct state established,related counter accept comment "established"
    iifname "{inside}" oifname {{ {beyond} }} counter accept comment "outward"
    iifname "{outside}" counter drop comment "unsolicited"
  }}"""


def ruleset(
    inside: str,
    outside: str,
    kind: Nat,
    shaper: Shaper | None = None,
    inspection: Inspection | None = None,
) -> str:
    """IPv4's rules for a router whose interfaces are ``inside`` and ``outside``."""
    translation = _TRANSLATION[kind].format(outside=outside) + _interception(inside, inspection)
    return _table("ip", translation + _filter(inside, outside, [outside], shaper))


def ruleset_of_ipv6(
    inside: str, outside: str, translator: str | None = None, shaper: Shaper | None = None
) -> str:
    """IPv6's rules for a router: it filters as it does IPv4, and translates nothing.

    ``translator`` is the interface of its NAT64: where IPv4 begins, which has its own rules.
    """
    beyond = [outside, translator] if translator else [outside]
    return _table("ip6", _filter(inside, outside, beyond, shaper))


def _filter(inside: str, outside: str, beyond: Iterable[str], shaper: Shaper | None) -> str:
    """What both families have: the filter, and the shaper, which polices each on its own."""
    shaper = shaper or Shaper()
    chains = _FILTER.format(
        inside=inside,
        outside=outside,
        beyond=", ".join(f'"{one}"' for one in beyond),
        police=police_rule(outside, shaper),
    )
    return queue_chain(outside, shaper) + chains


def _table(family: str, chains: str) -> str:
    return f"""
table {family} callpath {{{chains}
}}
"""


#: Counts the connections that are taken to the box.
INTERCEPTED = "intercepted"


def _interception(inside: str, inspection: Inspection | None) -> str:
    """A chain that takes HTTPS from inside to the box in the router itself, or nothing."""
    if inspection is None:
        return ""
    return f"""
  chain interception {{
    type nat hook prerouting priority dstnat;
    iifname "{inside}" tcp dport 443 counter redirect to :{inspection.port} \\
      comment "{INTERCEPTED}"
  }}"""


#: Prints the rules of both families with their counters, for :func:`counters`.
LIST_COMMAND = ("nft", "--json", "list", "ruleset")


def counters(listing: str) -> dict[str, int]:
    """Packets counted under each comment, of both families; LIST_COMMAND prints ``listing``."""
    counted: Counter[str] = Counter()
    for item in json.loads(listing)["nftables"]:
        rule = item.get("rule", {})
        for expression in rule.get("expr", ()):
            if "counter" in expression:
                counted[rule["comment"]] += expression["counter"]["packets"]
    return dict(counted)
