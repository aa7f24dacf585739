"""What happens inside a world: services come up once, then runs, one after another.

Started by :class:`topologies.world.World`. A request is ``{"folder": PATH, "began":
SECONDS}``: a run folder whose run.json says what to do, and when the command
began (on the monotonic clock). Events tell the phase that begins
(``{"phase": NAME}``), that a run is whole (``{"done": PATH}``) or why it is not
(``{"failed": REASON}``).
"""

import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from agents import relay, resolver
from agents.tls import Authority, new_authority
from controllers.policy import Policy
from results.schema import Connection, Ending, PlannedCall, Run, RunFolder
from scenarios.enforcement import Enforcement
from topologies import nat
from topologies.lab import Lab, LabError
from topologies.ovs import OvsError
from topologies.processes import Process, ProcessError, Processes, Program
from topologies.reference import DOMAIN
from topologies.spec import Host, Network, Role
from topologies.taps import Taps
from topologies.tunnels import Tunnels

#: What is private to the world and not part of any run (keys of servers, configuration).
_PRIVATE = Path("/run/callpath")

_AGENTS = ("agents.client", "agents.front_end", "agents.telemetry")

#: Bound on everything between a call's order and its telemetry besides its media, in seconds.
_CALL_TIMEOUT = 30.0

#: Tones of the users, in hertz: multiples of 50 (see agents/tone.py).
_LOWEST_TONE, _TONE_STEP = 400, 50


