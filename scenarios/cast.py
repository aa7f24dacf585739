"""Who plays in a run: the service's own servers, and the users' clients.

They belong to the run and not to the world: they have its certificates, its key
logs and its state.
"""

import base64
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents import relay
from agents.edge import tokens
from agents.edge.relay_access import USERS_TTL, credentials
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

#: How long the relay's credentials of an assessment are good, in seconds.
_ASSESSORS_CREDENTIAL = 600

#: RFC 7065, section 3.1, with the port that our front end always names.
_TURN_URL = re.compile(
    r"turn(?P<tls>s?):(?P<host>[^:]+):(?P<port>\d+)(\?transport=(?P<transport>\w+))?"
)

#: Tones of the users, in hertz: multiples of 50 (see agents/tone.py).
_LOWEST_TONE, _TONE_STEP = 400, 50


class Cast:
    """Starts the agents of one run on their hosts."""

    def __init__(
        self,
        lab: Lab,
        processes: Processes,
        folder: RunFolder,
        secret: str,
        relay_ttl: int | None = None,
    ) -> None:
        """``secret`` is what the relay's credentials are made of.

        ``relay_ttl`` is how long those of users are good, in seconds, if not the usual time.
        """
        self._lab = lab
        self._processes = processes
        self._folder = folder
        self._secret = secret
        self._servers: dict[str, Process] = {}
        self._relay_ttl = relay_ttl or USERS_TTL
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
        for host in network.with_role(Role.FRONT_END):
            # What an earlier run left is none of this one's.
            _state(host).unlink(missing_ok=True)
        hosts = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        for host in hosts:
            self._servers[host.name] = self._spawn(host.name, self._server(host, authority))
        self._processes.wait_ready([*self._servers.values()])
        return [*self._servers.values()]

    def server(self, host: str) -> Process:
        """The server of a host, once the servers are started."""
        return self._servers[host]

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

    def start_assessor(self, host: str) -> Process:
        """Start the program that tries every way from a host to the service."""
        expiry = int(time.time()) + _ASSESSORS_CREDENTIAL
        username, credential = credentials(self._secret, f"assessment.{host}", expiry)
        config = {
            "ways": list(self._ways()),
            "username": username,
            "credential": credential,
            "authority": str(self.authority),
            "key_log": str(self._folder.keys(host, "tls")),
        }
        return self._spawn(host, Program(name=host, module="agents.assess", config=config))

    def _ways(self) -> Iterator[dict[str, Any]]:
        """All that a client may speak to: the servers, and the relays by the URLs of these."""
        network = self._lab.network
        for host in network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY):
            yield _way(host, 443, "tls")
        for url in self._front_ends_own()["relay_urls"]:
            found = _TURN_URL.fullmatch(url)
            if found:
                (host,) = (h for h in network.with_role(Role.RELAY) if h.domain == found["host"])
                transport = "tls" if found["tls"] else found["transport"] or "udp"
                yield _way(host, int(found["port"]), transport)

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
            "address": str(host.address),
            "certificate": str(certificate),
            "key_log": str(self._folder.keys(host.name, "tls")),
        }
        if host.role is Role.TELEMETRY:
            config["token_key"] = tokens.public_part(self._token_key)
            config["states"] = [
                str(_state(each)) for each in self._lab.network.with_role(Role.FRONT_END)
            ]
            return Program(name=host.name, module="agents.telemetry", config=config)
        return Program(
            name=host.name,
            module="agents.front_end",
            config=config | self._front_ends_own() | {"state": str(_state(host))},
        )

    def _front_ends_own(self) -> dict[str, Any]:
        """What a front end knows that others do not."""
        relays = [f"{r.domain}:{relay.PORT}" for r in self._lab.network.with_role(Role.RELAY)]
        return {
            "relay_urls": [f"{kind}:{where}" for where in relays for kind in ("stun", "turn")],
            "relay_secret": self._secret,
            "relay_ttl": self._relay_ttl,
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
            "answers_when_told": [death.call for death in run.deaths if not death.after_seconds],
            "chats": {
                call.id: {"says": call.said_by(user), "hears": len(call.said_to(user))}
                for call in run.calls
            },
        }
        return Program(name=user, module="agents.client", config=config)

    def _spawn(self, host: str, program: Program) -> Process:
        return self._lab.spawn(host, program, self._folder.events(host), self._folder.log(host))


def _way(edge: Host, port: int, transport: str) -> dict[str, Any]:
    """One way to the service, as agents/assess.py takes it."""
    return {
        "edge": edge.name,
        "name": edge.domain,
        "port": port,
        "transport": transport,
        "is_relay": edge.role is Role.RELAY,
    }


def _state(front_end: Host) -> Path:
    """The file in which a front end keeps what it knows."""
    return PRIVATE / f"{front_end.name}.state.json"


def _credential(user: str) -> Path:
    """The file with a user's token; not in the run folder, which others may be shown."""
    return PRIVATE / f"{user}.credential.json"
