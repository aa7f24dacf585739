"""What a scenario is: a network, calls in it, and the flows that must come out."""

import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from controllers.policy import Policy, load
from controllers.policy import find as find_policy
from results.outages import Death
from results.schema import (
    Connection,
    Expectation,
    IpVersion,
    PlannedCall,
    StreamKind,
    Transport,
)
from topologies.spec import Flow, Network, Role

_FOLDER = Path(__file__).parent

#: Names of scenarios, which are part of the names of run folders.
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class ScenarioError(Exception):
    """A scenario that is not there or cannot be read. Speaks to a person."""


@dataclass(frozen=True)
class Call:
    """One call: who calls whom, and for how many seconds media must flow each way."""

    caller: str
    callee: str
    seconds: float = 2.0
    #: The callee answers only when it has checked every pair once: the caller's come later.
    callee_checks_first: bool = False
    #: Chat messages while media flows: the caller says the first, then each in turn.
    chat: tuple[str, ...] = ()
    #: Both use relayed candidates only, whatever their networks would allow.
    relay_only: bool = False
    #: What each end sends.
    streams: tuple[StreamKind, ...] = (StreamKind.AUDIO,)
    #: A third party's relay, which the caller uses in place of the service's.
    third_party_relay: str | None = None
    #: The error code with which the service must refuse the invite: the call must not come about.
    refused: str | None = None


@dataclass(frozen=True)
class ConnectVpn:
    """A user connects to a VPN during a call: ``after_seconds`` of media into the first call."""

    vpn: str
    host: str
    after_seconds: int


@dataclass(frozen=True)
class Dies:
    """A server of the service dies during the first call, after so many seconds of media.

    With ``after_seconds`` 0 it dies when the callee rings, which answers only then.
    """

    host: str
    after_seconds: int = 0
    #: Whether it is started anew at once; a front end only when somebody has missed it.
    returns: bool = True


@dataclass(frozen=True)
class Scenario:
    """A use case. The expectations are exact sets: one flow more is as wrong as one less.

    ScenarioError when it cannot take place: calls of nobody, policies of no firewall.
    """

    name: str
    title: str
    network: Network
    calls: tuple[Call, ...]
    expect_signalling: frozenset[Flow]
    expect_media: frozenset[Flow]
    #: Users whose TURN allocations must carry the media; empty for none, None for any.
    expect_allocated_by: frozenset[str] | None = None
    #: What must carry the media of all calls; None for anything.
    expect_transport: Transport | None = None
    #: The user whose first check must be refused at the peer's perimeter, and the next ones not.
    expect_refused_first: str | None = None
    #: Users whose relay must not be the nearest, since their DNS goes through a VPN's tunnel.
    expect_far_edge: frozenset[str] = frozenset()
    #: User -> the router by which all that the user opens must leave the customer network.
    expect_exits: Mapping[str, str] = field(default_factory=dict)
    #: The versions of IP that must carry the media, None for any.
    expect_ip: frozenset[IpVersion] | None = None
    #: What the documents call what must come out, where they do not support it.
    expect_unsupported: str | None = None
    #: The relay that users ask the service for: the nearest, or any (the first there is).
    route_type: Literal["nearest", "any"] = "nearest"
    #: VPN users connect before the first call, unless it is said here.
    connections: tuple[ConnectVpn, ...] = ()
    #: What of the service dies.
    deaths: tuple[Dies, ...] = ()
    #: How long the relay's credentials of users are good, in seconds, if not the usual time.
    relay_ttl: int | None = None
    #: Firewall -> the policy that it enforces: a shipped one's name, or a YAML file's path.
    policies: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ScenarioError(f"scenario {self.name}: {problem}")

    def policies_with(self, changes: Mapping[str, str]) -> dict[str, Policy]:
        """The policy of each firewall that has one, after ``changes`` (firewall -> policy).

        ScenarioError for a firewall that is not there; PolicyError for a policy
        that is not there or cannot be used.
        """
        for problem in _firewall_problems(self.network, changes):
            raise ScenarioError(f"scenario {self.name}: {problem}")
        chosen = {**self.policies, **changes}
        return {firewall: load(find_policy(name)) for firewall, name in chosen.items()}

    def planned_calls(self) -> tuple[PlannedCall, ...]:
        """The calls in the run folder's terms; their ids tell who takes part."""
        return tuple(
            PlannedCall(
                id=f"{number}-{call.caller}-{call.callee}",
                caller=call.caller,
                callee=call.callee,
                seconds=call.seconds,
                callee_checks_first=call.callee_checks_first,
                chat=call.chat,
                relay_only=call.relay_only,
                streams=call.streams,
                third_party_relay=call.third_party_relay,
                refused=call.refused,
            )
            for number, call in enumerate(self.calls, 1)
        )

    def planned_connections(self) -> tuple[Connection, ...]:
        """The connections during calls in the run folder's terms."""
        first = self.planned_calls()[0].id
        return tuple(
            Connection(vpn=c.vpn, host=c.host, call=first, after_seconds=c.after_seconds)
            for c in self.connections
        )

    def planned_deaths(self) -> tuple[Death, ...]:
        """The deaths in the run folder's terms."""
        first = self.planned_calls()[0].id
        return tuple(
            Death(host=d.host, call=first, after_seconds=d.after_seconds, returns=d.returns)
            for d in self.deaths
        )

    def expectation(self) -> Expectation:
        """What must come out, in the run folder's terms."""
        return Expectation(
            signalling=self.expect_signalling,
            media=self.expect_media,
            unsupported=self.expect_unsupported,
            allocated_by=self.expect_allocated_by,
            transport=self.expect_transport,
            refused_first=self.expect_refused_first,
            far_edge=self.expect_far_edge,
            exits=dict(self.expect_exits),
            ip=self.expect_ip,
        )


