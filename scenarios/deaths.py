"""Servers of the service that die in the midst of a run, and those that are started anew."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path

from results.outages import Death, Outage
from results.schema import PlannedCall
from topologies.lab import Lab
from topologies.processes import Process, Processes

#: How long anybody may say nothing meanwhile, in seconds: as long as in a call.
_SILENCE = 300.0


class Deaths:
    """What has died, and what stands in its place."""

    def __init__(
        self, lab: Lab, processes: Processes, logs: Path, servers: Mapping[str, Process]
    ) -> None:
        """``servers`` are those that may die, by host; ``logs`` is where new ones write."""
        self._lab = lab
        self._processes = processes
        self._logs = logs
        self.servers = dict(servers)
        self.outages: list[Outage] = []

    def carry_out(self, death: Death, call: PlannedCall, clients: Mapping[str, Process]) -> None:
        """Wait for the moment, kill the server, and start it anew where that is planned."""
        caller, callee = clients[call.caller], clients[call.callee]
        if death.after_seconds:
            moment: dict[str, str | int] = {"call": call.id, "seconds": death.after_seconds}
            self._processes.wait_event(caller, "media", _SILENCE, **moment)
        else:
            self._processes.wait_event(callee, "could_answer", _SILENCE, call=call.id)
        killed = time.time()
        self._kill(death.host)
        gone = time.time()
        if not death.after_seconds:
            callee.send({"do": "answer", "call": call.id})
            # Else it would be back before both have missed it.
            self._processes.wait_event(callee, "unreachable", _SILENCE, method="POST")
            self._processes.wait_event(caller, "unreachable", _SILENCE, method="GET")
        started = time.time() if death.returns else None
        if death.returns:
            self._start_anew(death.host)
        outage = Outage(host=death.host, killed=killed, gone=gone, started=started)
        self.outages.append(outage)

    def _kill(self, host: str) -> None:
        self._processes.ask_to_end([self.servers[host]], signal.SIGKILL)
        self._processes.wait_gone([self.servers[host]])

    def _start_anew(self, host: str) -> None:
        name = f"{host}-2"
        program = self.servers[host].program
        events, log = self._logs / "events" / f"{name}.jsonl", self._logs / "logs" / f"{name}.log"
        self.servers[host] = self._lab.spawn(host, program, events, log)
        self._processes.wait_ready([self.servers[host]])
