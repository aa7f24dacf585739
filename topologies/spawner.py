"""The one place where a process enters a host: a warm process that forks on request.

It imports modules once when told so, stays single-threaded, and for each request
forks a child that enters the host's network and mount namespaces and then
either executes a program or calls ``main(config)`` of a preloaded module. So a
WebRTC client is ready in milliseconds instead of the half second that its
imports take.

Run as ``python -m topologies.spawner FD``; FD is a Unix socket that keeps
messages apart. One is ``{"preload": [MODULE, …]}``, one ``{"signal": ID, "how":
NUMBER}`` for a child. A request is another JSON object, sent with the child's
standard input, output and error; the answer is ``{"spawned": ID, "pid": PID}``,
and when the child ends ``{"ended": ID, "code": CODE}``.
"""

import importlib
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topologies.namespaces import enter

_REQUEST_MAX = 1 << 20


@dataclass(frozen=True)
class Request:
    """What to start, and inside which host (``within``: a process id there, None: nowhere)."""

    id: int
    within: int | None
    argv: list[str] | None
    module: str | None
    config: dict[str, Any]
    environment: dict[str, str]
    directory: str


class Spawner:
    """Serves requests until its socket is closed."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, int] = {}
        self._wakeup, poke = os.pipe()
        os.set_blocking(poke, False)
        signal.set_wakeup_fd(poke)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A Ctrl-C that reaches us is meant for the stage.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        """Answer requests and report ends."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._wakeup, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self._wakeup in ready:
                    os.read(self._wakeup, 64)
                    self._reap()
                if self._channel.fileno() in ready and not self._answer():
                    return

    def _answer(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._channel, _REQUEST_MAX, 3)
        except ConnectionResetError:
            return False
        if not data:
            return False
        message = json.loads(data)
        if "preload" in message:
            for name in message["preload"]:
                importlib.import_module(name)
            return True
        if "signal" in message:
            self._signal(message["signal"], message["how"])
            return True
        request = Request(**message)
        pid = self._fork(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._children[pid] = request.id
        self._report({"spawned": request.id, "pid": pid})
        return True

    def _fork(self, request: Request, descriptors: list[int]) -> int:
        # A fork copies only the calling thread; locks held by others would stay locked.
        threads = list(Path("/proc/self/task").iterdir())
        assert len(threads) == 1, f"the spawner must be single-threaded, it has {len(threads)}"
        pid = os.fork()
        if pid == 0:
            os._exit(_child(request, descriptors))
        return pid

    def _signal(self, child: int, how: int) -> None:
        """Send a signal to a child, unless it has ended: only we free the ids of ours."""
        for pid, number in self._children.items():
            if number == child:
                os.kill(pid, how)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            self._report({"ended": self._children.pop(pid), "code": code})

    def _report(self, message: dict[str, int]) -> None:
        self._channel.sendall(json.dumps(message).encode())


def _child(request: Request, descriptors: list[int]) -> int:
    """Become the requested process; the exit code of a module's main()."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setsid()
        for standard, descriptor in enumerate(descriptors):
            os.dup2(descriptor, standard)
        os.closerange(3, 1024)
        if request.within is not None:
            enter(request.within)
        os.chdir(request.directory)
        os.environ.update(request.environment)
        if request.argv is not None:
            os.execvp(request.argv[0], request.argv)  # noqa: S606
        return int(importlib.import_module(str(request.module)).main(request.config))
    except FileNotFoundError:
        sys.stderr.write(f"{request.argv[0] if request.argv else request}: not found\n")
        return 127
    except BaseException:  # nothing may escape into the parent's code
        traceback.print_exc()
        return 127
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Serve."""
    Spawner(socket.socket(fileno=int(arguments[0]))).serve()
    return 0


def command(python: str, descriptor: int) -> list[str]:
    """The command line that starts a spawner on this descriptor."""
    return [python, "-sP", "-m", "topologies.spawner", str(descriptor)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
