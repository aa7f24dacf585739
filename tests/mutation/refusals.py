"""Mutations of runs with a call that the service refuses, and of plans that expect one."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from results.protocols import stun
from results.schema import PlannedCall, Verdict
from results.wire.kinds import Kind
from tests.mutation.packets import cut, rewrite
from tests.mutation.subject import Draft, Mutant, Mutation, Subject

#: What only a call sends to a relay, by its first bytes.
_LIKE = {
    "SRTP": bytes.fromhex("806f000100000001a0a0a0a0"),
    "SRTCP": bytes.fromhex("80c90001a0a0a0a0"),
    "DTLS": bytes.fromhex("16fefd000000000000000000"),
}


def _refused(subject: Subject) -> list[PlannedCall]:
    return [plan for plan in subject.run.calls if plan.refused and plan.third_party_relay]


def _media(subject: Subject) -> Iterator[Mutant]:
    """A request to the third party's relay becomes, at every tap, what only a call sends."""
    for plan in _refused(subject):
        rows = _first_request(subject, plan)
        for what, head in _LIKE.items():
            change = partial(_become, subject=subject, rows=rows, head=head)
            reason = f"at {plan.third_party_relay} look like media"
            yield Mutant(what, change, Verdict.FAIL, reason)


def _become(draft: Draft, subject: Subject, rows: list[int], head: bytes) -> None:
    rewrite(draft, subject, rows, lambda data: head.ljust(len(data), b"\xa0"))


def _first_request(subject: Subject, plan: PlannedCall) -> list[int]:
    """All rows of the first request that the caller sent to the relay, which was challenged."""
    table, relay = (
        subject.table,
        int(subject.run.network.host(plan.third_party_relay or "").address),
    )
    rows = np.flatnonzero((table.inner_kind == Kind.STUN) & (table.dst == relay)).tolist()
    asked = [table.innermost(row) for row in rows]
    wanted = next(data for data in asked if stun.parse(data).method == stun.Method.ALLOCATE)
    return [row for row, data in zip(rows, asked, strict=True) if data == wanted]


def _blind(subject: Subject) -> Iterator[Mutant]:
    """The relay's tap has its canaries, and nothing else."""
    for plan in _refused(subject):
        tap = f"{plan.third_party_relay}-eth0"
        table = subject.table
        rows = [row for row in range(len(table.time)) if table.tap_name(row) == tap]
        wanted = [row for row in rows if table.kind[row] != Kind.CANARY]
        change = partial(cut, numbers=subject.numbers(wanted))
        reason = rf"\b{tap} lacks \d+ packet|was not seen to arrive at {tap}"
        yield Mutant(tap, change, Verdict.INCONCLUSIVE, reason)


def _plans(subject: Subject) -> Iterator[Mutant]:
    """What is planned of the first call is not what came of it."""
    for what, change, reason in _other_plans(subject.run.calls[0]):
        yield Mutant(what, partial(_replan, change=change), Verdict.FAIL, reason)


def _other_plans(plan: PlannedCall) -> Iterator[tuple[str, dict[str, Any], str]]:
    if plan.refused is None:
        reason = r"the planned call \S+ of \w+ to \w+ .*was not refused by the service"
        yield "to be refused", {"refused": "ThirdPartyRelay"}, reason
        return
    reason = rf"was refused by the service: \d+ {plan.refused}"
    yield "to come about", {"refused": None}, reason
    reason = rf"refused call \S+ with \d+ {plan.refused}, not Forbidden"
    yield "with another code", {"refused": "Forbidden"}, reason
    reason = "declares no candidate that relay allocated"
    yield "with another relay", {"third_party_relay": "relay"}, reason


def _replan(draft: Draft, change: dict[str, Any]) -> None:
    draft.json("run.json", lambda run: run["calls"][0].update(change))


MUTATIONS = (
    Mutation("media of a refused call", _media),
    Mutation("a relay's tap empty but for canaries", _blind),
    Mutation("a refusal planned otherwise", _plans),
)
