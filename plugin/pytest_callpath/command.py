"""Driving the command: how it is called, and what its answers mean."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_callpath.run import SCHEMA, Run, read_run

#: Exit codes with which the command has judged: PASS, FAIL, INCONCLUSIVE.
_JUDGED = (0, 1, 2)


class CallpathError(Exception):
    """The command could not do it; the message is its own."""


class Inconclusive(CallpathError):  # noqa: N818 - it names the verdict
    """A run whose evidence has holes: whatever is read from it proves nothing."""


class Callpath:
    """Runs scenarios and judges stored runs."""

    def __init__(self, command: Sequence[str], runs: Path, beside: Sequence[Path]) -> None:
        """``beside`` are the folders in which files are looked for, in this order."""
        self._command = list(command)
        self._runs = runs
        self._beside = list(beside)
        #: What was run so far, in order, whatever came of it.
        self.made: list[Run | Path] = []

    def run(
        self,
        scenario: str | Path,
        *,
        policy: Mapping[str, str | Path] | None = None,
        allow_inconclusive: bool = False,
    ) -> Run:
        """Run a scenario: a shipped one by name, or a file of one's own (``….py``).

        A file is looked for beside the test first. ``policy`` says what firewalls
        enforce instead: a shipped policy by name, or a ``.yaml`` file. A FAIL is
        returned like a PASS: what it means is for the test to say. Raises
        Inconclusive, unless allowed, and CallpathError when the run could not be done.
        """
        __tracebackhide__ = True
        changes = [f"{name}={self._file(value)}" for name, value in (policy or {}).items()]
        options = [word for change in changes for word in ("--policy", change)]
        self._runs.mkdir(parents=True, exist_ok=True)
        before = set(self._runs.iterdir())
        try:
            result = self._json(
                "run", self._file(scenario), "--json", "--runs", str(self._runs), *options
            )
        except CallpathError:
            self.made += sorted(set(self._runs.iterdir()) - before)
            raise
        run = read_run(result, self._runs / str(result["run"]))
        self.made.append(run)
        return _conclusive(run, allow_inconclusive)

    def judge(self, folder: str | Path, *, allow_inconclusive: bool = False) -> Run:
        """Judge a stored run anew. Raises as :meth:`run` does."""
        __tracebackhide__ = True
        result = self._json("judge", str(folder), "--json")
        return _conclusive(read_run(result, Path(folder)), allow_inconclusive)

    def _file(self, named: str | Path) -> str:
        """A file's whole path, where a file is meant; else the name."""
        text = str(named)
        if isinstance(named, str) and not text.endswith((".py", ".yaml")):
            return text
        __tracebackhide__ = True
        places = list(dict.fromkeys(folder / text for folder in self._beside))
        for place in places:
            if place.is_file():
                return str(place)
        raise CallpathError(f"there is no file {' nor '.join(map(str, places))}")

    def _json(self, *arguments: str) -> Mapping[str, object]:
        __tracebackhide__ = True
        done = subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode not in _JUDGED or not done.stdout.strip():
            said = done.stderr.strip() or f"it said nothing and exited with {done.returncode}"
            raise CallpathError(f"{' '.join(self._command)} {arguments[0]}: {said}")
        result: Mapping[str, object] = json.loads(done.stdout)
        if result.get("schema") != SCHEMA:
            raise CallpathError(
                f"{self._command[0]} speaks version {result.get('schema')} of results, this plugin "
                f"{SCHEMA}; install the plugin of that Callpath"
            )
        return result


def _conclusive(run: Run, allow_inconclusive: bool) -> Run:
    __tracebackhide__ = True
    if run.verdict == "INCONCLUSIVE" and not allow_inconclusive:
        raise Inconclusive(f"{run.scenario} is INCONCLUSIVE: {run.reason} (in {run.folder})")
    return run
