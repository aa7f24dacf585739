"""By which perimeter users leave the customer network, and whether a peering is private."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from results.problems import Ground, Problem
from results.schema import Citation, Run
from results.tunnelling.vpn import Findings, Remark
from results.words import listed
from topologies.spec import Network, Segment


class Course(NamedTuple):
    """A connection or conversation: its hosts from the one that opened it, and what shows it."""

    what: str
    hosts: tuple[str, ...]
    citation: Citation


def exit_findings(run: Run, courses: Iterable[Course]) -> Findings:
    """Whether all that users opened left where it is expected."""
    if not run.expect.exits:
        return Findings()
    leaving = [course for course in courses if _exit(run.network, course)]
    found = {
        user: [course for course in leaving if course.hosts[0] == user] for user in run.expect.exits
    }
    return Findings(
        remarks=tuple(_remarks(run, found)),
        problems=tuple(
            problem
            for user, own in found.items()
            for problem in _problems(run.network, user, run.expect.exits[user], own)
        ),
    )


def _exit(network: Network, course: Course) -> str | None:
    """The perimeter of the customer network that a course passes, outward."""
    own = {one.host for one in network.perimeters if _is_customers(network, one.host)}
    first = network.host(course.hosts[0])
    if first.segment is not Segment.CUSTOMER:
        return None
    return next((host for host in course.hosts if host in own), None)


def _is_customers(network: Network, host: str) -> bool:
    return network.host(host).segment is Segment.CUSTOMER


def _problems(
    network: Network, user: str, expected: str, courses: list[Course]
) -> Iterator[Problem]:
    if not courses:
        text = f"nothing that {user} opened was seen to leave the customer network"
        yield Problem(Ground.FLOWS, text)
    others = (course for course in courses if _exit(network, course) != expected)
    for other in list(others)[:1]:
        text = (
            f"{user} leaves the customer network by {_exit(network, other)}, not by {expected}: "
            f"{other.what} ({_where(other)})"
        )
        yield Problem(Ground.FLOWS, text, (other.citation,))
    public = (course for course in courses if _is_peering(network, expected))
    for course in public:
        over = [host for host in course.hosts if _is_internet(network, host)]
        if over:
            text = f"{expected} leads {user} over the internet, by {over[0]}: {course.what}"
            yield Problem(Ground.FLOWS, f"{text} ({_where(course)})", (course.citation,))
            return


def _is_peering(network: Network, router: str) -> bool:
    """Whether a perimeter leads to the service itself."""
    (perimeter,) = (one for one in network.perimeters if one.host == router)
    return network.link(perimeter.outside).segment is Segment.SERVICE


def _is_internet(network: Network, host: str) -> bool:
    return network.host(host).segment is Segment.INTERNET


def _where(course: Course) -> str:
    return f"frame {course.citation.frame} of {course.citation.tap}"


def _remarks(run: Run, found: Mapping[str, list[Course]]) -> Iterator[Remark]:
    for user, courses in found.items():
        router = run.expect.exits[user]
        way = ", over no link of the internet" if _is_peering(run.network, router) else ""
        exits = list(dict.fromkeys(filter(None, (_exit(run.network, one) for one in courses))))
        text = f"all {len(courses)} that {user} opened left by {listed(exits)}{way}"
        yield Remark(text, tuple(course.citation for course in courses[:1]))
