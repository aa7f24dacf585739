"""Mutations of captures as wholes: taps that were blind, cut, swapped or ran by another clock."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from results.canary_frames import Moment, canary
from results.schema import Verdict
from tests.mutation.capture import Frame
from tests.mutation.signalling import secrets_of
from tests.mutation.subject import Draft, Mutant, Mutation, Subject

#: EtherTypes of IPv4 (RFC 894) and IPv6 (RFC 2464).
_IP = (bytes.fromhex("0800"), bytes.fromhex("86dd"))

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000


def _named(tap: str) -> str:
    """A tap in a list of such."""
    return rf"\b{tap}\b"


def _canaries(subject: Subject) -> Iterator[Mutant]:
    for tap in subject.taps:
        for moment in Moment:
            text = canary(subject.run.run, tap, moment)
            reason = rf"{_named(tap)}.* may have been blind: no canary arrived {moment} the calls"
            change = partial(_cut, tap=tap, wanted=text)
            yield Mutant(f"{moment} {tap}", change, Verdict.INCONCLUSIVE, reason)


def _cut(draft: Draft, tap: str, wanted: bytes) -> None:
    draft.write(tap, [frame for frame in draft.pieces(tap).frames if wanted not in frame.data])


def _truncations(subject: Subject) -> Iterator[Mutant]:
    for tap in subject.taps:
        reason = rf"captures/{tap}\.pcapng is truncated"
        yield Mutant(f"bytes of {tap}", partial(_truncate, tap=tap), Verdict.INCONCLUSIVE, reason)
        reason = rf"{_named(tap)}.* may have been blind: no canary arrived after the calls"
        yield Mutant(f"frames of {tap}", partial(_stop, tap=tap), Verdict.INCONCLUSIVE, reason)


def _truncate(draft: Draft, tap: str) -> None:
    path = draft.folder.capture(tap)
    path.write_bytes(path.read_bytes()[:-7])


def _stop(draft: Draft, tap: str) -> None:
    """Cut between two frames, where no reader can tell."""
    last = canary(draft.folder.read_run().run, tap, Moment.AFTER)
    frames = draft.pieces(tap).frames
    at = next(number for number, frame in enumerate(frames) if last in frame.data)
    draft.write(tap, frames[:at])


_TORN = (
    r"lacks \d+ packet|never seen to (arrive|go on)|may have been blind|went astray|"
    r"was not seen to (arrive|go on)|consistent with|fit nothing in the tunnel|"
    r"packets reached \S+ before they left"
)


def _swaps(subject: Subject) -> Iterator[Mutant]:
    """Neighbours on the way of media, and one of them with a tap that saw no media."""
    silent = [tap for tap in subject.taps if tap not in subject.media_taps]
    pairs = [*pairwise(subject.media_taps), *zip(subject.media_taps, silent[:1], strict=False)]
    for one, other in pairs:
        if (subject.taps[one].tunnel is None) is not (subject.taps[other].tunnel is None):
            continue
        reason = rf"the capture of ({one}|{other}) is of \S+, not of"
        swap = partial(_swap_files, one=one, other=other)
        yield Mutant(f"files of {one} and {other}", swap, Verdict.INCONCLUSIVE, reason)
        swap = partial(_swap_frames, one=one, other=other)
        yield Mutant(f"frames of {one} and {other}", swap, Verdict.INCONCLUSIVE, _TORN)


def _swap_files(draft: Draft, one: str, other: str) -> None:
    paths = [draft.folder.capture(tap) for tap in (one, other)]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    draft.ending(lambda ending: _swap_counts(ending["taps"], one, other))


def _swap_counts(taps: dict[str, Any], one: str, other: str) -> None:
    taps[one], taps[other] = taps[other], taps[one]


def _swap_frames(draft: Draft, one: str, other: str) -> None:
    """Each canary gets the name of its new tap."""
    found = draft.pieces(one).frames, draft.pieces(other).frames
    run = draft.folder.read_run().run
    for tap, former, frames in ((one, other, found[1]), (other, one, found[0])):
        draft.write(tap, map(_renaming(run, former, tap), frames))


def _renaming(run: str, former: str, tap: str) -> Callable[[Frame], Frame]:
    """Canaries of one tap become those of another."""

    def edit(frame: Frame) -> Frame:
        for moment in Moment:
            text = canary(run, former, moment)
            if text in frame.data:
                return frame._replace(data=frame.data.replace(text, canary(run, tap, moment)))
        return frame

    return edit


def _clocks(subject: Subject) -> Iterator[Mutant]:
    for tap in subject.taps:
        yield _clock(tap, 60 * _SECOND, "a minute ahead")
        yield _clock(tap, -60 * _SECOND, "a minute behind")
    for tap in subject.media_taps:
        yield _clock(tap, 20 * _MILLISECOND, "20 ms ahead")
        yield _clock(tap, -20 * _MILLISECOND, "20 ms behind")


def _clock(tap: str, shift: int, words: str) -> Mutant:
    change = partial(_shift, tap=tap, shift=shift)
    return Mutant(f"{tap} {words}", change, Verdict.INCONCLUSIVE, _TORN)


def _shift(draft: Draft, tap: str, shift: int) -> None:
    frames = draft.pieces(tap).frames
    draft.write(tap, [frame._replace(time=frame.time + shift) for frame in frames])


def _leaks(subject: Subject) -> Iterator[Mutant]:
    """A password follows a packet in its frame, where no reader of packets looks."""
    used = subject.media_taps or tuple(subject.taps)
    for secret in secrets_of(subject):
        for tap in [tap for tap in used if subject.taps[tap].mac][:1]:
            change = partial(_leak, tap=tap, secret=secret.value.encode())
            reason = rf"{secret.what} crossed in clear \(frame \d+ of {tap}\)"
            yield Mutant(f"{secret.what} at {tap}", change, Verdict.FAIL, reason)


def _leak(draft: Draft, tap: str, secret: bytes) -> None:
    frames = list(draft.pieces(tap).frames)
    at = next(at for at, frame in enumerate(frames) if frame.data[12:14] in _IP)
    frames[at] = frames[at]._replace(data=frames[at].data.ljust(60, b"\0") + secret)
    draft.write(tap, frames)


MUTATIONS = (
    Mutation("password in clear", _leaks),
    Mutation("canary removed", _canaries),
    Mutation("truncation", _truncations),
    Mutation("two taps swapped", _swaps),
    Mutation("one tap's clock shifted", _clocks),
)
