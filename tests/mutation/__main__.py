"""Try the mutants of run folders that pass: ``python -m tests.mutation RUN_FOLDER …``.

Prints what became of the mutants of each mutation in each scenario, those that did not
as they should, and the count; exits with 1 when there are such, with 2 for a run
that does not pass to begin with.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from results.schema import RunFolderError
from tests.mutation.trial import MUTATIONS, Fate, NotPassing, Trial, try_some


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all mutants, or ``--sample`` of each mutation; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("folders", metavar="RUN_FOLDER", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants of each mutation")
    options = parser.parse_args(arguments)
    try:
        trials = _try(options.folders, options.sample)
    except (NotPassing, RunFolderError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _report(trials)
    return int(any(trial.fate is not Fate.DIED for trial in trials))


def _try(folders: Sequence[Path], sample: int | None) -> list[Trial]:
    """Try one mutation of one run after the other, on all cores, and show how far that is."""
    tasks = [(folder, number) for folder in folders for number in range(len(MUTATIONS))]
    console = Console(stderr=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tried = pool.map(partial(try_some, sample=sample), *zip(*tasks, strict=True))
        shown = track(
            tried,
            "mutations",
            total=len(tasks),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        return [trial for some in shown for trial in some]


def _report(trials: Sequence[Trial]) -> None:
    console = Console()
    console.print(_table(trials))
    for trial in trials:
        if trial.fate is not Fate.DIED:
            where = f"{trial.scenario}: {trial.mutation}: {trial.what}"
            console.print(f"{where}: {trial.fate}: {trial.reason[:400]}", highlight=False)
    fates = Counter(trial.fate for trial in trials)
    console.print(
        f"{len(trials)} mutants: {fates[Fate.DIED]} died for their stated reason, "
        f"{fates[Fate.OTHERWISE]} of something else, {fates[Fate.SURVIVED]} survived"
    )


def _table(trials: Sequence[Trial]) -> Table:
    """A row for each scenario and mutation; where a run has no place for one there is no row."""
    counted = Counter((trial.scenario, trial.mutation, trial.fate) for trial in trials)
    table = Table("scenario", "mutation", "mutants", *(str(fate) for fate in Fate))
    for scenario, mutation in dict.fromkeys((trial.scenario, trial.mutation) for trial in trials):
        counts = [counted[scenario, mutation, fate] for fate in Fate]
        table.add_row(scenario, mutation, str(sum(counts)), *map(str, counts))
    return table


if __name__ == "__main__":
    sys.exit(main())
