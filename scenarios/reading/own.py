"""How fast Callpath itself reads a capture, and how much memory of its own that takes.

Runs in a process of its own, ``python -m scenarios.reading.own TIMES FILE``, so that nothing else
counts. Prints one JSON object.
"""

import json
import resource
import sys
import time
from pathlib import Path

from results.wire.batches import read_batches
from results.wire.captures import open_capture

#: Memory that belongs to no file: a process's own, and what it shares (proc(5), smaps_rollup).
_ANONYMOUS = ("Pss_Anon:", "Pss_Shmem:")


def anonymous_kib() -> int:
    """Memory of this process and its workers that belongs to no file, in KiB.

    What several have in common counts once.
    """
    tasks = Path("/proc/self/task").glob("*/children")
    workers = " ".join(task.read_text(encoding="ascii") for task in tasks).split()
    return sum(_anonymous_kib(process) for process in ("self", *workers))


def _anonymous_kib(process: str) -> int:
    try:
        rollup = Path("/proc", process, "smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        # A worker that has ended.
        return 0
    lines = (line.split() for line in rollup.splitlines())
    return sum(int(words[1]) for words in lines if words[0] in _ANONYMOUS)


def measure(path: Path, times: int) -> dict[str, float]:
    """Packets, seconds, seconds of processors, and the most anonymous memory in KiB.

    The best of so many readings counts; before them the file is read into the page cache.
    """
    memory = count = 0
    for batch in read_batches(open_capture(path)):
        count += len(batch.columns)
        memory = max(memory, anonymous_kib())
    took = [_timed(path) for _ in range(times)]
    seconds, cpu = min(took)
    return {"packets": count, "seconds": seconds, "cpu_seconds": cpu, "anonymous_kib": memory}


def _timed(path: Path) -> tuple[float, float]:
    began, cpu = time.perf_counter(), _cpu_seconds()
    for _ in read_batches(open_capture(path)):
        pass
    return time.perf_counter() - began, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    """Of this process, and of workers that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(one) for one in who]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[1]))))  # noqa: T201
