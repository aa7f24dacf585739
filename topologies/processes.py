"""The processes of a world: started through one spawner, watched through one loop.

Everything that runs on a host is a :class:`Program`; :class:`Processes` starts
it, keeps what it says, waits for what it must say, and notices its death.
"""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from topologies import spawner

#: How long to wait for what takes less than a second, in seconds. On an emulated processor it
#: takes a minute; what died is noticed at once, however long this is.
PATIENCE = 120.0


class ProcessError(Exception):
    """A process that died, or did not say in time what was waited for. Speaks to a person."""


class Interrupted(ProcessError):  # noqa: N818 - not an error of anything
    """The holder wants no more of it."""


@dataclass(frozen=True)
class Program:
    """What to run on a host.

    Either ``argv`` (any program) or ``module`` (one of our agents:
    ``main(config)``). An agent speaks JSON lines (so does a program that
    ``speaks_json``) and is ready when it says ``{"event": "ready"}``; any other
    program's output is text, and it is ready when a line matches ``ready``.
    """

    name: str
    argv: tuple[str, ...] | None = None
    ready: str | None = None
    speaks_json: bool = False
    module: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    #: The folder that an ``argv`` program begins in.
    directory: str = "/"
    #: File for the standard output of an ``argv`` program, where it is data and not words.
    stdout: Path | None = None


class Process:
    """A running program and all that it said."""

    def __init__(self, program: Program, stdin: int, words: int, output: TextIO) -> None:
        self.program = program
        self.words = words
        self.pid = 0
        self.exit_code: int | None = None
        self.ready = False
        self.asked_to_end = False
        self.events: list[dict[str, Any]] = []
        self.heard: list[str] = []
        self._stdin = stdin
        self._output = output
        self._partial = b""

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    def send(self, request: dict[str, Any]) -> None:
        """Give an agent an order: one JSON object on its standard input."""
        os.write(self._stdin, json.dumps(request).encode() + b"\n")

    def hear(self, data: bytes) -> None:
        """Take in what it wrote."""
        *lines, self._partial = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self._hear_line(line.decode("utf-8", errors="replace"))

    def close(self) -> None:
        """Close our ends of its pipes and its log."""
        os.close(self._stdin)
        os.close(self.words)
        self._output.close()

    def _hear_line(self, line: str) -> None:
        self._output.write(line + "\n")
        self._output.flush()
        self.heard.append(line)
        if self.program.module is not None or self.program.speaks_json:
            event = json.loads(line)
            self.events.append(event)
            self.ready |= event["event"] == "ready"
        elif self.program.ready and re.search(self.program.ready, line):
            self.ready = True


