"""What became of the candidate pairs that a call did not select.

Each participant's check list is made again from the two descriptions (RFC 8445,
section 6.1.2), with the peer-reflexive addresses that checks went to as well; then
each check is followed to where it ended.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from results.fates import Fate
from results.problems import Ground, Problem, cite
from results.protocols.sdp import End
from results.schema import Outcome, PairOutcome
from results.setup.calls import Call
from results.setup.checks import Check
from results.setup.ice import Ice
from results.setup.selection import endpoint
from results.tracing.paths import Path
from topologies.addresses import address_of
from topologies.spec import Role


class Pairing(NamedTuple):
    """A pair of a participant's check list; a relayed local end is the address at the relay."""

    local: End
    relayed: bool
    remote: End


class Ended(NamedTuple):
    """A pair that was not selected, and its fate; None when no check was sent on it."""

    user: str
    pairing: Pairing
    fate: Fate | None


def unselected_pairs(ice: Ice) -> list[Ended]:
    """Every pair that was not selected, the caller's first, in the order of the descriptions."""
    return [ended for user in ice.call.participants for ended in _of_user(ice, user)]


def pair_outcomes(ice: Ice, pairs: Iterable[Ended]) -> tuple[PairOutcome, ...]:
    """The pairs as the result lists them."""
    return tuple(_outcome(ice, *ended) for ended in pairs)


def pair_problems(ice: Ice, pairs: Iterable[Ended]) -> Iterator[Problem]:
    """Checks that were lost where nothing can have stopped them, one sentence for each place."""
    gaps: dict[str, list[Fate]] = {}
    for user, _, fate in pairs:
        if fate and fate.gap:
            gaps.setdefault(f"{user}: {fate.because}", []).append(fate)
    for what, fates in gaps.items():
        count = "1 pair" if len(fates) == 1 else f"{len(fates)} pairs"
        frame = cite(ice.table, fates[0].row, "a check that was not seen to go on")
        where = f"frame {frame.frame} of {frame.tap}"
        text = f"nothing explains what became of {count} of {what} ({where})"
        yield Problem(Ground.HOLE, text, (frame,))


def _of_user(ice: Ice, user: str) -> Iterator[Ended]:
    checks: dict[Pairing | None, list[Check]] = {}
    for check in ice.checks[user]:
        checks.setdefault(_pairing(ice, check), []).append(check)
    selected = {_pairing(ice, check) for check in ice.checks[user] if _is_selected(ice, check)}
    for pairing in dict.fromkeys((*_declared(ice.call, user), *checks)):
        if pairing and pairing not in selected:
            yield Ended(user, pairing, _fate(ice, user, pairing, checks))


def _is_selected(ice: Ice, check: Check) -> bool:
    return ice.selection.pairs.get(check.sender) == check.sent_on


def _declared(call: Call, user: str) -> Iterator[Pairing]:
    """The pairs of a check list; a reflexive candidate's base is a host candidate already."""
    own, other = call.described[user], call.described[call.other(user)]
    for local, remote in product(own.candidates, other.candidates):
        sends = local.type in ("host", "relay") and {local.transport, remote.transport} == {"udp"}
        if sends and _of_one_family(local.end, remote.end):
            yield Pairing(local.end, local.type == "relay", remote.end)


def _of_one_family(one: End, other: End) -> bool:
    """Whether two ends can be a pair (RFC 8445, section 6.1.2.2)."""
    return address_of(one[0]).version == address_of(other[0]).version


def _pairing(ice: Ice, check: Check) -> Pairing | None:
    """The pair that a check was sent on; None where its peer cannot be told."""
    base, relayed, remote = check.sent_on
    remote = remote or ice.turn.peer_of(ice.table, check.request)
    if remote is None:
        return None
    if not relayed:
        return Pairing(base, False, remote)
    allocation = ice.turn.allocation(check.sender, base, check.request.first.time)
    return Pairing(allocation.relayed if allocation else base, True, remote)


