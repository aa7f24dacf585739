"""Times without media in the midst of a call, as the receiver's own tap has them."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from results.measured import Interruption
from results.media import Stream
from results.packets import PacketTable

#: A silence that counts, in ns; the media of a call sends 50 packets a second.
_SILENCE = 1_000_000_000

_NANOSECONDS = 1e9


def interruptions(table: PacketTable, streams: Iterable[Stream]) -> Iterator[Interruption]:
    """Whenever no packet of a direction arrived for more than a second, and then one did."""
    for stream in streams:
        arrived = sorted((path.last for path in stream.arrived), key=lambda seen: seen.time)
        for before, after in pairwise(arrived):
            if after.time - before.time > _SILENCE:
                yield Interruption.model_validate(
                    {
                        "from": stream.key.sender,
                        "to": stream.key.receiver,
                        "seconds": (after.time - before.time) / _NANOSECONDS,
                        "tap": after.tap.name,
                        "frames": (int(table.frame[before.row]), int(table.frame[after.row])),
                    }
                )
