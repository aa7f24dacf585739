"""Trying mutants: each is judged, and dies, dies of something else, or survives."""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from results.judge import judge
from results.schema import Result, Verdict
from tests.mutation import (
    evidence,
    interception,
    packets,
    papers,
    refusals,
    regions,
    sources,
)
from tests.mutation.subject import Mutant, Mutation, Subject, copy_of

MUTATIONS: tuple[Mutation, ...] = (
    *packets.MUTATIONS,
    *sources.MUTATIONS,
    *refusals.MUTATIONS,
    *evidence.MUTATIONS,
    *papers.MUTATIONS,
    *interception.MUTATIONS,
    *regions.MUTATIONS,
)


class Fate(StrEnum):
    """What becomes of a mutant."""

    DIED = "died"
    #: It does not pass, but not for the reason that it was made for.
    OTHERWISE = "died of something else"
    SURVIVED = "SURVIVED"


@dataclass(frozen=True)
class Trial:
    """One mutant and what became of it."""

    scenario: str
    mutation: str
    what: str
    fate: Fate
    reason: str


class NotPassing(Exception):  # noqa: N818 - it is a finding about a run
    """A run that does not pass to begin with, so its mutants tell nothing."""


def try_all(folder: Path, sample: int | None = None) -> list[Trial]:
    """Judge every mutant of a run, or of each mutation only a few, the same in every run."""
    return [trial for number in range(len(MUTATIONS)) for trial in try_some(folder, number, sample)]


def try_some(folder: Path, number: int, sample: int | None) -> list[Trial]:
    """Judge the mutants of the mutation of this number."""
    subject, mutation = _passing(folder), MUTATIONS[number]
    return [
        try_one(subject, mutation, mutant) for mutant in _chosen(mutation.mutants(subject), sample)
    ]


@lru_cache(maxsize=1)
def _passing(folder: Path) -> Subject:
    subject = Subject(folder)
    if subject.result.verdict is not Verdict.PASS:
        raise NotPassing(f"{folder} is no run that passes: {subject.result.reason}")
    return subject


def _chosen(mutants: Iterator[Mutant], sample: int | None) -> Iterable[Mutant]:
    found = list(mutants)
    dice = random.Random(len(found))  # noqa: S311 - no secret
    return found if sample is None else dice.sample(found, min(sample, len(found)))


def try_one(subject: Subject, mutation: Mutation, mutant: Mutant) -> Trial:
    """Judge a copy of a run after a change."""
    with TemporaryDirectory(prefix="callpath-mutant-") as scratch:
        draft = copy_of(subject, Path(scratch) / "run")
        mutant.change(draft)
        draft.seal()
        result = judge(draft.path)
    fate = _fate(mutant, result)
    return Trial(subject.run.scenario, mutation.name, mutant.what, fate, result.reason)


def _fate(mutant: Mutant, result: Result) -> Fate:
    if result.verdict is Verdict.PASS:
        return Fate.SURVIVED
    stated = result.verdict is mutant.verdict and re.search(mutant.reason, result.reason)
    return Fate.DIED if stated else Fate.OTHERWISE
