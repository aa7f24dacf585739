"""The table of an assessment."""

import pytest

from results.assessment.records import Assessment, Reach
from scenarios import assessing

WORKS = Reach(
    edge="relay",
    name="relay.service.example",
    port=3478,
    transport="udp",
    needed=True,
    works=True,
    sent=50,
    answered=49,
    loss=0.02,
    least_ms=40.1,
    median_ms=41.5,
    jitter_ms=0.25,
    because="203.0.113.9:50000",
    by=None,
    rule=None,
    shown_by=None,
)

REFUSED = WORKS.model_copy(
    update={
        "works": False,
        "answered": 0,
        "least_ms": None,
        "median_ms": None,
        "jitter_ms": None,
        "because": "UDP was never needed",
        "by": "office",
        "rule": "no_udp",
    }
)


def test_a_row_tells_the_figures_or_who_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assessing.show(Assessment(run="r", host="alice", ways=(WORKS, REFUSED), doubts=()))
    rows = [line for line in capsys.readouterr().out.splitlines() if "relay, UDP 3478" in line]
    works, refused = ([cell.strip() for cell in row.split("│")[1:-1]] for row in rows)
    assert works[1:] == ["yes", "40.100", "41.500", "0.250", "1 of 50", "203.0.113.9:50000"]
    assert refused[1:6] == ["no", "", "", "", "50 of 50"]
    assert refused[6] == "rule no_udp of office: UDP was never needed"


def test_a_doubt_is_told_below(capsys: pytest.CaptureFixture[str]) -> None:
    assessing.show(Assessment(run="r", host="[x]", ways=(), doubts=("a tap dropped [1]",)))
    assert "this proves nothing: a tap dropped [1]" in capsys.readouterr().out
