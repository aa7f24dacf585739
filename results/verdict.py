"""From evidence to verdict: PASS, FAIL or INCONCLUSIVE, with the reason in words.

Holes in the evidence outweigh all else, because a FAIL that is read from it
proves nothing; then what is missing or wrong; a PASS needs everything.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from results.problems import Ground, Problem, in_weight
from results.schema import (
    PACKET_INSPECTION,
    Citation,
    Claim,
    Expectation,
    MediaPath,
    PlannedCall,
    Run,
    Transport,
    Verdict,
)
from results.setup.pairs import refusals_of_direct
from results.setup.refused import refusal_in_words, silence_in_words
from results.setup.selection import claim_problems
from results.shown import CallEvidence, Evidence, Shown
from results.tracing.legs import NamedFlow, in_order
from results.words import flows_in_words, listed
from topologies.spec import Flow

#: Call -> participant -> what it says it selected.
Claims = Mapping[str, Mapping[str, Claim]]


class Judgement(NamedTuple):
    """A verdict with its reason and the frames that show it."""

    verdict: Verdict
    reason: str
    citations: tuple[Citation, ...]
    #: What speaks against a PASS, in words, the deciding one first.
    problems: tuple[str, ...] = ()


def decide(
    run: Run, evidence: Evidence, claims: Claims, other_problems: Iterable[Problem]
) -> Judgement:
    """The verdict on a run; ``other_problems`` are those of its folder and captures."""
    problems = in_weight([*other_problems, *evidence.problems, *_problems(run, evidence, claims)])
    citations = (
        *(citation for problem in problems for citation in problem.citations),
        *_first_of_each((*evidence.signalling, *evidence.media)),
        *(citation for call in evidence.calls for citation in call.citations),
        *(citation for remark in evidence.remarks for citation in remark.citations),
        *(case.citation for case in evidence.others),
    )
    if problems:
        said = tuple(problem.text for problem in problems)
        verdict = problems[0].ground.verdict
        return Judgement(verdict, "; ".join(said), tuple(dict.fromkeys(citations)), said)
    return Judgement(Verdict.PASS, _figures(evidence), tuple(dict.fromkeys(citations)))


def flows_of(shown: Iterable[Shown]) -> tuple[NamedFlow, ...]:
    """The set of flows, in the order of the documents."""
    return in_order(item.flow for item in shown)


def _problems(run: Run, evidence: Evidence, claims: Claims) -> Iterator[Problem]:
    if not run.calls:
        text = "no call was planned, so there is nothing to prove"
        yield Problem(Ground.MISSING_CALL, text)
    yield from _call_problems(_planned(run, evidence), evidence.calls)
    yield from _expectation_problems(run.expect, evidence)
    for call in evidence.calls:
        yield from claim_problems(call.call, call.selection, claims.get(call.call.id, {}))
        for restart in call.restarts:
            said = claims.get(restart.call.id, {})
            yield from claim_problems(restart.call, restart.selection, said)


def _planned(run: Run, evidence: Evidence) -> list[PlannedCall]:
    """The calls that must be there: where the run expects it, not those of users signed out.

    A refusal that was planned is the service's, which such users never reached.
    """
    out = evidence.signed_out if run.expect.unsupported == PACKET_INSPECTION else frozenset()
    return [call for call in run.calls if call.refused or not out & {call.caller, call.callee}]


def _call_problems(
    planned: Iterable[PlannedCall], seen: Iterable[CallEvidence]
) -> Iterator[Problem]:
    """Calls that were planned and not seen, or seen and not planned."""
    found = {call.call.id: call for call in seen}
    for plan in planned:
        text = _missing(plan, found.pop(plan.id, None))
        if text:
            yield Problem(Ground.MISSING_CALL, text)
    for name, call in found.items():
        participants = " and ".join(call.call.participants)
        yield Problem(Ground.CALL, f"call {name} of {participants} was not planned")


def _missing(plan: PlannedCall, seen: CallEvidence | None) -> str | None:
    name = f"the planned call {plan.id} of {plan.caller} to {plan.callee}"
    if seen is None:
        missed = ", so it was not refused by the service" if plan.refused else ""
        return f"{name} is not in the captures{missed}"
    if seen.call.participants != (plan.caller, plan.callee):
        return f"{name} was made by {' and '.join(seen.call.participants)}"
    refused = seen.result.refused
    if plan.refused and not refused:
        return f"{name} was not refused by the service"
    if refused and not plan.refused:
        return f"{name} was refused by the service: {refusal_in_words(refused)}"
    if not refused and not seen.call.answered_by_callee:
        return f"{name} was never answered"
    return None


def _expectation_problems(expect: Expectation, evidence: Evidence) -> Iterator[Problem]:
    yield from _difference("signalling", expect.signalling, evidence.signalling)
    yield from _difference("media", expect.media, evidence.media)
    yield from _path_problems(expect, evidence.calls)
    users = {user for call in evidence.calls for user in call.call.participants}
    if expect.refused_first and expect.refused_first not in users:
        text = f"expected a refused first packet of {expect.refused_first}, who is in no call"
        yield Problem(Ground.FLOWS, text)
    yield from _unsupported_problems(expect, evidence)


def _unsupported_problems(expect: Expectation, evidence: Evidence) -> Iterator[Problem]:
    """A case that the documents do not support, and another one than expected."""
    if expect.unsupported and expect.unsupported != evidence.unsupported:
        seen = evidence.unsupported or "none"
        text = f"expected an unsupported case ({expect.unsupported}), but {seen} was seen"
        yield Problem(Ground.FLOWS, text)
    elif not expect.unsupported:
        for case in evidence.cases:
            frame = case.citation
            where = f"frame {frame.frame} of {frame.tap}"
            text = f"unsupported: {case.name}: {case.what} ({where})"
            yield Problem(Ground.FLOWS, text, (frame,))


def _difference(
    kind: str, expected: frozenset[Flow], shown: tuple[Shown, ...]
) -> Iterator[Problem]:
    """Flows that were seen and not expected, each with a frame, and the other way round."""
    for item in _first_shown(shown):
        if item.flow not in expected:
            where = f"frame {item.citation.frame} of {item.citation.tap}"
            yield Problem(
                Ground.FLOWS,
                f"unexpected {kind} Flow {item.flow}: {item.what} ({where})",
                (item.citation,),
            )
    seen = {item.flow for item in shown}
    for flow in in_order(expected):
        if flow not in seen:
            yield Problem(Ground.FLOWS, f"expected {kind} Flow {flow} was not seen")


def _path_problems(expect: Expectation, calls: Iterable[CallEvidence]) -> Iterator[Problem]:
    """Media that was carried otherwise than expected."""
    paths = [path for call in calls for path in call.result.media]
    for otherwise in (_other_allocations, _other_transport, _other_ip):
        for path in paths:
            if found := otherwise(expect, path):
                wanted, seen = found
                text = f"expected media {wanted}, but that from {path.from_} to {path.to} {seen}"
                yield Problem(Ground.FLOWS, text)


#: What was expected and what was seen, in words; None where that is the same.
_Otherwise = tuple[str, str] | None


def _other_allocations(expect: Expectation, path: MediaPath) -> _Otherwise:
    if expect.allocated_by in (None, frozenset(path.allocated_by)):
        return None
    wanted = _allocations(sorted(expect.allocated_by or ()))
    return f"through {wanted}", f"passed {_allocations(path.allocated_by)}"


def _other_transport(expect: Expectation, path: MediaPath) -> _Otherwise:
    if expect.transport is None or expect.transport == path.transport:
        return None
    return f"over {_TRANSPORTS[expect.transport]}", f"went over {_TRANSPORTS[path.transport]}"


def _other_ip(expect: Expectation, path: MediaPath) -> _Otherwise:
    if expect.ip in (None, frozenset(path.ip)):
        return None
    return f"over {' and '.join(sorted(expect.ip or ()))}", f"went over {' and '.join(path.ip)}"


#: What carries media, in words.
_TRANSPORTS: dict[Transport | None, str] = {
    "udp": "UDP",
    "tcp": "TCP",
    "tls": "TLS",
    "proxy": "TLS through an HTTP proxy",
}


def _allocations(users: Collection[str]) -> str:
    if not users:
        return "no TURN allocation"
    what = "the TURN allocation" if len(users) == 1 else "the TURN allocations"
    return f"{what} of {' and '.join(users)}"


def _first_shown(shown: Iterable[Shown]) -> list[Shown]:
    first: dict[NamedFlow, Shown] = {}
    for item in shown:
        first.setdefault(item.flow, item)
    return list(first.values())


def _first_of_each(shown: tuple[Shown, ...]) -> list[Citation]:
    """A frame for each flow of signalling and of media."""
    first: dict[tuple[str, NamedFlow], Citation] = {}
    for item in shown:
        first.setdefault((item.citation.what.split(",")[0], item.flow), item.citation)
    return list(first.values())


def _figures(evidence: Evidence) -> str:
    """What a PASS rests on, in numbers."""
    calls = "; ".join(_call_figures(call) for call in evidence.calls)
    flows = flows_in_words(flows_of(evidence.signalling))
    remarks = (remark.text for remark in evidence.remarks)
    said = [calls or "no call took place", f"signalling {flows}", *remarks]
    if evidence.unsupported:
        said.insert(0, f"unsupported, as expected: {evidence.unsupported}")
        said += [case.what for case in evidence.others]
    return "; ".join(said)


def _call_figures(call: CallEvidence) -> str:
    media, why = call.result.media, call.result.refused
    if why:
        who = f"{call.call.caller} was refused the call to {call.call.callee}, as planned"
        return f"{who}: {refusal_in_words(why)}; {silence_in_words(why)}"
    good, packets = sum(path.authenticated for path in media), sum(path.packets for path in media)
    names, flows = " and ".join(call.result.participants), flows_in_words(call.media_flows)
    figures = f"{names}: {good:,} of {packets:,} media packets authenticated, {flows}"
    for transport in dict.fromkeys(path.transport for path in media if path.transport != "udp"):
        figures += f", over {_TRANSPORTS[transport]} to the relay"
    streams = dict.fromkeys(path.stream for path in media if path.stream)
    if len(streams) > 1:
        figures += f", {listed([*streams])}"
    versions = sorted({version for path in media for version in path.ip})
    if versions not in ([], ["IPv4"]):
        figures += f" over {' and '.join(versions)}"
    if call.call.chat:
        figures += f", {len(call.call.chat) // 2:,} chat messages"
    refused = refusals_of_direct(call.result.pairs)
    relayed = any(path.relayed_by for path in media)
    return f"{figures}; direct pairs refused by {refused}" if relayed and refused else figures
