"""The packet filter of a NAT router, as text for nft(8).

``masquerade`` gives endpoint-independent mapping with address-and-port-dependent
filtering (RFC 4787; measured, see DESIGN.md). New input from outside must be
dropped: otherwise an early packet from a peer makes a local conntrack entry,
and the NAT changes the port of the client's own packet to the same peer.
"""


def ruleset(inside: str, outside: str) -> str:
    """Rules for a router whose interfaces are ``inside`` and ``outside``."""
    return f"""
table ip callpath {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "{outside}" counter masquerade
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{outside}" ct state new counter drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    ct state established,related counter accept
    iifname "{inside}" oifname "{outside}" counter accept
  }}
}}
"""
