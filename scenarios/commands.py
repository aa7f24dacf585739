"""What each command does. Every function takes the parsed options and gives an exit code."""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from controllers.policy import PolicyError
from controllers.policy import find as find_policy
from controllers.policy import load as load_policy
from results.schema import Result, RunFolderError, Verdict
from scenarios.error_words import in_words
from scenarios.scenario import Scenario, ScenarioError, all_scenarios, find

if TYPE_CHECKING:
    from results.handover.entry import Entry
    from scenarios import display
    from scenarios.runner import Conditions

PASS, FAIL, NOT_DONE = 0, 1, 2

#: What ``bench`` measures that is no scenario.
CAPTURES, LINKS, WAYS = "captures", "links", "ways"

#: Exit code of ``exec`` for failures that are not the program's (as env(1) and docker have it).
OWN_FAILURE = 125

#: Verdict -> exit code.
CODES = {Verdict.PASS: PASS, Verdict.FAIL: FAIL, Verdict.INCONCLUSIVE: NOT_DONE}


def list_scenarios(options: argparse.Namespace) -> int:
    """Print name and title of every scenario."""
    for scenario in all_scenarios():
        if options.json:
            print(json.dumps({"scenario": scenario.name, "title": scenario.title}))  # noqa: T201
        else:
            print(f"{scenario.name:24} {scenario.title}")  # noqa: T201
    return PASS


def run(options: argparse.Namespace) -> int:
    """Run the named scenarios, or all; a run that cannot be done does not stop the others."""
    from scenarios import runner, summaries

    try:
        scenarios = [find(name) for name in options.names] or list(all_scenarios())
        changes, controller = dict(options.policy), options.controller_python
        conditions = [
            runner.Conditions(scenario.policies_with(changes), controller) for scenario in scenarios
        ]
    except (ScenarioError, PolicyError) as error:
        return _cannot(error)
    began = datetime.now(UTC)
    codes: list[int] = []
    results: list[display.Judged] = []
    entries: list[Entry] = []
    for scenario, condition in zip(scenarios, conditions, strict=True):
        try:
            code, result = _run_one(scenario, condition, options)
        except runner.Interrupted as error:
            # What was done before is told all the same.
            codes.append(_cannot(error))
            entries.append(summaries.entry_without(scenario.name, error))
            break
        codes.append(code)
        if isinstance(result, Exception):
            entries.append(summaries.entry_without(scenario.name, result))
        else:
            results.append((result, _runs(options) / result.run))
            entries.append(summaries.entry_of(*results[-1]))
    _tell(results, options)
    return worst([*codes, _write_files(entries, began, options)])


def _tell(results: list["display.Judged"], options: argparse.Namespace) -> None:
    """Print results in the way that was asked for; as JSON each was printed when it was there."""
    from scenarios import display

    if options.quiet:
        display.lines(results)
    elif results and not options.json:
        display.table(results)
        if options.frames:
            display.frames(results)
        if options.quality:
            display.quality(results)
        display.reports(results)


def _write_files(entries: list["Entry"], began: datetime, options: argparse.Namespace) -> int:
    """Write the files that were asked for."""
    from scenarios import summaries

    try:
        if options.markdown:
            summaries.write_markdown(options.markdown, entries)
        if options.junit:
            summaries.write_junit(options.junit, entries, began)
    except OSError as error:
        return _cannot(error)
    return PASS


def judge(options: argparse.Namespace) -> int:
    """Judge stored runs."""
    from results import judge as judging
    from scenarios import summaries

    began = datetime.now(UTC)
    codes = []
    results = []
    entries = []
    for name in options.folders:
        try:
            result = judging.judge(Path(name))
        except (RunFolderError, OSError) as error:
            codes.append(_cannot(error))
            entries.append(summaries.entry_without(name, error))
            continue
        codes.append(CODES[result.verdict])
        results.append((result, Path(name)))
        entries.append(summaries.entry_of(*results[-1]))
        if options.json:
            print(result.to_json())  # noqa: T201
    _tell(results, options)
    return worst([*codes, _write_files(entries, began, options)])


