"""Who plays in a run: the service's own servers, and the users' clients.

They belong to the run and not to the world: they have its key logs and its state.
"""

import base64
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import relay
from agents.edge import tokens
from agents.edge.relay_access import USERS_TTL, credentials
from agents.http_server import HTTPS
from agents.tls import Authority, new_authority
from results.schema import Run, RunFolder
from results.setup.service_keys import ServiceKeys
from results.tracing.routes import way_around
from topologies.host_script import PRIVATE
from topologies.lab import Lab
from topologies.processes import Process, Processes, Program
from topologies.spec import Host, Inspection, Network, Role

#: Length of an access key, in bytes, as the real service's are.
_ACCESS_KEY_BYTES = 64

#: The application's own server, as its logs are called.
_TRUSTED_SERVICE = "trusted_service"

#: Life of a relay's credentials that no front end has made, in seconds.
_TTL = 600

#: Tones of the users, in hertz: multiples of 50 (see agents/tone.py).
_LOWEST_TONE, _TONE_STEP = 400, 50


@dataclass(frozen=True)
class WorldSecrets:
    """What is made anew for each world, and known to its services."""

    #: What the relays' credentials are made of.
    relay: str
    #: What the credentials of relays that are not the service's are made of.
    third_party: str
    authority: Authority
    #: User -> password at the proxy.
    logins: dict[str, str]


def new_secrets(network: Network) -> WorldSecrets:
    """Secrets of a world with this network."""
    users = [host.name for host in network.with_role(Role.USER) if host.proxy]
    logins = {user: secrets.token_hex(8) for user in users}
    return WorldSecrets(secrets.token_hex(16), secrets.token_hex(16), new_authority(), logins)


