"""A call told in the terms of its signalling, for tests of what is read after that."""

from collections.abc import Sequence
from typing import cast

from results.protocols.sdp import Candidate, CandidateType, Description
from results.setup.calls import Call
from results.setup.signalling import Act, Carrier, Message
from tests.results.story import Hop, Story, back, end, ends, signed, xored

SNI = "front-end.service.example"

USERNAME = 0x0006
USE_CANDIDATE = 0x0025
ICE_CONTROLLING = 0x802A
#: What a controlling agent adds to a check that nominates.
NOMINATION = ((USE_CANDIDATE, b""), (ICE_CONTROLLING, bytes(8)))
MAPPED = 0x0020
REQUEST, SUCCESS = 0x0001, 0x0101


def described(user: str, *candidates: str, fingerprint: str = "") -> Description:
    """A description with candidates written as "host 10.10.0.11:50000"."""
    pairs = [candidate.split() for candidate in candidates]
    found = tuple(Candidate(cast(CandidateType, kind), "udp", end(at)) for kind, at in pairs)
    prints = frozenset({("sha-256", fingerprint)}) if fingerprint else frozenset[tuple[str, str]]()
    return Description(f"{user}-ufrag", password(user), found, prints)


def password(user: str) -> str:
    """The ICE password of a user."""
    return f"the-ice-password-of-{user}"


def message(
    act: Act, user: str, row: int, *, told: bool = False, to: str = "", syn_row: int = 0
) -> Message:
    """A message of call "c1" at a row."""
    return Message(act, "c1", Carrier(syn_row, SNI, user), told, row, to)


def a_call(caller: Description, callee: Description, callee_name: str = "bob") -> Call:
    """Alice calls someone; messages stand at rows 10, 20, 30, 40, 50 and 51."""
    return Call(
        id="c1",
        caller="alice",
        callee=callee_name,
        described={"alice": caller, callee_name: callee},
        invite=message(Act.INVITE, "alice", 10, to=callee_name),
        notified=message(Act.INVITE, callee_name, 20, told=True),
        answered=message(Act.ANSWER, callee_name, 30),
        told=message(Act.ANSWER, "alice", 40, told=True),
        reports={
            "alice": message(Act.REPORT, "alice", 50),
            callee_name: message(Act.REPORT, callee_name, 51),
        },
    )


def check(
    story: Story,
    route: Sequence[Hop],
    sockets: tuple[str, str],
    users: tuple[str, str],
    transaction: int,
    *,
    nominate: bool = False,
    mapped: str = "",
    key: str = "",
    answered: bool = True,
) -> None:
    """A check from the first user to the second along a plain route, and its answer."""
    sender, receiver = users
    key = key or password(receiver)
    request = signed(
        REQUEST,
        transaction,
        key,
        (USERNAME, f"{receiver}-ufrag:{sender}-ufrag".encode()),
        *(NOMINATION if nominate else ()),
    )
    story.send(route, ends(*sockets), request)
    if answered:
        seen = (MAPPED, xored(end(mapped or sockets[0])))
        answer = signed(SUCCESS, transaction, key, seen)
        story.send(back(route), ends(*sockets).reversed(), answer)


def request(sender: str, receiver: str, transaction: int, *, nominate: bool = False) -> bytes:
    """A check of one user of the other."""
    name = (USERNAME, f"{receiver}-ufrag:{sender}-ufrag".encode())
    return signed(REQUEST, transaction, password(receiver), name, *(NOMINATION if nominate else ()))


def answer(receiver: str, transaction: int, mapped: str) -> bytes:
    """The answer of the user who was checked, with the address that the check came from."""
    return signed(SUCCESS, transaction, password(receiver), (MAPPED, xored(end(mapped))))
