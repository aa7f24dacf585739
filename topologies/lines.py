"""Impaired cables: netem where the kernel has it, else the delay line of user space.

Such a cable has a middle in the world's own namespace: two interfaces, one toward each host,
so that the taps at both ends see a frame before and after what happens to it. Netem is the
queue of the interface by which a frame leaves, and a bridge connects the two; or the delay
line carries every frame from one to the other (:mod:`topologies.delay_line`). Both delay,
lose and keep in order what :class:`topologies.spec.Impairment` says.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from topologies.lab import Lab, LabError
from topologies.lane import ROOM
from topologies.links import Links
from topologies.processes import PATIENCE, Process, Processes, Program
from topologies.spec import Impairment, Link, mac_of

#: With a rate to keep, netem keeps frames in order too. Its queue then holds so many.
_NETEM = ("limit", str(ROOM), "rate", "10gbit")


class _Lane(NamedTuple):
    """One direction of an impaired cable: where frames come in, and where they leave."""

    link: str
    entrance: str
    exit: str
    impairment: Impairment


class Lines:
    """The impaired cables of a world."""

    def __init__(self, lab: Lab, processes: Processes, logs: Path) -> None:
        """Connect them. LabError when that fails."""
        self._processes = processes
        self._lanes = [lane for link in lab.network.links for lane in _lanes(lab, link)]
        self._requests = count(1)
        self._process: Process | None = None
        if not self._lanes:
            return
        self._links = Links("of the world", os.getpid())
        for name in dict.fromkeys(lane.link for lane in self._lanes):
            self._prepare(lab, name)
        if kernel_has_netem():
            self._connect_by_netem()
        else:
            self._process = self._start(logs)

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Link -> sender -> frames ``passed``, ``lost``, ``overflowed``, ``late`` until now."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        if self._lanes:
            dropped = self._links.dropped()
            for lane, counted in zip(self._lanes, self._counted(), strict=True):
                counted["overflowed"] += dropped[lane.entrance]
                found.setdefault(lane.link, {})[lane.impairment.sender] = counted
        return found

    def _prepare(self, lab: Lab, link: str) -> None:
        """Have frames, not segments for offload, come into a cable: each is lost alone.

        Its hosts know each other, as the ends of a line do. Where the question of ARP is lost,
        a packet would wait for a second to be sent.
        """
        for end in lab.line(link).ends:
            if end.pid is None:
                self._links.cut_segments(end.interface)
        ends = list(lab.network.attached(link))
        for (host, index), (other, there) in zip(ends, ends[::-1], strict=True):
            links, name = lab.links(host.name), host.interface_name(index)
            beyond = other.interfaces[there]
            links.cut_segments(name)
            for address in beyond.addresses:
                links.add_neighbour(name, address.ip, mac_of(beyond.address.ip))

    def _connect_by_netem(self) -> None:
        for lane in self._lanes:
            _tc("qdisc", "add", "dev", lane.exit, "root", "netem", *_netem(lane.impairment))
        for link in dict.fromkeys(lane.link for lane in self._lanes):
            ports = [lane.exit for lane in self._lanes if lane.link == link]
            self._links.add_bridge(f"dl-{link}", ports)

    def _start(self, logs: Path) -> Process:
        lanes = [
            {"from": lane.entrance, "to": lane.exit, **lane.impairment.model_dump()}
            for lane in self._lanes
        ]
        program = Program("delay_line", module="topologies.delay_line", config={"lanes": lanes})
        log = logs / "delay_line.log"
        process = self._processes.spawn(program, None, logs / "delay_line.jsonl", log)
        self._processes.wait_ready([process])
        return process

    def _counted(self) -> list[dict[str, int]]:
        """What has become of the frames of each lane, as told by whoever carries them."""
        if self._process is None:
            return [_queue(lane) for lane in self._lanes]
        request = next(self._requests)
        self._process.send({"request": request})
        self._processes.wait_event(self._process, "counted", PATIENCE, request=request)
        lanes: list[dict[str, int]] = self._process.events[-1]["lanes"]
        return lanes


def kernel_has_netem() -> bool:
    """Whether the kernel has netem; tried on the loopback of the network we are in."""
    try:
        _tc("qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    except LabError:
        return False
    _tc("qdisc", "del", "dev", "lo", "root")
    return True


def _lanes(lab: Lab, link: Link) -> Iterator[_Lane]:
    """Both directions of a cable that is impaired in one at least."""
    if not link.impairments:
        return
    given = {impairment.sender: impairment for impairment in link.impairments}
    first, second = lab.line(link.name).ports
    senders = [host.name for host, _ in lab.network.attached(link.name)]
    for sender, entrance, leaving in zip(senders, (first, second), (second, first), strict=True):
        yield _Lane(link.name, entrance, leaving, given.get(sender, Impairment(sender=sender)))


def _netem(impairment: Impairment) -> Iterator[str]:
    """The impairment in netem's words; its jitter is as likely to be any value, too."""
    yield from ("delay", f"{impairment.delay_ms}ms", f"{impairment.jitter_ms}ms")
    yield from ("loss", f"{impairment.loss * 100}%", *_NETEM)


def _queue(lane: _Lane) -> dict[str, int]:
    """What netem counted. It counts what it lost on purpose and for want of room together."""
    told: list[dict[str, Any]] = json.loads(_tc("-json", "-s", "qdisc", "show", "dev", lane.exit))
    (queue,) = (one for one in told if one["kind"] == "netem")
    lost, overflowed = (queue["drops"], 0) if lane.impairment.loss else (0, queue["drops"])
    return {"passed": queue["packets"], "lost": lost, "overflowed": overflowed, "late": 0}


def _tc(*arguments: str) -> str:
    """What tc(8) prints; LabError when it fails. pyroute2 cannot give netem a rate."""
    command = ("tc", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