def _problems(scenario: Scenario) -> Iterator[str]:
    """What keeps a scenario from taking place, each as one sentence."""
    if not _NAME.fullmatch(scenario.name):
        yield "a name has small letters, digits and _ only, and begins with a letter"
    if not scenario.calls:
        yield "it has no calls, so there is nothing to prove"
    for call in scenario.calls:
        yield from _call_problems(scenario.network, call)
    for connection in scenario.connections:
        yield from _connection_problems(scenario.network, connection)
    for death in scenario.deaths:
        yield from _death_problems(scenario.network, death)
    yield from _firewall_problems(scenario.network, scenario.policies)
    yield from _expectation_problems(scenario)


def _expectation_problems(scenario: Scenario) -> Iterator[str]:
    expected = {*(scenario.expect_allocated_by or ()), scenario.expect_refused_first} - {None}
    expected |= {*scenario.expect_far_edge, *scenario.expect_exits}
    for user in sorted(map(str, expected)):
        if user not in {name for call in scenario.calls for name in (call.caller, call.callee)}:
            yield f"it expects something of {user}, who is in no call"
    perimeters = [one.host for one in scenario.network.perimeters]
    for user, router in scenario.expect_exits.items():
        if router not in perimeters:
            there = _listed(perimeters)
            yield f"it expects {user} to leave by {router!r}, no perimeter; there are: {there}"


def _call_problems(network: Network, call: Call) -> Iterator[str]:
    users = [host.name for host in network.with_role(Role.USER)]
    for user in (call.caller, call.callee):
        if user not in users:
            yield f"it has no user {user!r} for a call; there are: {_listed(users)}"
    if call.caller == call.callee:
        yield f"{call.caller} calls nobody else"
    if call.seconds <= 0:
        yield f"the call of {call.caller} lasts {call.seconds:g} seconds; it must last longer"
    if "" in call.chat:
        yield f"the chat of {call.caller} and {call.callee} has an empty message"
    yield from _stream_problems(call)
    relays = [host.name for host in network.third_party_relays()]
    if call.third_party_relay not in (None, *relays):
        other = call.third_party_relay
        yield f"it has no third-party relay {other!r}; there are: {_listed(relays)}"


def _stream_problems(call: Call) -> Iterator[str]:
    if StreamKind.AUDIO not in call.streams:
        yield f"the call of {call.caller} has no audio, by which its seconds are counted"
    if StreamKind.VIDEO in call.streams or len(set(call.streams)) < len(call.streams):
        yield f"the call of {call.caller} can have audio, camera and screen, each once"


def _connection_problems(network: Network, connection: ConnectVpn) -> Iterator[str]:
    members = {vpn.name: [client.host for client in vpn.clients] for vpn in network.vpns}
    if connection.vpn not in members:
        yield f"it has no VPN {connection.vpn!r}; there are: {_listed(members)}"
    elif connection.host not in members[connection.vpn]:
        users = _listed(members[connection.vpn])
        yield f"VPN {connection.vpn} has no user {connection.host!r}; there are: {users}"
    if connection.after_seconds <= 0:
        yield f"{connection.host} connects in mid-call: after_seconds is 1 or more"


def _death_problems(network: Network, death: Dies) -> Iterator[str]:
    mortal = [h.name for role in (Role.FRONT_END, Role.RELAY) for h in network.with_role(role)]
    if death.host not in mortal:
        yield f"it has no server {death.host!r} that may die; there are: {_listed(mortal)}"
    if death.after_seconds < 0:
        yield f"{death.host} dies in mid-call: after_seconds is 0 or more"


def _firewall_problems(network: Network, named: Iterable[str]) -> Iterator[str]:
    there = [firewall.name for firewall in network.firewalls]
    for firewall in named:
        if firewall not in there:
            yield f"it has no firewall {firewall!r}; there are: {_listed(there)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def all_scenarios() -> Iterator[Scenario]:
    """Every scenario that lies in this folder, by name."""
    for path in sorted(_FOLDER.glob("*.py")):
        if "\nscenario = Scenario(" in path.read_text(encoding="utf-8"):
            yield from_file(path)


def find(reference: str) -> Scenario:
    """The scenario of this name, or in this file; ScenarioError when there is none."""
    if reference.endswith(".py"):
        return from_file(Path(reference))
    if "/" in reference:
        raise ScenarioError(f"{reference} is no scenario file: its name must end in .py")
    names = []
    for scenario in all_scenarios():
        if scenario.name == reference:
            return scenario
        names.append(scenario.name)
    like = difflib.get_close_matches(reference, names, n=1)
    meant = f" (did you mean {like[0]!r}?)" if like else ""
    raise ScenarioError(f"there is no scenario {reference!r}{meant}; there are: {_listed(names)}")


def from_file(path: Path) -> Scenario:
    """The scenario that a Python file defines as ``scenario``; ScenarioError when it does not."""
    if not path.is_file():
        raise ScenarioError(f"{path} is not a file; a scenario file defines scenario = Scenario(…)")
    spec = importlib.util.spec_from_file_location(f"callpath_scenario_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None
    except ValidationError as error:
        raise ScenarioError(f"{path}: {_first(error)}") from error
    except (Exception, SystemExit) as error:
        raise ScenarioError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    scenario = getattr(module, "scenario", None)
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"{path} defines no scenario; it must say scenario = Scenario(…)")
    return scenario


def _first(error: ValidationError) -> str:
    """What is wrong with a description of a network, in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{error.title} {where}: {said}" if where else said
