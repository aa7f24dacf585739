"""What happens inside a world: services come up once, then runs, one after another.

Started by :class:`topologies.world.World`. A request is ``{"folder": PATH, "began":
SECONDS}``: a run folder whose run.json says what to do, and when the command
began (on the monotonic clock). With ``"execute"`` a program is run instead, with
``"assess"`` a host tries every way to the service, with ``"prompt"`` the user is asked
what to do. Events tell the phase that begins
(``{"phase": NAME}``), that a run is whole (``{"done": PATH}``) or why it is not
(``{"failed": REASON}``).
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import proxy, relay, resolver
from controllers.policy import Policy
from results.measured import LineCount
from results.schema import Connection, Ending, PlannedCall, Run, RunFolder, TapCount
from scenarios.cast import Cast, certify, new_secrets
from scenarios.deaths import Deaths
from scenarios.enforcement import Enforcement
from topologies import nat, nat64, shaping
from topologies.host_script import PRIVATE, nat64_config
from topologies.lab import Lab, LabError
from topologies.lines import Lines
from topologies.links import LinkError
from topologies.ovs import OvsError
from topologies.processes import Process, ProcessError, Processes, Program
from topologies.reference import DOMAIN
from topologies.spec import Host, Network, Perimeter, Role
from topologies.taps import Canaries, Taps
from topologies.tunnels import Tunnels

#: Where the world's services log.
_LOGS = PRIVATE / "logs"

_AGENTS = ("agents.client", "agents.front_end", "agents.telemetry", "agents.trusted_service")

#: How long a client in a call may say nothing, in seconds. It tells each second of media, which
#: takes minutes where the processor is emulated; an ICE agent without a pair gives up after one.
_SILENCE = 300.0

#: Where programs look for the authorities that they trust.
_AUTHORITY_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)

#: Where the service's SDKs are told, by custom, how to reach it.
_CONNECTION_STRING = "COMMUNICATION_SERVICES_CONNECTION_STRING"

#: A guest's program may take as long as a week, in seconds; Ctrl-C ends it.
_GUEST_TIMEOUT = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Counters:
    """Packets by device and rule."""

    firewalls: dict[str, dict[str, int]]
    nats: dict[str, dict[str, int]]
    #: Frames, by impaired cable and sender.
    lines: dict[str, dict[str, dict[str, int]]]


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
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._network = network
        self._secrets = new_secrets(network)
        self._processes = Processes(interrupt=sys.stdin.fileno())
        self._firewalls = Enforcement(network, policies, self._processes, logs, controller_python)
        self._processes.preload(_AGENTS)
        self._lab = Lab(network, self._processes, policies)
        self._lines = Lines(self._lab, self._processes, logs)
        self._firewalls.connect(self._lab)
        self._canaries = Canaries(self._lab)
        self._tunnels = Tunnels(self._lab, self._processes, logs)
        for vpn in network.vpns:
            for client in vpn.clients:
                if client.host not in unconnected:
                    self._tunnels.connect(vpn, client.host)
        self._name_servers = network.with_role(Role.FORWARDER) + network.with_role(Role.RESOLVER)
        self._used = False
        services = [self._start(program) for program in self._services()]
        self._processes.wait_ready(services)
        relays = {relay.name for relay in network.with_role(Role.RELAY)}
        self._relays = {one.name: one for one in services if one.name in relays}

    def run(self, folder: RunFolder, began: float) -> None:
        """Make the calls of one run and leave its folder complete."""
        run = folder.read_run()
        self._cool_caches()
        _phase("captures")
        later = [connection.host for connection in run.connections]
        before = self._counters()
        taps = Taps(self._lab, self._processes, folder, self._canaries, later)
        try:
            _phase("agents")
            cast = self._cast(folder, run.relay_ttl)
            servers = cast.start_servers()
            clients = cast.start_clients(run)
            ready = time.monotonic()
            _phase("calls")
            mortal = self._relays | {server.name: server for server in servers}
            deaths = Deaths(self._lab, self._processes, folder.path, mortal)
            self._make_calls(run, clients, taps, deaths)
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
        self._relays = {name: deaths.servers[name] for name in self._relays}
        servers = [deaths.servers[server.name] for server in servers]
        self._processes.end(servers)
        agents = [*clients.values(), *servers]
        seconds = {"boot": ready - began, "call": called - ready}
        exits = {process.name: int(process.exit_code or 0) for process in agents}
        keep_logs(folder)
        ending = self._ending(counts, before, exits, seconds)
        folder.write_ending(ending.model_copy(update={"outages": tuple(deaths.outages)}))
        folder.seal()

    def execute(self, folder: RunFolder, request: dict[str, Any]) -> int:
        """Run anyone's program on a host, with the services up and captures running.

        Its exit code, as a shell would tell it.
        """
        host, argv = request["host"], tuple(request["argv"])
        _phase("captures")
        before = self._counters()
        taps = Taps(self._lab, self._processes, folder, self._canaries)
        cast = self._cast(folder)
        servers = cast.start_servers()
        authority = {name: str(cast.authority) for name in _AUTHORITY_VARIABLES}
        program = Program(
            name=f"{host}: {argv[0]}",
            argv=argv,
            environment={**authority, _CONNECTION_STRING: cast.connection_string},
            directory=request["directory"],
        )
        _phase("program")
        try:
            guest = self._lab.attach(host, program, request["stdio"])
            self._processes.wait(lambda: guest.exit_code is not None, _GUEST_TIMEOUT, program.name)
        finally:
            counts = taps.stop()
        self._processes.end(servers)
        exits = {program.name: int(guest.exit_code or 0)}
        keep_logs(folder)
        folder.write_ending(self._ending(counts, before, exits, {}))
        folder.seal()
        return exits[program.name]

    def assess(self, folder: RunFolder, host: str) -> None:
        """Have a host try every way to the service, and leave the folder complete."""
        _phase("captures")
        before = self._counters()
        taps = Taps(self._lab, self._processes, folder, self._canaries)
        cast = self._cast(folder)
        servers = cast.start_servers()
        _phase("assessment")
        try:
            assessor = cast.start_assessor(host)
            self._processes.wait_event(assessor, "done", _SILENCE)
        finally:
            counts = taps.stop()
        agents = [assessor, *servers]
        self._processes.end(agents)
        exits = {process.name: int(process.exit_code or 0) for process in agents}
        keep_logs(folder)
        folder.write_ending(self._ending(counts, before, exits, {}))
        folder.seal()

    def prompt(self, folder: RunFolder, stdio: list[int]) -> None:
        """Have the user talk to Mininet's prompt, with the services up."""
        servers = self._cast(folder).start_servers()
        _phase("prompt")
        self._lab.prompt(stdio)
        self._processes.end(servers)
        keep_logs(folder)

    def _cast(self, folder: RunFolder, relay_ttl: int | None = None) -> Cast:
        return Cast(self._lab, self._processes, folder, self._secrets, relay_ttl)

    def _ending(
        self,
        taps: dict[str, TapCount],
        before: Counters,
        exits: dict[str, int],
        seconds: dict[str, float],
    ) -> Ending:
        """What the run's end tells; its counters are those since ``before``."""
        after = self._counters()
        return Ending(
            taps=taps,
            firewalls=_since(before.firewalls, after.firewalls),
            nats=_since(before.nats, after.nats),
            lines={
                link: {
                    sender: LineCount(**counts)
                    for sender, counts in _since(before.lines[link], senders).items()
                }
                for link, senders in after.lines.items()
            },
            exits=exits,
            seconds=seconds,
        )

    def _counters(self) -> Counters:
        """What all firewalls, NATs and impaired cables have counted since the world began."""
        firewalls = self._firewalls.counters(self._lab)
        return Counters(firewalls, self._nat_counters(), self._lines.counts())

    def _nat_counters(self) -> dict[str, dict[str, int]]:
        return {one.host: self._counted_at(one) for one in self._network.perimeters}

    def _counted_at(self, perimeter: Perimeter) -> dict[str, int]:
        """What the rules of a NAT router have counted, and the queue of its shaper."""
        router = self._network.host(perimeter.host)
        counted = nat.counters(self._lab.output_of(router.name, *nat.LIST_COMMAND))
        if perimeter.shaper and perimeter.shaper.queue_kbit:
            command = shaping.list_command(router.interface_on(perimeter.outside))
            counted[shaping.QUEUE_FULL] = shaping.dropped(
                self._lab.output_of(router.name, *command)
            )
        return counted

    def _services(self) -> list[Program]:
        """The programs that live as long as the world."""
        network, known = self._network, self._secrets
        own = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        refused = [address for host in own for address in host.addresses]
        relays = network.service_relays()
        all_relays = [address for host in relays for address in host.addresses]
        third_party = [
            relay.program(
                host, host.domain or host.name, known.third_party, self._certificate(host)
            )
            for host in network.third_party_relays()
        ]
        relaying = [
            relay.program(host, DOMAIN, known.relay, self._certificate(host), refused, all_relays)
            for host in relays
        ]
        resolvers = [
            resolver.resolver(host, network, PRIVATE) for host in network.with_role(Role.RESOLVER)
        ]
        forwarders = [
            resolver.forwarder(host, network.host(host.nameserver), PRIVATE, network.nat64)
            for host in network.with_role(Role.FORWARDER)
            if host.nameserver
        ]
        proxies = [
            proxy.program(network.host(one.host), one, known.logins, PRIVATE)
            for one in network.proxies
        ]
        translators = [
            nat64.program(perimeter.host, nat64_config(network.host(perimeter.host)))
            for perimeter in network.perimeters
            if perimeter.nat64
        ]
        return relaying + third_party + resolvers + forwarders + proxies + translators

    def _certificate(self, host: Host) -> Path:
        return certify(self._secrets.authority, self._network, host)

    def _start(self, program: Program) -> Process:
        log = self._logs / f"{program.name}.log"
        return self._lab.spawn(program.name, program, log, log)

    def _cool_caches(self) -> None:
        """Empty the name servers' caches, so that every run resolves anew."""
        if self._used:
            for host in self._name_servers:
                command = resolver.flush_command(host, PRIVATE)
                subprocess.run(command, check=True, capture_output=True)
        self._used = True

    def _make_calls(
        self, run: Run, clients: dict[str, Process], taps: Taps, deaths: Deaths
    ) -> None:
        """Order all calls at once and wait until both ends of each have reported."""
        calls = [call for call in run.calls if not _is_signed_out(call, clients)]
        for call in calls:
            order = {"do": "call", "call": call.id, "to": call.callee, "seconds": call.seconds}
            clients[call.caller].send(order)
        for death in run.deaths:
            (call,) = (call for call in run.calls if call.id == death.call)
            deaths.carry_out(death, call, clients)
        for connection in run.connections:
            self._connect(run, connection, clients)
            taps.tunnel_is_up(connection.host)
        for call in calls:
            self._await_end(call, clients)

    def _connect(self, run: Run, connection: Connection, clients: dict[str, Process]) -> None:
        """Have a VPN user connect once the call has had its media."""
        (call,) = (call for call in run.calls if call.id == connection.call)
        seconds = connection.after_seconds
        self._processes.wait_event(
            clients[call.caller], "media", _SILENCE, call=call.id, seconds=seconds
        )
        self._tunnels.connect(self._network.vpn(connection.vpn), connection.host)

    def _await_end(self, call: PlannedCall, clients: dict[str, Process]) -> None:
        """Wait for the reports of both ends; who was called knows nothing of a refused call."""
        caller, callee = clients[call.caller], clients[call.callee]
        self._processes.wait_event(caller, "reported", _SILENCE, call=call.id)
        said = [heard["event"] for heard in caller.events if heard.get("call") == call.id]
        if "refused" not in said:
            self._processes.wait_event(callee, "reported", _SILENCE, call=call.id)