def evidence(options: argparse.Namespace) -> int:
    """Make a stored run's evidence.pcapng anew."""
    from results.handover.evidence_pcapng import write_evidence
    from scenarios import display, runner

    try:
        written = write_evidence(Path(options.folder), to=options.output)
        runner.give_to_caller(written)
    except (RunFolderError, OSError) as error:
        return _cannot(error)
    print(display.short(written))  # noqa: T201
    return PASS


def schema(options: argparse.Namespace) -> int:  # noqa: ARG001
    """Print the JSON schema of results."""
    from results.result_schema import STORED

    print(STORED.read_text(encoding="utf-8"), end="")  # noqa: T201
    return PASS


def inspect(options: argparse.Namespace) -> int:
    """Say which calls anyone's captures hold, and how they fared."""
    from results.inspection.inspector import inspect as inspected
    from results.wire.capture import CaptureError
    from scenarios import display, inspecting

    try:
        with display.waiting(f"reading {', '.join(options.files)}"):
            found = inspected([Path(name) for name in options.files], options.silence)
    except CaptureError as error:
        return _cannot(error)
    if options.json:
        print(found.to_json())  # noqa: T201
    else:
        inspecting.show(found)
    return PASS if found.calls else NOT_DONE


def report(options: argparse.Namespace) -> int:
    """Write the reports of stored runs anew, and the index beside them; print where they are."""
    from results import judge as judging
    from results.report.files import write_index, write_report
    from scenarios import display, runner

    codes = [PASS]
    parents: set[Path] = set()
    for name in options.folders:
        try:
            path = write_report(judging.examine(Path(name)), Path(name))
        except (RunFolderError, OSError) as error:
            codes.append(_cannot(error))
            continue
        print(display.short(path))  # noqa: T201
        runner.give_to_caller(path)
        parents.add(path.resolve().parent.parent)
    for parent in parents:
        try:
            index = write_index(parent)
        except OSError as error:
            codes.append(_cannot(error))
            continue
        if index:
            runner.give_to_caller(index)
    return worst(codes)


def compare(options: argparse.Namespace) -> int:
    """Say which calls of two stored runs take another path, and the rules that decide it."""
    from results import judge as judging
    from results.comparison import compare as compared
    from scenarios import display

    try:
        before, after = (judging.judge(Path(name)) for name in options.folders)
    except (RunFolderError, OSError) as error:
        return _cannot(error)
    display.comparison(compared(before, after), options.json)
    return PASS


def whatif(options: argparse.Namespace) -> int:
    """Run a scenario under each policy in turn, and compare each run with the first."""
    from results.comparison import compare as compared
    from scenarios import display, runner

    try:
        scenario = find(options.name)
        conditions = [
            runner.Conditions(scenario.policies_with(dict([change]))) for change in options.policy
        ]
    except (ScenarioError, PolicyError) as error:
        return _cannot(error)
    results = []
    for condition in conditions:
        try:
            code, result = _run_one(scenario, condition, options)
        except runner.Interrupted as error:
            return _cannot(error)
        if isinstance(result, Exception):
            return code
        results.append(result)
    for result in results[1:]:
        display.comparison(compared(results[0], result), options.json)
    return PASS


def explain(options: argparse.Namespace) -> int:
    """Say what a policy would do with a packet, and by which rule."""
    from controllers.explain import explain_data, explain_text
    from controllers.lookup import PacketError

    try:
        policy = load_policy(find_policy(options.policy))
        if options.json:
            print(json.dumps(explain_data(policy, options.packet)))  # noqa: T201
        else:
            print(explain_text(policy, options.packet))  # noqa: T201
    except (PolicyError, PacketError) as error:
        return _cannot(error)
    return PASS


