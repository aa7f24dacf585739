"""The delay line: impaired cables in user space, where the kernel has no netem.

One process, one thread for all cables of a world, in the world's own namespace. Both ends of
a cable end there in an interface each; a packet socket on either takes every frame that comes
in, and sends it out at the other in its time. The kernel tells when a frame came in, so that
it is no later for waiting to be read.

It is ready when all sockets listen. A line on standard input asks for its counters:
``{"request": NUMBER}`` -> ``{"event": "counted", "request": NUMBER, "lanes": […]}``.
"""

import contextlib
import errno
import gc
import json
import os
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from topologies.lane import Lane

#: From <linux/if_packet.h>, <linux/if_ether.h> and <asm-generic/socket.h>.
_SOL_PACKET, _PACKET_STATISTICS, _PACKET_IGNORE_OUTGOING = 263, 6, 23
_ETH_P_ALL = 3
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33

#: Larger frames than those of Ethernet would be offload's, which is off at these cables.
_FRAME_MAX = 2048

#: What may wait to be read at each end, in bytes: 50 ms of 25,000 frames a second need 1,250.
_BUFFER = 8 << 20

#: Frames that are read at one end before those whose time has come are sent.
_BATCH = 32

_STAMP = struct.Struct("@qq")
_STAMP_ROOM = socket.CMSG_SPACE(_STAMP.size)

_NANOSECONDS = 1_000_000_000


class Entrance:
    """Where the frames of one sender come in, and the socket by which they go out."""

    def __init__(self, lane: Lane, own: socket.socket, out: socket.socket) -> None:
        self.lane = lane
        self._own = own
        self._out = out
        self._passed = 0

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._own.fileno()

    def read(self) -> None:
        """Take what has come in, but not so much that others wait for long."""
        for _ in range(_BATCH):
            try:
                frame, ancillary, flags, _ = self._own.recvmsg(_FRAME_MAX, _STAMP_ROOM)
            except BlockingIOError:
                return
            if flags & socket.MSG_TRUNC:
                self.lane.overflowed += 1
            else:
                seconds, nanoseconds = _STAMP.unpack(ancillary[0][2])
                self.lane.take(frame, seconds * _NANOSECONDS + nanoseconds)

    def send(self) -> None:
        """Send the frames whose time has come."""
        for frame in self.lane.leaving(time.time_ns()):
            try:
                self._out.send(frame)
            except BlockingIOError:
                self.lane.overflowed += 1
            except OSError as error:
                # The interface counts what it drops itself.
                if error.errno != errno.ENOBUFS:
                    raise
            else:
                self._passed += 1

    def count(self) -> dict[str, int]:
        """What has become of frames until now."""
        told = self._own.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        # What the kernel had no room for; told once.
        self.lane.overflowed += struct.unpack("@II", told)[1]
        lane = self.lane
        counts = {"lost": lane.lost, "overflowed": lane.overflowed, "late": lane.late}
        return {"passed": self._passed, **counts}


def main(config: dict[str, Any]) -> int:
    """Serve ``lanes`` (from, to, delay_ms, jitter_ms, loss) until standard input ends."""
    # So that ps tells it from the spawner, of which it is a fork.
    Path("/proc/self/comm").write_text("delay_line", encoding="utf-8")
    # A collection of all that the spawner has imported takes milliseconds; no cycles arise here.
    gc.disable()
    preferred = _prefer()
    entrances = list(_entrances(config["lanes"]))
    _tell({"event": "ready", "preferred": preferred})
    _serve(entrances)
    return 0


def _entrances(lanes: Sequence[dict[str, Any]]) -> Iterator[Entrance]:
    """The entrances of all lanes: one socket an interface serves both directions."""
    names = {name for lane in lanes for name in (lane["from"], lane["to"])}
    sockets = {name: _listening(name) for name in sorted(names)}
    for told in lanes:
        lane = Lane(told["delay_ms"], told["jitter_ms"], told["loss"], random.random)
        yield Entrance(lane, sockets[told["from"]], sockets[told["to"]])


def _listening(interface: str) -> socket.socket:
    """A socket that has every frame that comes in at an interface, with its time."""
    # Of no protocol at first: it would hear of other interfaces until it is bound.
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setblocking(False)
    try:
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    except PermissionError:
        # As much as the kernel grants everybody.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    made.bind((interface, _ETH_P_ALL))
    return made


def _serve(entrances: Sequence[Entrance]) -> None:
    readable = {entrance.fileno(): entrance for entrance in entrances}
    requests = sys.stdin.fileno()
    heard = [*readable, requests]
    while True:
        # Of all ways to wait in Python, only select() counts in µs.
        ready, _, _ = select.select(heard, [], [], _left(entrances))
        for descriptor in ready:
            if descriptor != requests:
                readable[descriptor].read()
            elif not _answer(entrances):
                return
        for entrance in entrances:
            entrance.send()


def _left(entrances: Sequence[Entrance]) -> float | None:
    """Seconds until the next frame is to leave."""
    due = [entrance.lane.due for entrance in entrances if entrance.lane.due is not None]
    return max(0.0, (min(due) - time.time_ns()) / _NANOSECONDS) if due else None


def _answer(entrances: Sequence[Entrance]) -> bool:
    """Answer a request for the counters; False when nobody asks any more."""
    line = os.read(sys.stdin.fileno(), 1 << 12)
    if line:
        counts = [entrance.count() for entrance in entrances]
        _tell({"event": "counted", **json.loads(line), "lanes": counts})
    return bool(line)


def _prefer() -> str:
    """Have the kernel prefer this process to others, as far as this user may ask for that."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        return "real-time"
    return "like others"


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()
