"""Entering the namespaces of a host. Only a single-threaded process may do so."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_LIBC = ctypes.CDLL(None, use_errno=True)

#: setns(2) flags, from <linux/sched.h>.
_TYPES = {"net": 0x40000000, "mnt": 0x00020000}


def enter(pid: int) -> None:
    """Enter the network and mount namespaces of a process for good; OSError on refusal."""
    descriptors = {kind: os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in _TYPES}
    for kind, descriptor in descriptors.items():
        _setns(descriptor, kind)
        os.close(descriptor)


@contextmanager
def inside_network(pid: int | None) -> Iterator[None]:
    """Be in the network namespace of a process (None: stay) for a while.

    A socket opened meanwhile stays in that network.
    """
    if pid is None:
        yield
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        _setns(there, "net")
        yield
    finally:
        _setns(home, "net")
        os.close(there)
        os.close(home)


def _setns(descriptor: int, kind: str) -> None:
    if _LIBC.setns(descriptor, _TYPES[kind]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter a {kind} namespace: {os.strerror(number)}")
