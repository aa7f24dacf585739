"""A run that passes, and the copies of it that are changed."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from results.judge import examine, judge
from results.packets import PacketTable
from results.schema import Result, Run, RunFolder, Verdict
from results.wire.kinds import Kind
from tests.mutation.capture import Frame, Pieces, put_together, take_apart
from topologies.spec import Tap

_DNS = 53

#: Rows of the packet table.
Rows = Iterable[int]


@dataclass(frozen=True)
class Subject:
    """A run folder that passes; nothing here changes it."""

    folder: Path

    @cached_property
    def run(self) -> Run:
        """What was planned."""
        return RunFolder(self.folder).read_run()

    @cached_property
    def result(self) -> Result:
        """What the judge says of it."""
        return judge(self.folder)

    @cached_property
    def taps(self) -> dict[str, Tap]:
        """All taps by name."""
        return {tap.name: tap for tap in self.run.network.taps()}

    @cached_property
    def table(self) -> PacketTable:
        """The packets of all captures, and the messages of TURN in streams."""
        return examine(self.folder).reading.table

    @cached_property
    def media_rows(self) -> list[int]:
        """Every packet with media in it that is not hidden in a tunnel's packets."""
        table = self.table
        named = (table.sport == _DNS) | (table.dport == _DNS)
        rows: list[int] = np.flatnonzero((table.inner_kind == Kind.RTP) & ~named).tolist()
        return [row for row in rows if table.tap_name(row) in set(self.media_taps)]

    @cached_property
    def media_taps(self) -> tuple[str, ...]:
        """The taps that media passed, in the order of its ways."""
        paths = (path for call in self.result.calls for path in call.media)
        return tuple(dict.fromkeys(tap for path in paths for tap in path.taps))

    def is_tunnelled(self, rows: Rows) -> bool:
        """Whether some of these packets were seen in a tunnel, and so hidden in others outside."""
        return any(self.taps[tap].tunnel for tap in self.numbers(rows))

    def numbers(self, rows: Rows) -> dict[str, set[int]]:
        """The numbers of frames, by tap."""
        found: dict[str, set[int]] = {}
        for row in rows:
            found.setdefault(self.table.tap_name(row), set()).add(int(self.table.frame[row]))
        return found


class Draft:
    """A copy of a run folder that is being changed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.folder = RunFolder(folder)

    def pieces(self, tap: str) -> Pieces:
        """The capture of a tap."""
        return take_apart(self.folder.capture(tap))

    def write(self, tap: str, frames: Iterable[Frame]) -> None:
        """Store other frames as the capture of a tap, and their number as what was counted."""
        pieces, kept = self.pieces(tap), list(frames)
        self.folder.capture(tap).write_bytes(put_together(pieces, kept))
        self.ending(lambda ending: ending["taps"][tap].update(received=len(kept)))

    def map_frames(
        self, numbers: Mapping[str, set[int]], change: Callable[[str, Frame], Frame | None]
    ) -> None:
        """Change these frames of each tap, or cut those of which nothing is left."""
        for tap, wanted in numbers.items():
            frames = self.pieces(tap).frames
            changed = (
                change(tap, frame) if number in wanted else frame
                for number, frame in enumerate(frames, start=1)
            )
            self.write(tap, [frame for frame in changed if frame])

    def ending(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change what only the run's end could tell."""
        self.json("ending.json", change)

    def json(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change a JSON file in place."""
        path = self.path / name
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")

    def seal(self) -> None:
        """Seal the folder anew, as if the run had left it so."""
        (self.path / "result.json").unlink(missing_ok=True)
        self.folder.seal()


class Mutant(NamedTuple):
    """One change, and what must come of it: a verdict, and words that the reason holds."""

    what: str
    change: Callable[[Draft], None]
    verdict: Verdict
    #: A regular expression.
    reason: str


class Mutation(NamedTuple):
    """A kind of change; a subject gives it as many mutants as it has places for it."""

    name: str
    mutants: Callable[[Subject], Iterator[Mutant]]


def copy_of(subject: Subject, into: Path) -> Draft:
    """A copy of a run to be changed."""
    return Draft(shutil.copytree(subject.folder, into))