def _fate(
    ice: Ice, user: str, pairing: Pairing, checks: Mapping[Pairing | None, list[Check]]
) -> Fate | None:
    """What became of a pair; None when it was not attempted."""
    fates = [fate for check in checks.get(pairing, ()) for fate in _check_fates(ice, check)]
    if fates:
        return min(fates, key=_telling)
    if not pairing.relayed:
        return None
    if None in checks:
        row = checks[None][0].request.first.row
        return Fate(Outcome.UNKNOWN, "a check through the relay does not tell its peer", row)
    return _refused_peer(ice, user, pairing)


def _telling(fate: Fate) -> int:
    """What tells most comes first; of equals, the earliest."""
    return _ORDER.index(fate.outcome)


_ORDER = (Outcome.WORKED, Outcome.REFUSED, Outcome.NO_ROUTE, Outcome.UNKNOWN)


def _check_fates(ice: Ice, check: Check) -> Iterator[Fate]:
    """What became of a check, of each of its retransmissions."""
    if check.succeeded_at and check.response:
        other = ice.call.other(check.sender)
        yield Fate(Outcome.WORKED, f"{other} answered a check on it", check.response.last.row)
        return
    if check.response:
        fate = ice.fates.of(check.response, "established")
        yield replace(fate, because=f"the answer to a check {_verb(fate)}{fate.because}")
        return
    for path in check.requests:
        yield request_fate(ice, check, path)


def _verb(fate: Fate) -> str:
    return "" if fate.gap else "did not arrive: "


def request_fate(ice: Ice, check: Check, path: Path) -> Fate:
    """What became of a check that was never answered."""
    other = ice.call.other(check.sender)
    if path.complete and path.target == other:
        because = f"a check reached {other}, who did not answer it"
        return Fate(Outcome.UNKNOWN, because, path.last.row)
    if path.complete and ice.places.role(path.target) is not Role.RELAY:
        address = address_of(path.last.ends.dst)
        because = f"a check arrived at {path.target}, which has {address} as well"
        return Fate(Outcome.UNKNOWN, because, path.last.row)
    fate = ice.fates.of(path)
    return replace(fate, because=f"a check {fate.because}") if fate.gap else fate


def _refused_peer(ice: Ice, user: str, pairing: Pairing) -> Fate | None:
    """The relay's refusal to let the peer of a pair through, for which no check was sent."""
    for allocation in ice.turn.allocations:
        if (allocation.user, allocation.relayed) == (user, pairing.local):
            answer = ice.turn.refusal(user, allocation.base, pairing.remote)
            if answer and answer.error:
                code, reason = answer.error
                because = f"it answered {answer.asked} with {code} ({reason})"
                return Fate(Outcome.REFUSED, because, answer.row, answer.relay, str(code))
    return None


def _outcome(ice: Ice, user: str, pairing: Pairing, fate: Fate | None) -> PairOutcome:
    other = ice.call.other(user)
    cited = cite(ice.table, fate.row, "") if fate else None
    return PairOutcome.model_validate(
        {
            "from": user,
            "to": other,
            "local": endpoint("relay" if pairing.relayed else "host", pairing.local),
            "remote": endpoint(ice.call.described[other].type_of(pairing.remote), pairing.remote),
            "outcome": fate.outcome if fate else Outcome.NOT_ATTEMPTED,
            "by": fate and fate.by,
            "rule": fate and fate.rule,
            "because": fate.because if fate else "no check was seen on it",
            "tap": cited and cited.tap,
            "frame": cited and cited.frame,
        }
    )


def refusals_of_direct(pairs: Iterable[PairOutcome]) -> str:
    """Who refused the pairs that no relay is part of, and by which rules, in words."""
    rules: dict[str, list[str]] = {}
    for pair in pairs:
        direct = "relay" not in (pair.local.type, pair.remote.type)
        if direct and pair.outcome is Outcome.REFUSED and pair.by:
            rules.setdefault(pair.by, []).append(pair.rule or pair.because)
    named = (f"{device}: {', '.join(dict.fromkeys(names))}" for device, names in rules.items())
    return " and ".join(named)
