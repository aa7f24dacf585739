"""Relay credentials that expire in mid-call: what media passed allocations made with them.

A relay checks credentials when it is asked; an allocation may outlive them. So a call that
lasts longer must have another allocation by then, made with new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from results.media import Stream
from results.problems import Ground, Problem, cite
from results.setup.turn import Allocation
from results.tracing.paths import Path
from results.tunnelling.vpn import Findings, Remark, Scenery, together

_SECOND = 1_000_000_000


def of_expiries(scenery: Scenery) -> Findings:
    """What became of each call's media when credentials expired, where the run is about that."""
    if scenery.run.relay_ttl is None:
        return Findings()
    return together(_of_call(scenery, plan.id) for plan in scenery.run.calls)


@dataclass(frozen=True)
class _Carried:
    """The media of one direction by the allocation that it passed, as sent."""

    stream: Stream
    by: dict[Allocation, list[Path]]

    def late(self, allocation: Allocation) -> list[Path]:
        """What passed an allocation after its credentials had expired."""
        end = (allocation.expires or 0) * _SECOND
        paths = self.by[allocation] if allocation.expires else []
        return [path for path in paths if path.first.time > end]


def _of_call(scenery: Scenery, call: str) -> Findings:
    own = [_carried(scenery, one) for one in scenery.streams if one.key.call == call]
    expired = sorted({a for one in own for a in _expired(one)}, key=lambda a: a.time)
    if not expired:
        text = f"no relay credentials expired while media of call {call} went on"
        return Findings(problems=(Problem(Ground.CALL, text),))
    problems = (problem for one in own for problem in _late(scenery, one))
    return Findings((_remark(scenery, call, own, expired[0]),), tuple(problems))


def _carried(scenery: Scenery, stream: Stream) -> _Carried:
    by: dict[Allocation, list[Path]] = {}
    for path in stream.arrived:
        for allocation in scenery.turn.passed(path):
            by.setdefault(allocation, []).append(path)
    return _Carried(stream, by)


def _expired(carried: _Carried) -> Iterator[Allocation]:
    """Allocations that carried media, and whose credentials expired before media ended."""
    end = max((path.last.time for path in carried.stream.arrived), default=0)
    for allocation in carried.by:
        if allocation.expires and allocation.expires * _SECOND < end:
            yield allocation


def _late(scenery: Scenery, carried: _Carried) -> Iterator[Problem]:
    for allocation in carried.by:
        late = carried.late(allocation)
        if late:
            key, frame = carried.stream.key, cite(scenery.table, late[0].first.row, "too late")
            text = (
                f"{len(late):,} media packets from {key.sender} to {key.receiver} passed the "
                f"allocation of {allocation.user} after its credentials had expired "
                f"(first: frame {frame.frame} of {frame.tap})"
            )
            yield Problem(Ground.CALL, text, (frame,))


def _remark(scenery: Scenery, call: str, own: list[_Carried], first: Allocation) -> Remark:
    paths = [path for one in own for path in one.stream.arrived]
    end = (first.expires or 0) * _SECOND
    after = sum(path.first.time > end for path in paths)
    began = min(path.first.time for path in paths)
    restarts = scenery.calls[call].restarts if call in scenery.calls else ()
    where = ", ".join(f"frame {one.frame} of {one.tap}" for one in restarts) or "never"
    gap = max((_longest_gap(one.stream) for one in own), default=0.0)
    return Remark(
        f"the credentials of {first.user}'s allocation expired {(end - began) / _SECOND:.1f} s "
        f"into media, {after:,} packets came after that by others (ICE restarted: {where}), "
        f"longest time without media {gap:.2f} s"
    )


def _longest_gap(stream: Stream) -> float:
    """The longest time between two arrivals, in seconds."""
    times = sorted(path.last.time for path in stream.arrived)
    gaps = [after - before for before, after in pairwise(times)]
    return max(gaps, default=0) / _SECOND
