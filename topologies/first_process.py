"""The first process of a world: mounts its private folders, starts the stage, ends with its holder.

Run as ``python first_process.py LIFELINE OWNER FOLDER -- COMMAND …`` inside
fresh namespaces, where it has process id 1. LIFELINE is the read end of a pipe
that only the command outside holds open: its end of file, for whatever reason,
ends this process, and the kernel then ends every other process of the world and
frees its namespaces, links and mounts. Before that, FOLDER (what the run
wrote) is given to OWNER, ``uid:gid`` of the user who called sudo, or ``-``.

This file imports only the standard library so that it starts in milliseconds.
"""

import ctypes
import os
import select
import signal
import sys
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

#: A private copy of what programs expect to write to; sysfs must be mounted anew
#: to show the devices of this network namespace.
_MOUNTS = (("tmpfs", "/run"), ("sysfs", "/sys"))


def main(arguments: list[str]) -> int:
    """Prepare the world and wait for the stage or the holder, whichever ends first."""
    lifeline, owner, folder, _, *command = arguments
    # A Ctrl-C that reaches us is meant for the stage.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children = _notice_children()
    stage = _start(command, int(lifeline))
    code = _wait(stage, int(lifeline), children)
    _end_everybody()
    _give(Path(folder), owner)
    return code


def mount_private_folders() -> None:
    """Mount the world's own /run and /sys; OSError when the kernel refuses."""
    for kind, target in _MOUNTS:
        if _LIBC.mount(kind.encode(), target.encode(), kind.encode(), 0, None) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"cannot mount {kind} on {target}: {os.strerror(number)}")


def _start(command: list[str], lifeline: int) -> int:
    pid = os.fork()
    if pid == 0:
        # Only the first process may hold the lifeline's read end: the holder must notice its end.
        os.close(lifeline)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606
    return pid


def _notice_children() -> int:
    """A descriptor that becomes readable whenever a child ends."""
    wakeup, poke = os.pipe()
    os.set_blocking(poke, False)
    signal.set_wakeup_fd(poke)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wakeup


def _wait(stage: int, lifeline: int, children: int) -> int:
    """The stage's exit code, or 2 once the holder is gone. Reaps orphans meanwhile."""
    while True:
        ready, _, _ = select.select([lifeline, children], [], [])
        if lifeline in ready and not os.read(lifeline, 1):
            return 2
        if children in ready:
            os.read(children, 64)
        code = _reap(stage)
        if code is not None:
            return code


def _reap(stage: int) -> int | None:
    """Collect every ended child; the stage's exit code if it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == stage:
            code = os.waitstatus_to_exitcode(status) & 0xFF


def _end_everybody() -> None:
    """Kill all other processes of this process namespace (kill(2): -1 spares the caller)."""
    if os.getpid() == 1:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return


def _give(folder: Path, owner: str) -> None:
    if owner == "-":
        return
    uid, gid = (int(number) for number in owner.split(":"))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


if __name__ == "__main__":
    mount_private_folders()
    raise SystemExit(main(sys.argv[1:]))