class Stage:
    """A network that is up with its services, in which runs take place."""

    def __init__(
        self,
        network: Network,
        policies: Mapping[str, Policy],
        logs: Path,
        controller_python: str | None = None,
        unconnected: Collection[str] = (),
    ) -> None:
        """Bring all up; ``unconnected`` VPN users connect later."""
        self._logs = logs
        self._network = network
        self._secret = secrets.token_hex(16)
        self._processes = Processes(interrupt=sys.stdin.fileno())
        self._firewalls = Enforcement(network, policies, self._processes, logs, controller_python)
        self._processes.preload(_AGENTS)
        self._lab = Lab(network, self._processes, policies)
        self._firewalls.connect(self._lab)
        self._tunnels = Tunnels(self._lab, self._processes, logs)
        for vpn in network.vpns:
            for client in vpn.clients:
                if client.host not in unconnected:
                    self._tunnels.connect(vpn, client.host)
        self._name_servers = network.with_role(Role.FORWARDER) + network.with_role(Role.RESOLVER)
        self._used = False
        self._processes.wait_ready([self._start(program) for program in self._services()])

    def run(self, folder: RunFolder, began: float) -> None:
        """Make the calls of one run and leave its folder complete."""
        run = folder.read_run()
        self._cool_caches()
        _phase("captures")
        later = [connection.host for connection in run.connections]
        taps = Taps(self._lab, self._processes, folder, later)
        try:
            _phase("agents")
            servers = self._start_servers(folder)
            clients = self._start_clients(folder, run)
            ready = time.monotonic()
            _phase("calls")
            self._make_calls(run, clients, taps)
            called = time.monotonic()
            _phase("evidence")
            # The clients end meanwhile; the servers after them, or clients would try again.
            self._processes.ask_to_end([*clients.values()])
            counts = taps.stop()
            self._processes.wait_gone([*clients.values()])
        except ProcessError:
            # Whatever was captured is kept, up to the last packet.
            with contextlib.suppress(ProcessError):
                taps.stop()
            raise
        self._processes.end(servers)
        agents = [*clients.values(), *servers]
        seconds = {"boot": ready - began, "call": called - ready}
        exits = {process.name: int(process.exit_code or 0) for process in agents}
        folder.write_ending(
            Ending(
                taps=counts,
                firewalls=self._firewalls.counters(self._lab),
                nats=self._nat_counters(),
                exits=exits,
                seconds=seconds,
            )
        )
        folder.seal()

    def _nat_counters(self) -> dict[str, dict[str, int]]:
        return {
            perimeter.host: nat.counters(self._lab.output_of(perimeter.host, *nat.LIST_COMMAND))
            for perimeter in self._network.perimeters
        }

    def _services(self) -> list[Program]:
        """The programs that live as long as the world."""
        network = self._network
        own = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        refused = [host.address for host in own]
        relays = [
            relay.program(host, DOMAIN, self._secret, refused)
            for host in network.with_role(Role.RELAY)
        ]
        resolvers = [
            resolver.resolver(host, network.hosts, _PRIVATE)
            for host in network.with_role(Role.RESOLVER)
        ]
        forwarders = [
            resolver.forwarder(host, network.host(host.nameserver), _PRIVATE)
            for host in network.with_role(Role.FORWARDER)
            if host.nameserver
        ]
        return relays + resolvers + forwarders

    def _start(self, program: Program) -> Process:
        log = self._logs / f"{program.name}.log"
        return self._lab.spawn(program.name, program, log, log)

    def _cool_caches(self) -> None:
        """Empty the name servers' caches, so that every run resolves anew."""
        if self._used:
            for host in self._name_servers:
                command = resolver.flush_command(host, _PRIVATE)
                subprocess.run(command, check=True, capture_output=True)
        self._used = True

    def _start_servers(self, folder: RunFolder) -> list[Process]:
        """Front end and telemetry belong to a run: they have its certificates and its state."""
        authority = new_authority()
        authority.write(folder.path / "ca.pem")
        hosts = self._network.with_role(Role.FRONT_END) + self._network.with_role(Role.TELEMETRY)
        servers = [
            self._spawn_agent(host.name, self._server(host, authority, folder), folder)
            for host in hosts
        ]
        self._processes.wait_ready(servers)
        return servers

    def _server(self, host: Host, authority: Authority, folder: RunFolder) -> Program:
        assert host.domain is not None
        certificate = _PRIVATE / f"{host.name}.pem"
        authority.issue(host.domain, certificate)
        relays = [f"{r.domain}:{relay.PORT}" for r in self._network.with_role(Role.RELAY)]
        config = {
            "address": str(host.address),
            "certificate": str(certificate),
            "key_log": str(folder.keys(host.name, "tls")),
            "relay_urls": [f"{kind}:{where}" for where in relays for kind in ("stun", "turn")],
            "relay_secret": self._secret,
        }
        module = "agents.front_end" if host.role is Role.FRONT_END else "agents.telemetry"
        return Program(name=host.name, module=module, config=config)

    def _start_clients(self, folder: RunFolder, run: Run) -> dict[str, Process]:
        users = sorted({name for call in run.calls for name in (call.caller, call.callee)})
        front_end, telemetry = (
            self._network.with_role(role)[0].domain for role in (Role.FRONT_END, Role.TELEMETRY)
        )
        clients = {}
        for number, user in enumerate(users):
            config = {
                "user": user,
                "tone": _LOWEST_TONE + number * _TONE_STEP,
                "front_end": front_end,
                "telemetry": telemetry,
                "authority": str(folder.path / "ca.pem"),
                "keys": {kind: str(folder.keys(user, kind)) for kind in ("tls", "dtls", "srtp")},
                "checks_first": [
                    call.id
                    for call in run.calls
                    if call.callee == user and call.callee_checks_first
                ],
            }
            program = Program(name=user, module="agents.client", config=config)
            clients[user] = self._spawn_agent(user, program, folder)
        self._processes.wait_ready(list(clients.values()))
        return clients

    def _spawn_agent(self, host: str, program: Program, folder: RunFolder) -> Process:
        return self._lab.spawn(host, program, folder.events(host), folder.log(host))

    def _make_calls(self, run: Run, clients: dict[str, Process], taps: Taps) -> None:
        """Order all calls at once and wait until both ends of each have reported."""
        for call in run.calls:
            order = {"do": "call", "call": call.id, "to": call.callee, "seconds": call.seconds}
            clients[call.caller].send(order)
        for connection in run.connections:
            self._connect(run, connection, clients)
            taps.tunnel_is_up(connection.host)
        for call in run.calls:
            self._await_end(call, clients)

    def _connect(self, run: Run, connection: Connection, clients: dict[str, Process]) -> None:
        """Have a VPN user connect once the call has had its media."""
        (call,) = (call for call in run.calls if call.id == connection.call)
        seconds = connection.after_seconds
        self._processes.wait_event(
            clients[call.caller], "media", seconds + _CALL_TIMEOUT, call=call.id, seconds=seconds
        )
        self._tunnels.connect(self._network.vpn(connection.vpn), connection.host)

    def _await_end(self, call: PlannedCall, clients: dict[str, Process]) -> None:
        bound = call.seconds + _CALL_TIMEOUT
        for user in (call.caller, call.callee):
            self._processes.wait_event(clients[user], "reported", bound, call=call.id)


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _phase(name: str) -> None:
    _tell({"phase": name})


def _serve() -> None:
    """Take requests until the holder closes our standard input."""
    stage: Stage | None = None
    for line in sys.stdin:
        request = json.loads(line)
        folder = RunFolder(Path(request["folder"]))
        try:
            if stage is None:
                _phase("network")
                run = folder.read_run()
                logs = folder.path / "logs"
                later = {connection.host for connection in run.connections}
                stage = Stage(run.network, run.policies, logs, run.controller_python, later)
            stage.run(folder, request["began"])
        except (LabError, OvsError, ProcessError) as error:
            _tell({"failed": str(error)})
        else:
            _tell({"done": str(folder.path)})


if __name__ == "__main__":
    _serve()
