"""A TURN client for tests, one plain request at a time (RFC 8656)."""

import socket
from dataclasses import dataclass
from typing import Any

from aioice import stun
from aioice.turn import UDP_TRANSPORT, make_integrity_key

Address = tuple[str, int]

#: Retransmission timeout and number of tries of a request (RFC 8489 section 6.2.1).
_RTO, _TRIES = 0.5, 10

#: How long data is waited for, in seconds.
_PATIENCE = 5.0


class Refused(Exception):  # noqa: N818 - an answer, and often the one that is wanted
    """The server answered with an error."""

    def __init__(self, response: stun.Message) -> None:
        self.response = response
        self.code, self.reason = response.attributes["ERROR-CODE"]
        super().__init__(f"{self.code} {self.reason}")


@dataclass(frozen=True)
class Credentials:
    """Of the long-term mechanism (RFC 8489 section 9.2)."""

    username: str
    password: str


class TurnClient:
    """One 5-tuple toward a TURN server, by a socket that others made and close."""

    def __init__(self, made: socket.socket, server: Address, own: Credentials | None) -> None:
        self._socket = made
        self._server = server
        self._own = own
        self._challenge: dict[str, Any] = {}
        self._key: bytes | None = None

    def allocate(self) -> Address:
        """Ask for an allocation; the relayed address, or Refused."""
        request = {"REQUESTED-TRANSPORT": UDP_TRANSPORT}
        try:
            response = self.request(stun.Method.ALLOCATE, request)
        except Refused as refusal:
            # The first 401 tells realm and nonce; a client without credentials has to leave it.
            if refusal.code != 401 or self._own is None:
                raise
            self._answer(refusal.response, self._own)
            response = self.request(stun.Method.ALLOCATE, request)
        relayed: Address = response.attributes["XOR-RELAYED-ADDRESS"]
        return relayed

    def refresh(self, lifetime: int) -> None:
        """Renew the allocation for so many seconds, or give it back (0)."""
        self.request(stun.Method.REFRESH, {"LIFETIME": lifetime})

    def permit(self, peer: str) -> None:
        """Create a permission for the peer's address (RFC 8656 section 9), or Refused."""
        self.request(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": (peer, 0)})

    def bind(self, channel: int, peer: Address) -> None:
        """Bind a channel to the peer (RFC 8656 section 12), or Refused."""
        self.request(
            stun.Method.CHANNEL_BIND, {"CHANNEL-NUMBER": channel, "XOR-PEER-ADDRESS": peer}
        )

    def send(self, peer: Address, data: bytes) -> None:
        """Send a datagram to the peer by way of the relay, in an indication."""
        attributes = {"XOR-PEER-ADDRESS": peer, "DATA": data}
        self._send(stun.Message(stun.Method.SEND, stun.Class.INDICATION, attributes=attributes))

    def receive(self) -> tuple[Address, bytes]:
        """The next datagram that came to the relayed address: from whom, and what."""
        self._socket.settimeout(_PATIENCE)
        while True:
            message = stun.parse_message(self._socket.recv(65536))
            if message.message_method is stun.Method.DATA:
                return message.attributes["XOR-PEER-ADDRESS"], message.attributes["DATA"]

    def request(self, method: stun.Method, attributes: dict[str, Any]) -> stun.Message:
        """One transaction, with its retransmissions; Refused when the answer is an error."""
        request = stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes))
        if self._key is not None:
            request.attributes.update(self._challenge)
            request.add_message_integrity(self._key)
        response = self._transact(request)
        if response.message_class is stun.Class.ERROR:
            raise Refused(response)
        return response

    def _transact(self, request: stun.Message) -> stun.Message:
        self._socket.settimeout(_RTO)
        for _ in range(_TRIES):
            self._send(request)
            try:
                return self._response(request)
            except TimeoutError:
                continue
        raise TimeoutError(f"the relay did not answer {request!r}")

    def _response(self, request: stun.Message) -> stun.Message:
        while True:
            message = stun.parse_message(self._socket.recv(65536))
            if message.transaction_id == request.transaction_id:
                return message

    def _answer(self, challenge: stun.Message, own: Credentials) -> None:
        realm = challenge.attributes["REALM"]
        self._challenge = {
            "USERNAME": own.username,
            "NONCE": challenge.attributes["NONCE"],
            "REALM": realm,
        }
        self._key = make_integrity_key(own.username, realm, own.password)

    def _send(self, message: stun.Message) -> None:
        self._socket.sendto(bytes(message), self._server)