class Processes:
    """All processes of a world; one thread, one selector."""

    def __init__(self, interrupt: int | None = None) -> None:
        """When descriptor ``interrupt`` becomes readable, a wait ends."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = ours
        self._spawner = subprocess.Popen(
            spawner.command(sys.executable, theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._processes: list[Process] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ, self._hear_spawner)
        self._interrupted = False
        if interrupt is not None:
            self._selector.register(interrupt, selectors.EVENT_READ, self._hear_interrupt)

    def preload(self, modules: Sequence[str]) -> None:
        """Have the spawner import modules of agents, so that these start in milliseconds."""
        self._channel.send(json.dumps({"preload": list(modules)}).encode())

    def spawn(self, program: Program, within: int | None, events: Path, log: Path) -> Process:
        """Start a program inside the host that process ``within`` lives in.

        JSON lines go to ``events`` and standard error to ``log``; all output of a
        program that does not speak JSON goes to ``log``.
        """
        agent = program.argv is None or program.speaks_json
        stdin, our_stdin = os.pipe()
        our_words, words = os.pipe()
        heard = (events if agent else log).open("w", encoding="utf-8")
        process = Process(program, our_stdin, our_words, heard)
        stdout = _new_file(program.stdout) if program.stdout else os.dup(words)
        stderr = _new_file(log) if agent else os.dup(words)
        self._start(process, within, [stdin, stdout, stderr])
        for descriptor in (stdin, words, stdout, stderr):
            os.close(descriptor)
        self._selector.register(process.words, selectors.EVENT_READ, process.hear)
        return process

    def attach(self, program: Program, within: int, stdio: Sequence[int]) -> Process:
        """Start a program whose standard input, output and error are somebody else's.

        It may end whenever it likes.
        """
        silence = os.open(os.devnull, os.O_RDWR)
        process = Process(program, silence, os.dup(silence), os.fdopen(os.dup(silence), "w"))
        process.asked_to_end = True
        self._start(process, within, stdio)
        return process

    def _start(self, process: Process, within: int | None, stdio: Sequence[int]) -> None:
        program = process.program
        request = {
            "id": len(self._processes),
            "within": within,
            "argv": program.argv,
            "module": program.module,
            "config": program.config,
            "environment": program.environment,
            "directory": program.directory,
        }
        self._processes.append(process)
        socket.send_fds(self._channel, [json.dumps(request).encode()], list(stdio))
        self.wait(lambda: process.pid > 0, PATIENCE, f"the spawner to start {program.name}")

    def wait(
        self,
        condition: Callable[[], bool],
        timeout: float,
        what: str,
        every: float | None = None,
        speaker: Process | None = None,
    ) -> None:
        """Serve all processes until the condition holds.

        It is looked at after whatever a process says or does, and ``every`` so
        many seconds where it hangs on something else (a file). ProcessError after
        ``timeout`` seconds, counted anew from whatever ``speaker`` says, naming
        ``what`` did not come, or as soon as any process dies unasked.
        """
        began, heard = time.monotonic(), 0
        while not condition():
            if speaker and len(speaker.heard) > heard:
                began, heard = time.monotonic(), len(speaker.heard)
            left = began + timeout - time.monotonic()
            if left <= 0:
                raise ProcessError(f"waited {timeout:g} s for {what}, in vain{self._silent()}")
            self._pump(left if every is None else min(every, left))
            self.check()

    def wait_ready(self, processes: Sequence[Process], timeout: float = PATIENCE) -> None:
        """Wait until all of them said that they are ready."""
        names = ", ".join(process.name for process in processes)
        self.wait(lambda: all(p.ready for p in processes), timeout, f"{names} to be ready")

    def wait_event(self, process: Process, event: str, timeout: float, **values: str | int) -> None:
        """Wait until an agent said ``event`` with these values.

        ProcessError when it has said nothing at all for ``timeout`` seconds.
        """
        wanted = {"event": event, **values}
        said = ", ".join(f"{key} {value}" for key, value in values.items())
        self.wait(
            lambda: any(wanted.items() <= heard.items() for heard in process.events),
            timeout,
            f"{process.name} to say {event} ({said})",
            speaker=process,
        )

    def check(self) -> None:
        """ProcessError if a process died unasked, or Interrupted; each is told once."""
        if self._interrupted:
            self._interrupted = False
            raise Interrupted("interrupted")
        if self._spawner.poll() is not None:
            raise ProcessError(f"the spawner died with exit code {self._spawner.returncode}")
        for process in self._processes:
            if process.exit_code is not None and not process.asked_to_end:
                process.asked_to_end = True
                self._hear_last_words()
                last = "; ".join(process.heard[-3:]) or "it said nothing"
                raise ProcessError(
                    f"{process.name} died with exit code {process.exit_code}: {last}"
                )

    def ask_to_end(
        self, processes: Sequence[Process], how: signal.Signals = signal.SIGTERM
    ) -> None:
        """Send a signal to these processes; from now on they may end.

        The spawner sends it, their parent: it knows of an end before the id can be another's.
        """
        for process in processes:
            process.asked_to_end = True
            if process.exit_code is None:
                request = {"signal": self._processes.index(process), "how": how}
                self._channel.send(json.dumps(request).encode())

    def end(self, processes: Sequence[Process]) -> None:
        """End these processes and wait until they are gone."""
        self.ask_to_end(processes)
        self.wait_gone(processes)

    def wait_gone(self, processes: Sequence[Process]) -> None:
        """Wait until these processes, which were asked to end, are gone."""
        names = ", ".join(process.name for process in processes)
        self.wait(
            lambda: all(process.exit_code is not None for process in processes),
            PATIENCE,
            f"{names} to end",
        )

    def exits(self) -> dict[str, int]:
        """Exit codes of all processes that have ended, by name."""
        return {p.name: p.exit_code for p in self._processes if p.exit_code is not None}

    def close(self) -> None:
        """End the spawner; the processes themselves end with the world."""
        self._channel.close()
        self._spawner.wait()
        self._selector.close()
        for process in self._processes:
            process.close()

    def _hear_last_words(self) -> None:
        """Take what is in the pipes: the news of an end may overtake what was said before it."""
        while self._pump(0):
            pass

    def _pump(self, timeout: float) -> bool:
        """Handle what there is, or what comes within ``timeout``; whether there was anything."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            data = os.read(key.fd, 1 << 16)
            if not data:
                self._selector.unregister(key.fileobj)
            if data or key.data == self._hear_interrupt:
                key.data(data)
        return bool(ready)

    def _hear_spawner(self, data: bytes) -> None:
        message = json.loads(data)
        if "spawned" in message:
            self._processes[message["spawned"]].pid = message["pid"]
        else:
            self._processes[message["ended"]].exit_code = message["code"]

    def _hear_interrupt(self, _data: bytes) -> None:
        self._interrupted = True

    def _silent(self) -> str:
        waiting = [p for p in self._processes if not p.ready and p.exit_code is None]
        words = [f"{p.name}: {p.heard[-1]}" for p in waiting if p.heard]
        return "; last words of " + "; ".join(words) if words else ""


def _new_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
