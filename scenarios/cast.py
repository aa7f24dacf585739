"""Who plays in a run: the service's own servers, and the users' clients.

They belong to the run and not to the world: they have its certificates, its key
logs and its state.
"""

import base64
import secrets
from pathlib import Path
from typing import Any

from agents import relay
from agents.edge import tokens
from agents.tls import Authority, new_authority
from results.schema import Run, RunFolder
from results.setup.service_keys import ServiceKeys
from topologies.host_script import PRIVATE
from topologies.lab import Lab
from topologies.processes import Process, Processes, Program
from topologies.spec import Host, Role

#: Length of an access key, in bytes, as the real service's are.
_ACCESS_KEY_BYTES = 64

#: The application's own server, as its logs are called.
_TRUSTED_SERVICE = "trusted_service"

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
        self._access_key = base64.b64encode(secrets.token_bytes(_ACCESS_KEY_BYTES)).decode()
        self._token_key = tokens.new_key()

    @property
    def authority(self) -> Path:
        """The certificate of the run's own authority, once the servers are started."""
        return self._folder.path / "ca.pem"

    @property
    def connection_string(self) -> str:
        """What an application's own server needs to speak to the service."""
        return f"endpoint=https://{self._front_end.domain}/;accesskey={self._access_key}"

    @property
    def _front_end(self) -> Host:
        return self._lab.network.with_role(Role.FRONT_END)[0]

    def start_servers(self) -> list[Process]:
        """Start front ends and telemetry, with certificates of a new authority."""
        authority = new_authority()
        authority.write(self.authority)
        self._write_keys()
        network = self._lab.network
        hosts = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        servers = [self._spawn(host.name, self._server(host, authority)) for host in hosts]
        self._processes.wait_ready(servers)
        return servers

    def start_clients(self, run: Run) -> dict[str, Process]:
        """Start the client of each user who takes part in a call, each with a token."""
        users = sorted({name for call in run.calls for name in (call.caller, call.callee)})
        self._get_tokens(users)
        clients = {
            user: self._spawn(user, self._client(user, _LOWEST_TONE + number * _TONE_STEP, run))
            for number, user in enumerate(users)
        }
        self._processes.wait_ready(list(clients.values()))
        return clients

    def _write_keys(self) -> None:
        """What the judge needs to check tokens, and to look for the access key."""
        public = tokens.public_part(self._token_key)
        ServiceKeys(tokens=public, access=self._access_key).write(self._folder.service_keys)

    def _get_tokens(self, users: list[str]) -> None:
        """Have the application's own server get tokens.

        It stands on the front end's host: the documents have no flow for what it says.
        """
        host = self._front_end
        config = {
            "address": str(host.address),
            "domain": host.domain,
            "access_key": self._access_key,
            "authority": str(self.authority),
            "key_log": str(self._folder.keys(_TRUSTED_SERVICE, "tls")),
            "credentials": {user: str(_credential(user)) for user in users},
        }
        program = Program(name=_TRUSTED_SERVICE, module="agents.trusted_service", config=config)
        events, log = self._folder.events(program.name), self._folder.log(program.name)
        service = self._lab.spawn(host.name, program, events, log)
        self._processes.wait_ready([service])
        self._processes.end([service])

    def _server(self, host: Host, authority: Authority) -> Program:
        assert host.domain is not None
        certificate = PRIVATE / f"{host.name}.pem"
        authority.issue(host.domain, certificate)
        config: dict[str, Any] = {
            "addresses": [str(address) for address in host.addresses],
            "certificate": str(certificate),
            "key_log": str(self._folder.keys(host.name, "tls")),
        }
        if host.role is Role.TELEMETRY:
            config["token_key"] = tokens.public_part(self._token_key)
            return Program(name=host.name, module="agents.telemetry", config=config)
        return Program(
            name=host.name, module="agents.front_end", config=config | self._front_ends_own()
        )

    def _front_ends_own(self) -> dict[str, Any]:
        """What a front end knows that others do not."""
        relays = [f"{r.domain}:{relay.PORT}" for r in self._lab.network.with_role(Role.RELAY)]
        return {
            "relay_urls": [f"{kind}:{where}" for where in relays for kind in ("stun", "turn")],
            "relay_secret": self._secret,
            "access_key": self._access_key,
            "token_key": self._token_key,
        }

    def _client(self, user: str, tone: int, run: Run) -> Program:
        (telemetry,) = self._lab.network.with_role(Role.TELEMETRY)
        config = {
            "credential": str(_credential(user)),
            "tone": tone,
            "front_end": self._front_end.domain,
            "telemetry": telemetry.domain,
            "authority": str(self.authority),
            "keys": {kind: str(self._folder.keys(user, kind)) for kind in ("tls", "dtls", "srtp")},
            "checks_first": [
                call.id for call in run.calls if call.callee == user and call.callee_checks_first
            ],
            "chats": {
                call.id: {"says": call.said_by(user), "hears": len(call.said_to(user))}
                for call in run.calls
            },
        }
        return Program(name=user, module="agents.client", config=config)

    def _spawn(self, host: str, program: Program) -> Process:
        return self._lab.spawn(host, program, self._folder.events(host), self._folder.log(host))


def _credential(user: str) -> Path:
    """The file with a user's token; not in the run folder, which others may be shown."""
    return PRIVATE / f"{user}.credential.json"
