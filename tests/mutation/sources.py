"""Mutations of single streams of media, where a direction has several."""

from collections.abc import Iterator
from functools import partial
from itertools import combinations

from results.schema import MediaPath, StreamKind, Verdict
from tests.mutation.packets import cut, rewrite
from tests.mutation.subject import Draft, Mutant, Mutation, Subject

_RTP_HEADER = 12


def _sources(subject: Subject) -> list[MediaPath]:
    """The paths of a run in which somebody sends more than one stream."""
    paths = [path for call in subject.result.calls for path in call.media]
    several = len({path.ssrc for path in paths}) > len({(path.from_, path.to) for path in paths})
    return [path for path in paths if path.repeats is None] if several else []


def _rows(subject: Subject, path: MediaPath) -> list[int]:
    return [row for row in subject.media_rows if int(subject.table.ssrc[row]) == path.ssrc]


def _named(path: MediaPath) -> str:
    return rf"{path.stream} of {path.from_} \(SSRC 0x{path.ssrc or 0:08X}\)"


def _cuts(subject: Subject) -> Iterator[Mutant]:
    for path in _sources(subject):
        rows = _rows(subject, path)
        what = f"{path.stream} of {path.from_}"
        everywhere = subject.numbers(rows)
        reason = f"declares the {_named(path)}, of which nothing arrived"
        yield Mutant(what, partial(cut, numbers=everywhere), Verdict.FAIL, reason)
        late = subject.numbers(_second_half(subject, rows))
        reason = rf"the {_named(path)} lasted \S+ s, less than the planned"
        yield Mutant(f"{what}, from half on", partial(cut, numbers=late), Verdict.FAIL, reason)
        for tap in (path.taps[0], path.taps[len(path.taps) // 2], path.taps[-1]):
            change = partial(cut, numbers={tap: everywhere[tap]})
            reason = (
                rf"\b{tap} lacks \d+ packets|never seen to arrive at {tap}\b|"
                rf"reached {tap} and were never seen to go on|every tap on the way into"
            )
            yield Mutant(f"{what} at {tap}", change, Verdict.INCONCLUSIVE, reason)


def _second_half(subject: Subject, rows: list[int]) -> list[int]:
    times = subject.table.time[rows]
    middle = (int(times.min()) + int(times.max())) // 2
    return [row for row, time in zip(rows, times.tolist(), strict=True) if time > middle]


def _swaps(subject: Subject) -> Iterator[Mutant]:
    """What two streams of one sender carry is exchanged; each header stays in its place."""
    for one, other in combinations(_sources(subject), 2):
        if one.from_ == other.from_ and one.stream is not other.stream:
            changed = _exchanged(subject, one, other)
            rows = [row for row in subject.media_rows if subject.table.innermost(row) in changed]
            change = partial(rewrite, subject=subject, rows=rows, change=changed.__getitem__)
            what = f"{one.stream} and {other.stream} of {one.from_}"
            reason = r"authenticates? under no key of this run"
            yield Mutant(what, change, Verdict.FAIL, reason)


def _exchanged(subject: Subject, one: MediaPath, other: MediaPath) -> dict[bytes, bytes]:
    """Payloads of both with the other's bytes behind the header, as many as both have."""
    sent = (
        dict.fromkeys(subject.table.innermost(row) for row in _rows(subject, path))
        for path in (one, other)
    )
    changed: dict[bytes, bytes] = {}
    for mine, theirs in zip(*sent, strict=False):
        end = min(len(mine), len(theirs))
        changed[mine] = mine[:_RTP_HEADER] + theirs[_RTP_HEADER:end] + mine[end:]
        changed[theirs] = theirs[:_RTP_HEADER] + mine[_RTP_HEADER:end] + theirs[end:]
    return changed


def _plans(subject: Subject) -> Iterator[Mutant]:
    """Another set of streams was planned than the descriptions declare."""
    if any(call.media for call in subject.result.calls):
        for stream in (StreamKind.CAMERA, StreamKind.SCREEN):
            change = partial(_replan, stream=stream)
            reason = r"the descriptions of call \S+ have \w+ send .*, not "
            yield Mutant(stream, change, Verdict.FAIL, reason)


def _replan(draft: Draft, stream: StreamKind) -> None:
    """Plan this stream where it was not planned, and do not where it was."""

    def edit(run: dict[str, list[dict[str, list[str]]]]) -> None:
        planned = set(run["calls"][0].get("streams", [StreamKind.AUDIO]))
        run["calls"][0]["streams"] = sorted(planned ^ {stream})

    draft.json("run.json", edit)


MUTATIONS = (
    Mutation("one stream cut", _cuts),
    Mutation("two streams swapped", _swaps),
    Mutation("other streams planned", _plans),
)
