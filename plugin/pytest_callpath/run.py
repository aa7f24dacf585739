"""What a run showed, as Callpath's JSON tells it (``callpath schema``).

Flows are the numbers of the documents as text: "2", "2'", "3", "4", "5", "6", or
"unlisted".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The version of results that is understood here.
SCHEMA = 1

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Frame:
    """A frame that shows something: its number in a capture, and what it shows."""

    tap: str
    file: Path
    number: int
    what: str


@dataclass(frozen=True)
class Step:
    """One of the eight steps of a call; ``time`` in seconds since the run's first frame."""

    number: int
    name: str
    flows: frozenset[str]
    tap: str
    frame: int
    time: float


@dataclass(frozen=True)
class Media:
    """The path of one direction of a call's media, by the taps in their order."""

    sender: str
    receiver: str
    flows: frozenset[str]
    taps: tuple[str, ...]
    packets: int
    #: The relay, or None for direct media.
    relayed_by: str | None
    #: Users whose TURN allocations the media passed.
    allocated_by: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """A candidate pair that was not selected; ends as "host 10.10.0.11:50000".

    ``outcome`` is "not attempted", "refused", "no route", "worked, not preferred" or
    "unknown"; ``by`` and ``rule`` name who refused it.
    """

    sender: str
    receiver: str
    local: str
    remote: str
    outcome: str
    by: str | None
    rule: str | None
    because: str


@dataclass(frozen=True)
class Call:
    """One call of a run."""

    participants: tuple[str, ...]
    media_flows: frozenset[str]
    media: tuple[Media, ...]
    steps: tuple[Step, ...] = field(repr=False)
    pairs: tuple[Pair, ...] = field(repr=False)


@dataclass(frozen=True)
class Run:
    """One run. ``evidence`` are the frames that the verdict rests on; ``json`` is all there is."""

    scenario: str
    #: "PASS", "FAIL" or "INCONCLUSIVE".
    verdict: str
    reason: str
    signalling_flows: frozenset[str]
    media_flows: frozenset[str]
    #: What the documents call the case where they do not support it, else None.
    unsupported: str | None
    calls: tuple[Call, ...]
    evidence: tuple[Frame, ...] = field(repr=False)
    folder: Path
    json: Json = field(repr=False)

    def call(self, *participants: str) -> Call:
        """The call of these participants, in whatever order; LookupError unless there is one."""
        found = [call for call in self.calls if set(call.participants) == set(participants)]
        if len(found) == 1:
            return found[0]
        there = "; ".join(" and ".join(call.participants) for call in self.calls) or "none"
        wanted = " and ".join(participants)
        raise LookupError(f"{len(found)} calls of {wanted} in {self.scenario}; calls: {there}")


def read_run(result: Json, folder: Path) -> Run:
    """A run from its JSON; ``folder`` is where its files lie."""
    return Run(
        scenario=result["scenario"],
        verdict=result["verdict"],
        reason=result["reason"],
        signalling_flows=frozenset(result["signalling_flows"]),
        media_flows=frozenset(result["media_flows"]),
        unsupported=result["unsupported"],
        calls=tuple(_call(call) for call in result["calls"]),
        evidence=tuple(
            Frame(cited["tap"], folder / cited["file"], cited["frame"], cited["what"])
            for cited in result["citations"]
        ),
        folder=folder,
        json=result,
    )


def _call(call: Json) -> Call:
    media = tuple(_media(path) for path in call["media"])
    return Call(
        participants=tuple(call["participants"]),
        media_flows=frozenset[str]().union(*(path.flows for path in media)),
        media=media,
        steps=tuple(_step(step) for step in call["steps"]),
        pairs=tuple(_pair(pair) for pair in call["pairs"]),
    )


def _media(path: Json) -> Media:
    return Media(
        sender=path["from"],
        receiver=path["to"],
        flows=frozenset(path["flows"]),
        taps=tuple(path["taps"]),
        packets=path["packets"],
        relayed_by=path["relayed_by"],
        allocated_by=tuple(path["allocated_by"]),
    )


def _step(step: Json) -> Step:
    flows = frozenset(step["flows"])
    return Step(step["step"], step["name"], flows, step["tap"], step["frame"], step["time"])


def _pair(pair: Json) -> Pair:
    return Pair(
        sender=pair["from"],
        receiver=pair["to"],
        local=_end(pair["local"]),
        remote=_end(pair["remote"]),
        outcome=pair["outcome"],
        by=pair["by"],
        rule=pair["rule"],
        because=pair["because"],
    )


def _end(end: Json) -> str:
    return f"{end['type']} {end['address']}:{end['port']}"
