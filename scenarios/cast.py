"""Who plays in a run: the service's own servers, and the users' clients.

They belong to the run and not to the world: they have its certificates, its key
logs and its state.
"""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents import relay
from agents.edge import tokens
from agents.http_server import HTTPS
from agents.tls import Authority, new_authority
from results.schema import Run, RunFolder
from results.setup.service_keys import ServiceKeys
from topologies.host_script import PRIVATE
from topologies.lab import Lab
from topologies.processes import Process, Processes, Program
from topologies.spec import Host, Network, Role

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
        return f"endpoint=https://{self._keeper.domain}/;accesskey={self._access_key}"

    @property
    def _keeper(self) -> Host:
        """The front end that keeps identities, calls and inboxes: that of the first region."""
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
        host = self._keeper
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
        authority.issue(host.domain, certificate, *self._more_names(host))
        config: dict[str, Any] = {
            "address": str(host.address),
            "certificate": str(certificate),
            "key_log": str(self._folder.keys(host.name, "tls")),
        }
        if host.role is Role.TELEMETRY:
            config["token_key"] = tokens.public_part(self._token_key)
            return Program(name=host.name, module="agents.telemetry", config=config)
        config |= self._keepers_own() if host == self._keeper else self._what_leads_to_keeper()
        return Program(name=host.name, module="agents.front_end", config=config)

    def _more_names(self, host: Host) -> list[str]:
        """A host's own name, beside that which it shares with other regions'."""
        own = self._lab.network.own_name(host)
        return [own] if own and own != host.domain else []

    def _keepers_own(self) -> dict[str, Any]:
        """What the front end knows that others do not."""
        network = self._lab.network
        relays = network.with_role(Role.RELAY)
        return {
            "relay_urls": _urls([network.own_name(one) for one in relays]),
            "nearest_relay_urls": _urls(list({one.domain: None for one in relays})),
            "relay_secret": self._secret,
            "access_key": self._access_key,
            "token_key": self._token_key,
        }

    def _what_leads_to_keeper(self) -> dict[str, Any]:
        """What a front end needs that passes on to the keeper."""
        return {
            "keeper": {
                "address": str(self._keeper.address),
                "port": HTTPS,
                "domain": self._lab.network.own_name(self._keeper),
            },
            "authority": str(self.authority),
        }

    def _client(self, user: str, tone: int, run: Run) -> Program:
        telemetry, *_ = self._lab.network.with_role(Role.TELEMETRY)
        config = {
            "credential": str(_credential(user)),
            "tone": tone,
            "front_end": self._keeper.domain,
            "telemetry": telemetry.domain,
            "route_type": run.route_type,
            "servers": list(_measured(self._lab.network)),
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


def _urls(domains: list[str | None]) -> list[str]:
    """STUN and TURN URIs of relays (RFC 7064 and RFC 7065)."""
    return [f"{kind}:{domain}:{relay.PORT}" for domain in domains for kind in ("stun", "turn")]


def _measured(network: Network) -> Iterator[dict[str, Any]]:
    """The servers to which clients measure their round trips, where there are regions."""
    how = {
        Role.FRONT_END: {"port": HTTPS, "transport": "tcp"},
        Role.RELAY: {"port": relay.PORT, "transport": "udp"},
    }
    for region in network.regions:
        for host in map(network.host, region.hosts):
            if host.role in how:
                yield {"host": host.name, "address": str(host.address), **how[host.role]}


def _credential(user: str) -> Path:
    """The file with a user's token; not in the run folder, which others may be shown."""
    return PRIVATE / f"{user}.credential.json"
