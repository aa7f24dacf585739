"""Work done ahead of who needs it, by threads: in long calls numpy needs no lock of Python's.

Where calls are short and many, there are processes (results.wire.processes).
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

#: More threads would wait for each other: between numpy's calls they need the lock.
THREADS = min(2, os.cpu_count() or 1)


def ahead(work: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[_Out]:
    """The outcome of ``work`` on each item, in order; a few items are worked on in advance.

    A single item, or the first where there is one processor only, needs no thread.
    """
    rest = iter(items)
    first = list(islice(rest, 2))
    if len(first) < 2 or THREADS < 2:
        yield from map(work, chain(first, rest))
        return
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[_Out]] = deque(pool.submit(work, item) for item in first)
        try:
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
                yield done
        finally:
            for future in waiting:
                future.cancel()