def execute(options: argparse.Namespace) -> int:
    """Run anyone's program on a host of a world; its own exit code, or 125 for our failures."""
    from scenarios import display, runner, visit
    from topologies.world import WorldError

    try:
        scenario = find(options.name)
        conditions = runner.Conditions(scenario.policies_with(dict(options.policy)))
        with display.progress(scenario.name) as progress:
            code, folder = visit.execute(
                scenario, conditions, _runs(options), options.host, options.program, progress
            )
    except (ScenarioError, PolicyError, runner.RunError, WorldError, OSError) as error:
        _cannot(error)
        return OWN_FAILURE
    sys.stderr.write(f"callpath: the captures are in {display.short(folder)}\n")
    return code


def assess(options: argparse.Namespace) -> int:
    """Say what a user's host reaches of the service, by which way and how well."""
    from results.wire.capture import CaptureError
    from scenarios import assessing, display, runner, visit
    from topologies.world import WorldError

    try:
        scenario = find(options.name)
        conditions = runner.Conditions(scenario.policies_with(dict(options.policy)))
        with display.progress(scenario.name) as progress:
            found, folder = visit.assess(
                scenario, conditions, _runs(options), options.host, progress
            )
    except (ScenarioError, PolicyError, RunFolderError, CaptureError) as error:
        return _cannot(error)
    except (runner.RunError, WorldError, OSError) as error:
        return _cannot(error)
    if options.json:
        print(found.model_dump_json())  # noqa: T201
    else:
        assessing.show(found)
    sys.stderr.write(f"callpath: the captures are in {display.short(folder)}\n")
    if found.doubts:
        return NOT_DONE
    return FAIL if found.lacking else PASS


def shell(options: argparse.Namespace) -> int:
    """Have the user talk to Mininet's prompt on a world."""
    from scenarios import display, runner, visit
    from topologies.world import WorldError

    try:
        scenario = find(options.name)
        conditions = runner.Conditions(scenario.policies_with(dict(options.policy)))
        with display.progress(scenario.name) as progress:
            folder = visit.shell(scenario, conditions, _runs(options), progress)
    except (ScenarioError, PolicyError, runner.RunError, WorldError, OSError) as error:
        return _cannot(error)
    sys.stderr.write(f"callpath: the services' logs are in {display.short(folder / 'logs')}\n")
    return PASS


def bench(options: argparse.Namespace) -> int:
    """Measure the phases of a scenario's runs, the reading of captures, or impaired cables."""
    from scenarios import benchmarks, display

    try:
        with display.progress(options.name) as progress:
            measured = benchmarks.measure(options.name, options.times, options.packets, progress)
    except benchmarks.ERRORS as error:
        return _cannot(error)
    if options.json:
        for row in measured.rows:
            print(json.dumps(row))  # noqa: T201
    else:
        measured.show()
    return PASS


def doctor(options: argparse.Namespace) -> int:
    """Say what the machine offers."""
    from scenarios import doctor as examination

    return examination.report(examination.checks(), options.json, sys.stdout)


def worst(codes: Iterable[int]) -> int:
    """The exit code of several runs: a FAIL wins over what could not be done."""
    found = set(codes)
    return next((code for code in (FAIL, NOT_DONE) if code in found), PASS)


def _run_one(
    scenario: Scenario, conditions: "Conditions", options: argparse.Namespace
) -> tuple[int, Result | Exception]:
    """Run a scenario; its exit code, and its result or why there is none."""
    from scenarios import display, runner
    from topologies.world import WorldError

    code = PASS
    try:
        with display.progress(scenario.name) as progress:
            result = runner.run(scenario, conditions, _runs(options), progress)
    except runner.Interrupted:
        raise
    except runner.Unwritten as error:
        code, result = _cannot(error), error.result
    except (runner.RunError, WorldError, OSError) as error:
        return _cannot(error), error
    if options.json and options.command is run:
        print(result.to_json(), flush=True)  # noqa: T201
    return worst([code, CODES[result.verdict]]), result


def _runs(options: argparse.Namespace) -> Path:
    from scenarios import runner

    return Path(options.runs) if options.runs else runner.RUNS


def _cannot(error: Exception) -> int:
    sys.stderr.write(f"callpath: {in_words(error)}\n")
    return NOT_DONE
