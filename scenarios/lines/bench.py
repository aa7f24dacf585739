"""Impaired cables measured: delay and loss beside what was asked, at several rates."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.lines.cables import CABLES
from topologies.world import World, WorldError

#: What runs inside the world.
_PROBE = (sys.executable, "-sP", "-m", "scenarios.lines.probe", *CABLES)

#: Packets a second in all, and how long each rate is kept up, in seconds.
RATES = (1_000, 10_000, 25_000, 40_000)
SECONDS = 4.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """What one cable did to packets at one rate; ms, and fractions of packets."""

    rate: float
    cable: str
    sent: int
    delay_ms: float
    jitter_ms: float
    median_ms: float
    p99_ms: float
    loss: float
    lost: float
    #: Of all cables together: packets that no room was for.
    overflowed: int


def bench(progress: Progress) -> list[Figure]:
    """Measure all cables at each rate. WorldError when that cannot be done."""
    with tempfile.TemporaryDirectory(prefix="callpath-bench-") as name:
        folder = Path(name)
        with World(_PROBE, folder, folder / "world.log") as world:
            return list(_figures(world, progress))


def _figures(world: World, progress: Progress) -> Iterator[Figure]:
    for rate in RATES:
        progress(f"{rate:,} packets/s")
        world.send({"rate": rate, "seconds": SECONDS})
        yield from read(_answer(world))


def _answer(world: World) -> dict[str, Any]:
    for event in world.events():
        if "failed" in event:
            raise WorldError(event["failed"])
        done: dict[str, Any] = event["done"]
        return done
    raise WorldError(world.why_gone())


def read(done: dict[str, Any]) -> Iterator[Figure]:
    """The figures of all cables at one rate, as the probe tells them."""
    for told in done["cables"]:
        asked = CABLES[told["cable"]]
        yield Figure(
            rate=done["rate"],
            cable=told["cable"],
            sent=told["sent"],
            delay_ms=asked["delay_ms"],
            jitter_ms=asked.get("jitter_ms", 0.0),
            median_ms=told["median_ms"],
            p99_ms=told["p99_ms"],
            loss=asked.get("loss", 0.0),
            lost=(told["sent"] - told["received"]) / told["sent"],
            overflowed=done["overflowed"],
        )
