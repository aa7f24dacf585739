"""What users and the service said to each other over HTTPS, opened with the users' key logs.

The REST surface (hosts by role, names from the network's description)::

    front end  POST   /v1/calls                          invite
               GET    /v1/users/USER/notifications       long poll: invite, answer, …
               POST   /v1/calls/CALL/answer              answer
               POST   /v1/calls/CALL/offers              offer that restarts ICE
               POST   /v1/calls/CALL/candidates          trickled candidate
               POST   /v1/calls/CALL/messages            chat
               DELETE /v1/calls/CALL                     hang-up
    telemetry  POST   /v1/reports                        report

A message stands at the row where its last byte passed the user's own tap; a
request counts when it was answered with success, and an invite also when it was
refused, together with the error that it was answered with. Requests tell users by their
identities; whose one is, its tokens show.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from results.clear_text import Secret, leaks
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.http import Exchange, HttpError, exchanges
from results.protocols.sdp import read_description
from results.protocols.tls import AES_256_GCM, TLS_1_2, Connection, TlsError, connections
from results.protocols.tls_clear import refusal
from results.setup.bearers import Borne, bearer_problems, identities_of, tokens_of
from results.setup.service_keys import ServiceKeys
from results.tracing.places import Places
from topologies.spec import Role

KeyLogs = Mapping[str, Mapping[bytes, bytes]]


class Carrier(NamedTuple):
    """The connection that carried a message: the row of its SYN, the name asked for, the user."""

    syn_row: int
    server_name: str
    user: str


class Act(StrEnum):
    """What a message does, by the words of the notifications."""

    INVITE = "invite"
    ANSWER = "answer"
    OFFER = "offer"
    CANDIDATE = "candidate"
    HANGUP = "hangup"
    REPORT = "report"
    CHAT = "chat"
    #: An invite that the service refused; what is told of it is why.
    REFUSED = "refused"


#: What is said by a POST below a call's own path.
_SAID_IN_CALLS = {
    "answer": Act.ANSWER,
    "offers": Act.OFFER,
    "candidates": Act.CANDIDATE,
    "messages": Act.CHAT,
}


@dataclass(frozen=True)
class Message:
    """One message of the signalling at the tap of a user, who sent it or was told it."""

    act: Act
    call: str
    carrier: Carrier
    told: bool
    row: int
    to: str = ""
    sdp: str = ""
    candidate: str = ""
    text: str = ""
    #: Of a refusal, HTTP's and that of the error body.
    status: int = 0
    code: str = ""

    @property
    def user(self) -> str:
        """The user at whose tap the message stands."""
        return self.carrier.user


@dataclass(frozen=True)
class Signalling:
    """All messages in the order of their rows, and what could not be read."""

    messages: tuple[Message, ...]
    problems: tuple[Problem, ...]
    #: What must not cross in clear, each once.
    secrets: tuple[Secret, ...] = ()


def read_signalling(
    table: PacketTable, places: Places, keys: KeyLogs, service: ServiceKeys | None = None
) -> Signalling:
    """The messages of every user that has a key log; ``keys`` maps users to their TLS keys.

    ``service`` is what tokens are checked with; None where users bear none.
    """
    messages: list[Message] = []
    problems: list[Problem] = []
    secrets: list[Secret] = []
    granted: list[Borne] = []
    for carrier, exchange in _spoken(table, places, keys, problems):
        role = places.domains[carrier.server_name].role
        messages += messages_of(role, carrier, exchange)
        secrets += _credentials(carrier.user, exchange)
        granted += [Borne(carrier.user, exchange)] if _is_granted(exchange) else []
    granted.sort(key=lambda borne: borne.exchange.request_time)
    if service:
        problems += bearer_problems(table, granted, service.tokens)
        secrets += (Secret("the access key", service.access), *tokens_of(granted))
    messages = _by_name(messages, identities_of(granted))
    secrets += (item for message in messages for item in _passwords(message))
    problems += leaks(table, secrets)
    messages.sort(key=lambda message: message.row)
    return Signalling(tuple(messages), tuple(problems), tuple(dict.fromkeys(secrets)))


def _spoken(
    table: PacketTable, places: Places, keys: KeyLogs, problems: list[Problem]
) -> Iterator[tuple[Carrier, Exchange]]:
    """All requests with their responses; what cannot be read is added to ``problems``."""
    for user, connection in spoken_to(table, places, keys):
        # Without a ServerHello nothing was said, nor where the client refused what it was shown.
        if connection.version is None or refusal(connection):
            continue
        problems += weak_tls(table, user, connection)
        if connection.version == TLS_1_2:
            carrier = Carrier(connection.syn_row, connection.sni or "", user)
            try:
                for exchange in exchanges(connection.decrypt(keys[user])):
                    yield carrier, exchange
            except (TlsError, HttpError) as error:
                problems.append(_unreadable(table, connection, error))


def spoken_to(
    table: PacketTable, places: Places, users: Collection[str]
) -> Iterator[tuple[str, Connection]]:
    """The TLS connections of users with the front end and telemetry, each with its user."""
    for index, tap in enumerate(table.taps):
        if tap.host not in users or not (tap.link or tap.tunnel):
            continue
        for connection in connections(table, index):
            server = places.domains.get(connection.sni or "")
            if server is not None and server.role in (Role.FRONT_END, Role.TELEMETRY):
                yield tap.host, connection


def weak_tls(table: PacketTable, user: str, connection: Connection) -> Iterator[Problem]:
    """A connection that is not TLS 1.2 with AES-256-GCM."""
    if connection.version != TLS_1_2 or connection.suite not in AES_256_GCM:
        frame = cite(table, connection.syn_row, "opens a connection of the wrong TLS")
        used = f"version 0x{connection.version or 0:04X} with suite 0x{connection.suite or 0:04X}"
        text = (
            f"signalling of {user} with {connection.sni} is TLS {used}, not TLS 1.2 with "
            f"AES-256-GCM (opened by frame {frame.frame} of {frame.tap})"
        )
        yield Problem(Ground.CALL, text, (frame,))


def _by_name(messages: Iterable[Message], owners: Mapping[str, str]) -> list[Message]:
    """The messages with users' names in place of their identities."""
    return [replace(message, to=owners.get(message.to, message.to)) for message in messages]


