"""One world serves many runs, and notices who dies in it."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from results.judge import judge
from results.packets import read_table
from results.protocols.keylog import read_keylog
from results.protocols.tls import connections
from results.schema import RunFolder, Verdict
from scenarios import runner
from scenarios.scenario import find
from tests.lab.support import callpath, grown_world, wait_until
from topologies.world import World

_STAGE = (sys.executable, "-m", "scenarios.stage")

#: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (RFC 5289).
_ECDHE_AES_256_GCM = 0xC02C
_TLS_1_2 = 0x0303


def _new_folder(runs: Path, name: str = "intranet") -> RunFolder:
    scenario = find(name)
    return runner.new_folder(scenario, runner.Conditions(scenario.policies_with({})), runs)


def _next_end(world: World) -> dict[str, Any]:
    return next(event for event in world.events() if "phase" not in event)


def test_one_world_serves_several_runs_with_cold_caches_and_counters_of_their_own(
    tmp_path: Path,
) -> None:
    folders = [_new_folder(tmp_path, "external_relayed") for _ in range(2)]
    with World(_STAGE, tmp_path, tmp_path / "world.log") as world:
        for folder in folders:
            world.send({"folder": str(folder.path), "began": time.monotonic()})
            assert _next_end(world) == {"done": str(folder.path)}
    for folder in folders:
        result = judge(folder.path)
        assert result.verdict is Verdict.PASS, result.reason
        # The forwarder asks again only if the first run's answers are forgotten.
        assert [flow for step in result.calls[0].steps[:1] for flow in step.flows] == ["2"]


def test_signalling_is_tls_1_2_with_aes_256_gcm(tmp_path: Path) -> None:
    folder = _new_folder(tmp_path)
    with World(_STAGE, tmp_path, tmp_path / "world.log") as world:
        world.send({"folder": str(folder.path), "began": time.monotonic()})
        assert _next_end(world) == {"done": str(folder.path)}
    (tap,) = (tap for tap in folder.read_run().network.taps() if tap.name == "alice-eth0")
    seen = connections(read_table({tap: folder.capture(tap.name)}), 0)
    assert len(seen) >= 3
    assert {(c.version, c.suite) for c in seen} == {(_TLS_1_2, _ECDHE_AES_256_GCM)}
    known = read_keylog(folder.keys("alice", "tls"))
    assert {c.client_random for c in seen} <= set(known)


def test_the_death_of_an_agent_is_named(runs: Path) -> None:
    process = callpath("run", "intranet", "--runs", str(runs))
    wait_until(
        lambda: any(log.stat().st_size for log in runs.glob("*/keys/bob.srtp")), "media keys"
    )
    (log,) = runs.glob("*/logs/bob.log")
    os.kill(_writer_of(log, process.pid), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "bob died with exit code -9" in errors
    assert "The run is incomplete; what there is of it is in" in errors
    assert "Traceback" not in errors


def _writer_of(log: Path, command: int) -> int:
    """The process of this command whose standard error is the log."""
    for pid, _ in grown_world(command).processes:
        try:
            if Path(f"/proc/{pid}/fd/2").resolve() == log.resolve():
                return pid
        except OSError:
            continue
    raise AssertionError(f"nobody writes to {log}")
