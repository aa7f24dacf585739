"""A packet shaper in a NAT router: what of UDP exceeds a rate is dropped, or waits.

Policing is a rule of the packet filter, a token bucket that drops what is over its rate.
A queue is a class of HTB at the outer interface: the packet filter marks what belongs to
it, so that nothing else (TCP, ARP) waits there. Both count what they drop.
"""

import json
from collections.abc import Iterator
from typing import Any

from topologies.spec import Shaper

#: The rules under which drops are counted.
POLICED, QUEUE_FULL = "over_the_rate", "queue_full"

#: The class of HTB, which packets name in their priority, and the queue in it.
_CLASS, _QUEUE = "1:10", "10:"


def police_rule(outside: str, shaper: Shaper) -> str:
    """A rule for the forward chain, ahead of the one that lets answers pass; or nothing.

    What answers nobody is not policed but refused, and counted there.
    """
    if shaper.police_packets is None:
        return ""
    # The bucket of a rate in bytes would hold a whole second of it.
    return (
        f'\n    iifname "{outside}" meta l4proto udp ct state established '
        f"limit rate over {shaper.police_packets}/second burst {shaper.burst_packets} packets "
        f'counter drop comment "{POLICED}"'
    )


def queue_chain(outside: str, shaper: Shaper) -> str:
    """A chain that has UDP wait for its turn, or nothing."""
    if shaper.queue_kbit is None:
        return ""
    return f"""
  chain shaping {{
    type filter hook postrouting priority mangle;
    oifname "{outside}" meta l4proto udp meta priority set {_CLASS}
  }}"""


def queue_commands(outside: str, shaper: Shaper) -> Iterator[str]:
    """Shell commands that make the queue, if there is to be one."""
    if shaper.queue_kbit is None:
        return
    rate = f"{shaper.queue_kbit}kbit"
    yield f"tc qdisc add dev {outside} root handle 1: htb"
    yield (
        f"tc class add dev {outside} parent 1: classid {_CLASS} "
        f"htb rate {rate} ceil {rate} burst {shaper.burst_bytes} quantum 1514"
    )
    yield (
        f"tc qdisc add dev {outside} parent {_CLASS} handle {_QUEUE} "
        f"bfifo limit {shaper.queue_bytes}"
    )


def list_command(outside: str) -> tuple[str, ...]:
    """Prints the queue with its counters, for :func:`dropped`."""
    return ("tc", "-json", "-s", "qdisc", "show", "dev", outside)


def dropped(listing: str) -> int:
    """Packets for which the queue had no room; ``listing`` is what list_command prints."""
    told: list[dict[str, Any]] = json.loads(listing)
    return sum(int(one["drops"]) for one in told if one["handle"] == _QUEUE)
