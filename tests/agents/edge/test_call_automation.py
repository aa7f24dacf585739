"""Requests for calls as SDKs send them, and what is told of calls."""

from typing import Any

import pytest

from agents.edge.call_automation import properties, read_call
from agents.edge.refusal import Refusal

BOB = {"rawId": "8:acs:bob", "communicationUser": {"id": "8:acs:bob"}}
BODY = {"targets": [BOB], "callbackUri": "https://app.example/events"}


def test_a_call_without_a_source_is_the_services() -> None:
    call = read_call(BODY, "8:acs:service")
    assert call.participants == ("8:acs:service", "8:acs:bob")
    assert call.callback == "https://app.example/events"


def test_a_source_is_a_users_identity() -> None:
    call = read_call({**BODY, "source": {"id": "8:acs:alice"}}, "8:acs:service")
    assert call.source == "8:acs:alice"


def test_each_call_has_an_id_of_its_own() -> None:
    assert read_call(BODY, "s").id != read_call(BODY, "s").id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"targets": None}, "'targets' must be a list"),
        ({"targets": []}, "'targets' must be a list"),
        ({"targets": "bob"}, "'targets' must be a list"),
        ({"targets": [{"phoneNumber": {"value": "+1"}}]}, "must be a 'communicationUser'"),
        ({"targets": ["bob"]}, "must be a 'communicationUser'"),
        ({"source": {"communicationUser": {"id": 7}}}, "must be a 'communicationUser'"),
        ({"callbackUri": None}, "'callbackUri' must be a URI"),
        ({"callbackUri": ""}, "'callbackUri' must be a URI"),
    ],
)
def test_what_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as refused:
        read_call({**BODY, **change}, "8:acs:service")
    assert refused.value.status == 400


def test_what_is_told_of_a_call() -> None:
    call = read_call(BODY, "8:acs:service")
    told = properties(call)
    assert told["callConnectionId"] == call.id
    assert told["callConnectionState"] == "connecting"
    assert [target["rawId"] for target in told["targets"]] == ["8:acs:bob"]
    assert told["source"]["communicationUser"] == {"id": "8:acs:service"}
