"""That impaired cables did what their description says, no less and no more.

A packet that is lost on a cable that is to lose some is no hole in the evidence, as long
as chance explains how many are: each is lost by itself, so their number is binomial. Where
fewer than one run in a million would lose so many, or so few, something else lost them, or
nothing was lost on purpose.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, fsum, lgamma, log
from statistics import quantiles

from results.fates import Fates
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.schema import Ending
from results.tracing.lines import Hop, Line
from results.tracing.paths import Path
from results.tracing.places import Places
from results.tracing.sightings import Sighting, Way
from results.tunnelling.vpn import Findings, Remark
from results.words import packets_in_words
from topologies.spec import Network

_MILLISECOND = 1e6

#: How probable a number of lost packets must be, with all that are less probable.
_PROBABLE = 1e-6

#: By how much the median delay over a cable may differ from what was asked, in ms.
TOLERANCE = 10.0

#: Fewer packets than this tell no median.
_ENOUGH = 8


@dataclass
class Crossed:
    """The packets that took an impaired hop: how long each took, and which were lost there."""

    link: str
    sender: str
    line: Line
    is_cable: bool
    #: In ms.
    delays: list[float] = field(default_factory=list)
    lost: list[Sighting] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many packets took the hop."""
        return len(self.delays) + len(self.lost)


def impaired_findings(table: PacketTable, crossed: Collection[Crossed]) -> Findings:
    """What impaired hops did to the packets that took them."""
    return Findings(
        remarks=tuple(Remark(_words(one)) for one in crossed if one.is_cable),
        problems=tuple(problem for one in crossed for problem in _problems(table, one)),
    )


def crossings(places: Places, paths: Iterable[Path], fates: Fates, end: int) -> tuple[Crossed, ...]:
    """The impaired hops that UDP packets took before ``end``, in ns."""
    found: dict[Hop, Crossed] = {}
    for path in paths if places.lines else ():
        for here, there in pairwise(path.sightings):
            if here.way is Way.OUT and there.way is Way.IN and here.time < end:
                one = _hop(places, found, here)
                if one:
                    one.delays.append((there.time - here.time) / _MILLISECOND)
        if path.last.time < end and fates.is_by_chance(path):
            one = _hop(places, found, path.last)
            if one:
                one.lost.append(path.last)
    return tuple(found.values())


def _hop(places: Places, found: dict[Hop, Crossed], seen: Sighting) -> Crossed | None:
    """The impaired hop that a packet takes next, if it is one."""
    tap, far = seen.tap, seen.far
    if far is None or (tap.name, far.name) not in places.lines:
        return None
    name = tap.link or tap.tunnel or ""
    new = Crossed(name, tap.host, places.line(tap, far), tap.tunnel is None)
    return found.setdefault((tap.name, far.name), new)


def _problems(table: PacketTable, one: Crossed) -> Iterator[Problem]:
    if one.line.loss and not is_plausible(len(one.lost), one.count, one.line.loss):
        frames = tuple(cite(table, seen.row, "lost on the way") for seen in one.lost[:1])
        text = (
            f"{one.link} lost {len(one.lost):,} of {packets_in_words(one.count)} of {one.sender}, "
            f"of which it is to lose {_percent(one.line.loss)}: chance does not explain that"
        )
        yield Problem(Ground.HOLE, text, frames)
    if one.is_cable and len(one.delays) >= _ENOUGH and _is_off(one):
        median, _ = _delay(one)
        text = (
            f"{one.link} delayed what {one.sender} sends by {median:.1f} ms (median), "
            f"not by the {_asked(one.line)} that were asked for: was the machine too busy?"
        )
        yield Problem(Ground.HOLE, text)


def _is_off(one: Crossed) -> bool:
    asked, may_differ = one.line.delay / _MILLISECOND, one.line.jitter / _MILLISECOND + TOLERANCE
    return abs(_delay(one)[0] - asked) > may_differ


def _delay(one: Crossed) -> tuple[float, float]:
    """Median and 99th percentile in ms."""
    found = quantiles(one.delays, n=100, method="inclusive")
    return found[49], found[98]


def _words(one: Crossed) -> str:
    said = f"{packets_in_words(one.count)} of {one.sender} over {one.link}"
    if one.line.delay and len(one.delays) > 1:
        median, slow = _delay(one)
        said += f" in {median:.1f} ms (p99 {slow:.1f}, {_asked(one.line)} asked)"
    if one.line.loss:
        said += f", {len(one.lost):,} lost ({_percent(one.line.loss)} asked)"
    return said


def _asked(line: Line) -> str:
    jitter = f" ± {line.jitter / _MILLISECOND:g}" if line.jitter else ""
    return f"{line.delay / _MILLISECOND:g}{jitter} ms"


def _percent(loss: float) -> str:
    return f"{loss * 100:g} %"


def is_plausible(lost: int, count: int, loss: float) -> bool:
    """Whether so many of ``count`` packets are lost by chance, each with probability ``loss``."""
    as_many = fsum(_probability(k, count, loss) for k in range(lost, count + 1))
    as_few = fsum(_probability(k, count, loss) for k in range(lost + 1))
    return min(as_many, as_few) >= _PROBABLE


def _probability(k: int, count: int, loss: float) -> float:
    """The binomial distribution."""
    ways = lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1)
    return exp(ways + k * log(loss) + (count - k) * log(1 - loss))


def count_problems(
    network: Network, ending: Ending, crossed: Iterable[Crossed]
) -> Iterator[Problem]:
    """Impaired cables that tell otherwise than the captures, or had no room for frames."""
    for link in network.links:
        counts = ending.lines.get(link.name, {})
        if not {one.sender for one in link.impairments} <= counts.keys():
            text = f"ending.json does not tell what became of frames on {link.name}"
            yield Problem(Ground.HOLE, text)
        for sender, count in counts.items():
            if count.overflowed:
                many = packets_in_words(count.overflowed)
                text = f"the middle of {link.name} had no room for {many} of {sender}"
                yield Problem(Ground.HOLE, f"{text}, which nobody asked it to lose")
    for one in crossed:
        told = ending.lines.get(one.link, {}).get(one.sender)
        if one.is_cable and told and len(one.lost) > told.lost:
            text = (
                f"the captures show {packets_in_words(len(one.lost))} of {one.sender} lost on "
                f"{one.link}, which lost {told.lost:,} on purpose"
            )
            yield Problem(Ground.HOLE, text)
