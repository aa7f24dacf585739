"""ICE as packets without keys show it: who checked which pair, and which pair was nominated.

A check is a Binding request whose USERNAME names two ufrags, the receiver's first
(RFC 8445, section 7.2.2); its answer has the same transaction id. Whether the password
was right cannot be told: MESSAGE-INTEGRITY needs it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from results.inspection.conversations import Conversation
from results.packets import Kind
from results.protocols import stun


@dataclass(frozen=True)
class Check:
    """One transaction on a candidate pair."""

    sender: str
    receiver: str
    #: Direction of the request in its conversation.
    direction: int
    #: Rows of the request and of its success response; None where that was not seen.
    request: int
    answer: int | None
    #: Whether the request has USE-CANDIDATE, as only a controlling agent may send it (8.1.1).
    nominates: bool
    #: The agent that the sender says it is; None where it does not.
    controlling: bool | None


def checks_of(conversation: Conversation) -> list[Check]:
    """The checks of a conversation, by the times of their first requests."""
    requests: dict[bytes, tuple[int, int, stun.Message]] = {}
    answers: dict[bytes, tuple[int, int]] = {}
    for row, direction, message in _bindings(conversation):
        if message.message_class is stun.Class.REQUEST:
            requests.setdefault(message.transaction_id, (row, direction, message))
        elif message.message_class is stun.Class.SUCCESS:
            answers.setdefault(message.transaction_id, (row, direction))
    found = (
        _check(message, row, direction, answers.get(transaction))
        for transaction, (row, direction, message) in requests.items()
    )
    return sorted((check for check in found if check), key=lambda check: check.request)


def _bindings(conversation: Conversation) -> Iterator[tuple[int, int, stun.Message]]:
    """Binding messages of all lanes, with row and direction, by time."""
    for row, direction in _stun_rows(conversation):
        table = conversation.ways[0].lane.table
        try:
            message = stun.parse(table.innermost(row))
        except stun.StunError:
            continue
        if message.method == stun.Method.BINDING:
            yield row, direction, message


def _stun_rows(conversation: Conversation) -> Iterable[tuple[int, int]]:
    found = []
    for way in conversation.ways:
        rows = way.lane.of_kind(Kind.STUN).tolist()
        found += [(row, int(way.lane.goes_forward(row) is way.turned)) for row in rows]
    return sorted(found)


def _check(
    message: stun.Message, row: int, direction: int, answer: tuple[int, int] | None
) -> Check | None:
    """The check that a request is; None where it names no two ufrags."""
    try:
        receiver, colon, sender = (message.username or "").partition(":")
    except stun.StunError:
        return None
    if not (receiver and colon and sender):
        return None
    back = answer[0] if answer and answer[1] != direction else None
    controlling = message.find(stun.AttributeType.ICE_CONTROLLING) is not None
    controlled = message.find(stun.AttributeType.ICE_CONTROLLED) is not None
    return Check(
        sender=sender,
        receiver=receiver,
        direction=direction,
        request=row,
        answer=back,
        nominates=message.use_candidate and controlling,
        controlling=controlling if controlling or controlled else None,
    )
