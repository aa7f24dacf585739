"""Who stopped sending, when, and for how long, in captures made by hand."""

from pathlib import Path

import pytest

from tests.results.inspection.crafted import (
    HUNDRED,
    OTHER,
    START,
    A,
    B,
    Capture,
    call_in,
    ice,
    inspected,
    talk,
)


def test_a_side_that_never_sent(tmp_path: Path) -> None:
    capture = Capture()
    ice(capture)
    talk(capture, A, B, HUNDRED)
    (silence,) = call_in(tmp_path, capture).silences
    assert (silence.side, silence.begin) == ("B", None)
    assert silence.said == "no media of B at all"


@pytest.mark.parametrize(("silence", "told"), [(3.0, 1), (4.0, 0)])
def test_a_side_that_stopped_while_the_other_went_on(
    tmp_path: Path, silence: float, told: int
) -> None:
    capture = Capture()
    talk(capture, A, B, range(300))
    talk(capture, B, A, range(120), ssrc=OTHER)
    found = call_in(tmp_path, capture, silence=silence).silences
    assert len(found) == told
    for one in found:
        assert one.side == "B"
        assert one.said == "B sent no more media, while the other side went on for 3.6 s"
        assert one.begin
        assert one.begin.timestamp() == pytest.approx(START + 1 + 119 * 0.02, abs=1e-5)


def test_a_gap_and_a_late_beginning(tmp_path: Path) -> None:
    capture = Capture()
    talk(capture, A, B, range(200, 600))
    for numbers in (range(200), range(400, 600)):
        talk(capture, B, A, numbers, ssrc=OTHER)
    said = [(one.side, one.said) for one in call_in(tmp_path, capture).silences]
    # Without checks A is who sends first.
    assert said == [
        ("A", "no media of A for 4.0 s"),
        ("B", "media of B began 4.0 s after the other side's"),
    ]


def stopped_between(tmp_path: Path, later: range) -> list[str]:
    """What is said where media reaches a second file only at first, which goes on for so long."""
    first, second = Capture(), Capture()
    talk(first, A, B, range(300))
    talk(second, A, B, range(100), ttl=63)
    talk(second, "10.0.0.7:7", "10.0.0.8:7", later, ssrc=OTHER)
    calls = inspected(tmp_path, first, second).calls
    return [one.said for call in calls for one in call.silences if one.begin]


def test_media_that_no_more_comes_from_one_file_to_the_next(tmp_path: Path) -> None:
    assert stopped_between(tmp_path, range(400)) == [
        "media of A no more comes from 0.pcapng to 1.pcapng, for 4.0 s"
    ]


def test_a_capture_that_ended_is_no_silence(tmp_path: Path) -> None:
    assert stopped_between(tmp_path, range(100)) == []
