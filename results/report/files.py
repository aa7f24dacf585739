"""Reports where they belong: report.html in the run's folder, index.html beside all runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from results.judge import Judged
from results.report.content import Beside, content_of
from results.report.page import GENERATOR, index_page, page
from results.schema import EVIDENCE, REPORT, Result, RunFolder, RunFolderError, Seconds, Verdict

#: Enough of a page to tell whether it is ours.
_HEAD = 1024


class Brief(BaseModel):
    """What the index shows of a result; the rest is not read, since there may be many."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: Verdict
    reason: str
    signalling_flows: tuple[str, ...]
    media_flows: tuple[str, ...]
    seconds: Seconds


@dataclass(frozen=True)
class IndexRow:
    """A run folder: its result, or why there is none."""

    name: str
    result: Brief | None
    why: str
    has_report: bool


def write_report(judged: Judged, folder: Path) -> Path:
    """Write the report of a run into its folder; OSError where that cannot be."""
    captures = folder.glob("captures/*.pcapng")
    beside = Beside(
        captures=frozenset(str(path.relative_to(folder)) for path in captures),
        evidence=EVIDENCE if (folder / EVIDENCE).exists() else None,
        written=_written(folder),
        failure=_failure(folder),
    )
    return _write(folder / REPORT, page(content_of(judged, beside)))


def _written(folder: Path) -> Result | None:
    """The result that was written right after the run, if it can be read."""
    try:
        return RunFolder(folder).read_result()
    except RunFolderError:
        return None


def _failure(folder: Path) -> str:
    """Why a run could not be done, as the runner noted it."""
    try:
        return RunFolder(folder).log("failed").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write_index(runs: Path) -> Path | None:
    """Write the page that leads to the reports of all runs in a folder.

    None where another index.html lies there, which is left alone; OSError where it
    cannot be written.
    """
    path = runs / "index.html"
    with _alone_in(runs):
        if path.exists() and not _is_ours(path):
            return None
        return _write(path, index_page(list(_rows(runs))))


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return GENERATOR in file.read(_HEAD)


@contextmanager
def _alone_in(runs: Path) -> Iterator[None]:
    """Keep others out, so that an index without the latest run cannot win."""
    handle = os.open(runs, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _rows(runs: Path) -> Iterator[IndexRow]:
    """The run folders, the newest first: their names begin with the time."""
    for folder in sorted(runs.iterdir(), reverse=True):
        if (folder / "run.json").is_file():
            yield _row(folder)


def _row(folder: Path) -> IndexRow:
    has_report = (folder / REPORT).exists()
    try:
        result = Brief.model_validate_json((folder / "result.json").read_bytes())
    except FileNotFoundError:
        why = _failure(folder) or "no verdict was written"
    except ValidationError:
        why = "result.json cannot be read"
    else:
        return IndexRow(folder.name, result, "", has_report)
    return IndexRow(folder.name, None, why, has_report)


def _write(path: Path, text: str) -> Path:
    """Put a page in place at once, so that nobody reads half of it."""
    draft = path.with_suffix(".html.new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
    return path
