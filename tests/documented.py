"""The commands that the documentation shows, and a scratch checkout to run them in.

In ``sh`` blocks of README.md and docs/*.md:

- ``# exits N`` at the end of a line says that the command exits with N;
- ``sudo`` is left out: who runs the tests is root already, or may do without;
- ``results/runs/…``, or a run that is not stored with the tests, stands for one that is.

A ``python`` or ``yaml`` block whose first line is a comment with a file name is a file
that lies in the scratch checkout, as the reader is told to save it.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results.handover.evidence_pcapng import write_evidence
from tests.results.recorded import unpack

ROOT = Path(__file__).parent.parent

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

#: Runs that are stored with the tests; the first stands for any.
_STORED = ("external_relayed", "intranet")

_ROOMS = ("agents", "controllers", "plugin", "results", "scenarios", "topologies")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXITS = re.compile(r"# exits (\d+)$")
_FILE = re.compile(r"# (\w+\.(?:py|yaml))\n")
_RUN = re.compile(r"results/runs/(…|[\w-]+)")

#: Bound on one command, in seconds; a busy machine may need it.
_PATIENCE = 90.0


@dataclass(frozen=True)
class Command:
    """One line that a reader would type; ``shown`` is the output that the page shows below."""

    page: str
    text: str
    exits: int = 0
    shown: str = ""

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    language: str
    text: str
    start: int
    end: int


def blocks() -> Iterator[Block]:
    """All fenced blocks, page by page."""
    for page in PAGES:
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            yield Block(page.name, found[1], found[2], found.start(), found.end())


def commands() -> list[Command]:
    """Every command of every ``sh`` block, each once."""
    once: dict[str, Command] = {}
    for block, below in itertools.pairwise([*blocks(), Block("", "", "", 0, 0)]):
        if block.language == "sh":
            follows = block.page == below.page and 0 < below.start - block.end <= len("\n\n")
            shown = below.text if follows and below.language == "text" else ""
            for command in _commands(block, shown):
                if command.shown or command.text not in once:
                    once[command.text] = command
    return list(once.values())


def _commands(block: Block, shown: str) -> Iterator[Command]:
    """The commands of a block; a ``cd`` is part of those that follow it."""
    folder = ""
    lines = [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip()]
    for line in lines:
        exits = _EXITS.search(line)
        text = " ".join(re.sub(r"\s#\s.*", "", line).split()).removeprefix("sudo ")
        if text.startswith("cd "):
            folder = f"{text} && "
            continue
        output = shown if line == lines[-1] else ""
        yield Command(block.page, folder + text, int(exits[1]) if exits else 0, output)


def files() -> dict[str, str]:
    """Name -> text of the files that readers are told to save."""
    found = {}
    for block in blocks():
        name = _FILE.match(block.text)
        if name and block.language in ("python", "yaml"):
            found[name[1]] = block.text
    return found


class Scratch:
    """A copy of the checkout, with stored runs, in which commands do no harm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for room in _ROOMS:
            # Bytecode comes along, or every command would compile it anew.
            shutil.copytree(ROOT / room, folder / room, ignore=_runs)
        python = f"PYTHONPATH={folder} exec {sys.executable}"
        self.script("callpath", f'{python} -sP -m scenarios.cli "$@"')
        for name, text in files().items():
            (folder / name).write_text(text, encoding="utf-8")
        self._stored = {name: self._store(name) for name in _STORED}

    def script(self, name: str, text: str) -> None:
        """Write a program of the shell."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(
        self, text: str, patience: float = _PATIENCE, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command as a reader's shell would, with ``exit`` for whatever has a prompt."""
        return subprocess.run(
            ["bash", "-e", "-c", self.made_real(text)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), **variables},
            input="exit\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )

    def made_real(self, text: str) -> str:
        """The command with stored runs in the place of others."""
        others = itertools.cycle(self._stored.values())
        return _RUN.sub(lambda run: run[0] if self._is_here(run[0]) else next(others), text)

    def _is_here(self, run: str) -> bool:
        return (self.folder / run).exists()

    def _store(self, name: str) -> str:
        unpacked = unpack(self.folder / "unpacked", name)
        run = f"results/runs/{json.loads((unpacked / 'run.json').read_text())['run']}"
        (self.folder / run).parent.mkdir(exist_ok=True)
        unpacked.rename(self.folder / run)
        write_evidence(self.folder / run)
        return run


def _runs(folder: str, names: list[str]) -> list[str]:
    return ["runs"] if Path(folder).name == "results" and "runs" in names else []


def titles(output: str) -> list[str]:
    """The column titles of a table that is drawn in some output; none where there is no table."""
    heads = [line for line in output.splitlines() if line.startswith("┃")]
    return [title.strip() for title in heads[0].strip("┃").split("┃")] if heads else []
