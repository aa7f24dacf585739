"""Whether what rules counted agrees with the packets that the captures show them refuse.

A refusing rule counts every packet (an allowing one only connections), so each
packet that a firewall or a NAT router is said to have refused is in the rule's
counter; and where a rule refuses nothing but UDP, nothing else is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from controllers.policy import Policy
from controllers.words import Action, Protocol
from results.fates import Fates
from results.paths import Path
from results.problems import Ground, Problem
from results.schema import Ending, Run

#: Device -> rule -> packets.
Counted = Mapping[str, Mapping[str, int]]


def counted_by_rules(ending: Ending | None) -> Counted:
    """The counters of firewalls and NAT routers; empty where a run has none."""
    return {**ending.firewalls, **ending.nats} if ending else {}


def counter_problems(
    run: Run, counted: Counted, fates: Fates, udp: Iterable[Path], end: int
) -> Iterator[Problem]:
    """Rules whose counters say something else than the captures.

    What was under way after ``end`` (ns), when the first tap had its last canary, may
    only seem refused: taps end one after the other.
    """
    for device in run.policies:
        if device not in counted:
            text = f"{device} enforces a policy, but ending.json has no counters of its rules"
            yield Problem(Ground.COUNTERS, text)
    found = list(_refused(fates, udp, counted))
    refused = Counter(rule for rule, _ in found)
    surely = Counter(rule for rule, time in found if time < end)
    exact = {(name, rule) for name, policy in run.policies.items() for rule in _udp_only(policy)}
    for device, rule in sorted({*refused, *exact}):
        seen, count = surely[device, rule], counted.get(device, {}).get(rule, 0)
        most = refused[device, rule] if (device, rule) in exact else count
        wrong = not seen <= count <= most
        if wrong and device in counted:
            yield Problem(
                Ground.COUNTERS,
                f"rule {rule} of {device} counted {_packets(count)}, "
                f"but the captures show {seen} that it refused",
            )


def _refused(
    fates: Fates, udp: Iterable[Path], counted: Counted
) -> Iterator[tuple[tuple[str, str], int]]:
    """Device and counting rule of each packet that one refused, and when it was seen last."""
    for path in udp:
        fate = None if path.complete else fates.of(path)
        if fate and fate.by and fate.rule and fate.by in counted:
            yield (fate.by, fate.rule), path.last.time


def _udp_only(policy: Policy) -> Iterator[str]:
    """The rules that refuse nothing but UDP."""
    for rule in policy.rules:
        if rule.action is Action.DENY and rule.protocol is Protocol.UDP:
            yield rule.name


def _packets(count: int) -> str:
    return "1 packet" if count == 1 else f"{count} packets"
