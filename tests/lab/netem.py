"""Impaired cables on this kernel, without a world: it is a machine of its own.

Run as ``python -m tests.lab.netem``; prints one JSON object a line.
"""

import json
import socket
import sys
from typing import Any

from results.canary_frames import CANARY_ETHERTYPE
from scenarios.lines.cables import cables
from scenarios.lines.probe import Probe
from tests.lab.support import PATIENCE
from topologies.host_script import PRIVATE
from topologies.lab import Lab
from topologies.lines import Lines, kernel_has_netem
from topologies.namespaces import inside_network
from topologies.processes import Processes
from topologies.spec import Tap
from topologies.taps import Canaries, copies


def _listening(lab: Lab, tap: Tap) -> socket.socket:
    """A socket that hears canaries at a tap."""
    with inside_network(lab.pid(tap.host)):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        made.bind((tap.interface, CANARY_ETHERTYPE))
    made.settimeout(PATIENCE)
    return made


def _crossed(lab: Lab) -> list[str]:
    """The taps that a canary reaches."""
    taps = lab.network.taps()
    sockets = [_listening(lab, tap) for tap in taps]
    canaries = Canaries(lab)
    for tap in taps:
        for _ in range(copies(lab.network, tap)):
            canaries.send(tap.name, tap.name.encode())
    return [
        tap.name
        for tap, listening in zip(taps, sockets, strict=True)
        if tap.name.encode() in listening.recv(100)
    ]


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _main() -> None:
    _tell({"netem": kernel_has_netem()})
    processes = Processes()
    lab = Lab(cables(["even", "leaky"]), processes)
    lines = Lines(lab, processes, PRIVATE)
    _tell({"crossed": _crossed(lab)})
    _tell(Probe(lab, lines).measure(rate=100, seconds=5))


if __name__ == "__main__":
    _main()
