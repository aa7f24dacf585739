"""Runs leave their evidence in one capture, whatever becomes of them."""

import os
import signal
from pathlib import Path

from results.schema import EVIDENCE
from tests.lab.support import callpath, results_of, wait_until
from tests.tshark import needs_tshark, shown


@needs_tshark
def test_a_run_leaves_its_evidence_in_one_capture(rootless: bool, runs: Path) -> None:
    process = callpath("run", "intranet", "--json", "--runs", str(runs), rootless=rootless)
    (result,) = results_of(process)
    folder = runs / result["run"]
    comments = {(frame.tap, frame.of_tap): frame.comments for frame in shown(folder / EVIDENCE)}
    steps = [step for call in result["calls"] for step in call["steps"]]
    assert len(steps) == 16
    for step in steps:
        assert any(
            f"step {step['step']} · " in comment for comment in comments[step["tap"], step["frame"]]
        )
    again = runs / "again.pcapng"
    made = callpath("evidence", str(folder), "-o", str(again))
    assert made.communicate(timeout=60) == (f"{again}\n", "")
    assert again.read_bytes() == (folder / EVIDENCE).read_bytes()


@needs_tshark
def test_an_interrupted_run_leaves_what_it_has_captured(runs: Path) -> None:
    process = callpath("run", "intranet", "--runs", str(runs))
    wait_until(
        lambda: any(log.stat().st_size for log in runs.glob("*/keys/bob.srtp")), "media keys"
    )
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    (folder,) = runs.glob("*-intranet-*")
    assert not (folder / "seal.json").exists()
    said = [comment for frame in shown(folder / EVIDENCE) for comment in frame.comments]
    assert any("step 3 · alice invites bob" in comment for comment in said)
