"""Mutations of packets: media cut, moved or of another call, ICE and steps that went otherwise."""

import hmac
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from results.protocols import stun
from results.schema import Verdict
from results.setup.turn import allocated
from results.wire.kinds import Kind
from tests.mutation.capture import Frame
from tests.mutation.signalling import ice_passwords
from tests.mutation.streams import on_the_wire
from tests.mutation.subject import Draft, Mutant, Mutation, Subject
from topologies.spec import Role

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_DNS = 53


#: What is said where only one of a packet in a tunnel and its WireGuard packet is there.
_UNTIED = "consistent with|fit nothing in the tunnel"


def _cuts(subject: Subject) -> Iterator[Mutant]:
    for tap, numbers in subject.numbers(subject.media_rows).items():
        reason = (
            rf"\b{tap} lacks \d+ packets|never seen to arrive at {tap}\b|"
            rf"reached {tap} and were never seen to go on|every tap on the way into"
        )
        change = partial(cut, numbers={tap: numbers})
        yield Mutant(f"at {tap}", change, Verdict.INCONCLUSIVE, reason)
    everywhere = subject.numbers(subject.media_rows)
    if not everywhere:
        return
    verdict, reason = Verdict.FAIL, r"no authenticated media from \w+ to \w+"
    if any(one.shaper for one in subject.run.network.perimeters):
        verdict, reason = Verdict.INCONCLUSIVE, r"counted \d+ packets, but the captures show"
    if subject.is_tunnelled(subject.media_rows):
        verdict, reason = Verdict.INCONCLUSIVE, _UNTIED
    yield Mutant("everywhere", partial(cut, numbers=everywhere), verdict, reason)


def cut(draft: Draft, numbers: Mapping[str, set[int]]) -> None:
    """Cut frames, by tap."""
    draft.map_frames(numbers, lambda _tap, _frame: None)


def _moves(subject: Subject) -> Iterator[Mutant]:
    """Media at one tap becomes media that arrived at another, which had none."""
    ethernet = [tap for tap in subject.taps.values() if tap.mac]
    silent = [tap.name for tap in ethernet if tap.name not in subject.media_taps]
    for tap, numbers in subject.numbers(subject.media_rows).items():
        if silent and subject.taps[tap].mac:
            change = partial(_move, subject=subject, tap=tap, numbers=numbers, to=silent[0])
            reason = r"lacks \d+ packets|never seen to (arrive|go on)"
            yield Mutant(f"{tap} to {silent[0]}", change, Verdict.INCONCLUSIVE, reason)


def _move(draft: Draft, subject: Subject, tap: str, numbers: set[int], to: str) -> None:
    target = subject.taps[to]
    macs = (target.mac, _neighbour(subject, to))
    head = b"".join(bytes.fromhex((mac or "").replace(":", "")) for mac in macs)
    frames = draft.pieces(tap).frames
    moved = [frame for number, frame in enumerate(frames, start=1) if number in numbers]
    kept = [frame for number, frame in enumerate(frames, start=1) if number not in numbers]
    draft.write(tap, kept)
    arrived = (frame._replace(data=head + frame.data[len(head) :]) for frame in moved)
    draft.write(to, [*draft.pieces(to).frames, *arrived])


def _neighbour(subject: Subject, tap: str) -> str:
    """The MAC address of another interface on the link of a tap."""
    link = subject.taps[tap].link
    others = (one.mac for one in subject.taps.values() if one.link == link and one.name != tap)
    return next((mac for mac in others if mac), "02:00:00:00:00:01")


