"""Who plays in a run: the service's own servers, and the users' clients.

They belong to the run and not to the world: they have its certificates, its key
logs and its state.
"""

from pathlib import Path

from agents import relay
from agents.tls import Authority, new_authority
from results.schema import Run, RunFolder
from topologies.host_script import PRIVATE
from topologies.lab import Lab
from topologies.processes import Process, Processes, Program
from topologies.spec import Host, Role

#: Tones of the users, in hertz: multiples of 50 (see agents/tone.py).
_LOWEST_TONE, _TONE_STEP = 400, 50


class Cast:
    """Starts the agents of one run on their hosts."""

    def __init__(self, lab: Lab, processes: Processes, folder: RunFolder, secret: str) -> None:
        """``secret`` is what the relay's credentials are made of."""
        self._lab = lab
        self._processes = processes
        self._folder = folder
        self._secret = secret

    @property
    def authority(self) -> Path:
        """The certificate of the run's own authority, once the servers are started."""
        return self._folder.path / "ca.pem"

    def start_servers(self) -> list[Process]:
        """Start front ends and telemetry, with certificates of a new authority."""
        authority = new_authority()
        authority.write(self.authority)
        network = self._lab.network
        hosts = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        servers = [self._spawn(host.name, self._server(host, authority)) for host in hosts]
        self._processes.wait_ready(servers)
        return servers

    def start_clients(self, run: Run) -> dict[str, Process]:
        """Start the client of each user who takes part in a call."""
        users = sorted({name for call in run.calls for name in (call.caller, call.callee)})
        clients = {
            user: self._spawn(user, self._client(user, _LOWEST_TONE + number * _TONE_STEP, run))
            for number, user in enumerate(users)
        }
        self._processes.wait_ready(list(clients.values()))
        return clients

    def _server(self, host: Host, authority: Authority) -> Program:
        assert host.domain is not None
        certificate = PRIVATE / f"{host.name}.pem"
        authority.issue(host.domain, certificate)
        relays = [f"{r.domain}:{relay.PORT}" for r in self._lab.network.with_role(Role.RELAY)]
        config = {
            "address": str(host.address),
            "certificate": str(certificate),
            "key_log": str(self._folder.keys(host.name, "tls")),
            "relay_urls": [f"{kind}:{where}" for where in relays for kind in ("stun", "turn")],
            "relay_secret": self._secret,
        }
        module = "agents.front_end" if host.role is Role.FRONT_END else "agents.telemetry"
        return Program(name=host.name, module=module, config=config)

    def _client(self, user: str, tone: int, run: Run) -> Program:
        front_end, telemetry = (
            self._lab.network.with_role(role)[0].domain for role in (Role.FRONT_END, Role.TELEMETRY)
        )
        config = {
            "user": user,
            "tone": tone,
            "front_end": front_end,
            "telemetry": telemetry,
            "authority": str(self.authority),
            "keys": {kind: str(self._folder.keys(user, kind)) for kind in ("tls", "dtls", "srtp")},
            "checks_first": [
                call.id for call in run.calls if call.callee == user and call.callee_checks_first
            ],
        }
        return Program(name=user, module="agents.client", config=config)

    def _spawn(self, host: str, program: Program) -> Process:
        return self._lab.spawn(host, program, self._folder.events(host), self._folder.log(host))
