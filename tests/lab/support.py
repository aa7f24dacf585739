"""What the lab tests share: the command as a process, and the world that it holds."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent.parent

#: The unprivileged user that rootless tests run as when the suite runs as root.
NOBODY = 65534

#: Bound on anything a test waits for, in seconds; a busy machine may need it.
PATIENCE = 60.0


def callpath(*arguments: str, rootless: bool = False) -> "subprocess.Popen[str]":
    """Start the command line, as an ordinary user if ``rootless``."""
    command = [sys.executable, "-m", "scenarios.cli", *arguments]
    if rootless and os.geteuid() == 0:
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = [*user, *command]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def results_of(
    process: "subprocess.Popen[str]", patience: float = PATIENCE
) -> list[dict[str, Any]]:
    """The results that a command started with ``--json`` prints; it must end in so many seconds."""
    try:
        output, errors = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert output, f"no result; standard error: {errors}"
    return [json.loads(line) for line in output.splitlines()]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition outside our processes; AssertionError names what did not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Grown:
    """A world as seen from outside: its processes and its namespaces."""

    processes: frozenset[tuple[int, str]]
    namespaces: frozenset[str]

    def remains(self) -> list[str]:
        """What of it is still there."""
        left = [f"process {pid}" for pid, born in self.processes if _born(pid) == born]
        return left + [f"namespace {name}" for name in self.namespaces & set(_inhabited())]


def grown_world(command: int) -> Grown:
    """All descendants of a process, and the namespaces among theirs that are not ours."""
    pids = list(_descendants(command))
    own = set(_namespaces(os.getpid()))
    namespaces = {name for pid in pids for name in _namespaces(pid)} - own
    born = {(pid, _born(pid)) for pid in pids}
    return Grown(frozenset((p, b) for p, b in born if b is not None), frozenset(namespaces))


def machine_network() -> dict[str, str]:
    """The machine's own links, addresses, routes, rules, packet filter and bridges."""
    commands = {
        "links": "ip -details -oneline link",
        "addresses": "ip -oneline address",
        "routes": "ip route show table all",
        "rules": "ip rule",
        "filter": "nft list ruleset",
        "namespaces": "ip netns list",
    }
    return {
        name: subprocess.run(command.split(), capture_output=True, text=True, check=False).stdout
        for name, command in commands.items()
    }


def mounts() -> str:
    """What is mounted on the machine."""
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def _descendants(root: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        children.setdefault(_parent(pid), []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return iter(found)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else -1


def _born(pid: int) -> str | None:
    """The start time of a process, which tells it from a later one with its number."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def _namespaces(pid: int) -> list[str]:
    try:
        return [
            str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in ("net", "mnt", "pid", "user")
        ]
    except OSError:
        return []


def _inhabited() -> Iterator[str]:
    """Namespaces with processes in them, but for those that tests beside this one have made.

    A namespace's number is free for the next one when it has ended.
    """
    beside: set[int] = set()
    if "PYTEST_XDIST_WORKER" in os.environ:
        beside = set(_descendants(os.getppid())) - set(_descendants(os.getpid()))
    for pid in _pids():
        if pid not in beside:
            yield from _namespaces(pid)
