"""A network under test, seen from inside its world: commands and sockets on its hosts.

Run as ``python -m tests.lab.inside`` by :mod:`tests.lab.worlds`. It answers one
JSON object a line with one JSON object a line::

    {"network": …, "policies": …, "folder": PATH}    first: bring the network up with its services
                                                     -> {"secret": of the relay}
    {"run": [{"on": HOST, "argv": […]}, …],          side by side; each ends within so many seconds
     "timeout": S}                                   -> {"ended": [{"code", "stdout", "stderr"}, …]}
    {"servers": true}                                front end and telemetry, until the world's end
                                                     -> {"connection": STRING, "authority": PATH}
    {"start": NAME, "on": HOST, "argv": […],         a service more, until the world's end
     "ready": PATTERN}                               -> {}
    {"socket": [ADDRESS, PORT], "on": HOST}          a bound UDP socket
                                                     -> {}, the socket itself over FOLDER/sockets
    {"counters": true}                               -> {"nats": …, "firewalls": …}

What cannot be done is answered by ``{"failed": REASON}``.
"""

import json
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controllers.policy import Policy
from results.schema import RunFolder
from scenarios.stage import Stage
from topologies.lab import LabError
from topologies.links import LinkError
from topologies.namespaces import inside_network
from topologies.ovs import OvsError
from topologies.processes import Process, ProcessError, Program
from topologies.spec import Network

_Answer = dict[str, Any]


class InsideStage(Stage):
    """The stage of the scenarios, which takes a test's requests instead of runs."""

    def __init__(self, network: Network, policies: Mapping[str, Policy], folder: Path) -> None:
        super().__init__(network, policies, folder / "logs")
        self._folder = folder
        self._commands = 0
        self._gate = socket.socket(socket.AF_UNIX)
        self._gate.connect(str(folder / "sockets"))

    def answer(self, request: dict[str, Any]) -> _Answer:
        """Do what the request asks."""
        if "run" in request:
            return self._run(request["run"], request["timeout"])
        if "servers" in request:
            return self._start_servers()
        if "start" in request:
            return self._start_service(request)
        if "socket" in request:
            return self._hand_over_socket(request["on"], *request["socket"])
        return {"nats": self._nat_counters(), "firewalls": self._firewalls.counters(self._lab)}

    @property
    def secret(self) -> str:
        """What the relay's credentials are made of."""
        return self._secrets.relay

    def _run(self, commands: list[dict[str, Any]], timeout: float) -> _Answer:
        running = [self._start_command(command["on"], command["argv"]) for command in commands]
        words = "; ".join(" ".join(command["argv"]) for command in commands)
        try:
            self._processes.wait(
                lambda: all(process.exit_code is not None for process in running), timeout, words
            )
        except ProcessError:
            self._processes.ask_to_end(running, signal.SIGKILL)
            raise
        return {"ended": [_outcome(process) for process in running]}

    def _start_command(self, host: str, argv: list[str]) -> Process:
        self._commands += 1
        name = f"command-{self._commands}"
        output = self._folder / f"{name}.out"
        program = Program(name=name, argv=tuple(argv), stdout=output)
        log = self._logs / f"{name}.log"
        process = self._lab.spawn(host, program, log, log)
        # A command may end when it likes, with whatever code.
        process.asked_to_end = True
        return process

    def _start_servers(self) -> _Answer:
        run_folder = RunFolder(self._folder)
        run_folder.service_keys.parent.mkdir()
        cast = self._cast(run_folder)
        cast.start_servers()
        return {"connection": cast.connection_string, "authority": str(cast.authority)}

    def _start_service(self, request: dict[str, Any]) -> _Answer:
        program = Program(
            name=request["start"], argv=tuple(request["argv"]), ready=request["ready"]
        )
        log = self._logs / f"{program.name}.log"
        self._processes.wait_ready([self._lab.spawn(request["on"], program, log, log)])
        return {}

    def _hand_over_socket(self, host: str, address: str, port: int) -> _Answer:
        with inside_network(self._lab.pid(host)):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with made:
            made.bind((address, port))
            socket.send_fds(self._gate, [b"."], [made.fileno()])
        return {}


def _outcome(process: Process) -> _Answer:
    assert process.program.stdout is not None
    return {
        "code": process.exit_code,
        "stdout": process.program.stdout.read_text(encoding="utf-8", errors="replace"),
        "stderr": "\n".join(process.heard),
    }


def _bring_up(request: dict[str, Any]) -> InsideStage:
    network = Network.model_validate(request["network"])
    policies = {n: Policy.model_validate(policy) for n, policy in request["policies"].items()}
    return InsideStage(network, policies, Path(request["folder"]))


def _serve() -> None:
    """Answer requests until the holder closes our standard input."""
    stage: InsideStage | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if stage is None:
                stage = _bring_up(request)
                answer: _Answer = {"secret": stage.secret}
            else:
                answer = stage.answer(request)
        except (LabError, LinkError, OvsError, ProcessError, OSError) as error:
            answer = {"failed": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
