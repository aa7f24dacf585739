"""All that a report shows, as plain data: a pure function of what was judged."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from controllers.policy import HOUSE, Policy, Rule
from results.judge import Judged
from results.report.arrows import FlowArrow, Kind, Refusal, flow_arrows, refusals, tails
from results.report.candidates import CandidateRow, candidates
from results.report.columns import Drawn
from results.report.ladder import Rung, rungs
from results.report.picture import draw
from results.report.sentences import because, headline
from results.report.shapes import Line, Picture
from results.report.sites import scenery
from results.report.stacks import NARROW, WIDE, Measures
from results.report.trips import Planner
from results.schema import CallResult, Citation, MediaPath, Nearness, Result, Verdict
from topologies.spec import Network, Role


@dataclass(frozen=True)
class ArrowShape:
    """An arrow of a drawing with its lines; a refusal's ``flow`` is "none"."""

    kind: Kind
    flow: str
    by: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Drawing:
    """One of the two drawings of a page."""

    name: str
    picture: Picture
    arrows: tuple[ArrowShape, ...]
    #: Media beyond a VPN gateway, which has no number.
    tails: tuple[Line, ...]


@dataclass(frozen=True)
class Station:
    """One stage of media's way: a host, or the firewall on the link to the next one."""

    name: str
    is_wall: bool


@dataclass(frozen=True)
class MediaPart:
    """One direction of a call's media, with what it passed in order."""

    path: MediaPath
    way: tuple[Station, ...]


@dataclass(frozen=True)
class CallPart:
    """What is shown of one call."""

    result: CallResult
    rungs: tuple[Rung, ...]
    media: tuple[MediaPart, ...]
    candidates: dict[str, tuple[CandidateRow, ...]]


@dataclass(frozen=True)
class RuleRow:
    """A rule, and what it counted; None where no counter was stored."""

    rule: Rule
    count: int | None


@dataclass(frozen=True)
class PolicyPart:
    """What a firewall enforced; ``house`` are the rules of the house that counted."""

    firewall: str
    policy: Policy
    rows: tuple[RuleRow, ...]
    house: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class CapturePart:
    """The cited frames of one capture."""

    file: str
    is_there: bool
    citations: tuple[Citation, ...]

    @property
    def wireshark_filter(self) -> str:
        """Shows all of them at once."""
        numbers = sorted({citation.frame for citation in self.citations})
        return f"frame.number in {{{', '.join(map(str, numbers))}}}"


@dataclass(frozen=True)
class Content:
    """A whole report."""

    judged: Judged
    headline: str
    because: tuple[str, ...]
    #: The verdict that was written right after the run, where it is another one.
    written: Verdict | None
    flows: tuple[FlowArrow, ...]
    refusals: tuple[Refusal, ...]
    drawings: tuple[Drawing, ...]
    calls: tuple[CallPart, ...]
    #: Who served whom, each once; nobody where the service has one region.
    nearness: tuple[Nearness, ...]
    policies: tuple[PolicyPart, ...]
    captures: tuple[CapturePart, ...]
    #: The capture that is made of all of them, if there is one.
    evidence: str | None


@dataclass(frozen=True)
class Beside:
    """What else lies in a run's folder."""

    #: The capture files that are there.
    captures: frozenset[str] = frozenset()
    #: The capture that is made of all of them, if it is there.
    evidence: str | None = None
    #: The result that was written right after the run.
    written: Result | None = None
    #: Why the run could not be done.
    failure: str = ""


def content_of(judged: Judged, beside: Beside) -> Content:
    """What a report shows."""
    flows, refused = flow_arrows(judged), refusals(judged)
    return Content(
        judged=judged,
        headline=headline(judged, beside.failure),
        because=because(judged),
        written=_other_verdict(judged, beside.written),
        flows=flows,
        refusals=refused,
        drawings=tuple(_drawings(judged, flows, refused)),
        calls=tuple(_calls(judged)),
        nearness=tuple(_nearness(judged)),
        policies=tuple(_policies(judged)),
        captures=tuple(_captures(judged, beside.captures)),
        evidence=beside.evidence,
    )


def _nearness(judged: Judged) -> Iterable[Nearness]:
    found = (one for call in judged.result.calls for one in call.nearness)
    return {(one.user, one.server): one for one in found}.values()


def _other_verdict(judged: Judged, written: Result | None) -> Verdict | None:
    """The verdict that was written, where it is another one than today's."""
    if written is None or written.verdict is judged.result.verdict:
        return None
    return written.verdict


