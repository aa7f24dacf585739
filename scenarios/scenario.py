"""What a scenario is: a network, calls in it, and the flows that must come out."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from controllers.policy import Policy, load
from controllers.policy import find as find_policy
from results.schema import Connection, Expectation, PlannedCall
from topologies.spec import Flow, Network

_FOLDER = Path(__file__).parent


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


@dataclass(frozen=True)
class ConnectVpn:
    """A user connects to a VPN during a call: ``after_seconds`` of media into the first call."""

    vpn: str
    host: str
    after_seconds: int


@dataclass(frozen=True)
class Scenario:
    """A use case. The expectations are exact sets: one flow more is as wrong as one less."""

    name: str
    title: str
    network: Network
    calls: tuple[Call, ...]
    expect_signalling: frozenset[Flow]
    expect_media: frozenset[Flow]
    #: Users whose TURN allocations must carry the media; empty for none, None for any.
    expect_allocated_by: frozenset[str] | None = None
    #: The user whose first check must be refused at the peer's perimeter, and the next ones not.
    expect_refused_first: str | None = None
    #: What the documents call what must come out, where they do not support it.
    expect_unsupported: str | None = None
    #: VPN users connect before the first call, unless it is said here.
    connections: tuple[ConnectVpn, ...] = ()
    #: Firewall -> name of the shipped policy that it enforces.
    policies: Mapping[str, str] = field(default_factory=dict)

    def policies_with(self, changes: Mapping[str, str]) -> dict[str, Policy]:
        """The policy of each firewall that has one, after ``changes`` (firewall -> policy).

        ScenarioError for a firewall that is not there; PolicyError for a policy
        that is not there or cannot be used.
        """
        there = [firewall.name for firewall in self.network.firewalls]
        for firewall in changes:
            if firewall not in there:
                raise ScenarioError(
                    f"scenario {self.name} has no firewall {firewall!r}; "
                    f"there are: {', '.join(there) or 'none'}"
                )
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

    def expectation(self) -> Expectation:
        """What must come out, in the run folder's terms."""
        return Expectation(
            signalling=self.expect_signalling,
            media=self.expect_media,
            unsupported=self.expect_unsupported,
            allocated_by=self.expect_allocated_by,
            refused_first=self.expect_refused_first,
        )


def all_scenarios() -> Iterator[Scenario]:
    """Every scenario that lies in this folder, by name."""
    for path in sorted(_FOLDER.glob("*.py")):
        if "\nscenario = Scenario(" in path.read_text(encoding="utf-8"):
            yield from_file(path)


def find(reference: str) -> Scenario:
    """The scenario of this name, or in this file; ScenarioError when there is none."""
    if reference.endswith(".py"):
        return from_file(Path(reference))
    names = []
    for scenario in all_scenarios():
        if scenario.name == reference:
            return scenario
        names.append(scenario.name)
    raise ScenarioError(f"there is no scenario {reference!r}; there are: {', '.join(names)}")


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
    except Exception as error:
        raise ScenarioError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    scenario = getattr(module, "scenario", None)
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"{path} defines no scenario; it must say scenario = Scenario(…)")
    return scenario
