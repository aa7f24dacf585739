"""Every check of the verdict, each with what passes and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from results.problems import Ground, Problem
from results.schema import (
    Claim,
    Expectation,
    Outcome,
    PairOutcome,
    PlannedCall,
    Run,
    Transport,
    Verdict,
)
from results.shown import Evidence
from results.tracing.legs import UNLISTED
from results.tunnelling.vpn import Remark
from results.verdict import Claims, Judgement, decide, flows_of
from tests.results.call_story import a_call, described
from tests.results.judged import (
    CLAIMS,
    EVIDENCE,
    a_run,
    call_evidence,
    endpoint,
    evidence,
    frame,
    problem,
    shown,
)
from tests.results.story import ALICE, BOB
from topologies.spec import Flow


def judged(
    run: Run | None = None,
    seen: Evidence = EVIDENCE,
    claims: Claims = CLAIMS,
    others: tuple[Problem, ...] = (),
) -> Judgement:
    return decide(run or a_run(), seen, claims, others)


def expecting(signalling: set[Flow], media: set[Flow], unsupported: str | None = None) -> Run:
    expectation = Expectation(
        signalling=frozenset(signalling), media=frozenset(media), unsupported=unsupported
    )
    return a_run(expect=expectation)


def test_a_pass_states_its_figures() -> None:
    assert judged()[:2] == (
        Verdict.PASS,
        "alice and bob: 206 of 206 media packets authenticated, Flow 5; signalling Flows 2 and 4",
    )


def test_a_pass_cites_a_frame_for_each_flow_and_step() -> None:
    assert [citation.what for citation in judged().citations] == [
        "signalling, Flow 2: something",
        "signalling, Flow 4: something",
        "media, Flow 5: something",
        "call c1, step 1 (resolve)",
    ]


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (
            expecting({Flow.F4}, {Flow.F5}),
            "unexpected signalling Flow 2: something (frame 1 of alice-eth0)",
        ),
        (
            expecting({Flow.F2, Flow.F3, Flow.F4}, {Flow.F5}),
            "expected signalling Flow 3 was not seen",
        ),
        (
            expecting({Flow.F2, Flow.F4}, {Flow.F2}),
            "unexpected media Flow 5: something (frame 3 of alice-eth0); "
            "expected media Flow 2 was not seen",
        ),
        (
            expecting({Flow.F2, Flow.F4}, {Flow.F5}, "media over VPN"),
            "expected an unsupported case (media over VPN), but none was seen",
        ),
    ],
)
def test_flows_other_than_expected(run: Run, reason: str) -> None:
    assert judged(run)[:2] == (Verdict.FAIL, reason)


TUNNELLED = evidence(media=(shown("media", Flow.F2_VPN, 3),))
EXPECTED = ({Flow.F2, Flow.F4}, {Flow.F2_VPN})


def test_an_unsupported_case_that_is_expected_passes_and_is_named() -> None:
    verdict, reason, *_ = judged(expecting(*EXPECTED, "media over VPN"), TUNNELLED)
    assert verdict is Verdict.PASS
    assert reason.startswith("unsupported, as expected: media over VPN; alice and bob: ")


def test_an_unsupported_case_that_is_not_expected_fails_though_its_flows_are() -> None:
    verdict, reason, citations, *_ = judged(expecting(*EXPECTED), TUNNELLED)
    assert verdict is Verdict.FAIL
    assert reason == (
        "unsupported: media over VPN: something, in the tunnel (frame 3 of alice-eth0)"
    )
    assert citations[0].frame == 3


def test_another_unsupported_case_than_expected_fails() -> None:
    verdict, reason, *_ = judged(expecting(*EXPECTED, "a packet shaper"), TUNNELLED)
    assert (verdict, reason) == (
        Verdict.FAIL,
        "expected an unsupported case (a packet shaper), but media over VPN was seen",
    )


def test_a_pass_ends_with_its_remarks_and_cites_their_frames() -> None:
    remarked = evidence(remarks=(Remark("no media in the tunnel", (frame(77),)),))
    verdict, reason, citations, *_ = judged(seen=remarked)
    assert (verdict, reason.rpartition("; ")[2]) == (Verdict.PASS, "no media in the tunnel")
    assert citations[-1].frame == 77


def test_an_unexpected_flow_is_cited_first() -> None:
    assert judged(expecting({Flow.F4}, {Flow.F5})).citations[0].frame == 1


def over(transport: Transport) -> Evidence:
    """The evidence of a call whose media went over some transport."""
    call = call_evidence()
    media = [path.model_copy(update={"transport": transport}) for path in call.result.media]
    result = call.result.model_copy(update={"media": tuple(media)})
    return evidence(calls=(replace(call, result=result),))


@pytest.mark.parametrize(
    ("expected", "seen", "reason"),
    [
        ("tls", "tls", None),
        (None, "proxy", None),
        ("tcp", "udp", "expected media over TCP, but that from alice to bob went over UDP"),
        (
            "tls",
            "proxy",
            "expected media over TLS, but that from alice to bob went over TLS through an "
            "HTTP proxy",
        ),
    ],
)
def test_what_carried_the_media(
    expected: Transport | None, seen: Transport, reason: str | None
) -> None:
    expect = a_run().expect.model_copy(update={"transport": expected})
    judgement = judged(a_run(expect=expect), over(seen))
    assert judgement.verdict is (Verdict.FAIL if reason else Verdict.PASS)
    assert reason is None or reason in judgement.reason


def relayed(*users: str) -> Evidence:
    """The evidence of a call whose media passed the allocations of some users."""
    call = call_evidence()
    media = [path.model_copy(update={"allocated_by": users}) for path in call.result.media]
    result = call.result.model_copy(update={"media": tuple(media)})
    return evidence(calls=(replace(call, result=result),))


@pytest.mark.parametrize(
    ("expected", "seen", "reason"),
    [
        ({"alice"}, ("alice",), None),
        ({"alice", "bob"}, ("bob", "alice"), None),
        (set(), (), None),
        (None, ("alice",), None),
        (
            {"alice"},
            ("bob",),
            "expected media through the TURN allocation of alice, but that "
            "from alice to bob passed the TURN allocation of bob; "
            "expected media through the TURN allocation of alice, but that "
            "from bob to alice passed the TURN allocation of bob",
        ),
        (
            {"bob", "alice"},
            (),
            "expected media through the TURN allocations of alice and bob, but that "
            "from alice to bob passed no TURN allocation; "
            "expected media through the TURN allocations of alice and bob, but that "
            "from bob to alice passed no TURN allocation",
        ),
        (
            set(),
            ("alice", "bob"),
            "expected media through no TURN allocation, but that "
            "from alice to bob passed the TURN allocations of alice and bob; "
            "expected media through no TURN allocation, but that "
            "from bob to alice passed the TURN allocations of alice and bob",
        ),
    ],
)
def test_whose_allocation_carried_the_media(
    expected: set[str] | None, seen: tuple[str, ...], reason: str | None
) -> None:
    expectation = a_run().expect.model_copy(
        update={"allocated_by": None if expected is None else frozenset(expected)}
    )
    judgement = judged(a_run(expect=expectation), relayed(*seen))
    assert judgement.verdict is (Verdict.FAIL if reason else Verdict.PASS)
    assert judgement.reason == reason or reason is None


def of_ip(*versions: str) -> Evidence:
    """The evidence of a call whose media went over some versions of IP."""
    call = call_evidence()
    media = [path.model_copy(update={"ip": versions}) for path in call.result.media]
    result = call.result.model_copy(update={"media": tuple(media)})
    return evidence(calls=(replace(call, result=result),))


@pytest.mark.parametrize(
    ("expected", "seen", "reason"),
    [
        (None, ("IPv4",), None),
        ({"IPv6"}, ("IPv6",), None),
        ({"IPv4", "IPv6"}, ("IPv6", "IPv4"), None),
        (
            {"IPv6"},
            ("IPv4",),
            "expected media over IPv6, but that from alice to bob went over IPv4; "
            "expected media over IPv6, but that from bob to alice went over IPv4",
        ),
        (
            {"IPv4"},
            ("IPv6", "IPv4"),
            "expected media over IPv4, but that from alice to bob went over IPv6 and IPv4; "
            "expected media over IPv4, but that from bob to alice went over IPv6 and IPv4",
        ),
    ],
)
def test_over_which_versions_of_ip_media_went(
    expected: set[str] | None, seen: tuple[str, ...], reason: str | None
) -> None:
    expectation = a_run().expect.model_copy(
        update={"ip": None if expected is None else frozenset(expected)}
    )
    judgement = judged(a_run(expect=expectation), of_ip(*seen))
    assert judgement.verdict is (Verdict.FAIL if reason else Verdict.PASS)
    assert judgement.reason == reason or reason is None


def test_a_pass_tells_of_ipv6() -> None:
    assert "media packets authenticated, Flow 5 over IPv6" in judged(seen=of_ip("IPv6")).reason
    assert "over" not in judged(seen=of_ip("IPv4")).reason


def test_a_refused_first_packet_of_somebody_who_is_in_no_call() -> None:
    expectation = a_run().expect.model_copy(update={"refused_first": "eve"})
    assert judged(a_run(expect=expectation))[:2] == (
        Verdict.FAIL,
        "expected a refused first packet of eve, who is in no call",
    )


def a_pair(by: str, rule: str, **changes: object) -> PairOutcome:
    """A direct pair of alice that a rule refused."""
    values = {
        "from": "alice",
        "to": "bob",
        "local": endpoint(ALICE),
        "remote": endpoint(BOB),
        "outcome": Outcome.REFUSED,
        "by": by,
        "rule": rule,
        "because": "of a test",
    }
    return PairOutcome.model_validate(values | changes)


@pytest.mark.parametrize(
    ("relay", "pairs", "reason"),
    [
        (None, (a_pair("office", "no_media"),), ""),
        ("relay", (), ""),
        ("relay", (a_pair("office", "no_media"),), "; direct pairs refused by office: no_media"),
        (
            "relay",
            (a_pair("office", "no_media"), a_pair("a_nat", "new"), a_pair("office", "other")),
            "; direct pairs refused by office: no_media, other and a_nat: new",
        ),
        ("relay", (a_pair("inet", "", outcome=Outcome.NO_ROUTE),), ""),
        (
            "relay",
            (a_pair("relay", "403", local=endpoint(ALICE).model_copy(update={"type": "relay"})),),
            "",
        ),
    ],
)
def test_a_pass_through_a_relay_names_the_rules_that_refused_direct_pairs(
    relay: str | None, pairs: tuple[PairOutcome, ...], reason: str
) -> None:
    call = call_evidence()
    media = [path.model_copy(update={"relayed_by": relay}) for path in call.result.media]
    result = call.result.model_copy(update={"media": tuple(media), "pairs": pairs})
    verdict, said, *_ = judged(seen=evidence(calls=(replace(call, result=result),)))
    assert verdict is Verdict.PASS
    assert said == (
        "alice and bob: 206 of 206 media packets authenticated, Flow 5"
        f"{reason}; signalling Flows 2 and 4"
    )


def test_an_unlisted_flow_is_never_expected() -> None:
    stray = replace(shown("media", Flow.F6, 7), flow=UNLISTED)
    verdict, reason, *_ = judged(seen=evidence(media=(*EVIDENCE.media, stray)))
    assert verdict is Verdict.FAIL
    assert reason.startswith("unexpected media Flow unlisted")


def test_a_planned_call_that_is_not_there_fails() -> None:
    verdict, reason, *_ = judged(seen=evidence(calls=()))
    assert verdict is Verdict.FAIL
    assert reason == "the planned call c1 of alice to bob is not in the captures"


def test_nothing_observed_is_never_a_pass() -> None:
    nothing = Evidence(signalling=(), media=(), calls=(), problems=())
    assert judged(seen=nothing).verdict is Verdict.FAIL
    silent = a_run(calls=(), expect=Expectation(signalling=frozenset(), media=frozenset()))
    verdict, reason, *_ = judged(silent, nothing)
    assert (verdict, reason) == (Verdict.FAIL, "no call was planned, so there is nothing to prove")


def test_a_call_that_was_never_answered_fails() -> None:
    unanswered = replace(a_call(described("alice"), described("bob")), answered=None)
    seen = evidence(calls=(replace(call_evidence(), call=unanswered),))
    assert judged(seen=seen)[:2] == (
        Verdict.FAIL,
        "the planned call c1 of alice to bob was never answered",
    )


def test_a_call_between_others_than_planned_fails() -> None:
    run = a_run(calls=(PlannedCall(id="c1", caller="alice", callee="bea", seconds=2),))
    assert judged(run)[:2] == (
        Verdict.FAIL,
        "the planned call c1 of alice to bea was made by alice and bob",
    )


def test_a_call_that_nobody_planned_fails() -> None:
    other = replace(call_evidence(), call=replace(call_evidence().call, id="c2"))
    claims = {**CLAIMS, "c2": CLAIMS["c1"]}
    seen = evidence(calls=(*EVIDENCE.calls, other))
    assert judged(seen=seen, claims=claims)[:2] == (
        Verdict.FAIL,
        "call c2 of alice and bob was not planned",
    )


def test_a_claim_that_differs_fails_with_both_values() -> None:
    lie = Claim(call="c1", local=endpoint("10.10.0.11:1"), remote=endpoint(BOB))
    verdict, reason, *_ = judged(claims={"c1": {**CLAIMS["c1"], "alice": lie}})
    assert verdict is Verdict.FAIL
    assert "10.10.0.11:1/udp (host)" in reason
    assert f"{ALICE}/udp (host)" in reason


def test_a_missing_claim_is_inconclusive() -> None:
    verdict, reason, *_ = judged(claims={})
    assert verdict is Verdict.INCONCLUSIVE
    assert reason == (
        "alice left no claim of the pair that it selected in call c1; "
        "bob left no claim of the pair that it selected in call c1"
    )


@pytest.mark.parametrize(
    ("ground", "verdict"),
    [
        (Ground.FOLDER, Verdict.INCONCLUSIVE),
        (Ground.CAPTURE, Verdict.INCONCLUSIVE),
        (Ground.HOLE, Verdict.INCONCLUSIVE),
        (Ground.CANARY, Verdict.INCONCLUSIVE),
        (Ground.COUNTERS, Verdict.INCONCLUSIVE),
        (Ground.KEYS, Verdict.INCONCLUSIVE),
        (Ground.UNMEASURED, Verdict.INCONCLUSIVE),
        (Ground.MISSING_CALL, Verdict.FAIL),
        (Ground.UNKNOWN_MEDIA, Verdict.FAIL),
        (Ground.CALL, Verdict.FAIL),
        (Ground.FLOWS, Verdict.FAIL),
        (Ground.STEPS, Verdict.FAIL),
        (Ground.CLAIM, Verdict.FAIL),
        (Ground.NO_CLAIM, Verdict.INCONCLUSIVE),
    ],
)
def test_each_ground_has_its_verdict(ground: Ground, verdict: Verdict) -> None:
    assert judged(seen=evidence(problems=(problem(ground),)))[:2] == (verdict, "something")
    assert judged(others=(problem(ground),)).verdict is verdict


def test_every_ground_is_tried_above() -> None:
    assert len(Ground) == 14


def test_a_hole_outweighs_a_failure_but_both_are_said() -> None:
    seen = evidence(problems=(problem(Ground.FLOWS, "wrong"), problem(Ground.HOLE, "torn")))
    verdict, reason, citations, *_ = judged(seen=seen)
    assert (verdict, reason) == (Verdict.INCONCLUSIVE, "torn; wrong")
    assert [citation.what for citation in citations[:2]] == ["torn", "wrong"]


def test_what_is_said_twice_is_said_once() -> None:
    seen = evidence(problems=(problem(Ground.HOLE), problem(Ground.HOLE)))
    assert judged(seen=seen).reason == "something"


def test_no_frame_is_cited_twice_for_the_same() -> None:
    citations = judged(seen=evidence(problems=(problem(Ground.HOLE),) * 2)).citations
    assert len(set(citations)) == len(citations)


@pytest.mark.parametrize(
    ("flows", "expected"),
    [((), ()), ((Flow.F4, Flow.F2, Flow.F4), (Flow.F2, Flow.F4))],
)
def test_flows_are_a_set_in_order(flows: tuple[Flow, ...], expected: Any) -> None:
    assert flows_of([shown("signalling", flow, 1) for flow in flows]) == expected


def test_a_call_without_media_says_so() -> None:
    call = call_evidence()
    mute = replace(call, media_flows=(), result=call.result.model_copy(update={"media": ()}))
    run = expecting({Flow.F2, Flow.F4}, set())
    reason = judged(run, evidence(calls=(mute,), media=())).reason
    assert reason.startswith("alice and bob: 0 of 0 media packets authenticated, no flow")


def test_a_problem_may_have_no_frame() -> None:
    assert judged(others=(Problem(Ground.FOLDER, "gone"),)).verdict is Verdict.INCONCLUSIVE
    assert frame(1).file == "captures/alice-eth0.pcapng"
