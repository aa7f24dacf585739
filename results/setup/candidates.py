"""Whether offers and answers carry the candidates that they should, and only the sender's own.

A host candidate is an address of the sender's interfaces, a reflexive one what a
server told the sender that its packets come from, a relayed one an address that a
relay allocated to the sender (RFC 8445, section 5.1.1).
"""

from collections.abc import Iterable, Iterator

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols import stun
from results.protocols.sdp import Candidate, End
from results.setup.calls import Call
from results.setup.checks import Spoken
from results.setup.selection import text_of
from results.setup.signalling import Message
from results.setup.turn import Turn
from results.tracing.places import Places


def candidate_problems(
    table: PacketTable,
    places: Places,
    spoken: Iterable[Spoken],
    turn: Turn,
    call: Call,
    *,
    relay_only: bool = False,
) -> Iterator[Problem]:
    """Candidates that an invite or answer lacks, or that are not the sender's.

    Where it is ``relay_only``, nothing but relayed candidates may be told (RFC 9429,
    section 3.5.3).
    """
    told = list(spoken)
    for said in filter(None, (call.invite, call.answered)):
        user, own = said.user, call.described[said.user].candidates
        mapped = set(_mapped(told, user))
        relayed = {one.relayed for one in turn.allocations if one.user == user}
        allocated = any(
            one.user == user and one.time <= table.time[said.row] for one in turn.allocations
        )
        if relay_only:
            yield from _not_relayed(table, said, own)
        else:
            yield from _missing(table, said, own, allocated=allocated)
        for candidate in own:
            if not _belongs(places, user, candidate, mapped, relayed):
                yield _foreign(table, said, candidate)


def _missing(
    table: PacketTable, said: Message, own: tuple[Candidate, ...], *, allocated: bool
) -> Iterator[Problem]:
    types = {candidate.type for candidate in own}
    wanted = {"host": ""}
    if allocated:
        wanted["relay"] = ", although a relay had allocated an address"
    for kind, why in wanted.items():
        if kind not in types:
            text = f"the {said.act} of {said.user} in call {said.call} has no {kind} candidate{why}"
            yield Problem(Ground.CALL, text, (cite(table, said.row, f"the {said.act}"),))


def _not_relayed(
    table: PacketTable, said: Message, own: tuple[Candidate, ...]
) -> Iterator[Problem]:
    for candidate in own:
        if candidate.type != "relay":
            text = (
                f"the {said.act} of {said.user} in call {said.call} declares the {candidate.type} "
                f"candidate {text_of(candidate.end)}, although only relayed ones may be used"
            )
            yield Problem(Ground.CALL, text, (cite(table, said.row, f"the {said.act}"),))


def _belongs(
    places: Places, user: str, candidate: Candidate, mapped: set[End], relayed: set[End]
) -> bool:
    match candidate.type:
        case "host":
            return places.owner(candidate.end[0]) == user
        case "relay":
            return candidate.end in relayed
        case _:
            return candidate.end in mapped


def _foreign(table: PacketTable, said: Message, candidate: Candidate) -> Problem:
    why = {
        "host": "is no address of its interfaces",
        "relay": "no relay allocated to it",
    }.get(candidate.type, "no server told it of")
    return Problem(
        Ground.CALL,
        f"the {said.act} of {said.user} in call {said.call} declares the {candidate.type} "
        f"candidate {text_of(candidate.end)}, which {why} (frame {table.frame[said.row]} of "
        f"{table.tap_name(said.row)})",
        (cite(table, said.row, f"the {said.act} with a candidate that is not the sender's"),),
    )


def _mapped(spoken: Iterable[Spoken], user: str) -> Iterator[End]:
    """The addresses from which servers saw a user's packets come."""
    for item in spoken:
        arrived = item.path.complete and item.path.target == user
        if arrived and item.message.message_class is stun.Class.SUCCESS:
            try:
                address = item.message.xor_mapped_address
            except stun.StunError:
                continue
            if address:
                yield int(address.ip), address.port
