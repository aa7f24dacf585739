"""Ways out of a network measured: seconds until a client has its relayed candidate."""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.ways.networks import HOW, STOPPED
from topologies.world import World, WorldError

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """Seconds until all candidates were there, with some packets stopped on their way out."""

    stopped: str
    how: str
    #: What carried TURN in the end.
    transport: str
    least: float
    median: float
    most: float


def bench(times: int, progress: Progress) -> list[Figure]:
    """Measure each so often. WorldError when that cannot be done."""
    with tempfile.TemporaryDirectory(prefix="callpath-bench-") as name:
        folder = Path(name)
        probe = (sys.executable, "-sP", "-m", "scenarios.ways.probe", str(folder))
        with World(probe, folder, folder / "world.log") as world:
            return list(_figures(world, times, progress))


def _figures(world: World, times: int, progress: Progress) -> Iterator[Figure]:
    for stopped in STOPPED:
        # Where nothing is stopped, it does not matter how.
        for how in HOW if STOPPED[stopped] else list(HOW)[:1]:
            progress(f"{stopped} {how}")
            yield figure(stopped, how, [_gathered(world, stopped, how) for _ in range(times)])


def figure(stopped: str, how: str, told: list[dict[str, Any]]) -> Figure:
    """The figure of several gatherings. WorldError where one found no relay."""
    transports = sorted({str(one["transport"]) for one in told})
    seconds = sorted(one["seconds"] for one in told)
    if any(one["transport"] is None for one in told):
        raise WorldError(f"with {stopped} {how} no way led to the relay: {told[-1]['unrelayed']}")
    median = statistics.median(seconds)
    return Figure(stopped, how, ", ".join(transports), seconds[0], median, seconds[-1])


def _gathered(world: World, stopped: str, how: str) -> dict[str, Any]:
    world.send({"stopped": stopped, "how": how})
    for event in world.events():
        if "failed" in event:
            raise WorldError(event["failed"])
        if "done" in event:
            done: dict[str, Any] = event["done"]
            return done
    raise WorldError(world.why_gone())
