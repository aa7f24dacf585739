"""HTTP exchanges out of transcripts, however these are cut into chunks."""

from contextlib import suppress
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.protocols.http import Exchange, HttpError, exchanges
from results.protocols.tls import Chunk, Transcript

HOST = b"Host: front-end.service.example\r\n"
INVITE = b"POST /calls HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\noffer"
POLL = b"GET /inbox?since=0 HTTP/1.1\r\n" + HOST + b"Accept: a\r\naccept: b\r\n\r\n"
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
EVENTS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def chunks(*parts: bytes, rows: list[int] | None = None) -> tuple[Chunk, ...]:
    numbers = rows or list(range(len(parts)))
    return tuple(
        Chunk(part, row, 1_000 + row) for part, row in zip(parts, numbers, strict=True) if part
    )


def test_a_request_and_its_response() -> None:
    transcript = Transcript(chunks(INVITE, rows=[3]), chunks(CREATED, rows=[5]))
    assert exchanges(transcript) == [
        Exchange(
            method="POST",
            target="/calls",
            headers={"host": "front-end.service.example", "content-length": "5"},
            body=b"offer",
            request_row=3,
            request_time=1_003,
            status=201,
            response_body=b"ok",
            response_row=5,
        )
    ]


def test_a_long_poll_is_answered_late() -> None:
    transcript = Transcript(
        chunks(INVITE, POLL, rows=[1, 3]), chunks(CREATED, EVENTS[:60], EVENTS[60:], rows=[2, 8, 9])
    )
    first, poll = exchanges(transcript)
    assert (first.request_row, first.response_row) == (1, 2)
    assert (poll.request_row, poll.response_row) == (3, 9)
    assert (poll.target, poll.headers["accept"]) == ("/inbox?since=0", "a, b")
    assert (poll.status, poll.response_body) == (200, b"abcde")


@pytest.mark.parametrize("response", [b"", CREATED[:-1], EVENTS[:-1]])
def test_a_response_that_never_came_whole(response: bytes) -> None:
    (poll,) = exchanges(Transcript(chunks(POLL), chunks(response)))
    assert (poll.status, poll.response_body, poll.response_row) == (None, None, None)


def test_a_request_that_never_came_whole() -> None:
    assert exchanges(Transcript(chunks(INVITE[:-1]), ())) == []
    assert exchanges(Transcript((), ())) == []


def test_a_response_that_ends_with_its_connection_is_not_whole() -> None:
    (poll,) = exchanges(Transcript(chunks(POLL), chunks(b"HTTP/1.1 200 OK\r\n\r\nbody")))
    assert poll.status is None


def test_an_interim_response_is_not_the_answer() -> None:
    transcript = Transcript(chunks(INVITE), chunks(b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED))
    assert [item.status for item in exchanges(transcript)] == [201]


def test_a_response_to_head_has_no_body() -> None:
    head = b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    transcript = Transcript(chunks(head + POLL), chunks(answer + CREATED))
    assert [item.response_body for item in exchanges(transcript)] == [b"", b"ok"]


def test_nothing_is_read_after_a_tunnel_was_opened() -> None:
    connect = b"CONNECT front-end.service.example:443 HTTP/1.1\r\n" + HOST + b"\r\n"
    transcript = Transcript(
        chunks(connect, b"\x16\x03\x01 not HTTP"),
        chunks(b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03 nor this"),
    )
    (tunnel,) = exchanges(transcript)
    assert (tunnel.method, tunnel.status, tunnel.response_row) == ("CONNECT", 200, 0)


def test_a_refused_tunnel_is_an_exchange_like_others() -> None:
    connect = b"CONNECT front-end.service.example:443 HTTP/1.1\r\n" + HOST + b"\r\n"
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    transcript = Transcript(chunks(connect, POLL), chunks(refused, EVENTS))
    assert [item.status for item in exchanges(transcript)] == [403, 200]


def test_what_is_not_http_is_named() -> None:
    with pytest.raises(HttpError) as caught:
        exchanges(Transcript(chunks(b"\x16\x03\x01\r\n\r\n", rows=[7]), ()))
    assert str(caught.value).startswith(
        "what the client says is not HTTP/1.1 at row 7: illegal request line"
    )
    with pytest.raises(HttpError, match=r"what the server says is not HTTP/1\.1 at row 9"):
        exchanges(Transcript(chunks(POLL), chunks(b"SSH-2.0\r\n\r\n", rows=[9])))


@given(st.data())
def test_chunks_change_the_rows_only(data: st.DataObject) -> None:
    requests, responses = (INVITE, POLL, INVITE), (CREATED, EVENTS, CREATED)
    client, server = (_cut(data, b"".join(messages)) for messages in (requests, responses))
    found = exchanges(Transcript(chunks(*client), chunks(*server)))
    assert [item.body for item in found] == [b"offer", b"", b"offer"]
    assert [item.response_body for item in found] == [b"ok", b"abcde", b"ok"]
    assert [item.request_row for item in found] == _ends(requests, client)
    assert [item.response_row for item in found] == _ends(responses, server)


def _cut(data: st.DataObject, stream: bytes) -> list[bytes]:
    inner = data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=8))
    edges = [0, *sorted(inner), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def _ends(messages: tuple[bytes, ...], parts: list[bytes]) -> list[int]:
    """For each message, the part in which its last byte lies."""
    reached = list(accumulate(len(part) for part in parts))
    return [
        next(row for row, size in enumerate(reached) if size >= end)
        for end in accumulate(len(message) for message in messages)
    ]


STREAMS = st.lists(
    st.sampled_from([INVITE, POLL, CREATED, EVENTS, HOST, b"\r\n"]) | st.binary(min_size=1)
)


@given(STREAMS, STREAMS)
def test_arbitrary_streams_raise_nothing_but_http_errors(
    client: list[bytes], server: list[bytes]
) -> None:
    with suppress(HttpError):
        exchanges(Transcript(chunks(*client), chunks(*server)))
