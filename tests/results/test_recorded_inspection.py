"""A run whose user a box at the perimeter kept from the service: who says what, and where."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.tls import new_authority
from results.judge import examine, judge
from results.schema import PACKET_INSPECTION, RunFolder, Verdict
from results.tracing.openings import syns
from tests.results.recorded import change_json, frames, keep, reseal, unpack, write
from topologies.nat import INTERCEPTED
from topologies.spec import Flow

#: A fatal alert "unknown_ca" in a record of TLS 1.2 (RFC 5246, sections 6.2.1 and 7.2).
_ALERT = bytes.fromhex("15030300020230")

#: The taps on the way to the box.
_WAY = ("alice-eth0", "core-eth0", "core-eth2", "office_nat-eth0")

_SIGNED = (
    "the certificate of front-end.service.example that alice was shown by office_nat is signed "
    "by Office inspection CA, not by the run's CA; alice refused it (unknown_ca)"
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "packet_inspection")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def test_who_ended_what_is_told(folder: Path) -> None:
    result = judge(folder)
    assert result.verdict is Verdict.PASS, result.reason
    assert result.unsupported == PACKET_INSPECTION
    assert (result.signalling_flows, result.media_flows) == ((Flow.F2, Flow.F3), ())
    assert result.calls == ()
    assert _SIGNED in result.reason
    assert result == RunFolder(folder).read_result()


def test_the_alert_is_cited_where_it_left(folder: Path) -> None:
    (cited,) = (one for one in judge(folder).citations if "unknown_ca" in one.what)
    assert cited.tap == "alice-eth0"
    assert _ALERT in frames(folder, cited.tap)[cited.frame - 1].data


def test_the_way_to_the_box_is_told_and_no_tap_beyond_saw_anything(unpacked: Path) -> None:
    reading = examine(unpacked).reading
    (taken,) = reading.intercepted
    assert tuple(taken.views) == _WAY
    assert (taken.user, taken.ended_by, taken.server) == ("alice", "office_nat", "front_end")
    rows, _ = syns(reading.table)
    at = {reading.table.tap_name(int(row)) for row in rows if reading.table.dport[row] == 443}
    assert "office_nat-eth1" not in at


def _without(tap: str, said: bytes) -> Callable[[Path], None]:
    return lambda folder: keep(folder, tap, lambda frame: said not in frame)


def _nowhere(said: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for tap in _WAY:
            _without(tap, said)(folder)

    return change


def _expecting(unsupported: str | None) -> Callable[[Path], None]:
    return lambda folder: change_json(
        folder / "run.json", lambda run: run["expect"].update({"unsupported": unsupported})
    )


def _counted(count: int) -> Callable[[Path], None]:
    return lambda folder: change_json(
        folder / "ending.json",
        lambda ending: ending["nats"]["office_nat"].update({INTERCEPTED: count}),
    )


def _another_authority(folder: Path) -> None:
    new_authority("another").write(RunFolder(folder).authority)


def _no_authority(folder: Path) -> None:
    RunFolder(folder).authority.write_text("nothing\n", encoding="ascii")


def _an_hour_late(folder: Path) -> None:
    """The clock of a tap that saw nothing of all this."""
    late = [frame._replace(time=frame.time + 3600 * 10**9) for frame in frames(folder, "bob-eth0")]
    write(folder, "bob-eth0", late)


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        (_without("alice-eth0", _ALERT), Verdict.INCONCLUSIVE, "alice-eth0 lacks the refusal"),
        (_without("core-eth0", _ALERT), Verdict.INCONCLUSIVE, "core-eth0 lacks the refusal"),
        (
            _without("core-eth2", b"Office inspection CA"),
            Verdict.INCONCLUSIVE,
            "core-eth2 lacks the certificate of front-end.service.example that other taps saw",
        ),
        (_nowhere(_ALERT), Verdict.INCONCLUSIVE, "none of the 0 logged sessions"),
        (
            _nowhere(b"Office inspection CA"),
            Verdict.FAIL,
            "the planned call 1-alice-eve of alice to eve is not in the captures",
        ),
        (_expecting(None), Verdict.FAIL, f"unsupported: packet inspection: {_SIGNED}"),
        (_expecting(None), Verdict.FAIL, "the planned call 1-alice-eve"),
        (_expecting("packet shaper"), Verdict.FAIL, "but packet inspection was seen"),
        (_counted(0), Verdict.INCONCLUSIVE, "rule intercepted of office_nat counted 0 packets"),
        (_counted(2), Verdict.INCONCLUSIVE, "counted 2 packets, but the captures show 1"),
        (
            _another_authority,
            Verdict.FAIL,
            "that eve was shown by front_end is signed by Callpath run CA, not by the run's CA",
        ),
        (_no_authority, Verdict.INCONCLUSIVE, "ca.pem is no certificate"),
        (_an_hour_late, Verdict.INCONCLUSIVE, "bob-eth0 may have been blind"),
    ],
)
def test_mutants_do_not_pass(
    folder: Path, change: Callable[[Path], None], verdict: Verdict, words: str
) -> None:
    change(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is verdict, result.reason
    assert words in result.reason