def _drawings(
    judged: Judged, flows: tuple[FlowArrow, ...], refused: tuple[Refusal, ...]
) -> Iterator[Drawing]:
    network = judged.run.network
    policies = {name: policy.name for name, policy in judged.run.policies.items()}
    ends = {end for arrow in flows for way in arrow.ways for end in (way.origin, way.target)}
    ends |= {end for one in refused for end in (one.origin, one.by)}
    whole = scenery(network, policies, ends)
    ends |= {user for call in judged.run.calls for user in (call.caller, call.callee)}
    if not network.regions:
        ends |= {host.name for host in network.hosts if host.role in (Role.RELAY, Role.FRONT_END)}
    for name, seen, measures in (("wide", whole, WIDE), ("narrow", whole.only(ends), NARROW)):
        planner = Planner(network, seen)
        shapes = [*_flow_shapes(planner, flows), *_refusal_shapes(planner, refused)]
        yield _drawing(name, judged, planner, shapes, measures)


#: An arrow without its lines yet, and what is to be drawn for it.
_Shape = tuple[ArrowShape, list[Drawn]]


def _flow_shapes(planner: Planner, flows: Iterable[FlowArrow]) -> Iterator[_Shape]:
    for arrow in flows:
        ends = "; ".join(f"{way.origin} to {way.target}" for way in arrow.ways)
        title = f"{arrow.kind.capitalize()}, Flow {arrow.flow}: {ends}"
        drawn = [Drawn(planner.along(way.hosts)) for way in arrow.ways]
        yield ArrowShape(arrow.kind, arrow.flow, "", title, ()), drawn


def _refusal_shapes(planner: Planner, refused: Iterable[Refusal]) -> Iterator[_Shape]:
    for one in refused:
        rules = ", ".join(one.rules)
        title = f"Refused by {one.by}: {one.user}, {rules}"
        drawn = [Drawn(planner.of_refusal(one), rules)]
        yield ArrowShape(Kind.REFUSED, "none", one.by, title, ()), drawn


def _drawing(
    name: str, judged: Judged, planner: Planner, shapes: list[_Shape], measures: Measures
) -> Drawing:
    paths = [path for call in judged.result.calls for path in call.media]
    beyond = [Drawn(planner.along(way)) for way in tails(judged.run.network, paths)]
    every = [*(one for _, drawn in shapes for one in drawn), *beyond]
    picture = draw(planner.scenery, every, measures)
    lines = iter(picture.lines)
    arrows = tuple(
        replace(shape, lines=tuple(next(lines) for _ in drawn)) for shape, drawn in shapes
    )
    return Drawing(name, picture, arrows, tuple(lines))


def _calls(judged: Judged) -> Iterator[CallPart]:
    network = judged.run.network
    guarded = {one.link: one.name for one in network.firewalls if one.name in judged.run.policies}
    for call in judged.evidence.calls:
        yield CallPart(
            result=call.result,
            rungs=tuple(rungs(call.result)),
            media=tuple(
                MediaPart(path, tuple(_way(network, guarded, path))) for path in call.result.media
            ),
            candidates={
                user: tuple(candidates(network, call, user)) for user in call.result.participants
            },
        )


def _way(network: Network, guarded: dict[str, str], path: MediaPath) -> Iterator[Station]:
    """The hosts of a path, and the firewalls between them."""
    taps = {tap.name: tap for tap in network.taps()}
    passed = [taps[name] for name in path.taps if name in taps]
    for number, (here, there) in enumerate(pairwise(passed)):
        if number == 0:
            yield Station(here.host, False)
        if here.host != there.host:
            if here.link in guarded and here.link == there.link:
                yield Station(guarded[here.link], True)
            yield Station(there.host, False)


def _policies(judged: Judged) -> Iterator[PolicyPart]:
    counted = judged.ending.firewalls if judged.ending else {}
    for firewall, policy in judged.run.policies.items():
        counts = counted.get(firewall, {})
        yield PolicyPart(
            firewall=firewall,
            policy=policy,
            rows=tuple(RuleRow(rule, counts.get(rule.name)) for rule in policy.rules),
            house=tuple((rule, counts[rule]) for rule in HOUSE if counts.get(rule)),
        )


def _captures(judged: Judged, there: Collection[str]) -> Iterator[CapturePart]:
    """The cited frames by their captures, in the order in which they are first cited."""
    by_file: dict[str, list[Citation]] = {}
    for citation in judged.result.citations:
        by_file.setdefault(citation.file, []).append(citation)
    for file, cited in by_file.items():
        yield CapturePart(file, file in there, tuple(cited))
