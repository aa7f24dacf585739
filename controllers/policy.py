"""What a perimeter allows: policies as data, in YAML (docs/policies.md).

A policy is an ordered list of rules between zones; a zone is a side of the
firewall and the addresses there. The first rule that matches a packet decides.

Rules of the house hold for every policy and are not written in it (:data:`HOUSE`):
ARP and IPv6's neighbour discovery pass; packets of an established connection pass, and
so do ICMP errors that relate to one, "packet too big" among them (RFC 4890, section
4.3.1); packets that belong to no possible connection are dropped; what no rule allows is
refused, by a rule called ``default_deny`` with a counter of its own. With ``stateful:
false`` the firewall remembers no connections: a rule matches packets in its own direction
only, and answers need a rule of their own; IPv6's errors all pass.

A zone without addresses is of both families; else a rule is about the family, or families,
that both of its zones have addresses of.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import product
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from controllers.cover import Box, Interval, covering
from controllers.marked_yaml import Document, MarkedYamlError, Place
from controllers.words import (
    LAST_PORT,
    Action,
    Because,
    Name,
    Network,
    PortRange,
    Protocol,
    unknown,
)

#: The policies that come with Callpath, one file each.
SHIPPED = Path(__file__).parent / "policies"

#: Rules of the house -> why. Their packets are counted under these names too.
HOUSE = {
    "arp": "hosts must find each other's link addresses",
    "other_frames": "only ARP and IP cross a firewall",
    "ip": "what becomes of IPv4 is decided in the next table",
    "invalid": "it belongs to no possible connection",
    "established": "its connection was allowed when it began",
    "related": "it reports an error of a connection that was allowed",
    "default_deny": "no rule allows it",
    "ipv6": "what becomes of IPv6 is decided in the next table",
    "neighbours": "hosts must find each other's link addresses, and routers (RFC 4890, 4.4.1)",
    "errors": "without them connections hang (RFC 4890, section 4.3.1)",
}


class PolicyError(Exception):
    """A policy that cannot be used: every problem on a line, with its place. Speaks to a person."""


#: A path below the object that has the problem, and what to say of it.
_Problem = tuple[tuple[str | int, ...], str]


class _Data(BaseModel):
    """Base of everything here: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        problems = list(self._problems())
        if problems:
            text = "; ".join(said for _, said in problems)
            raise PydanticCustomError("policy", "{text}", {"text": text, "problems": problems})
        return self

    def _problems(self) -> Iterator[_Problem]:
        yield from ()


#: All addresses.
EVERYWHERE = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


class Zone(_Data):
    """A side of the firewall, and the addresses there; None means any address."""

    side: Name
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)] | None = None

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The addresses; the networks of all addresses for any."""
        return self.addresses or EVERYWHERE

    def narrowness(self, address: IPv4Address | IPv6Address) -> int:
        """Length of the longest prefix of the zone that holds the address; -1 when none does."""
        lengths = (network.prefixlen for network in self.networks if address in network)
        return max(lengths, default=-1)


class Rule(_Data):
    """What happens to the first packet of a connection from a zone to another."""

    name: Name
    action: Action
    from_: Name = Field(alias="from")
    to: Name
    protocol: Protocol
    #: Of the destination; None means all.
    ports: Annotated[tuple[PortRange, ...], Field(min_length=1)] | None = None
    because: Because

    def _problems(self) -> Iterator[_Problem]:
        if self.ports and not self.protocol.has_ports:
            yield ("ports",), f"protocol {self.protocol} has no ports; allowed with: tcp, udp"
        if self.name in HOUSE:
            yield ("name",), f'"{self.name}" is a rule of the house; choose another name'


class Policy(_Data):
    """What a firewall allows. Invalid policies cannot be constructed."""

    name: Name
    because: Because
    stateful: bool = True
    zones: dict[Name, Zone]
    rules: tuple[Rule, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that the zones name, in their order."""
        return tuple(dict.fromkeys(zone.side for zone in self.zones.values()))

    def sides_of(self, address: IPv4Address | IPv6Address) -> tuple[str, ...]:
        """Where an address is: the side, or sides, of the zones that hold it most narrowly."""
        held = [(zone.narrowness(address), zone.side) for zone in self.zones.values()]
        best = max((narrow for narrow, _ in held), default=-1)
        return tuple(dict.fromkeys(side for narrow, side in held if narrow == best >= 0))

    def ways(self, rule: Rule) -> Iterator[tuple[IPv4Network | IPv6Network, ...]]:
        """Sources and destinations of what a rule matches: each pair is of one family."""
        zones = (self.zones[zone].networks for zone in (rule.from_, rule.to))
        return (way for way in product(*zones) if way[0].version == way[1].version)

    def because_of(self, rule: str) -> str:
        """Why there is a rule of that name, of the policy's own or of the house."""
        own = {known.name: known.because for known in self.rules}
        return (HOUSE | own)[rule]

    def _problems(self) -> Iterator[_Problem]:
        problems = [*_side_problems(self), *_name_problems(self), *_zone_problems(self)]
        problems += [] if problems else _family_problems(self)
        yield from problems
        if not problems:
            yield from _dead_rules(self)


def _side_problems(policy: Policy) -> Iterator[_Problem]:
    if len(policy.sides) < 2:
        named = ", ".join(policy.sides) or "none"
        yield ("zones",), f"a firewall has two sides at least; the zones name {named}"


