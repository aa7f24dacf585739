"""Front ends that serve one call must have spoken of it."""

from results.protocols.http import Exchange
from results.regions.passed_on import PassedOn, silences
from results.schema import Nearness

CALL = "1-alice-eve"


def _said(origin: str, target: str, path: str, body: bytes = b"", answer: bytes = b"") -> PassedOn:
    exchange = Exchange(
        method="POST",
        target=path,
        headers={},
        body=body,
        request_row=1,
        request_time=1,
        status=200,
        response_body=answer,
        response_row=2,
    )
    return PassedOn(origin, target, exchange)


def _texts(said: list[PassedOn], *servers: str) -> list[str]:
    served = [
        Nearness(user=server, role="front end", server=server, region="", round_trip_ms={})
        for server in servers
    ]
    return [problem.text for problem in silences(said, {CALL: served})]


BY_PATH = _said("front_east", "front_west", f"/v1/calls/{CALL}/answer")
BY_BODY = _said("front_mid", "front_west", "/v1/calls", b'{"call": "1-alice-eve"}')
BY_ANSWER = _said("front_mid", "front_west", "/v1/users", answer=b'[{"call": "1-alice-eve"}]')
ANOTHERS = _said("front_east", "front_west", "/v1/calls/2-eve-nina/answer")


def test_each_front_end_has_spoken_or_was_spoken_to() -> None:
    assert _texts([BY_PATH], "front_east", "front_west") == []
    assert _texts([BY_PATH, BY_BODY], "front_east", "front_mid") == []
    assert _texts([BY_PATH, BY_ANSWER], "front_east", "front_mid") == []


def test_one_that_has_not_is_named() -> None:
    assert _texts([BY_PATH, ANOTHERS], "front_east", "front_mid") == [
        "front_mid serves call 1-alice-eve with others, but nothing of it was seen to pass "
        "between them"
    ]


def test_what_was_said_of_another_call_does_not_count() -> None:
    assert len(_texts([ANOTHERS], "front_east", "front_west")) == 2


def test_one_alone_need_not_speak() -> None:
    assert _texts([], "front_west") == []