def _foreign(subject: Subject) -> Iterator[Mutant]:
    """Media of another call, or of another run: it looks the same, but is under other keys."""
    if not subject.media_rows:
        return
    changed = {data: _spoilt(data) for data in _payloads(subject, subject.media_rows)}
    if not changed:
        return
    change = partial(_replace, subject=subject, changed=changed)
    reason = "authenticates? under no key of this run"
    yield Mutant("of another run", change, Verdict.FAIL, reason)
    swapped = _between_calls(subject) if len(subject.run.calls) > 1 else {}
    if swapped:
        change = partial(_replace, subject=subject, changed=swapped)
        reason = r"no authenticated media from|went astray|on the ICE sockets"
        yield Mutant("of another call of this run", change, Verdict.FAIL, reason)


def _spoilt(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _payloads(subject: Subject, rows: list[int]) -> list[bytes]:
    return list(dict.fromkeys(subject.table.innermost(row) for row in rows))


def _between_calls(subject: Subject) -> dict[bytes, bytes]:
    """Payloads of one call to those of the next, and back, where they are of one size."""
    sent = list(_by_call(subject).values())
    if len(sent) < 2:
        return {}
    pairs = [(one, two) for one, two in zip(*sent[:2], strict=False) if len(one) == len(two)]
    return dict(pairs) | {two: one for one, two in pairs}


def _by_call(subject: Subject) -> dict[tuple[int, int], list[bytes]]:
    """What users sent each other, by the addresses of both."""
    table = subject.table
    users = {host.name for host in subject.run.network.with_role(Role.USER)}
    found: dict[tuple[int, int], list[bytes]] = {}
    for row in subject.media_rows:
        if table.outgoing[row] and table.taps[int(table.tap[row])].host in users:
            one, other = sorted(table.addresses_of(row))
            found.setdefault((one, other), []).append(table.innermost(row))
    return found


def _replace(draft: Draft, subject: Subject, changed: Mapping[bytes, bytes]) -> None:
    rows = [row for row in subject.media_rows if subject.table.innermost(row) in changed]
    rewrite(draft, subject, rows, lambda data: changed[data])


def rewrite(
    draft: Draft, subject: Subject, rows: list[int], change: Callable[[bytes], bytes]
) -> None:
    """Change the innermost payload of packets, without a UDP checksum that would tell."""
    table = subject.table
    _rewrite_streams(draft, subject, [row for row in rows if table.from_stream[row]], change)
    rows = [row for row in rows if not table.from_stream[row]]
    places = {(table.tap_name(row), int(table.frame[row])): row for row in rows}

    def edit(tap: str, number: int, frame: Frame) -> Frame:
        row = places[tap, number]
        at = int(table.inner_start[row] - table.frame_start[row])
        checksum = int(table.payload_start[row] - table.frame_start[row]) - 2
        data = bytearray(frame.data)
        data[at : at + int(table.inner_size[row])] = change(table.innermost(row))
        data[checksum : checksum + 2] = bytes(2)
        return frame._replace(data=bytes(data))

    for tap, numbers in subject.numbers(rows).items():
        frames = draft.pieces(tap).frames
        draft.write(
            tap,
            [
                edit(tap, number, frame) if number in numbers else frame
                for number, frame in enumerate(frames, start=1)
            ],
        )


def _rewrite_streams(
    draft: Draft, subject: Subject, rows: list[int], change: Callable[[bytes], bytes]
) -> None:
    """Change the innermost payload of messages within TCP, wherever their segments were seen."""
    table = subject.table
    changed = {data: change(data) for data in _payloads(subject, rows)}
    for tap in {table.tap_name(row) for row in rows}:
        segments = on_the_wire(subject, tap, changed)
        frames = draft.pieces(tap).frames
        draft.write(tap, [_with_others(frame, segments) for frame in frames])


def _with_others(frame: Frame, segments: Mapping[bytes, bytes]) -> Frame:
    data = frame.data
    for before, after in segments.items():
        if before in data:
            data = data.replace(before, after)
    return frame._replace(data=data)


class _Check(NamedTuple):
    """A check with USE-CANDIDATE, and the password under which it was made."""

    row: int
    password: bytes


def _nominations(subject: Subject) -> Iterator[Mutant]:
    """USE-CANDIDATE becomes an attribute that nobody knows; integrity and fingerprint hold."""
    checks = list(_nominating(subject))
    if not checks:
        return
    passwords = {subject.table.innermost(check.row): check.password for check in checks}
    rows = [check.row for check in checks]

    def strip(draft: Draft) -> None:
        rewrite(draft, subject, rows, lambda data: _stripped(data, passwords[data]))

    reason = r"lacks step 7 \(check\): no nominating check was answered"
    if rows:
        yield Mutant("all of it", strip, Verdict.FAIL, reason)


def _nominating(subject: Subject) -> Iterator[_Check]:
    passwords = ice_passwords(subject)
    table = subject.table
    for row in np.flatnonzero(table.inner_kind == Kind.STUN).tolist():
        data = table.innermost(row)
        message = stun.parse(data)
        name = (message.username or "").split(":")[0]
        if message.use_candidate and name in passwords:
            yield _Check(row, passwords[name])


_USE_CANDIDATE, _UNKNOWN = bytes.fromhex("00250000"), bytes.fromhex("c0fe0000")
_INTEGRITY, _FINGERPRINT = bytes.fromhex("00080014"), bytes.fromhex("80280004")


def _stripped(message: bytes, password: bytes) -> bytes:
    """The message without its nomination, signed anew (RFC 8489, sections 14.5 and 14.7)."""
    data = message.replace(_USE_CANDIDATE, _UNKNOWN)
    at = data.index(_INTEGRITY)
    covered = data[:2] + (at + 4).to_bytes(2) + data[4:at]
    data = data[: at + 4] + hmac.digest(password, covered, "sha1") + data[at + 24 :]
    end = data.find(_FINGERPRINT)
    if end < 0:
        return data
    checksum = zlib.crc32(data[:end]) ^ 0x5354554E
    return data[: end + 4] + checksum.to_bytes(4)


def _disorder(subject: Subject) -> Iterator[Mutant]:
    """Steps that took place too late or too early, at all taps alike."""
    if not subject.result.calls:
        return
    length = int(subject.table.time[-1] - subject.table.time[0])
    _, allocated, invited = subject.result.calls[0].steps[:3]
    # Just so much that what follows an allocation is not torn from it.
    late = round((invited.time - allocated.time) * _SECOND) + _MILLISECOND
    verdict, reason = Verdict.FAIL, r"lacks step 1 \(resolve\)|came before step 1"
    if subject.is_tunnelled(_dns(subject)):
        verdict, reason = Verdict.INCONCLUSIVE, _UNTIED
    change = partial(_later, numbers=subject.numbers(_dns(subject)), shift=length)
    yield Mutant("1 after 2", change, verdict, reason)
    change = partial(_later, numbers=subject.numbers(_allocations(subject)), shift=late)
    yield Mutant("2 after 3", change, Verdict.FAIL, r"came before step 2 \(allocate\)")


def _later(draft: Draft, numbers: Mapping[str, set[int]], shift: int) -> None:
    draft.map_frames(numbers, lambda _tap, frame: frame._replace(time=frame.time + shift))


def _dns(subject: Subject) -> list[int]:
    table = subject.table
    rows: list[int] = np.flatnonzero((table.sport == _DNS) | (table.dport == _DNS)).tolist()
    return rows


def _allocations(subject: Subject) -> list[int]:
    """The relay's answers with an allocation."""
    table = subject.table
    rows = np.flatnonzero(table.inner_kind == Kind.STUN).tolist()
    return [row for row in rows if allocated(stun.parse(table.innermost(row)))]


MUTATIONS = (
    Mutation("media cut at one tap", _cuts),
    Mutation("media moved to another tap", _moves),
    Mutation("another call's media", _foreign),
    Mutation("nomination stripped", _nominations),
    Mutation("steps reordered", _disorder),
)