def _name_problems(policy: Policy) -> Iterator[_Problem]:
    seen = set()
    for index, rule in enumerate(policy.rules):
        if rule.name in seen:
            text = f'another rule is called "{rule.name}"; names are unique'
            yield ("rules", index, "name"), text
        seen.add(rule.name)


def _zone_problems(policy: Policy) -> Iterator[_Problem]:
    for index, rule in enumerate(policy.rules):
        strangers = {"from": rule.from_, "to": rule.to}.items()
        missing = [(key, zone) for key, zone in strangers if zone not in policy.zones]
        for key, zone in missing:
            yield ("rules", index, key), unknown("zone", zone, policy.zones)
        if not missing and (side := _shared_side(policy, rule)):
            text = f'"{rule.to}" is {side} like "{rule.from_}"; allowed: a zone of another side'
            yield ("rules", index, "to"), text


def _family_problems(policy: Policy) -> Iterator[_Problem]:
    for index, rule in enumerate(policy.rules):
        if not any(policy.ways(rule)):
            text = f'"{rule.from_}" and "{rule.to}" have addresses of different families'
            yield ("rules", index, "to"), f"{text}; allowed: zones that share IPv4 or IPv6"


def _shared_side(policy: Policy, rule: Rule) -> str | None:
    side = policy.zones[rule.from_].side
    return side if side == policy.zones[rule.to].side else None


def _dead_rules(policy: Policy) -> Iterator[_Problem]:
    """Rules that never decide: earlier ones, from the same side, take every packet of theirs."""
    earlier: dict[str, list[tuple[str, list[Box]]]] = {}
    for index, rule in enumerate(policy.rules):
        before = earlier.setdefault(policy.zones[rule.from_].side, [])
        boxes = _boxes(policy, rule)
        names = covering(boxes, before)
        if names:
            text = f'"{rule.name}" never decides; earlier rules cover it: {", ".join(names)}'
            yield ("rules", index, "name"), text
        before.append((rule.name, boxes))


def _boxes(policy: Policy, rule: Rule) -> list[Box]:
    """What a rule matches: version of IP, source, destination, protocol, destination port."""
    ports: Iterable[Interval] = rule.ports or [(0, LAST_PORT)]
    return [
        (
            (source.version, source.version),
            _interval(source),
            _interval(destination),
            _protocol(rule.protocol.number(source.version)),
            (first, last),
        )
        for source, destination in policy.ways(rule)
        for first, last in ports
    ]


def _protocol(number: int | None) -> Interval:
    return (0, 255) if number is None else (number, number)


def _interval(network: IPv4Network | IPv6Network) -> Interval:
    return int(network.network_address), int(network.broadcast_address)


def find(name: str) -> Path:
    """The file of a policy: one that comes with Callpath, by its name, or a path to another."""
    if name.endswith(".yaml"):
        return Path(name)
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if name not in shipped:
        raise PolicyError(f"{unknown('policy', name, shipped)}, or the path of a .yaml file")
    return shipped[name]


def load(path: Path) -> Policy:
    """Read a policy; PolicyError names every problem with file, line and column."""
    text = _read(path)
    try:
        document = Document(text)
        return Policy.model_validate(document.data)
    except MarkedYamlError as error:
        raise PolicyError(_line(path, error.place, str(error))) from None
    except ValidationError as error:
        found = sorted(set(_located(document, error)))
        raise PolicyError("\n".join(_line(path, place, text) for place, text in found)) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: byte {error.start} is not UTF-8 text") from None


def _line(path: Path, place: Place, text: str) -> str:
    return f"{path}:{place.line}:{place.column}: {text}"


def _located(document: Document, error: ValidationError) -> Iterator[tuple[Place, str]]:
    """Every problem with its place in the file."""
    for detail in error.errors():
        path = detail["loc"]
        match detail["type"]:
            case "policy":
                for below, text in detail["ctx"]["problems"]:
                    yield document.place((*path, *below)), text
            case "extra_forbidden":
                yield document.place_of_key(path), unknown("key", str(path[-1]), _keys(path))
            case _ if path and path[-1] == "[key]":
                yield document.place_of_key(path[:-1]), _said(detail)
            case _:
                yield document.place(path), _said(detail)


_CHOICES = {"action": Action, "protocol": Protocol}
_SHAPES = {"dict_type": "a mapping", "model_type": "a mapping", "tuple_type": "a list"}


def _said(detail: ErrorDetails) -> str:
    """A problem in words: the value, and what is allowed."""
    path, value = detail["loc"], _shown(detail["input"])
    what = next((str(part) for part in reversed(path) if isinstance(part, str)), "the policy")
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "missing":
            return f'"{what}" is missing; needed: {", ".join(_keys(path, required=True))}'
        case "enum":
            return unknown(what, str(detail["input"]), _CHOICES[what])
        case "bool_parsing":
            return f"{what} is {value}; allowed: true, false"
        case "string_too_short" | "too_short":
            return (
                f"{what} is empty; allowed: one {'word' if what == 'because' else 'value'} or more"
            )
        case shape:
            return f"{what} is {value}; allowed: {_SHAPES.get(shape, 'text')}"


def _shown(value: object) -> str:
    match value:
        case str():
            return f'"{value}"'
        case list():
            return "a list"
        case _:
            return "a mapping"


def _keys(path: tuple[str | int, ...], required: bool = False) -> list[str]:
    """The keys of the mapping that the path's last key belongs to."""
    models: dict[str, type[_Data]] = {"zones": Zone, "rules": Rule}
    model = models.get(str(path[0]), Policy) if path[1:] else Policy
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if field.is_required() or not required
    ]
