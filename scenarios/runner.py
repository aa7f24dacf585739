"""Runs a scenario: a world is made, the calls take place in it, the captures are judged."""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controllers.policy import Policy
from results.schema import EVIDENCE, Result, Run, RunFolder, RunFolderError, Seconds
from scenarios.doctor import facilities, versions
from scenarios.error_words import in_words
from scenarios.scenario import Scenario
from topologies.caller import caller
from topologies.world import World, WorldError

if TYPE_CHECKING:
    from results.judge import Judged

#: Where runs are written, unless the caller says otherwise.
RUNS = Path(__file__).parent.parent / "results" / "runs"

#: The command that runs inside a world. -sP: neither the user's own packages nor the current
#: folder may stand in for ours.
STAGE = (sys.executable, "-sP", "-m", "scenarios.stage")

#: Told the phase that begins.
Progress = Callable[[str], None]


class RunError(Exception):
    """A run that could not be done; what was captured is kept. Speaks to a person."""

    def __init__(self, reason: str, folder: Path) -> None:
        super().__init__(f"{reason}\nThe run is incomplete; what there is of it is in {folder}")
        self.reason = reason
        self.folder = folder


class Unwritten(OSError):  # noqa: N818 - the run itself is well
    """A run has its verdict, but not all that is made of it could be written."""

    def __init__(self, result: Result, folder: Path, problems: Sequence[OSError]) -> None:
        said = "\n".join(in_words(problem) for problem in problems)
        super().__init__(
            f"{said}\nThe verdict stands in {folder}/result.json. Make what is missing later: "
            f"./callpath evidence {folder}; ./callpath report {folder}"
        )
        self.result = result


class Interrupted(RunError):  # noqa: N818 - not an error of anything
    """The user ended a run before its time (Ctrl-C)."""


@dataclass(frozen=True)
class Conditions:
    """What may differ from run to run of one scenario."""

    #: Firewall -> the policy that it enforces.
    policies: Mapping[str, Policy]
    #: Interpreter for the firewalls' controller, if not ours (one that has Ryu).
    controller_python: str | None = None


def run(scenario: Scenario, conditions: Conditions, runs: Path, progress: Progress) -> Result:
    """Run a scenario under these conditions and judge it; RunError when it could not be done.

    Unwritten, with the result, where only what is made of a judged run could not be written.
    A run that fails or is interrupted leaves its folder behind, marked incomplete by
    the lack of a seal, with what was captured in one file.
    """
    began = time.monotonic()
    folder = new_folder(scenario, conditions, runs)
    try:
        return _perform(folder, began, progress)
    except KeyboardInterrupt:
        _hand_over_failed(folder, "interrupted")
        raise Interrupted("interrupted", folder.path) from None
    except (RunError, WorldError) as error:
        _hand_over_failed(folder, error.reason if isinstance(error, RunError) else str(error))
        raise
    finally:
        give_to_caller(folder.path)


def new_folder(scenario: Scenario, conditions: Conditions, runs: Path) -> RunFolder:
    """Lay out the folder of a new run, named by time and scenario.

    OSError, in words for a person, where none can be made.
    """
    try:
        return _lay_out(scenario, conditions, runs)
    except OSError as error:
        raise OSError(
            f"no run folder can be made in {runs}: {error.strerror}; "
            "choose another place with --runs FOLDER"
        ) from error


def _lay_out(scenario: Scenario, conditions: Conditions, runs: Path) -> RunFolder:
    created = datetime.now(UTC)
    name = f"{created:%Y%m%d-%H%M%S}-{scenario.name}-{secrets.token_hex(2)}"
    folder = RunFolder(runs.resolve() / name)
    if not runs.exists():
        runs.mkdir(parents=True)
        give_to_caller(runs)
    folder.create(
        Run(
            run=name,
            scenario=scenario.name,
            created=created,
            network=scenario.network,
            calls=scenario.planned_calls(),
            expect=scenario.expectation(),
            connections=scenario.planned_connections(),
            deaths=scenario.planned_deaths(),
            relay_ttl=scenario.relay_ttl,
            tokens=True,
            route_type=scenario.route_type,
            policies=dict(conditions.policies),
            controller_python=conditions.controller_python,
            versions=versions(),
            facilities=facilities(),
        )
    )
    return folder


