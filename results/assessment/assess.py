"""Reading from captures what a host reaches of the service.

The program that tried each way claims what came of it. What it did is in the captures:
probes as they left the host, and what came back to it. Where the two disagree, or a
capture has gaps, nothing is assessed.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from pydantic import ValidationError

from results.absence import count_problems
from results.assessment.probes import Probe, Way
from results.assessment.records import Assessment, Reach, WayClaim
from results.counters import counted_by_rules
from results.evidence import Reading
from results.packets import Kind, read_table
from results.problems import cite
from results.protocols import stun
from results.schema import RunFolder, RunFolderError
from results.tunnelling.tunnels import tunnels_of

#: What the program says with each claim that is none.
_NOT_CLAIMED = ("event", "time")

_SECOND = 1e9


def assess(folder: Path, host: str) -> Assessment:
    """Read what a host's tries show.

    RunFolderError where the folder does not hold them, CaptureError for a capture that
    cannot be read.
    """
    run_folder = RunFolder(folder)
    run, ending = run_folder.read_run(), run_folder.read_ending()
    captures = {tap: run_folder.capture(tap.name) for tap in run.network.taps()}
    table = read_table(captures, tunnels_of(run.network))
    reading = Reading(table, run, {}, {}, counted_by_rules(ending))
    told = _claims(run_folder, host)
    since = (-inf, *(one.told for one in told))
    tried = [_Tried(reading, host, *each) for each in zip(told, since, strict=False)]
    gaps = (*count_problems(table, ending), *reading.hole_problems())
    return Assessment(
        run=run.run,
        host=host,
        ways=tuple(one.reach() for one in tried),
        doubts=(
            *(problem.text for problem in gaps),
            *(doubt for one in tried for doubt in one.disagreements()),
        ),
    )


def _claims(folder: RunFolder, host: str) -> list[WayClaim]:
    path = folder.events(host)
    try:
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        claims = [event for event in events if event["event"] == "probed"]
        return [
            WayClaim(
                told=event["time"],
                **{key: event[key] for key in event if key not in _NOT_CLAIMED},
            )
            for event in claims
        ]
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise RunFolderError(f"{path} does not tell what {host} tried: {error}") from None


class _Because(NamedTuple):
    """Why a way does not work: in words, and the device and rule that refuse it."""

    text: str
    by: str | None = None
    rule: str | None = None


class _Tried:
    """One way that a host tried, as the captures have it."""

    def __init__(self, reading: Reading, host: str, claim: WayClaim, since: float) -> None:
        self._reading = reading
        self._host = host
        self._claim = claim
        address = reading.places.address_for(claim.edge, host)
        self._way = Way(reading, host, address, claim.port, since * _SECOND, claim.told * _SECOND)
        udp = claim.transport == "udp"
        self._probes = list(self._way.bindings() if udp else self._way.connections())
        trips = (probe.round_trip_ms for probe in self._probes)
        self._trips = [trip for trip in trips if trip is not None]

    def disagreements(self) -> Iterator[str]:
        """What the program claims, and the captures do not show."""
        claim, seen = self._claim, self._trips
        says = f"{self._host} says of {claim.in_words}"
        # A connection that is used, not only opened, is one more.
        used = 0 if claim.transport == "udp" else 1
        if not claim.answered <= len(seen) <= claim.answered + used:
            yield f"{says}: {claim.answered} probes were answered; the captures show {len(seen)}"
        elif claim.round_trips_ms and median(claim.round_trips_ms) < median(seen):
            # What takes some time in the program cannot take longer at the tap below it.
            yield f"{says}: it answers sooner than the captures show ({median(seen):g} ms)"
        if claim.used and not self._was_used():
            yield f"{says}: {claim.used}; the captures show no such answer"

    def reach(self) -> Reach:
        """The way with its figures."""
        claim, trips, sent = self._claim, self._trips, len(self._probes)
        works = bool(trips and claim.used and self._was_used())
        because = _Because(claim.used or "") if works else self._because()
        return Reach(
            **claim.model_dump(include={"edge", "name", "port", "transport"}),
            needed=not claim.is_relay or claim.transport == "udp",
            works=works,
            sent=sent,
            answered=len(trips),
            loss=(sent - len(trips)) / sent if sent else None,
            least_ms=_ms(min(trips)) if trips else None,
            median_ms=_ms(median(trips)) if trips else None,
            jitter_ms=jitter(trips),
            because=because.text,
            by=because.by,
            rule=because.rule,
            shown_by=cite(self._reading.table, self._probes[0].path.first.row, claim.in_words)
            if self._probes
            else None,
        )

    def _was_used(self) -> bool:
        """Whether the edge answered what a client asks of it."""
        if self._claim.transport == "udp":
            return any(self._way.answers(stun.Method.ALLOCATE))
        tls = self._claim.transport == "tls"
        return any(self._way.has_spoken(p.path, tls) for p in self._probes if p.answer)

    def _because(self) -> _Because:
        """Why the way does not work."""
        if not self._probes:
            return self._unresolved()
        if self._trips:
            return _Because(self._claim.why or "it answers, but not what a client asks of it")
        return self._lost(self._probes[0])

    def _lost(self, probe: Probe) -> _Because:
        """What became of a probe that was not answered."""
        if not probe.path.complete:
            fate = self._reading.fates.of(probe.path)
            return _Because(fate.because, fate.by, fate.rule)
        if self._claim.transport != "udp" and self._way.was_reset(probe.path):
            return _Because("nobody takes connections there", self._claim.edge)
        return _Because("probes arrive there, but no answer comes back")

    def _unresolved(self) -> _Because:
        """Nothing left for the way: what became of the question for its address.

        The host's own, or that of the name server that it asked.
        """
        for path in self._reading.udp.paths:
            if path.first.kind is Kind.DNS and not path.complete:
                fate = self._reading.fates.of(path)
                return _Because(f"{self._claim.why} ({fate.because})", fate.by, fate.rule)
        return _Because(self._claim.why)


def jitter(trips: Sequence[float]) -> float | None:
    """Mean difference of successive round trips in ms; None of fewer than two."""
    differences = [abs(after - before) for before, after in pairwise(trips)]
    return _ms(fmean(differences)) if differences else None


def _ms(value: float) -> float:
    return round(value, 3)
