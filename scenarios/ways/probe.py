"""Inside a world: a client gathers candidates, with packets stopped on their way out.

Run as ``python -m scenarios.ways.probe FOLDER``. It brings the network up with its services,
then answers each ``{"stopped": WHAT, "how": HOW}`` with ``{"done": …}``: the seconds until
all candidates were there, and what carries TURN.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from agents import relay
from agents.edge.relay_access import credentials
from scenarios.stage import Stage
from scenarios.ways.networks import CLIENT, OFFERED, PROXY, ROUTER, network, rules
from topologies.host_script import PRIVATE
from topologies.lab import LabError
from topologies.links import LinkError
from topologies.ovs import OvsError
from topologies.processes import ProcessError, Program
from topologies.spec import Role

#: How long a client may gather, in seconds.
_PATIENCE = 60.0

_LIFETIME = 3600


class WaysStage(Stage):
    """The stage of the scenarios, on which a client only gathers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(network(), {}, folder)
        self._folder = folder
        self._number = 0
        self._secrets.authority.write(PRIVATE / "ca.pem")

    def measure(self, stopped: str, how: str) -> dict[str, Any]:
        """Gather once with packets stopped so."""
        self._number += 1
        self._cool_caches()
        self._lab.output_of(ROUTER, "nft", "add", "table", "ip", "ways")
        self._lab.output_of(ROUTER, "nft", "delete", "table", "ip", "ways")
        self._lab.output_of(ROUTER, "nft", rules(stopped, how))
        name = f"gatherer-{self._number}"
        log = self._folder / f"{name}.log"
        program = Program(name=name, module="agents.gatherer", config=self._config(stopped))
        client = self._lab.spawn(CLIENT, program, self._folder / f"{name}.jsonl", log)
        self._processes.wait_event(client, "gathered", _PATIENCE)
        self._processes.end([client])
        (told,) = client.events
        return told

    def _config(self, stopped: str) -> dict[str, Any]:
        (server,) = self._network.with_role(Role.RELAY)
        username, credential = credentials(
            self._secrets.relay, f"{CLIENT}{self._number}", int(time.time()) + _LIFETIME
        )
        known = self._network
        proxy = {"address": str(known.host(PROXY).address), "port": known.proxy(PROXY).port}
        transports = OFFERED.get(stopped, known.relay_transports)
        return {
            "urls": relay.uris(server.domain or "", transports),
            "username": username,
            "credential": credential,
            "authority": str(PRIVATE / "ca.pem"),
            "key_log": str(PRIVATE / "gatherer.keys"),
            "proxy": proxy,
        }


def _serve(folder: Path) -> None:
    stage: WaysStage | None = None
    for line in sys.stdin:
        try:
            stage = stage or WaysStage(folder)
            answer: dict[str, Any] = {"done": stage.measure(**json.loads(line))}
        except (LabError, LinkError, OvsError, ProcessError) as error:
            answer = {"failed": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
