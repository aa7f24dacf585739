"""What ``bench`` measures: a scenario's runs, reading, impaired cables, or ways to a relay."""

from collections.abc import Callable
from typing import Any, NamedTuple

from controllers.policy import PolicyError
from scenarios import bench, display
from scenarios.commands import CAPTURES, LINKS, WAYS
from scenarios.lines import bench as lines_bench
from scenarios.reading import bench as reading_bench
from scenarios.reading.peers import PeerError
from scenarios.runner import Progress
from scenarios.scenario import ScenarioError, find
from scenarios.ways import bench as ways_bench
from topologies.world import WorldError

#: What keeps a benchmark from being done; each speaks to a person.
ERRORS = (
    ScenarioError,
    PolicyError,
    WorldError,
    bench.BenchError,
    reading_bench.ReadingError,
    PeerError,
    OSError,
)


class Measured(NamedTuple):
    """Figures as JSON objects, and what prints them as a table."""

    rows: list[dict[str, Any]]
    show: Callable[[], None]


def measure(name: str, times: int, packets: int | None, progress: Progress) -> Measured:
    """Measure what has this name: one of the kinds below, or a scenario. One of ERRORS."""
    if name == CAPTURES:
        return _captures(packets or reading_bench.PACKETS, times, progress)
    if name == LINKS:
        return _links(progress)
    if name == WAYS:
        return _ways(times, progress)
    figures = bench.bench(find(name), times, progress)
    rows = [{"scenario": name, **vars(figure)} for figure in figures]
    return Measured(rows, lambda: display.figures(figures))


def _captures(packets: int, times: int, progress: Progress) -> Measured:
    figures = reading_bench.bench(packets, times, progress)
    rows = [{**vars(figure), "packets_per_second": figure.rate} for figure in figures]
    return Measured(rows, lambda: display.readings(figures))


def _ways(times: int, progress: Progress) -> Measured:
    figures = ways_bench.bench(times, progress)
    return Measured([vars(figure) for figure in figures], lambda: display.ways_measured(figures))


def _links(progress: Progress) -> Measured:
    figures = lines_bench.bench(progress)
    return Measured([vars(figure) for figure in figures], lambda: display.lines_measured(figures))
