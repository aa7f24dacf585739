"""The ends of a candidate pair as one lane shows them: within TURN the relayed ones."""

from dataclasses import dataclass

from results.inspection.conversations import Way
from results.inspection.lanes import End, Ends
from results.inspection.turn import Turn, server_of


@dataclass(frozen=True)
class Pair:
    """A pair as its sender has it, as far as a lane shows; an end that is not shown is None."""

    local: End | None
    remote: End | None
    relay: End | None

    @property
    def words(self) -> tuple[str, str]:
        """Local and remote end."""
        unseen = f"relayed by {self.relay}" if self.relay else "unknown"
        local, remote = (unseen if end is None else str(end) for end in (self.local, self.remote))
        return local, remote


def pair_at(way: Way, direction: int, turn: Turn) -> Pair:
    """The pair on which packets of a direction were sent, by one lane."""
    ends, lane = way.ends(direction), way.lane
    if not lane.wrapped:
        return Pair(ends.src, ends.dst, _relay_of(ends, turn))
    server = server_of(lane, turn)
    peer = lane.peer if isinstance(lane.peer, End) else None
    if server is None:
        return Pair(None, None, None)
    if ends.dst == server:
        return Pair(turn.relayed(ends.src, server), peer, server)
    return Pair(peer, turn.relayed(ends.dst, server), server)


def _relay_of(ends: Ends, turn: Turn) -> End | None:
    """The relay that allocated one of the ends of a plain lane, where that was seen."""
    return next((relay for end in ends if (relay := turn.relay_at(end))), None)
