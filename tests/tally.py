"""The captures that tests make of real networks: each is held against tshark's reading of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from shutil import which
from typing import Any

from results.schema import EVIDENCE, RunFolder
from results.wire.capture import CaptureError
from results.wire.captures import open_capture, parts
from tests.results.wire.agreement import compare
from tests.results.wire.as_tshark import shown

#: Of all packets, this part may differ at most, each for a reason that is known.
_MOST_DIFFERENT = 0.001
#: Of fewer packets than these, a few runs, a part tells nothing: TCP sends again in bursts.
_MANY = 10_000


class Tally:
    """What was compared in a session of tests, and where we and tshark differ."""

    def __init__(self, began: datetime | None = None) -> None:
        self._began = began or datetime.now(UTC)
        self.captures = 0
        self.packets = 0
        #: Captures that both say are empty or end amid a packet: whoever wrote them was killed.
        self.cut = 0
        #: Captures that nobody compared, for want of tshark.
        self.left_out = 0
        #: Each difference in words, and its cause.
        self.differences: list[tuple[str, str]] = []

    def check(self, folder: Path) -> None:
        """Compare all captures below a folder; AssertionError names unexplained frames."""
        for captures in self._captures(folder):
            if which("tshark") is None:
                self.left_out += len(captures)
                continue
            self._compare([path for path in captures if self._is_whole(path)])

    def told(self) -> dict[str, Any]:
        """The figures in plain data, as one process of the tests tells them to another."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def add(self, told: Mapping[str, Any]) -> None:
        """Take in the figures of another process."""
        for name, value in told.items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def differs_too_often(self) -> bool:
        """Whether more differs than may, though it is known why."""
        return self.packets >= _MANY and len(self.differences) > self.packets * _MOST_DIFFERENT

    def lines(self) -> Iterator[str]:
        """What to tell at the end: the figures, and each difference."""
        if self.left_out:
            yield f"agreement with tshark: {self.left_out} captures left out, it is not installed"
        if self.captures:
            yield (
                f"agreement with tshark: {self.packets:,} packets of {self.captures:,} captures, "
                f"{len(self.differences)} differ{self._causes()}; "
                f"{self.cut} more captures are cut short or empty, as both say"
            )
        yield from (text for text, _ in self.differences)
        if self.differs_too_often:
            yield f"agreement with tshark: FAILED, more than {_MOST_DIFFERENT:.1%} differ"

    def _causes(self) -> str:
        counted = Counter(cause for _, cause in self.differences)
        told = (f"{count} {cause}" for cause, count in counted.items())
        return f" ({', '.join(told)})" if counted else ""

    def _compare(self, captures: list[Path]) -> None:
        if not captures:
            return
        compared = compare(captures)
        self.captures += len(captures)
        self.packets += compared.packets
        self.differences += [(str(one), one.why) for one in compared.differences]
        compared.check()

    def _captures(self, folder: Path) -> Iterator[list[Path]]:
        """The captures of each folder below one; evidence, which has them again, is none."""
        found = (path for path in folder.rglob("*.pcap*") if path.name != EVIDENCE)
        for parent, captures in groupby(sorted(found), lambda path: path.parent):
            if not self._is_stored(parent.parent):
                yield list(captures)

    def _is_stored(self, folder: Path) -> bool:
        """Whether a folder is of a run of old, unpacked for a test."""
        if not (folder / "run.json").exists():
            return False
        return RunFolder(folder).read_run().created < self._began

    def _is_whole(self, path: Path) -> bool:
        """Whether we can read a capture to its end; what we cannot, tshark must not read either."""
        refusal = _refusal(path)
        if refusal:
            self.cut += 1
            frames = _frames(path)
            assert frames == 0, f"tshark reads all {frames} frames, but we say: {refusal}"
        return not refusal


def _refusal(path: Path) -> str:
    """Why we cannot read a capture to its end; empty where we can."""
    try:
        list(parts(open_capture(path)))
    except CaptureError as error:
        return str(error)
    return ""


def _frames(path: Path) -> int:
    """How many frames tshark finds in a capture; none where it fails before the end."""
    try:
        return len(shown(path, one_tap=True))
    except AssertionError:
        return 0