def _is_signed_out(call: PlannedCall, clients: Mapping[str, Process]) -> bool:
    """Whether somebody's certificate keeps a participant from the service."""
    both = (clients[user].events for user in (call.caller, call.callee))
    return any(event["event"] == "signed_out" for events in both for event in events)


def keep_logs(folder: RunFolder) -> None:
    """Copy what the world's services have said until now: they outlive the run."""
    shutil.copytree(_LOGS, folder.path / "logs", dirs_exist_ok=True)


def _since(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    return {
        device: {rule: count - before[device].get(rule, 0) for rule, count in rules.items()}
        for device, rules in after.items()
    }


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
                later = {connection.host for connection in run.connections}
                stage = Stage(run.network, run.policies, _LOGS, run.controller_python, later)
            answer = _answer(stage, folder, request)
        except (LabError, LinkError, OvsError, ProcessError) as error:
            keep_logs(folder)
            _tell({"failed": str(error)})
        else:
            _tell({"done": str(folder.path), **answer})


def _answer(stage: Stage, folder: RunFolder, request: dict[str, Any]) -> dict[str, Any]:
    if "execute" in request:
        return {"code": stage.execute(folder, request["execute"])}
    if "assess" in request:
        stage.assess(folder, request["assess"])
        return {}
    if "prompt" in request:
        stage.prompt(folder, request["prompt"])
        return {}
    stage.run(folder, request["began"])
    return {}


if __name__ == "__main__":
    _serve()
