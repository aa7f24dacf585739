"""Work shared among processes of our own: what it comes to, in order.

Threads would wait for Python's lock between numpy's calls, which are short. Processes are
forked, so that there is nothing to start and nothing to hand over. The process may have
threads, whose locks nobody would ever open in a fork: therefore a worker does nothing but
its work, on data that it has at hand, and tell what it found by a line of its own. It runs
no handler of signals, collects no garbage of others, and ends without cleaning up.
"""

import gc
import os
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from typing import Any, NoReturn, TypeVar

from results.wire.line import Line

_In = TypeVar("_In")
_Out = TypeVar("_Out")

#: More processes would wait for the one that takes in what they found.
_MOST = 4


class LostError(Exception):
    """A worker ended before its work was done. Says how it ended."""


class _End:
    """Nothing more comes of an item."""


def processors() -> int:
    """How many processors this process may use, as far as workers are of use."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def by_processes(
    work: Callable[[_In], Iterable[_Out]], items: Sequence[_In], count: int
) -> Iterator[_Out]:
    """All that comes of each item, in order, found by so many processes in turns.

    It is best made of numpy's arrays, which are handed over as they are. No process outlives
    the iterator. Raises LostError where one ends before its time, BlockingIOError where no
    more processes are allowed.
    """
    with ExitStack() as crew:
        lines: list[Line] = []
        workers: list[_Worker] = []
        for first in range(count):
            lines.append(crew.enter_context(closing(Line())))
            workers.append(_Worker(work, items[first::count], lines))
            crew.callback(workers[-1].end)
        for number in range(len(items)):
            yield from workers[number % count].outcomes()


class _Worker:
    """A process that works on some items, and the line by which it tells what it found."""

    def __init__(
        self,
        work: Callable[[_In], Iterable[object]],
        items: Sequence[_In],
        lines: Sequence[Line],
    ) -> None:
        """The last of the lines is its own, the others are those of other workers."""
        *others, self._line = lines
        self._process: int | None = _forked()
        if self._process == 0:
            _serve(work, items, self._line, others)
        self._line.listen()

    def outcomes(self) -> Iterator[Any]:
        """What comes of the next of its items."""
        while not isinstance(outcome := self._next(), _End):
            yield outcome

    def _next(self) -> object:
        try:
            return self._line.receive()
        except EOFError:
            raise LostError(self._ended()) from None

    def _ended(self) -> str:
        code = self.end()
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def end(self) -> int:
        """End the process if it lives; its exit code, or minus the signal that ended it."""
        self._line.close()
        process, self._process = self._process, None
        if process is None:
            return 0
        # Somebody else may have asked for it already.
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(process, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return 0


def _forked() -> int:
    """The process's number, or 0 in the new process, which no signal reaches but SIGKILL."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    process = -1
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns where there are threads: see above.
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
    finally:
        if process != 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _serve(
    work: Callable[[_In], Iterable[object]],
    items: Iterable[_In],
    line: Line,
    others: Iterable[Line],
) -> NoReturn:
    """Work on all items, then end; also when nobody listens any more."""
    code = 1
    try:
        gc.disable()
        # A pipe breaks, and who waits at it ends, when nobody holds its other end.
        for other in others:
            other.close()
        line.tell()
        for item in items:
            for outcome in work(item):
                line.send(outcome)
            line.send(_End())
        code = 0
    except (BrokenPipeError, EOFError):
        pass
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)
