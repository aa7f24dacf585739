"""Evidence and results made by hand, for tests of what becomes of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from results.measured import Quality
from results.problems import Ground, Problem
from results.schema import (
    CallResult,
    Citation,
    Claim,
    Endpoint,
    Expectation,
    MediaPath,
    PlannedCall,
    Result,
    Run,
    Seconds,
    Selected,
    Step,
    Verdict,
)
from results.setup.checks import Pair
from results.setup.selection import Selection
from results.shown import CallEvidence, Evidence, Shown
from tests.results.call_story import a_call, described
from tests.results.story import ALICE, BOB, RUN, end
from topologies.reference import office
from topologies.spec import Flow


def endpoint(at: str) -> Endpoint:
    """A host candidate."""
    address, port = at.split(":")
    return Endpoint(type="host", address=address, port=int(port), protocol="udp")


def frame(number: int, what: str = "a frame", tap: str = "alice-eth0") -> Citation:
    """A citation."""
    return Citation(tap=tap, file=f"captures/{tap}.pcapng", frame=number, what=what)


SELECTED = {
    "alice": Selected(local=endpoint(ALICE), remote=endpoint(BOB)),
    "bob": Selected(local=endpoint(BOB), remote=endpoint(ALICE)),
}
CLAIMS = {
    "c1": {
        user: Claim(call="c1", local=pair.local, remote=pair.remote)
        for user, pair in SELECTED.items()
    }
}


def a_run(**changes: Any) -> Run:
    """A run that was to make one call of alice to bob."""
    values = {
        "schema": 1,
        "run": RUN,
        "scenario": "intranet",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "network": office(),
        "calls": (PlannedCall(id="c1", caller="alice", callee="bob", seconds=2),),
        "expect": Expectation(signalling=frozenset({Flow.F2, Flow.F4}), media=frozenset({Flow.F5})),
        "versions": {},
        "facilities": {},
    }
    return Run.model_validate(values | changes)


QUALITY = Quality(
    expected=103,
    lost=0,
    longest_burst=0,
    reordered=0,
    duplicated=0,
    jitter_ms=0.8,
    jitter_max_ms=None,
    delay_ms=-0.001,
    delay_p99_ms=0.02,
)


def media_path(sender: str, receiver: str) -> MediaPath:
    """One direction of the call."""
    return MediaPath.model_validate(
        {
            "from": sender,
            "to": receiver,
            "flows": (Flow.F5,),
            "transport": "udp",
            "relayed_by": None,
            "taps": (f"{sender}-eth0", f"{receiver}-eth0"),
            "packets": 103,
            "authenticated": 103,
            "hops": (
                {
                    "from": f"{sender}-eth0",
                    "to": f"{receiver}-eth0",
                    "packets": 103,
                    "lost": 0,
                    "delay_ms": -0.001,
                    "delay_p99_ms": 0.02,
                    "jitter_ms": 0.003,
                },
            ),
            "quality": QUALITY,
        }
    )


def call_evidence(*problems: Problem) -> CallEvidence:
    """The call, as the captures show it."""
    step = Step(step=1, name="resolve", flows=(Flow.F2,), tap="alice-eth0", frame=6, time=0.1)
    return CallEvidence(
        call=a_call(described("alice"), described("bob")),
        result=CallResult(
            participants=("alice", "bob"),
            steps=(step,),
            media=(media_path("alice", "bob"), media_path("bob", "alice")),
            selected=SELECTED,
        ),
        selection=Selection(
            nomination=None,
            pairs={
                "alice": Pair(end(ALICE), False, end(BOB)),
                "bob": Pair(end(BOB), False, end(ALICE)),
            },
            selected=SELECTED,
            problems=(),
        ),
        media_flows=(Flow.F5,),
        problems=problems,
        citations=(frame(6, "call c1, step 1 (resolve)"),),
    )


def shown(kind: str, flow: Flow, number: int) -> Shown:
    """A flow with its frame."""
    return Shown(flow, "something", frame(number, f"{kind}, Flow {flow}: something"))


EVIDENCE = Evidence(
    signalling=(shown("signalling", Flow.F2, 1), shown("signalling", Flow.F4, 2)),
    media=(shown("media", Flow.F5, 3),),
    calls=(call_evidence(),),
    problems=(),
)


def evidence(**changes: Any) -> Evidence:
    """The evidence of a run that passes, with changes."""
    return replace(EVIDENCE, **changes)


def problem(ground: Ground, text: str = "something") -> Problem:
    """A problem with a frame."""
    return Problem(ground, text, (frame(99, text),))


def a_result() -> Result:
    """A result with everything in it."""
    return Result.model_validate(
        {
            "schema": 1,
            "scenario": "intranet",
            "verdict": Verdict.PASS,
            "reason": "because",
            "signalling_flows": (Flow.F2, Flow.F2_VPN, "unlisted"),
            "media_flows": (Flow.F5,),
            "calls": (EVIDENCE.calls[0].result,),
            "citations": (frame(1),),
            "run": RUN,
            "seconds": Seconds(boot=1.0, call=2.0),
        }
    )
