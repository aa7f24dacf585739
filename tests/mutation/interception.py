"""Mutations of TLS that a box ended: what was said in clear cut, or said by somebody else."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from agents.tls import new_authority
from results.protocols.tls import connections
from results.protocols.tls_clear import certificate, refusal
from results.schema import RunFolder, Verdict
from tests.mutation.subject import Draft, Mutant, Mutation, Subject
from topologies.spec import Tap

_HTTPS = 443


def _inspected(subject: Subject) -> list[Tap]:
    """The taps that saw a client refuse a certificate, in the order of their names."""
    return [tap for tap in subject.taps.values() if _said_at(subject, tap)]


def _said_at(subject: Subject, tap: Tap) -> list[tuple[int, int]]:
    """Rows of certificate and alert, for each connection that a client refused at a tap."""
    found = []
    for one in connections(subject.table, list(subject.taps).index(tap.name)):
        shown, refused = certificate(one), refusal(one)
        if shown and refused:
            found.append((shown.row, refused.row))
    return found


def _cuts(subject: Subject) -> Iterator[Mutant]:
    """At one tap the certificate, the alert, or all of the connection is not there."""
    for tap in _inspected(subject):
        for at, what in enumerate(("certificate", "refusal")):
            rows = [both[at] for both in _said_at(subject, tap)]
            change = partial(_cut, numbers=subject.numbers(rows))
            reason = rf"\b{tap.name} lacks the {what} of \S+ that other taps saw"
            yield Mutant(f"{what} at {tap.name}", change, Verdict.INCONCLUSIVE, reason)
    inspected = _inspected(subject)
    for at, what in enumerate(("certificate", "refusal")):
        rows = [both[at] for tap in inspected for both in _said_at(subject, tap)]
        if rows:
            change = partial(_cut, numbers=subject.numbers(rows))
            yield Mutant(f"{what} everywhere", change, *_WITHOUT[at])


_WITHOUT = (
    (Verdict.FAIL, r"expected an unsupported case \(packet inspection\), but none was seen"),
    (Verdict.INCONCLUSIVE, r"none of the \d+ logged sessions has its client random"),
)


def _cut(draft: Draft, numbers: dict[str, set[int]]) -> None:
    draft.map_frames(numbers, lambda _tap, _frame: None)


def _disappearances(subject: Subject) -> Iterator[Mutant]:
    """All HTTPS cut at the taps that saw the refusal: nobody was turned away there."""
    for tap in _inspected(subject)[:1]:
        table = subject.table
        names = [one.name for one in _inspected(subject)]
        secure = np.flatnonzero((table.sport == _HTTPS) | (table.dport == _HTTPS)).tolist()
        rows = [row for row in secure if table.tap_name(row) in names]
        change = partial(_cut, numbers=subject.numbers(rows))
        reason = r"rule intercepted of \S+ counted \d+ packets?, but the captures show 0"
        yield Mutant(f"from {tap.name} on", change, Verdict.INCONCLUSIVE, reason)


def _authorities(subject: Subject) -> Iterator[Mutant]:
    """The run's CA is said to be another one, so that all certificates look foreign."""
    if (RunFolder(subject.folder).authority).exists():
        reason = r"unsupported|is signed by Callpath run CA, not by the run's CA"
        yield Mutant("of the run", _replace_authority, Verdict.FAIL, reason)


def _replace_authority(draft: Draft) -> None:
    new_authority("another").write(draft.folder.authority)


MUTATIONS = (
    Mutation("a refusal cut", _cuts),
    Mutation("HTTPS cut", _disappearances),
    Mutation("the run's CA replaced", _authorities),
)
