"""Networks for tests: each is up for as long as a context (or a fixture) lasts.

::

    homes = up(office_and_homes())          # a fixture, one world for the whole module


    def test_the_relay_can_be_reached(homes: Inside) -> None:
        assert homes.run("eve", "ping", "-c1", "203.0.113.9").code == 0
"""

import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controllers.policy import Policy
from topologies.spec import Network
from topologies.world import World

#: Bound on a command on a host, in seconds.
_TIMEOUT = 20.0


class InsideError(Exception):
    """Something could not be done inside the world. Speaks to a person."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Service:
    """A service that is up: how its SDKs are told of it, and the certificate of its authority."""

    connection: str
    authority: str

    def environment(self, **changes: str) -> list[str]:
        """The command "env" and variables, as ``callpath exec`` sets them; some changed."""
        variables = {
            "COMMUNICATION_SERVICES_CONNECTION_STRING": self.connection,
            "REQUESTS_CA_BUNDLE": self.authority,
            "SSL_CERT_FILE": self.authority,
        }
        return ["env", *(f"{name}={value}" for name, value in (variables | changes).items())]


class Inside:
    """The hosts of a network that is up."""

    def __init__(
        self, network: Network, policies: Mapping[str, Policy], folder: Path, world: World
    ) -> None:
        """Bring the network up in a world that is there; InsideError if that fails."""
        self.network = network
        self._world = world
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(folder / "sockets"))
            door.listen()
            request = {
                "network": network.model_dump(mode="json"),
                "policies": {
                    name: policy.model_dump(mode="json", by_alias=True)
                    for name, policy in policies.items()
                },
                "folder": str(folder),
            }
            #: What the relay's credentials are made of.
            self.relay_secret: str = self.ask(request)["secret"]
            self._sockets, _ = door.accept()

    def close(self) -> None:
        """Close what is held of the world outside; the world itself ends with its holder."""
        self._sockets.close()

    @property
    def pid(self) -> int:
        """Process id of the world's holder, of which its processes descend."""
        return self._world.pid

    def run(self, host: str, *argv: str, timeout: float = _TIMEOUT) -> Done:
        """Run a command on a host; InsideError if it does not end in time."""
        return self.run_all([(host, argv)], timeout)[0]

    def run_all(
        self, commands: Sequence[tuple[str, Sequence[str]]], timeout: float = _TIMEOUT
    ) -> list[Done]:
        """Run commands (host, argv) side by side; InsideError if one does not end in time."""
        wanted = [{"on": host, "argv": list(argv)} for host, argv in commands]
        answer = self.ask({"run": wanted, "timeout": timeout})
        return [Done(**ended) for ended in answer["ended"]]

    def start(self, host: str, name: str, *argv: str, ready: str) -> None:
        """Start a service; it is ready when a line that it prints matches the pattern."""
        self.ask({"start": name, "on": host, "argv": list(argv), "ready": ready})

    def serve(self) -> Service:
        """Start front end and telemetry."""
        return Service(**self.ask({"servers": True}))

    def udp(self, host: str, port: int = 0) -> socket.socket:
        """A UDP socket on the host, bound to its first address; the caller closes it."""
        address = str(self.network.host(host).address)
        self.ask({"socket": [address, port], "on": host})
        _, descriptors, _, _ = socket.recv_fds(self._sockets, 1, 1)
        return socket.socket(fileno=descriptors[0])

    def nat_counters(self) -> dict[str, dict[str, int]]:
        """NAT router -> rule -> packets that it counted."""
        counters: dict[str, dict[str, int]] = self.ask({"counters": True})["nats"]
        return counters

    def firewall_counters(self) -> dict[str, dict[str, int]]:
        """Firewall -> rule -> packets that it counted."""
        counters: dict[str, dict[str, int]] = self.ask({"counters": True})["firewalls"]
        return counters

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request (see :mod:`tests.lab.inside`); its answer, or InsideError."""
        self._world.send(request)
        answer = next(self._world.events(), None)
        if answer is None:
            raise InsideError(self._world.why_gone())
        if "failed" in answer:
            raise InsideError(answer["failed"])
        return answer


@contextmanager
def world(
    network: Network, folder: Path, policies: Mapping[str, Policy] | None = None
) -> Iterator[Inside]:
    """Bring the network up with its services; it is gone when the context ends, however it ends."""
    for part in ("logs", "events"):
        (folder / part).mkdir(parents=True)
    stage = [sys.executable, "-sP", "-m", "tests.lab.inside"]
    with (
        World(stage, folder, folder / "world.log") as made,
        closing(Inside(network, policies or {}, folder, made)) as inside,
    ):
        yield inside


def up(
    network: Network, policies: Mapping[str, Policy] | None = None
) -> Callable[[pytest.TempPathFactory], Iterator[Inside]]:
    """A fixture: the network in a world that the tests of one module share."""

    @pytest.fixture(scope="module")
    def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
        with world(network, tmp_path_factory.mktemp("world"), policies) as made:
            yield made

    return inside