def _credentials(user: str, exchange: Exchange) -> Iterator[Secret]:
    """What a user got to authenticate with the relay: once, or in each ICE server."""
    body = _object(exchange.response_body or b"")
    servers = body.get("iceServers")
    for server in (body, *(servers if isinstance(servers, list) else ())):
        credential = _text(server, "credential") if isinstance(server, dict) else ""
        if credential:
            yield Secret(f"the TURN credential of {user}", credential)


def _passwords(message: Message) -> Iterator[Secret]:
    """The ICE password of an offer or answer, at the user who made it."""
    password = "" if message.told else read_description(message.sdp).pwd
    if password:
        yield Secret(f"the ICE password of {message.user} in call {message.call}", password)


def _unreadable(table: PacketTable, connection: Connection, error: TlsError | HttpError) -> Problem:
    frame = cite(table, connection.syn_row, "opens a connection that cannot be read")
    return Problem(Ground.KEYS, f"signalling cannot be read: {error}", (frame,))


def _is_granted(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def messages_of(role: Role, carrier: Carrier, exchange: Exchange) -> Iterator[Message]:
    """The messages of one exchange with a server of this role; if refused, only of an invite."""
    path = urlsplit(exchange.target).path.strip("/").split("/")
    if not _is_granted(exchange):
        if (role, exchange.method, *path) == (Role.FRONT_END, "POST", "v1", "calls"):
            yield from _refused(carrier, exchange)
        return
    match (role, exchange.method, *path):
        case (Role.FRONT_END, "GET", "v1", "users", _, "notifications"):
            yield from _told(carrier, exchange)
        case (Role.FRONT_END, "POST", "v1", "calls"):
            yield from _sent(Act.INVITE, "", carrier, exchange)
        case (Role.FRONT_END, "POST", "v1", "calls", call, kind) if kind in _SAID_IN_CALLS:
            yield from _sent(_SAID_IN_CALLS[kind], call, carrier, exchange)
        case (Role.FRONT_END, "DELETE", "v1", "calls", call):
            yield from _sent(Act.HANGUP, call, carrier, exchange)
        case (Role.TELEMETRY, "POST", "v1", "reports"):
            yield from _sent(Act.REPORT, "", carrier, exchange)


def _sent(act: Act, call: str, carrier: Carrier, exchange: Exchange) -> Iterator[Message]:
    body = _object(exchange.body)
    named = unquote(call) or _text(body, "call")
    if named:
        yield _message(act, named, carrier, body, row=exchange.request_row, told=False)


def _refused(carrier: Carrier, exchange: Exchange) -> Iterator[Message]:
    """An invite and the error that it was answered with; nothing where no answer was seen."""
    row, status = exchange.response_row, exchange.status
    if row is None or status is None or status < HTTPStatus.BAD_REQUEST:
        return
    for invite in _sent(Act.REFUSED, "", carrier, exchange):
        yield invite
        said = _object(exchange.response_body or b"").get("error")
        error = said if isinstance(said, dict) else {}
        text, code = _text(error, "message"), _text(error, "code")
        yield replace(invite, told=True, row=row, sdp="", text=text, status=status, code=code)


def _told(carrier: Carrier, exchange: Exchange) -> Iterator[Message]:
    notices = _object(exchange.response_body or b"").get("notifications")
    row = exchange.response_row
    if row is None or not isinstance(notices, list):
        return
    for notice in notices:
        if isinstance(notice, dict) and notice.get("type") in set(Act):
            act, call = Act(notice["type"]), _text(notice, "call")
            yield _message(act, call, carrier, notice, row=row, told=True)


def _message(
    act: Act, call: str, carrier: Carrier, body: Mapping[str, Any], *, row: int, told: bool
) -> Message:
    to, sdp, candidate, text = (_text(body, key) for key in ("to", "sdp", "candidate", "text"))
    return Message(act, call, carrier, told, row, to, sdp, candidate, text)


def _object(body: bytes) -> Mapping[str, Any]:
    """A JSON object; empty where the body is none: then there is no message in it."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
