"""How long each phase of a run takes: medians over several runs of one scenario.

Phases follow each other: ``world`` (processes and namespaces), ``network`` (hosts,
links, firewalls, services), ``captures``, ``agents`` (front end, telemetry and
clients are ready), ``gathering`` (until the first invite), ``connecting`` (until the
last call is connected), ``media`` (until the last hang-up), ``telemetry``,
``evidence`` (captures are whole, folder sealed), ``verdict``, ``teardown``.
"""

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results.schema import RunFolder, Verdict
from scenarios import runner
from scenarios.scenario import Scenario

PHASES = (
    *("world", "network", "captures", "agents", "gathering", "connecting", "media", "telemetry"),
    *("evidence", "verdict", "teardown"),
)

#: What the runner calls the phase in which the calls take place.
_CALLS = "calls"


class BenchError(Exception):
    """A run that cannot be measured, since it did not pass. Speaks to a person."""


@dataclass(frozen=True)
class Figure:
    """Seconds that a phase took: least, median and most."""

    phase: str
    least: float
    median: float
    most: float


def bench(scenario: Scenario, times: int, progress: runner.Progress) -> list[Figure]:
    """Run a scenario so often and tell the figures; BenchError when a run does not pass."""
    measured = []
    for number in range(1, times + 1):
        progress(f"run {number} of {times}")
        measured.append(_measure(scenario))
    return list(_figures(measured))


def _figures(measured: list[dict[str, float]]) -> Iterator[Figure]:
    for phase in (*PHASES, "total"):
        values = sorted(times[phase] for times in measured)
        yield Figure(phase, values[0], statistics.median(values), values[-1])


def _measure(scenario: Scenario) -> dict[str, float]:
    """Seconds of each phase of one run."""
    marks: list[tuple[str, float]] = [("world", time.time())]
    with tempfile.TemporaryDirectory(prefix="callpath-bench-") as runs:
        try:
            result = runner.run(
                scenario,
                runner.Conditions(scenario.policies_with({})),
                Path(runs),
                lambda phase: marks.append((phase, time.time())),
            )
        except runner.RunError as error:
            # Its folder is not kept, so that the error may not name it.
            raise BenchError(f"{scenario.name} was not measured: {error.reason}") from error
        end = time.time()
        if result.verdict is not Verdict.PASS:
            raise BenchError(f"{scenario.name} cannot be measured: {result.reason}")
        events = list(_events(RunFolder(Path(runs) / result.run), scenario))
    return phases(marks, events, end)


def phases(
    marks: list[tuple[str, float]], events: list[tuple[str, float]], end: float
) -> dict[str, float]:
    """Seconds of each phase, from the runner's marks and the clients' events (name, time)."""
    begins = dict(marks)
    order = [*marks, ("", end)]
    took = {name: after - at for (name, at), (_, after) in itertools.pairwise(order)}
    invited = min(at for name, at in events if name == "invited")
    connected = max(at for name, at in events if name == "connected")
    hung_up = max(at for name, at in events if name == "hung_up")
    calls = took.pop(_CALLS)
    took |= {
        "gathering": invited - begins[_CALLS],
        "connecting": connected - invited,
        "media": hung_up - connected,
        "telemetry": begins[_CALLS] + calls - hung_up,
    }
    return took | {"total": end - marks[0][1]}


def _events(folder: RunFolder, scenario: Scenario) -> Iterator[tuple[str, float]]:
    for user in {name for call in scenario.calls for name in (call.caller, call.callee)}:
        for line in folder.events(user).read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            yield event["event"], event["time"]
