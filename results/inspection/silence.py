"""Who went silent: a side of which no media came for longer than it should."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from results.inspection.lanes import Numbers
from results.inspection.records import Side, Silence
from results.inspection.streams import Stream

_SECOND = 1e9

#: Media of both directions by file: index of the file -> direction -> its streams there.
ByFile = dict[int, tuple[list[Stream], list[Stream]]]


def silences(media: ByFile, sides: Sequence[Side], longest: float) -> list[Silence]:
    """The silences of both sides in each file, of more than ``longest`` seconds."""
    return [
        silence
        for first, second in media.values()
        for own, other, side in ((first, second, sides[0]), (second, first, sides[1]))
        for silence in _silences(own, other, side, longest)
    ]


def _silences(
    own: Sequence[Stream], other: Sequence[Stream], side: Side, longest: float
) -> Iterator[Silence]:
    """Gaps of one side's media, and its end while the other side goes on."""
    if not own:
        said = f"no media of {side} at all"
        name = other[0].lane.name
        yield Silence(side=side, file=name, begin=None, seconds=None, said=said)
        return
    name, times = own[0].lane.name, _times(own)
    gaps = np.diff(times)
    for at in np.flatnonzero(gaps > longest * _SECOND).tolist():
        yield _silence(side, name, int(times[at]), int(gaps[at]), "no media of {} for {:.1f} s")
    after = int(_times(other)[-1] - times[-1]) if other else 0
    if after > longest * _SECOND:
        said = "{} sent no more media, while the other side went on for {:.1f} s"
        yield _silence(side, name, int(times[-1]), after, said)
    before = int(times[0] - _times(other)[0]) if other else 0
    if before > longest * _SECOND:
        said = "media of {} began {:.1f} s after the other side's"
        yield _silence(side, name, int(_times(other)[0]), before, said)


def _times(streams: Sequence[Stream]) -> Numbers:
    return np.sort(np.concatenate([stream.time for stream in streams]))


def _silence(side: Side, file: str, begin: int, lasted: int, said: str) -> Silence:
    seconds = lasted / _SECOND
    return Silence(
        side=side,
        file=file,
        begin=moment(begin),
        seconds=round(seconds, 3),
        said=said.format(side, seconds),
    )


def moment(time: int) -> datetime:
    """A file's time in ns as a date, to the µs."""
    seconds, rest = divmod(int(time), 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
