"""The packet filter of a NAT router, as text for nft(8), and its counters.

``masquerade`` gives endpoint-independent mapping, ``masquerade fully-random`` a
mapping of its own for each peer; both filter by the peer's address and port
(RFC 4787; measured, see DESIGN.md). New input from outside must be dropped:
otherwise an early packet from a peer makes a local conntrack entry, and the NAT
changes the port of the client's own packet to the same peer.
"""

import json

from topologies.spec import Nat

_MASQUERADE = {Nat.ENDPOINT_INDEPENDENT: "masquerade", Nat.SYMMETRIC: "masquerade fully-random"}


def ruleset(inside: str, outside: str, kind: Nat) -> str:
    """Rules for a router whose interfaces are ``inside`` and ``outside``."""
    return f"""
table ip callpath {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "{outside}" counter {_MASQUERADE[kind]} comment "translated"
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{outside}" ct state new counter drop comment "unsolicited_to_router"
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related counter accept comment "established"
    iifname "{inside}" oifname "{outside}" counter accept comment "outward"
    iifname "{outside}" counter drop comment "unsolicited"
  }}
}}
"""


#: Prints the rules with their counters, for :func:`counters`.
LIST_COMMAND = ("nft", "--json", "list", "table", "ip", "callpath")


def counters(listing: str) -> dict[str, int]:
    """Packets counted by each rule, by its comment; ``listing`` is what LIST_COMMAND prints."""
    rules = [item["rule"] for item in json.loads(listing)["nftables"] if "rule" in item]
    return {rule["comment"]: _packets(rule["expr"]) for rule in rules}


def _packets(expressions: list[dict[str, dict[str, int]]]) -> int:
    return next(e["counter"]["packets"] for e in expressions if "counter" in e)
