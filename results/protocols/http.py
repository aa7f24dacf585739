"""HTTP/1.1 exchanges, read out of a decrypted transcript (RFC 9112)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import h11

from results.protocols.tls import Chunk, Transcript


class HttpError(ValueError):
    """A transcript that is not HTTP/1.1. Speaks to a person."""


@dataclass(frozen=True)
class Exchange:
    """A request and its response, if one came whole.

    A long poll is answered long after it was asked, so each has its own row:
    the one in which its last byte arrived. Header names are in lower case.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    request_row: int
    #: Nanoseconds since the epoch.
    request_time: int
    status: int | None
    response_body: bytes | None
    response_row: int | None


def exchanges(transcript: Transcript) -> list[Exchange]:
    """All whole requests in their order, each with its response.

    A response that ends only with its connection (RFC 9112, section 6.3, item
    8) never counts as whole: the end of a capture looks the same. What follows
    a CONNECT that succeeded is not read. Raises HttpError where the transcript
    is not HTTP/1.1.
    """
    return list(_exchanges(transcript))


Head = TypeVar("Head", h11.Request, h11.Response)


class _Message(NamedTuple, Generic[Head]):
    """A whole message and the chunk that completed it."""

    head: Head
    body: bytes
    last: Chunk
    #: Whether the connection ceases to be HTTP after it (RFC 9110, section 9.3.6).
    switches: bool


def _exchanges(transcript: Transcript) -> Iterator[Exchange]:
    requests = _Reader("client", h11.Request, transcript.from_client)
    responses = _Reader("server", h11.Response, transcript.from_server)
    while request := requests.message(h11.Connection(h11.SERVER)):
        response = responses.message(_awaiting_response(request.head))
        yield _exchange(request, response)
        if response and response.switches:
            return


def _exchange(request: _Message[h11.Request], response: _Message[h11.Response] | None) -> Exchange:
    return Exchange(
        method=request.head.method.decode("ascii"),
        target=request.head.target.decode("ascii"),
        headers=_headers(request.head),
        body=request.body,
        request_row=request.last.row,
        request_time=request.last.time,
        status=response.head.status_code if response else None,
        response_body=response.body if response else None,
        response_row=response.last.row if response else None,
    )


def _headers(request: h11.Request) -> dict[str, str]:
    """Lines of one name are one list (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _awaiting_response(request: h11.Request) -> h11.Connection:
    """A client that has just sent a request of this method, on which a response's framing depends.

    Its headers and body do not matter for that (RFC 9112, section 6.3).
    """
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=request.method, target="*", headers=[("Host", "callpath")]))
    client.send(h11.EndOfMessage())
    return client


class _Reader(Generic[Head]):
    """Reads one message after the other from one direction."""

    def __init__(self, who: str, head: type[Head], chunks: Iterable[Chunk]) -> None:
        self._who = who
        self._head: type[Head] = head
        self._chunks = iter(chunks)
        self._last: Chunk | None = None
        self._rest = b""

    def message(self, connection: h11.Connection) -> _Message[Head] | None:
        """The next whole message, or None when the direction ends before one."""
        if self._rest:
            connection.receive_data(self._rest)
        try:
            return self._read(connection)
        except h11.RemoteProtocolError as error:
            row = self._last.row if self._last else "none"
            raise HttpError(
                f"what the {self._who} says is not HTTP/1.1 at row {row}: {error}"
            ) from None
        finally:
            self._rest = connection.trailing_data[0]

    def _read(self, connection: h11.Connection) -> _Message[Head] | None:
        head: Head | None = None
        body = b""
        while True:
            event = connection.next_event()
            if isinstance(event, self._head):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA:
                if not self._feed(connection):
                    return None
            elif not isinstance(event, h11.InformationalResponse):
                if head is None or self._last is None:
                    return None
                return _Message(head, body, self._last, switches=event is h11.PAUSED)

    def _feed(self, connection: h11.Connection) -> bool:
        """Hand over the next chunk; False when there is none."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._last = chunk
        connection.receive_data(chunk.data)
        return True
