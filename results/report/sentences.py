"""What a report says in words: the verdict in one sentence, and why."""

from collections.abc import Iterable

from results.judge import Judged
from results.legs import in_order
from results.pairs import refusals_of_direct
from results.schema import CallResult, PlannedCall, Verdict
from results.words import flows_in_words, listed
from topologies.spec import Flow


def headline(judged: Judged) -> str:
    """The verdict on a run in one sentence."""
    result = judged.result
    seen = listed([_call(call) for call in result.calls]) if result.calls else ""
    if result.verdict is Verdict.PASS:
        unsupported = (
            f", which is not supported ({result.unsupported})" if result.unsupported else ""
        )
        return f"{_capital(seen)}{unsupported}, as expected."
    if result.verdict is Verdict.INCONCLUSIVE:
        return f"Nothing is proved: {judged.judgement.problems[0]}."
    expected = _expected(judged)
    if seen and expected:
        return f"{_capital(seen)}, where {expected} was expected."
    return f"{_capital(judged.judgement.problems[0])}."


def _expected(judged: Judged) -> str:
    """The media that was expected, where other media was seen."""
    result, wanted = judged.result, judged.run.expect.media
    if not result.media_flows or set(result.media_flows) == wanted:
        return ""
    return f"media by {flows_in_words(in_order(wanted))}"


def because(judged: Judged) -> tuple[str, ...]:
    """Why a run does not pass: rules that turned its media away, then all problems."""
    result = judged.result
    if result.verdict is Verdict.PASS:
        return ()
    first = [
        f"the direct way of {listed(call.participants)} was refused by {refused}"
        for call in result.calls
        if result.verdict is Verdict.FAIL and (refused := _refused(call))
    ]
    return tuple(_capital(text) for text in (*first, *judged.judgement.problems))


def _call(call: CallResult) -> str:
    flows = in_order(flow for path in call.media for flow in path.flows)
    if not call.media:
        return f"no media of {listed(call.participants)} was seen"
    refused = _refused(call)
    past = f", since the direct way was refused by {refused}" if refused else ""
    return f"{listed(call.participants)} talk {_way(call)} ({flows_in_words(flows)}){past}"


def _refused(call: CallResult) -> str:
    """Who refused a relayed call's direct pairs, and by which rules."""
    relayed = any(path.relayed_by for path in call.media)
    return refusals_of_direct(call.pairs) if relayed else ""


def _way(call: CallResult) -> str:
    """How a call's media went."""
    relays = dict.fromkeys(path.relayed_by for path in call.media if path.relayed_by)
    tunnel = any(Flow.F2_VPN in path.flows for path in call.media)
    ways = [f"through {relay}" for relay in relays]
    if tunnel:
        ways.insert(0, "through the VPN's tunnel")
    return listed(ways) if ways else "directly"


def planned(calls: Iterable[PlannedCall]) -> str:
    """The calls that a run was to make."""
    return listed([f"{call.caller} calls {call.callee}" for call in calls])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
