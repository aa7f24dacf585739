"""Visiting a world: anyone's program on one of its hosts, an assessment, Mininet's prompt."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from results.assessment.assess import assess as read_assessment
from results.assessment.records import Assessment
from results.schema import RunFolder
from scenarios import runner
from scenarios.scenario import Scenario, ScenarioError
from topologies.spec import Role
from topologies.world import World


def execute(
    scenario: Scenario,
    conditions: runner.Conditions,
    runs: Path,
    host: str,
    argv: Sequence[str],
    progress: runner.Progress,
) -> tuple[int, Path]:
    """Run a program on a host, with services up and captures running.

    Its exit code (128 and the signal's number, where one ended it) and the folder
    with the captures. ScenarioError when there is no such host; RunError when the
    world could not be brought up.
    """
    _check_host(scenario, host)
    stdio = [os.dup(number) for number in range(3)]
    request = {
        "execute": {
            "host": host,
            "argv": list(argv),
            "stdio": stdio,
            "directory": str(Path.cwd()),
        }
    }
    done, folder = _ask(scenario, conditions, runs, request, stdio, progress)
    code: int = done["code"]
    return (128 - code if code < 0 else code), folder.path


def assess(
    scenario: Scenario,
    conditions: runner.Conditions,
    runs: Path,
    host: str,
    progress: runner.Progress,
) -> tuple[Assessment, Path]:
    """Have a user's host try every way to the service; what came of it, and the folder.

    ScenarioError when there is no such user; RunError when the world could not be
    brought up.
    """
    _check_host(scenario, host, Role.USER)
    _, folder = _ask(scenario, conditions, runs, {"assess": host}, (), progress)
    progress("assessment")
    return read_assessment(folder.path, host), folder.path


def shell(
    scenario: Scenario, conditions: runner.Conditions, runs: Path, progress: runner.Progress
) -> Path:
    """Have the user talk to Mininet's prompt; the folder with the services' logs."""
    stdio = [os.dup(number) for number in range(3)]
    # Ctrl-C at the prompt is for the program that runs there, not for us.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        request = {"prompt": stdio}
        _, folder = _ask(scenario, conditions, runs, request, stdio, progress, foreground=True)
    finally:
        signal.signal(signal.SIGINT, before)
    return folder.path


def _ask(
    scenario: Scenario,
    conditions: runner.Conditions,
    runs: Path,
    request: dict[str, Any],
    share: Sequence[int],
    progress: runner.Progress,
    foreground: bool = False,
) -> tuple[dict[str, Any], RunFolder]:
    folder = runner.new_folder(scenario, conditions, runs)
    try:
        log = folder.log("world")
        with World(runner.STAGE, folder.path, log, share, foreground) as world:
            for descriptor in share:
                os.close(descriptor)
            world.send({"folder": str(folder.path), **request})
            return runner.await_end(world, folder, progress), folder
    except KeyboardInterrupt:
        raise runner.Interrupted("interrupted", folder.path) from None
    finally:
        runner.give_to_caller(folder.path)


def _check_host(scenario: Scenario, host: str, role: Role | None = None) -> None:
    hosts = [each.name for each in scenario.network.hosts if role in (None, each.role)]
    if host not in hosts:
        what = "host" if role is None else f"{role}'s host"
        raise ScenarioError(
            f"scenario {scenario.name} has no {what} {host!r}; there are: {', '.join(hosts)}"
        )
