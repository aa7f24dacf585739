"""How fast Callpath itself reads a capture, and how much memory of its own that takes.

Runs in a process of its own, ``python -m scenarios.reading.own TIMES FILE``, so that nothing else
counts. Prints one JSON object.
"""

import json
import sys
import time
from pathlib import Path

from results.wire.batches import read_batches
from results.wire.captures import open_capture


def anonymous_kib() -> int:
    """Memory of this process that belongs to no file, in KiB (proc(5), RssAnon)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1])


def measure(path: Path, times: int) -> dict[str, float]:
    """Packets, seconds, seconds of processors, and the most anonymous memory in KiB.

    The best of so many readings counts; before them the file is read into the page cache.
    """
    memory = count = 0
    for batch in read_batches(open_capture(path)):
        count += len(batch)
        memory = max(memory, anonymous_kib())
    took = [_timed(path) for _ in range(times)]
    seconds, cpu = min(took)
    return {"packets": count, "seconds": seconds, "cpu_seconds": cpu, "anonymous_kib": memory}


def _timed(path: Path) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    for _ in read_batches(open_capture(path)):
        pass
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[1]))))  # noqa: T201
