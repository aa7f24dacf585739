"""Inside a world: numbered packets across impaired cables, and when they arrived.

Run as ``python -m scenarios.lines.probe CABLE …``. It brings the cables up, then answers each
``{"rate": PACKETS_A_SECOND, "seconds": S}`` with ``{"done": …}``, the figures of each
cable and the rate that came about. A packet says when it was sent; the kernel tells when
it came to the receiver's socket. One process does both, so that one clock is read.
"""

import contextlib
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import Any

from scenarios.lines.cables import cables
from topologies.host_script import PRIVATE
from topologies.lab import Lab, LabError
from topologies.lines import Lines
from topologies.links import LinkError
from topologies.namespaces import inside_network
from topologies.processes import ProcessError, Processes

#: Number, and time of sending in ns; then filled up to what a voice packet has.
_HEAD = struct.Struct("!Iq")
_SIZE = 160

_PORT = 9000
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_BUFFER = 16 << 20
_STAMP = struct.Struct("@qq")

#: Packets are sent in a bunch so often, in ns.
_TICK = 1_000_000
_SECOND = 1_000_000_000

#: How long after the last packet nothing more comes, in seconds: more than the longest delay.
_QUIET = 1.0


class Cable:
    """One direction of a cable: its two sockets, and what came across."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.name = name
        left, right = (host for host, _ in lab.network.attached(name))
        self._out = _socket(lab, left.name)
        self._out.connect((str(right.address), _PORT))
        self._into = _socket(lab, right.name)
        self._into.setblocking(False)
        self._into.bind((str(right.address), _PORT))
        self.begin()

    def begin(self) -> None:
        """Forget what was sent and what came."""
        self.sent = 0
        self.delays: list[int] = []

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._into.fileno()

    def send(self) -> None:
        """Send the next packet."""
        self.sent += 1
        self._out.send(_HEAD.pack(self.sent, time.time_ns()).ljust(_SIZE, b"\0"))

    def receive(self) -> None:
        """Take all that has come."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, _ = self._into.recvmsg(_SIZE, socket.CMSG_SPACE(_STAMP.size))
                seconds, nanoseconds = _STAMP.unpack(ancillary[0][2])
                _, left = _HEAD.unpack_from(data)
                self.delays.append(seconds * _SECOND + nanoseconds - left)

    def figures(self) -> dict[str, Any]:
        """What was sent and came, and the delays in ms: median and 99th percentile."""
        found = quantiles(self.delays, n=100, method="inclusive")
        return {
            "cable": self.name,
            "sent": self.sent,
            "received": len(self.delays),
            "median_ms": found[49] / 1e6,
            "p99_ms": found[98] / 1e6,
        }


def _socket(lab: Lab, host: str) -> socket.socket:
    with inside_network(lab.pid(host)):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with contextlib.suppress(PermissionError):
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return made


class Probe:
    """All cables of a world."""

    def __init__(self, lab: Lab, lines: Lines) -> None:
        self._lines = lines
        self._cables = [Cable(lab, link.name) for link in lab.network.links]

    def measure(self, rate: int, seconds: float) -> dict[str, Any]:
        """Send so many packets a second in all, over all cables in turn."""
        self._warm_up()
        before = self._overflowed()
        for cable in self._cables:
            cable.begin()
        began = time.time_ns()
        self._send(rate, seconds)
        took = (time.time_ns() - began) / _SECOND
        self._drain()
        overflowed = self._overflowed() - before
        rate_got = sum(cable.sent for cable in self._cables) / took
        figures = [cable.figures() for cable in self._cables]
        return {"rate": rate_got, "overflowed": overflowed, "cables": figures}

    def _warm_up(self) -> None:
        """Have every cable carry something: its hosts then know each other's addresses."""
        for cable in self._cables:
            cable.begin()
        while silent := [cable for cable in self._cables if not cable.delays]:
            for cable in silent:
                cable.send()
            self._receive(_QUIET)
        self._drain()

    def _send(self, rate: int, seconds: float) -> None:
        turns = _in_turn(self._cables)
        began, sent = time.time_ns(), 0
        tick = began
        while tick < began + seconds * _SECOND:
            due = int(rate * (tick - began) / _SECOND)
            for _ in range(due - sent):
                next(turns).send()
            sent = due
            self._receive(0)
            tick += _TICK
            while (left := tick - time.time_ns()) > 0:
                self._receive(left / _SECOND)

    def _receive(self, seconds: float) -> bool:
        ready, _, _ = select.select(self._cables, [], [], seconds)
        for cable in ready:
            cable.receive()
        return bool(ready)

    def _drain(self) -> None:
        while self._receive(_QUIET):
            pass

    def _overflowed(self) -> int:
        return sum(
            count["overflowed"]
            for senders in self._lines.counts().values()
            for count in senders.values()
        )


def _in_turn(cables: list[Cable]) -> Iterator[Cable]:
    while True:
        yield from cables


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main(names: Sequence[str]) -> None:
    """Answer requests until the holder closes our standard input."""
    try:
        processes = Processes()
        lab = Lab(cables(names), processes)
        probe = Probe(lab, Lines(lab, processes, PRIVATE))
        for line in sys.stdin:
            _tell({"done": probe.measure(**json.loads(line))})
    except (LabError, LinkError, ProcessError) as error:
        _tell({"failed": str(error)})


if __name__ == "__main__":
    main(sys.argv[1:])
