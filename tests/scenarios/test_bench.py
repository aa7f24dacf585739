"""Phases of a run, from marks and events."""

import pytest

from scenarios.bench import PHASES, phases


def test_each_phase_lasts_until_the_next_and_all_add_up() -> None:
    marks = [
        *(("world", 0.0), ("network", 0.3), ("captures", 1.0), ("agents", 1.2), ("calls", 1.3)),
        *(("evidence", 4.3), ("verdict", 4.9), ("teardown", 5.0)),
    ]
    events = [
        *(("ready", 1.25), ("invited", 1.4), ("invited", 1.5), ("connected", 1.9)),
        *(("connected", 2.0), ("hung_up", 4.1), ("hung_up", 4.2)),
    ]
    took = phases(marks, events, 5.2)
    assert took == pytest.approx(
        {
            "world": 0.3,
            "network": 0.7,
            "captures": 0.2,
            "agents": 0.1,
            "gathering": 0.1,
            "connecting": 0.6,
            "media": 2.2,
            "telemetry": 0.1,
            "evidence": 0.6,
            "verdict": 0.1,
            "teardown": 0.2,
            "total": 5.2,
        }
    )
    assert sum(took[phase] for phase in PHASES) == pytest.approx(took["total"])
