"""How fast the sightings of packets at several taps are joined.

Runs in a process of its own, ``python -m scenarios.reading.taps TIMES FILE …``; prints JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from results.packets import read_table
from results.tracing.joining import join
from scenarios.reading.mix import Packet
from topologies.spec import Tap

TAPS = 4

#: Nanoseconds from tap to tap.
_HOP = 50_000
_ETHERNET, _SOURCE, _SOURCE_PORT = 14, 26, 34


def seen_at(packets: list[Packet], tap: int) -> Iterator[Packet]:
    """The packets as a later tap sees them, behind NATs."""
    source = (0xC6336402 + tap).to_bytes(4)
    for time_, frame in packets:
        port = (40_000 + tap).to_bytes(2)
        changed = frame[:_SOURCE] + source + frame[_SOURCE + 4 : _SOURCE_PORT] + port
        yield Packet(time_ + tap * _HOP, changed + frame[_SOURCE_PORT + 2 :])


def measure(paths: list[Path], times: int) -> dict[str, float]:
    """Sightings, packets that were seen at all taps, and seconds that joining them took."""
    captures = {
        Tap(name=path.stem, host=path.stem, interface="eth0", link="wire", mac=None): path
        for path in paths
    }
    table = read_table(captures)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        passages = join(table)
        took.append(time.perf_counter() - began)
    whole = int((passages.sizes == len(paths)).sum())
    return {"sightings": len(table), "joined": whole, "seconds": min(took)}


if __name__ == "__main__":
    print(json.dumps(measure([Path(name) for name in sys.argv[2:]], int(sys.argv[1]))))  # noqa: T201
