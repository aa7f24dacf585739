"""Files that tell of several runs at once: Markdown for people, JUnit XML for CI."""

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from results.handover.entry import Entry
from results.handover.junit import junit
from results.handover.markdown import markdown
from results.schema import Result
from scenarios import display, runner
from scenarios.error_words import in_words

#: GitHub's file for the summary of a job: what all commands of a step add to.
_GITHUB_SUMMARY = "GITHUB_STEP_SUMMARY"


def entry_of(result: Result, folder: Path) -> Entry:
    """A run that has a result."""
    return Entry(result.scenario, display.short(folder), result)


def entry_without(scenario: str, error: Exception) -> Entry:
    """A run that could not be done, or a folder that cannot be judged."""
    if isinstance(error, runner.RunError):
        return Entry(scenario, display.short(error.folder), None, error.reason)
    return Entry(scenario, "", None, in_words(error))


def write_markdown(path: Path, entries: Sequence[Entry]) -> None:
    """Write the file anew, or add to it where it is GitHub's summary of the job."""
    mode = "a" if str(path) == os.environ.get(_GITHUB_SUMMARY) else "w"
    _write(path, markdown(entries), mode)


def write_junit(path: Path, entries: Sequence[Entry], began: datetime) -> None:
    """Write the file anew."""
    _write(path, junit(entries, began, platform.node()), "w")


def _write(path: Path, text: str, mode: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
    runner.give_to_caller(path)