class Cast:
    """Starts the agents of one run on their hosts."""

    def __init__(
        self,
        lab: Lab,
        processes: Processes,
        folder: RunFolder,
        world_secrets: WorldSecrets,
        relay_ttl: int | None = None,
    ) -> None:
        """``relay_ttl`` is how long relays' credentials are good, in seconds, if not as usual."""
        self._lab = lab
        self._processes = processes
        self._folder = folder
        self._secrets = world_secrets
        self._relay_ttl = relay_ttl or USERS_TTL
        self._access_key = base64.b64encode(secrets.token_bytes(_ACCESS_KEY_BYTES)).decode()
        self._token_key = tokens.new_key()

    @property
    def authority(self) -> Path:
        """The certificate of the world's own authority, once the servers are started."""
        return self._folder.authority

    @property
    def connection_string(self) -> str:
        """What an application's own server needs to speak to the service."""
        return f"endpoint=https://{self._keeper.domain}/;accesskey={self._access_key}"

    @property
    def _keeper(self) -> Host:
        """The front end that keeps identities, calls and inboxes: that of the first region."""
        return self._lab.network.with_role(Role.FRONT_END)[0]

    def start_servers(self) -> list[Process]:
        """Start front ends and telemetry."""
        self._secrets.authority.write(self.authority)
        self._write_keys()
        network = self._lab.network
        # What an earlier run left is none of this one's.
        _state(self._keeper).unlink(missing_ok=True)
        hosts = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
        servers = [self._spawn(host.name, self._server(host)) for host in hosts]
        servers += [
            self._spawn(one.host, self._inspector(one.host, one.inside, one.inspection))
            for one in network.perimeters
            if one.inspection
        ]
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

    def start_assessor(self, host: str) -> Process:
        """Start the program that tries every way from a host to the service."""
        username, credential = _credentials(self._secrets.relay, f"assessment.{host}")
        config = {
            "ways": list(_ways(self._lab.network)),
            "version": self._lab.network.host(host).address.version,
            "username": username,
            "credential": credential,
            "authority": str(self.authority),
            "key_log": str(self._folder.keys(host, "tls")),
        }
        return self._spawn(host, Program(name=host, module="agents.assess", config=config))

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

    def _server(self, host: Host) -> Program:
        certificate = certify(self._secrets.authority, self._lab.network, host)
        config: dict[str, Any] = {
            "addresses": [str(address) for address in host.addresses],
            "certificate": str(certificate),
            "key_log": str(self._folder.keys(host.name, "tls")),
        }
        if host.role is Role.TELEMETRY:
            config["token_key"] = tokens.public_part(self._token_key)
            config["states"] = [str(_state(self._keeper))]
            return Program(name=host.name, module="agents.telemetry", config=config)
        config |= self._keepers_own() if host == self._keeper else self._what_leads_to_keeper()
        return Program(name=host.name, module="agents.front_end", config=config)

    def _keepers_own(self) -> dict[str, Any]:
        """What the front end knows that others do not."""
        network = self._lab.network
        relays = network.service_relays()
        return {
            "relay_urls": self._urls(network.own_name(one) for one in relays),
            "nearest_relay_urls": self._urls({one.domain: None for one in relays}),
            "relay_addresses": [str(one) for host in relays for one in host.addresses],
            "relay_secret": self._secrets.relay,
            "relay_ttl": self._relay_ttl,
            "state": str(_state(self._keeper)),
            "access_key": self._access_key,
            "token_key": self._token_key,
        }

    def _urls(self, domains: Iterable[str | None]) -> list[str]:
        """Where relays of these names are asked."""
        transports = self._lab.network.relay_transports
        return [uri for domain in domains for uri in relay.uris(domain or "", transports)]

    def _inspector(self, host: str, inside: str, inspection: Inspection) -> Program:
        """The box in a perimeter's router that reads HTTPS."""
        legs = self._lab.network.host(host).interfaces
        (address,) = (leg.address.ip for leg in legs if leg.link == inside)
        config = {
            "called": inspection.authority,
            "address": str(address),
            "port": inspection.port,
            "own_authority": str(_inspectors_authority(host)),
            "authority": str(self.authority),
            "key_log": str(self._folder.keys(host, "tls")),
        }
        return Program(name=host, module="agents.inspector", config=config)

    def _trusted_by(self, user: str) -> Path:
        """The certificates of the authorities that a user trusts."""
        network = self._lab.network
        way = way_around(network, user, self._keeper.name)
        boxes = [
            _inspectors_authority(one.host)
            for one in network.perimeters
            if one.host in way and one.inspection and one.inspection.trusted
        ]
        if not boxes:
            return self.authority
        bundle = PRIVATE / f"{user}.trusted.pem"
        bundle.write_bytes(b"".join(path.read_bytes() for path in (self.authority, *boxes)))
        return bundle

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
            "name": user,
            "credential": str(_credential(user)),
            "tone": tone,
            "front_end": self._keeper.domain,
            "telemetry": telemetry.domain,
            "route_type": run.route_type,
            "servers": list(_measured(self._lab.network)),
            "authority": str(self._trusted_by(user)),
            "keys": {kind: str(self._folder.keys(user, kind)) for kind in ("tls", "dtls", "srtp")},
            "checks_first": [
                call.id for call in run.calls if call.callee == user and call.callee_checks_first
            ],
            "answers_when_told": [death.call for death in run.deaths if not death.after_seconds],
            "relay_only": [call.id for call in run.calls if call.relay_only],
            "proxy": self._proxy_of(user),
            "chats": {
                call.id: {"says": call.said_by(user), "hears": len(call.said_to(user))}
                for call in run.calls
            },
            "streams": {call.id: call.streams for call in run.calls},
            "relays": {
                call.id: self._third_party(self._lab.network.host(call.third_party_relay), user)
                for call in run.calls
                if call.third_party_relay and call.caller == user
            },
        }
        return Program(name=user, module="agents.client", config=config)

    def _proxy_of(self, user: str) -> dict[str, Any] | None:
        """What a user's client knows of the proxy that it goes through."""
        network = self._lab.network
        host = network.host(user).proxy
        if host is None:
            return None
        found = network.proxy(host)
        login = {"user": user, "password": self._secrets.logins[user]} if found.login else {}
        return {"address": str(network.host(host).address), "port": found.port, **login}

    def _third_party(self, relay_host: Host, user: str) -> dict[str, Any]:
        """An ICE server that the service knows nothing of, as its owner tells a user."""
        username, credential = _credentials(self._secrets.third_party, user)
        urls = relay.uris(relay_host.domain or "", ("udp",))
        return {"urls": urls, "username": username, "credential": credential}

    def _spawn(self, host: str, program: Program) -> Process:
        return self._lab.spawn(host, program, self._folder.events(host), self._folder.log(host))


def _credentials(secret: str, user: str) -> tuple[str, str]:
    """User name and password at a relay, from now on."""
    return credentials(secret, user, int(time.time()) + _TTL)


def certify(authority: Authority, network: Network, host: Host) -> Path:
    """A file with key and certificate of a server; not in the run folder.

    It is in the name that servers of all regions share, and in the server's own.
    """
    assert host.domain is not None
    path = PRIVATE / f"{host.name}.pem"
    own = {network.own_name(host) or host.domain} - {host.domain}
    authority.issue(host.domain, path, *own)
    return path


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


def _ways(network: Network) -> Iterator[dict[str, Any]]:
    """All that a client may speak to: the servers, and the service's own relays."""
    servers = network.with_role(Role.FRONT_END) + network.with_role(Role.TELEMETRY)
    for host in servers:
        yield _way(network, host, HTTPS, "tls")
    for host in network.service_relays():
        for transport in network.relay_transports:
            port = relay.PORT if transport == "udp" else relay.STREAM_PORT
            yield _way(network, host, port, transport)


def _way(network: Network, edge: Host, port: int, transport: str) -> dict[str, Any]:
    """One way to the service, as agents/assess.py takes it."""
    return {
        "edge": edge.name,
        "name": network.own_name(edge),
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


def _inspectors_authority(host: str) -> Path:
    """The certificate of the CA of a box that reads HTTPS."""
    return PRIVATE / f"{host}.ca.pem"