def _perform(folder: RunFolder, began: float, progress: Progress) -> Result:
    """Have the run take place in a world of its own; judge it while that one vanishes."""
    with World(STAGE, folder.path, folder.log("world")) as world:
        world.send({"folder": str(folder.path), "began": began})
        _import_judge()
        await_end(world, folder, progress)
        world.release()
        progress("verdict")
        judged = _judge(folder, began)
        unwritten = _hand_over(folder, judged)
        progress("teardown")
    if unwritten:
        raise Unwritten(judged.result, folder.path, unwritten)
    return judged.result


def await_end(world: World, folder: RunFolder, progress: Progress) -> dict[str, Any]:
    """Follow the stage's phases until it is done; what it says then, or RunError."""
    for event in world.events():
        if "phase" in event:
            progress(event["phase"])
        elif "failed" in event:
            raise RunError(event["failed"], folder.path)
        else:
            return event
    raise RunError(world.why_gone(), folder.path)


def _import_judge() -> None:
    """Import what the verdict and its papers need while the world comes up."""
    import results.handover.evidence_pcapng  # noqa: F401
    from results.report.page import prepare

    prepare()


def _judge(folder: RunFolder, began: float) -> "Judged":
    from results.judge import examine

    judging = time.monotonic()
    judged = examine(folder.path)
    now = time.monotonic()
    ending = folder.read_ending()
    result = judged.result.model_copy(
        update={
            "seconds": Seconds(
                boot=round(ending.seconds["boot"], 3),
                call=round(ending.seconds["call"], 3),
                judge=round(now - judging, 3),
                total=round(now - began, 3),
            )
        }
    )
    folder.write_result(result)
    return replace(judged, result=result)


def _hand_over(folder: RunFolder, judged: "Judged") -> list[OSError]:
    """Write what is made of a run: one capture of all, its report, the index; what went wrong."""
    problems = []
    for write in (_write_evidence, _write_report, _write_index):
        try:
            write(folder.path, judged)
        except OSError as error:
            problems.append(error)
    return problems


def _write_evidence(folder: Path, judged: "Judged") -> None:
    from results.handover.evidence_pcapng import write_evidence

    try:
        write_evidence(folder, judged)
    except OSError:
        # Half of it would be taken for the whole.
        (folder / EVIDENCE).unlink(missing_ok=True)
        raise


def _write_report(folder: Path, judged: "Judged") -> None:
    from results.report.files import write_report

    write_report(judged, folder)


def _write_index(folder: Path, _judged: "Judged") -> None:
    from results.report.files import write_index

    index = write_index(folder.parent)
    if index:
        give_to_caller(index)


def _hand_over_failed(folder: RunFolder, reason: str) -> None:
    """Hand over as much as is known of a run that could not be done, and why it could not.

    Another Ctrl-C ends that, too; where the run's folder is must still be said.
    """
    with contextlib.suppress(OSError, RunFolderError, KeyboardInterrupt):
        from results.judge import examine

        folder.log("failed").write_text(reason + "\n", encoding="utf-8")
        _hand_over(folder, examine(folder.path))


def give_to_caller(path: Path) -> None:
    """What a sudo run writes belongs to the user who called."""
    user = caller()
    if user is None or not _may_be_given(path):
        return
    for item in (path, *path.rglob("*")):
        os.chown(item, *user, follow_symlinks=False)


def _may_be_given(path: Path) -> bool:
    """Whether it is a file or folder: not /dev/stdout, nor another device."""
    return (path.is_dir() or path.is_file()) and not path.is_symlink()
