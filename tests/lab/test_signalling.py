"""The edge under load and noise: whatever some clients send, the others' calls go on."""

import json
import sys
from typing import Any

import pytest

from controllers.policy import find, load
from tests.lab.support import CHECKOUT
from tests.lab.worlds import Inside, Service, up
from topologies.reference import office_and_homes

#: Hosts from which users signal, and how many pairs on each: 200 sessions in all.
_HOSTS = ("alice", "bea", "eve", "nina")
_PAIRS = 25

#: The only answer that each kind of noise gets.
_ANSWERS = {
    "malformed": "400 BadRequest",
    "deep": "400 BadRequest",
    "oversized": "413 RequestEntityTooLarge",
    "unknown call": "404 NotFound",
    "unsigned": "401 Denied",
    "no such path": "404 NotFound",
    "replayed": "409 Conflict",
    "forged": "401 Unauthorized",
    "slow": "408 RequestTimeout",
    "no TLS": "ended",
    "hung up": "given up",
}

homes = up(office_and_homes(), {"office": load(find("service_only"))})


@pytest.fixture(scope="module")
def service(homes: Inside) -> Service:
    return homes.serve()


def _load(environment: list[str], pairs: int) -> tuple[str, ...]:
    argv = (sys.executable, "-m", "tests.lab.signalling_load", str(pairs))
    return (*environment, f"PYTHONPATH={CHECKOUT}", *argv)


def _found(done: Any) -> dict[str, Any]:
    assert done.code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(300)
def test_two_hundred_sessions_amid_noise_lose_no_call(homes: Inside, service: Service) -> None:
    everywhere = [(host, _load(service.environment(), _PAIRS)) for host in _HOSTS]
    for done in homes.run_all(everywhere, timeout=240):
        found = _found(done)
        assert found["lost"] == []
        assert found["calls"] == _PAIRS
        assert {kind: list(answers) for kind, answers in found["noise"].items()} == {
            kind: [answer] for kind, answer in _ANSWERS.items()
        }


def test_a_call_that_does_not_come_about_is_told_as_lost(homes: Inside, service: Service) -> None:
    endpoint, _, _ = service.connection.partition("accesskey=")
    wrong = {"COMMUNICATION_SERVICES_CONNECTION_STRING": f"{endpoint}accesskey=Z3Vlc3NlZA=="}
    found = _found(homes.run("alice", *_load(service.environment(**wrong), 1), timeout=60))
    reason = "LostError: no identity: 401"
    assert (found["calls"], found["lost"]) == (0, [reason])
    assert set(found["noise"]) == set(_ANSWERS)
    assert all(answers == {reason: 1} for answers in found["noise"].values())
