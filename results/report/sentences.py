"""What a report says in words: the verdict in one sentence, and why."""

from collections.abc import Iterable

from results.judge import Judged
from results.schema import CallResult, PairOutcome, Verdict
from results.setup.pairs import refusals_of_direct
from results.tracing.legs import in_order
from results.words import flows_in_words, listed
from topologies.spec import Flow


def headline(judged: Judged, failure: str = "") -> str:
    """The verdict on a run in one sentence; ``failure`` is why it could not be done."""
    result, problems = judged.result, judged.judgement.problems
    if failure:
        return f"Nothing is proved: the run was not done: {failure}."
    if result.verdict is Verdict.INCONCLUSIVE:
        return f"Nothing is proved: {problems[0]}."
    if result.verdict is Verdict.PASS and not result.calls:
        said = "; ".join(case.what for case in judged.evidence.cases)
        return f"No call takes place, as expected: {said}."
    if result.verdict is Verdict.PASS:
        boxes = ", ".join(dict.fromkeys(case.name for case in judged.evidence.others))
        unsupported = ", which is not supported" if result.unsupported else ""
        unsupported += f" ({boxes})" if boxes else ""
        far = listed(sorted(judged.run.expect.far_edge))
        edge = f", from the far edge of {far} (DNS over VPN)" if far else ""
        return f"{_calls(judged, as_wanted='')}{edge}{unsupported}, as expected."
    wanted = judged.run.expect.media
    if result.media_flows and set(result.media_flows) != wanted:
        return f"{_calls(judged, f' where {flows_in_words(in_order(wanted))} was expected')}."
    return f"{problems[0]}."


def because(judged: Judged) -> tuple[str, ...]:
    """Why a run does not pass: rules that turned its media away, then all problems."""
    result = judged.result
    if result.verdict is Verdict.PASS:
        return ()
    refused = {
        listed(call.participants): _refused(call, call.pairs)
        for call in result.calls
        if result.verdict is Verdict.FAIL
    }
    first = [f"the direct way of {who} was refused by {by}" for who, by in refused.items() if by]
    return (*first, *judged.judgement.problems)


def _calls(judged: Judged, as_wanted: str) -> str:
    """How the media of all calls went."""
    said = "; ".join(_call(judged, call, as_wanted) for call in judged.result.calls)
    return said[:1].upper() + said[1:]


def _call(judged: Judged, call: CallResult, as_wanted: str) -> str:
    if call.refused:
        who, other = call.participants
        return f"the service refused {who}'s call to {other} ({call.refused.code}): no media"
    if not call.media:
        return f"no media of {listed(call.participants)} was seen"
    flows = flows_in_words(in_order(flow for path in call.media for flow in path.flows))
    by_policy = [pair for pair in call.pairs if pair.by in judged.run.policies]
    refused = _refused(call, by_policy) or _refused(call, call.pairs)
    past = f", since the direct way is refused by {refused}" if refused else ""
    return f"media of {listed(call.participants)} goes {_way(call)} ({flows}){as_wanted}{past}"


def _refused(call: CallResult, pairs: Iterable[PairOutcome]) -> str:
    """Who refused a relayed call's direct pairs, and by which rules."""
    relayed = any(path.relayed_by for path in call.media)
    return refusals_of_direct(pairs) if relayed else ""


def _way(call: CallResult) -> str:
    """How a call's media went."""
    relays = dict.fromkeys(
        listed(sorted(path.relayed_by.split(", "))) for path in call.media if path.relayed_by
    )
    tunnel = any(Flow.F2_VPN in path.flows for path in call.media)
    ways = ["through the relay" if relay == "relay" else f"through {relay}" for relay in relays]
    if tunnel:
        ways.insert(0, "through the VPN's tunnel")
    return listed(ways) if ways else "directly"
