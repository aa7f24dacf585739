"""Whether what rules counted agrees with the packets that the captures show them refuse.

A refusing rule counts every packet (an allowing one only connections), so each
packet that a firewall or a NAT router is said to have refused is in the rule's
counter; and where a rule refuses nothing but UDP, nothing else is. Captures end one
after the other, so what was lost after the first of them ended may have gone on.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from controllers.policy import Policy
from controllers.words import Action, Protocol
from results.fates import Fates
from results.problems import Ground, Problem
from results.schema import Ending, Run
from results.tracing.passed import Passed
from results.tracing.paths import Path
from results.words import packets_in_words

#: A device and the name of its rule.
Rule = tuple[str, str]

#: Device -> rule -> packets.
Counted = Mapping[str, Mapping[str, int]]


def counted_by_rules(ending: Ending | None) -> Counted:
    """The counters of firewalls and NAT routers; empty where a run has none."""
    return {**ending.firewalls, **ending.nats} if ending else {}


def counter_problems(
    run: Run,
    counted: Counted,
    fates: Fates,
    udp: Iterable[Path],
    end: int,
    shapers: Iterable[Rule] = (),
) -> Iterator[Problem]:
    """Rules whose counters say something else than the captures, which end from ``end`` ns on.

    Those of ``shapers`` drop nothing but UDP, too.
    """
    for device in run.policies:
        if device not in counted:
            text = f"{device} enforces a policy, but ending.json has no counters of its rules"
            yield Problem(Ground.COUNTERS, text)
    sure, late = (_refused(fates, paths, counted) for paths in _parted(udp, end))
    exact = {(name, rule) for name, policy in run.policies.items() for rule in _udp_only(policy)}
    exact |= set(shapers)
    for device, rule in sorted({*sure, *exact}):
        seen, count = sure[device, rule], counted.get(device, {}).get(rule, 0)
        too_many = (device, rule) in exact and count > seen + late[device, rule]
        if (count < seen or too_many) and device in counted:
            yield Problem(
                Ground.COUNTERS,
                f"rule {rule} of {device} counted {packets_in_words(count)}, "
                f"but the captures show {seen:,} that it refused",
            )


def silent_rules(counted: Counted, passed: Passed) -> Iterator[Problem]:
    """Rules that are said to have counted nothing, though packets went their way.

    How many is not compared: the packets that follow a connection's first one may
    still be taken for new ones, and one of an earlier run may be remembered.
    """
    for (device, rule), seen in sorted(passed.items()):
        if seen and device in counted and not counted[device].get(rule, 0):
            yield Problem(
                Ground.COUNTERS,
                f"rule {rule} of {device} counted 0 packets, "
                f"but the captures show {seen:,} that it let through",
            )


def _parted(udp: Iterable[Path], end: int) -> tuple[list[Path], list[Path]]:
    """The paths that were lost before a time, and those lost later."""
    lost = [path for path in udp if not path.complete]
    return (
        [path for path in lost if path.last.time < end],
        [path for path in lost if path.last.time >= end],
    )


def _refused(fates: Fates, udp: Iterable[Path], counted: Counted) -> Counter[tuple[str, str]]:
    """How many packets each counting rule refused, as the captures show it."""
    found: Counter[tuple[str, str]] = Counter()
    for path in udp:
        fate = fates.of(path)
        if fate.by and fate.rule and fate.by in counted:
            found[fate.by, fate.rule] += 1
    return found


def _udp_only(policy: Policy) -> Iterator[str]:
    """The rules that refuse nothing but UDP."""
    for rule in policy.rules:
        if rule.action is Action.DENY and rule.protocol is Protocol.UDP:
            yield rule.name
