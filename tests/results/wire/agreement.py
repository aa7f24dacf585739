"""What the packet table says of each frame of captures, beside what tshark says.

tshark is another reader by other people: where both say the same of a packet, neither
is likely to be wrong. All captures of a run go to it as one file, since it takes longer
to start than to read one. There, though, it sees a packet at several taps and takes the
segments of TCP for repetitions, into which it does not look. So where it differs there,
what it says of that tap's packets alone decides.
"""

import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from results.packets import Kind, PacketTable, read_interfaces
from results.wire.capture import Interface
from tests.results.wire.as_tshark import Said, Segment, Shown, shown
from topologies.spec import Tap

#: tshark does not look into what was sent again, where a record is longer than a segment.
SENT_AGAIN = "TCP sent it again"


class Difference(NamedTuple):
    """A frame of which both say different things; ``cause`` is None where nobody knows why."""

    capture: Path
    frame: int
    tshark: Said
    ours: Said
    cause: str | None

    def __str__(self) -> str:
        run, folder, name = ("", *self.capture.parts)[-3:]
        said = f"tshark says {self.tshark}; the packet table, {self.ours}"
        return f"{run}/{folder}/{name} frame {self.frame}: {said} ({self.why})"

    @property
    def why(self) -> str:
        """The cause in words."""
        return self.cause or "unexplained"


@dataclass(frozen=True)
class Compared:
    """How much was compared, and where both differ."""

    packets: int
    differences: tuple[Difference, ...]

    def check(self) -> None:
        """AssertionError, naming the frames, where both differ and nobody knows why."""
        unexplained = [one for one in self.differences if one.cause is None]
        assert not unexplained, "\n".join(map(str, unexplained))


class _Ours(NamedTuple):
    """A frame as the packet table has it: its number in its file."""

    frame: int
    said: Said


def compare(captures: Sequence[Path]) -> Compared:
    """Compare captures packet by packet, tap by tap; CaptureError where we cannot read one.

    A file may hold several interfaces: each is a tap of its own.
    """
    table = read_interfaces(captures, _taps)
    ours = _ours(table)
    differences = list[Difference]()
    with TemporaryDirectory(prefix="callpath-agreement-") as scratch:
        joined = _join(captures, Path(scratch) / "joined.pcapng")
        for tap, theirs in enumerate(_by_tap(shown(joined, one_tap=False), len(ours))):
            if [one.said for one in theirs] != [one.said for one in ours[tap]]:
                capture = Path(table.taps[tap].interface)
                alone = capture if len(captures) == len(ours) else _only(joined, tap)
                differences += _of_one_tap(capture, ours[tap], alone)
    return Compared(len(table), tuple(differences))


def _taps(path: Path, interfaces: Sequence[Interface]) -> list[Tap]:
    """Each bears the path of its file."""
    tap = Tap(name=path.stem, host="host", interface=str(path), link=None, mac=None)
    return [tap] * len(interfaces)


def _join(captures: Sequence[Path], target: Path) -> Path:
    """All captures in one file, one after the other, every interface apart."""
    return _written(target, "mergecap", "-a", "-I", "none", "-w", str(target), *map(str, captures))


def _only(joined: Path, interface: int) -> Path:
    target = joined.with_name("alone.pcapng")
    wanted = f"frame.interface_id == {interface}"
    return _written(target, "tshark", "-n", "-r", str(joined), "-Y", wanted, "-w", str(target))


def _written(target: Path, *command: str) -> Path:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def _by_tap(frames: Sequence[Shown], taps: int) -> list[list[Shown]]:
    found: list[list[Shown]] = [[] for _ in range(taps)]
    for frame in frames:
        found[frame.interface].append(frame)
    return found


def _of_one_tap(capture: Path, ours: Sequence[_Ours], alone: Path) -> Iterator[Difference]:
    """Where tshark differs both as it is and when it looks at the content before the port.

    By port it takes TURN for TLS; by content it takes the rest of a record for anything.
    """
    found = list(_differences(capture, ours, shown(alone, one_tap=True)))
    if found:
        looked = _differences(capture, ours, shown(alone, one_tap=True, by_port=False))
        frames = {one.frame for one in looked}
        yield from (one for one in found if one.frame in frames)


def _differences(
    capture: Path, ours: Sequence[_Ours], theirs: Sequence[Shown]
) -> Iterator[Difference]:
    """The frames of one tap of which both say different things."""
    assert len(theirs) == len(ours), f"{capture}: tshark has {len(theirs)} packets, we {len(ours)}"
    before = defaultdict[tuple[str, str], list[tuple[Segment, Said]]](list)
    for mine, other in zip(ours, theirs, strict=True):
        segment = other.segment
        if mine.said != other.said:
            again = segment and _was_said(mine.said, segment, before[segment.stream])
            cause = SENT_AGAIN if again else None
            yield Difference(capture, mine.frame, other.said, mine.said, cause)
        if segment:
            before[segment.stream].append((segment, other.said))


def _was_said(said: Said, segment: Segment, before: Sequence[tuple[Segment, Said]]) -> bool:
    """Whether tshark itself said so when the first byte of a segment came for the first time."""
    first = (told for one, told in before if one.begin <= segment.begin < one.end)
    return next(first, None) == said


def _ours(table: PacketTable) -> list[list[_Ours]]:
    """Tap -> its frames, in the order of its file."""
    found: list[list[_Ours]] = [[] for _ in table.taps]
    for row in range(len(table)):
        found[int(table.tap[row])].append(_Ours(int(table.frame[row]), _said(table, row)))
    return [sorted(frames) for frames in found]


def _said(table: PacketTable, row: int) -> Said:
    kinds = (Kind(int(table.kind[row])), Kind(int(table.inner_kind[row])))
    is_rtp = kinds[1] is Kind.RTP
    types = [
        int(column[row])
        for kind, column in zip(kinds, (table.stun_type, table.inner_stun_type), strict=True)
        if kind is Kind.STUN
    ]
    return Said(
        kinds,
        tuple(types[:1] if kinds[0] is kinds[1] and not _is_wrapped(table, row) else types),
        int(table.ssrc[row]) if is_rtp else 0,
        int(table.sequence[row]) if is_rtp else 0,
    )


def _is_wrapped(table: PacketTable, row: int) -> bool:
    return bool(table.inner_start[row] != table.payload_start[row])
