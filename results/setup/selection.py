"""The pair that a call selected, as each end sees it.

The nominated pair is that of the last nominating check that was answered before
media began (RFC 8445, section 8.1.1: USE-CANDIDATE in a check that succeeds).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.sdp import CandidateType, Description, End
from results.schema import Citation, Claim, Endpoint, Selected
from results.setup.calls import Call
from results.setup.checks import Check, Pair, received_on, sent_on
from results.tracing.paths import Path
from results.tracing.places import Places
from topologies.addresses import address_of, with_port


@dataclass(frozen=True)
class Selection:
    """The nomination, the pair of each end, and the result's view of it."""

    nomination: Check | None
    pairs: Mapping[str, Pair]
    selected: Mapping[str, Selected]
    problems: tuple[Problem, ...]
    #: The frame that shows the nomination's success.
    citation: Citation | None = None


def selection_of(
    table: PacketTable, call: Call, checks: Mapping[str, list[Check]], media_began: int | None
) -> Selection:
    """What ICE selected; ``media_began`` in ns, None when there was no media."""
    answered = [
        check
        for check in (*checks[call.caller], *checks[call.callee])
        if check.nominates
        and check.response
        and (media_began is None or check.answered_at < media_began)
    ]
    succeeded = [check for check in answered if check.succeeded_at]
    if not succeeded:
        return Selection(None, {}, {}, ())
    nomination = max(succeeded, key=lambda check: check.succeeded_at)
    other = max(answered, key=lambda check: check.answered_at)
    problems = list(_disagreement(table, call, nomination, other))
    ends = list(_ends(call, checks, nomination))
    problems += _unanswered(table, call, nomination, [user for user, _, _ in ends])
    row = nomination.response.last.row if nomination.response else 0
    return Selection(
        nomination=nomination,
        pairs={user: pair for user, pair, _ in ends},
        selected={user: _selected(call, user, pair, seen) for user, pair, seen in ends},
        problems=tuple(problems),
        citation=cite(table, row, f"the pair that call {call.id} selected"),
    )


def _disagreement(
    table: PacketTable, call: Call, nomination: Check, other: Check
) -> Iterator[Problem]:
    """The controlled end answered another nomination later than the one that succeeded last."""
    if other is nomination or nomination.response is None or other.response is None:
        return
    mine, theirs = nomination.sent_on, other.sent_on
    controlled = call.other(other.sender)
    yield Problem(
        Ground.CALL,
        f"the ends of call {call.id} selected different pairs: {nomination.sender} "
        f"{pair_in_words(mine)}, but {controlled} answered last for {pair_in_words(theirs)}",
        (
            cite(table, nomination.response.last.row, f"success that {nomination.sender} saw last"),
            cite(table, other.response.first.row, f"success that {controlled} sent last"),
        ),
    )


def _ends(
    call: Call, checks: Mapping[str, list[Check]], nomination: Check
) -> Iterator[tuple[str, Pair, End]]:
    """Each end with its pair and the address from which the other end saw it come.

    That is XOR-MAPPED-ADDRESS in the answer to the end's own check on the pair
    (RFC 8445, section 7.2.5.3.1).
    """
    if nomination.mapped:
        yield nomination.sender, nomination.sent_on, nomination.mapped
    controlled = call.other(nomination.sender)
    for check in checks[controlled]:
        if check.sent_on == nomination.received_on and check.succeeded_at and check.mapped:
            yield controlled, check.sent_on, check.mapped
            return


def _unanswered(
    table: PacketTable, call: Call, nomination: Check, known: list[str]
) -> Iterator[Problem]:
    for user in call.participants:
        if user not in known:
            row = nomination.request.first.row
            yield Problem(
                Ground.CALL,
                f"no check of {user} on the nominated pair of call {call.id} was answered",
                (cite(table, row, "the request that nominates the pair"),),
            )


def _selected(call: Call, user: str, pair: Pair, seen: End) -> Selected:
    own, other = call.described[user], call.described[call.other(user)]
    kind: CandidateType = "relay" if pair.relayed else own.type_of(seen)
    return Selected(local=endpoint(kind, seen), remote=_remote(other, pair, seen))


def _remote(other: Description, pair: Pair, seen: End) -> Endpoint:
    remote = pair.remote or seen
    return endpoint(other.type_of(remote), remote)


def endpoint(kind: CandidateType, end: End) -> Endpoint:
    """An end as the result names it."""
    return Endpoint(type=kind, address=str(address_of(end[0])), port=end[1], protocol="udp")


def off_the_pair(
    table: PacketTable, places: Places, call: Call, selection: Selection, paths: Iterable[Path]
) -> Iterator[Problem]:
    """Media that arrived, but on another pair than the nominated one."""
    for path in {(path.first.ends, path.last.ends): path for path in paths}.values():
        for user, used in (
            (path.origin, sent_on(places, path)),
            (path.target, received_on(places, path)),
        ):
            pair = selection.pairs.get(user)
            if pair and used != pair:
                yield Problem(
                    Ground.CALL,
                    f"media of call {call.id} runs at {user} on {pair_in_words(used)}, "
                    f"but the nominated pair is {pair_in_words(pair)}",
                    (cite(table, path.first.row, "media beside the nominated pair"),),
                )


def claim_problems(call: Call, selection: Selection, claims: Mapping[str, Claim]) -> list[Problem]:
    """Where what a participant says of itself differs from the captures, or is not there."""
    problems = (
        _claim_problem(call, user, selection, claims.get(user))
        for user in call.participants
        if user in selection.pairs
    )
    return [problem for problem in problems if problem]


def _claim_problem(
    call: Call, user: str, selection: Selection, claim: Claim | None
) -> Problem | None:
    if claim is None:
        text = f"{user} left no claim of the pair that it selected in call {call.id}"
        return Problem(Ground.NO_CLAIM, text)
    for what, claimed, shown in (
        ("local", claim.local, _sending_end(selection, user)),
        ("remote", claim.remote, selection.selected[user].remote),
    ):
        if not _agree(claimed, shown):
            return Problem(
                Ground.CLAIM,
                f"{user} claims the {what} end {_words(claimed)} as selected in call {call.id}, "
                f"but the captures show {_words(shown)}",
                (selection.citation,) if selection.citation else (),
            )
    return None


def _sending_end(selection: Selection, user: str) -> Endpoint:
    """What an agent names as its own end: its socket, or its relay's if that sends for it."""
    pair = selection.pairs[user]
    return selection.selected[user].local if pair.relayed else endpoint("host", pair.base)


def _agree(claimed: Endpoint, shown: Endpoint) -> bool:
    """Equal but for the type where an end had not yet been told of a candidate.

    It takes an address for peer reflexive until the other's SDP arrives (RFC
    8445, section 7.3.1.3).
    """
    types = {claimed.type, shown.type}
    return (len(types) == 1 or "prflx" in types) and _place(claimed) == _place(shown)


def _place(endpoint: Endpoint) -> tuple[str, int, str]:
    return endpoint.address, endpoint.port, endpoint.protocol


def _words(endpoint: Endpoint) -> str:
    return f"{with_port(endpoint.address, endpoint.port)}/{endpoint.protocol} ({endpoint.type})"


def pair_in_words(pair: Pair) -> str:
    """A pair as people write it: from where to where, and whether through the relay."""
    remote = text_of(pair.remote) if pair.remote else "an unknown peer"
    relay = " (through its relay)" if pair.relayed else ""
    return f"{text_of(pair.base)}{relay} to {remote}"


def text_of(end: End) -> str:
    """An end as people write it."""
    return with_port(address_of(end[0]), end[1])
