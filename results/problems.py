"""What speaks against a PASS: grounds, each with words for a person and frames to open."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from results.packets import PacketTable
from results.schema import Citation, Verdict


class Ground(IntEnum):
    """Why a run does not pass. The lowest decides the verdict.

    Evidence with holes comes first: a FAIL that is read from it proves nothing.
    """

    FOLDER = 0
    CAPTURE = 1
    HOLE = 2
    CANARY = 3
    COUNTERS = 4
    KEYS = 5
    UNMEASURED = 6
    MISSING_CALL = 7
    UNKNOWN_MEDIA = 8
    CALL = 9
    FLOWS = 10
    STEPS = 11
    CLAIM = 12
    NO_CLAIM = 13

    @property
    def verdict(self) -> Verdict:
        """What a run is when this ground decides."""
        inconclusive = self <= Ground.UNMEASURED or self is Ground.NO_CLAIM
        return Verdict.INCONCLUSIVE if inconclusive else Verdict.FAIL


@dataclass(frozen=True)
class Problem:
    """One ground with its sentence; ``citations`` are frames that show it."""

    ground: Ground
    text: str
    citations: tuple[Citation, ...] = ()


def cite(table: PacketTable, row: int, what: str) -> Citation:
    """The frame of a row, as a person finds it in the run folder."""
    name = table.tap_name(row)
    return Citation(tap=name, file=capture_file(name), frame=int(table.frame[row]), what=what)


def capture_file(tap: str) -> str:
    """The capture file of a tap, relative to the run folder."""
    return f"captures/{tap}.pcapng"


def in_weight(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, the deciding one first, each text once."""
    unique: dict[str, Problem] = {}
    for problem in problems:
        unique.setdefault(problem.text, problem)
    return sorted(unique.values(), key=lambda problem: problem.ground)
