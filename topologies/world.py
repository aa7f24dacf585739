"""A world: private namespaces in which one network is up, held by a pipe.

The command outside starts the world's first process in fresh mount, process and
network namespaces (and a user namespace where it is not root) and talks to the
stage inside in JSON lines. It holds the lifeline, a pipe that it never writes
to: when it ends, by SIGKILL too, the first process sees the end of file and
ends, and with it everything in the world (DESIGN.md, "What a run is").
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from topologies.caller import caller

_FIRST_PROCESS = Path(__file__).with_name("first_process.py")

#: How long the first process may take to end a world, in seconds.
_END_TIMEOUT = 60.0


#: How long an interrupted stage may take to store what it has, in seconds.
_GRACE = 3.0


class WorldError(Exception):
    """A world that could not be made or ended before its time. Speaks to a person."""


class World:
    """The stage's process in namespaces of its own.

    ``stage`` is the command to run inside (it reads requests from standard
    input and writes events to standard output, one JSON object a line);
    ``folder`` is what it writes to, given to the caller of sudo at the end;
    standard error goes to ``log``. ``share`` are descriptors that the stage gets
    under their own numbers. Ctrl-C is for the command alone, which ends the world in
    good order; ``foreground``, it is for the stage too.
    """

    def __init__(
        self,
        stage: Sequence[str],
        folder: Path,
        log: Path,
        share: Sequence[int] = (),
        foreground: bool = False,
    ) -> None:
        self._log = log
        lifeline, self._held = os.pipe()
        command = [
            *_unshare(),
            sys.executable,
            "-I",
            "-S",
            str(_FIRST_PROCESS),
            str(lifeline),
            _owner(),
            str(folder),
            "--",
            *stage,
        ]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=(lifeline, *share),
                start_new_session=not foreground,
                text=True,
            )
        os.close(lifeline)

    @property
    def pid(self) -> int:
        """Process id of ``unshare``, the parent of the world's first process."""
        return self._process.pid

    def send(self, request: dict[str, Any]) -> None:
        """Send a request to the stage; WorldError if it is gone."""
        try:
            self._stdin.write(json.dumps(request) + "\n")
            self._stdin.flush()
        except BrokenPipeError:
            raise WorldError(self.why_gone()) from None

    def events(self) -> Iterator[dict[str, Any]]:
        """Events of the stage until it ends."""
        for line in self._stdout:
            yield json.loads(line)

    def why_gone(self) -> str:
        """Last words of a stage that ended on its own."""
        code = self._process.wait(_END_TIMEOUT)
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it left no message"
        return f"the world ended with exit code {code}: {last} (see {self._log})"

    def interrupt(self) -> None:
        """Have the stage store what it has and end; it may take a moment for that."""
        self._close_stdin()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)

    def release(self) -> None:
        """Let go of the world: it ends by itself, while :meth:`close` is still to wait for it."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def close(self) -> None:
        """End the world and wait until it is gone."""
        self.release()
        self._stdout.close()
        self._close_stdin()
        self._process.wait(_END_TIMEOUT)

    def _close_stdin(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is KeyboardInterrupt:
                self.interrupt()
        finally:
            self.close()

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


def _unshare() -> list[str]:
    """The unshare(1) command line; a user namespace only where we are not root."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def _owner() -> str:
    """The user who called sudo, as ``uid:gid``, or ``-``."""
    user = caller()
    return f"{user.uid}:{user.gid}" if user else "-"
