"""The firewalls of a world: their controller, their tables, and what their rules counted."""

import json
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from controllers.flowtable import FlowTable, flow_table
from controllers.policy import Policy
from topologies import ovs
from topologies.lab import Lab
from topologies.processes import PATIENCE, Process, ProcessError, Processes, Program
from topologies.spec import Network

#: Where the controller listens: on the world's own loopback.
_CONTROLLER = ("127.0.0.1", 6653)

#: Where the app is found by an interpreter that has our libraries but not our modules.
_CHECKOUT = Path(__file__).parent.parent


class Enforcement:
    """Policies on the firewalls of a network. Without any, nothing is started at all."""

    def __init__(
        self,
        network: Network,
        policies: Mapping[str, Policy],
        processes: Processes,
        logs: Path,
        python: str | None = None,
    ) -> None:
        """Start Open vSwitch and the controller; the switches come with the lab.

        ``python`` is the interpreter that the controller runs on, where it is not
        ours: one that has Ryu, for instance.
        """
        self._network = network
        self._processes = processes
        # Each bridge has a conntrack zone of its own, or what one allows the next would pass.
        self._tables = {
            name: flow_table(policy, ovs.datapath_id(network, network.firewall(name)))
            for name, policy in policies.items()
        }
        self._controller = self._start(logs, python or sys.executable) if policies else None

    def connect(self, lab: Lab) -> None:
        """Connect the switches, and wait until each has taken its table."""
        if self._controller is None:
            return
        self._processes.wait(_is_listening, PATIENCE, "the controller to listen", every=0.01)
        lab.connect_firewalls(_CONTROLLER)
        for name in self._tables:
            self._processes.wait_event(self._controller, "installed", PATIENCE, firewall=name)
        # An error overtakes the barrier's reply (OpenFlow 1.3, 6.2): by now it would be here.
        expect_none_refused(self._controller.events)

    def counters(self, lab: Lab) -> dict[str, dict[str, int]]:
        """Firewall -> rule -> packets that it has counted until now."""
        if self._controller is None:
            return {}
        ovs.settle()
        return {
            name: _by_rule(table, lab.rule_counters(name)) for name, table in self._tables.items()
        }

    def _start(self, logs: Path, python: str) -> Process:
        config = logs / "firewalls.json"
        config.write_text(json.dumps({"firewalls": self._installations()}), encoding="utf-8")
        program = Program(
            name="controller",
            argv=(python, "-sP", "-m", "controllers.firewall", str(config)),
            speaks_json=True,
            environment={"PYTHONPATH": str(_CHECKOUT)},
        )
        events = logs / "controller.jsonl"
        controller = self._processes.spawn(program, None, events, logs / "controller.log")
        ovs.start(self._processes, logs)
        return controller

    def _installations(self) -> list[dict[str, Any]]:
        network = self._network
        return [
            {
                "name": name,
                "datapath_id": ovs.datapath_id(network, network.firewall(name)),
                "sides": ovs.ports(network, network.firewall(name)),
                "entries": [entry.model_dump() for entry in table.entries],
            }
            for name, table in self._tables.items()
        ]


def expect_none_refused(events: Sequence[Mapping[str, Any]]) -> None:
    """ProcessError if a switch refused a part of its table: it would enforce another policy."""
    for event in events:
        if event["event"] == "refused":
            raise ProcessError(
                f"firewall {event['firewall']} refused an entry of its table "
                f"(OpenFlow error type {event['type']}, code {event['code']})"
            )


def _by_rule(table: FlowTable, counted: Mapping[int, int]) -> dict[str, int]:
    return {rule: counted.get(cookie, 0) for cookie, rule in table.cookie_names.items()}


def _is_listening() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(_CONTROLLER) == 0
