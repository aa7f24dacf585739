"""The service's own SDKs, unmodified, on a host of the office: through its perimeter."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agents import relay
from controllers.policy import find, load
from tests.documented import files
from tests.lab.environments import PATIENCE, new_environment
from tests.lab.support import callpath, wait_until
from tests.lab.turn import Credentials, Refused, TurnClient
from tests.lab.worlds import Inside, Service, up
from topologies.reference import office_and_homes

SDKS = (
    "azure-communication-identity==1.5.0",
    "azure-communication-networktraversal==1.1.0b2",
    "azure-communication-callautomation==1.6.0",
    # For their asynchronous clients.
    "aiohttp",
)

_SCRIPT = str(Path(__file__).with_name("sdk_client.py"))
_OTHER_KEY = "accesskey=Z3Vlc3NlZA=="
_RELAY = ("203.0.113.9", relay.PORT)

pytestmark = pytest.mark.timeout(PATIENCE + 120)

homes = up(office_and_homes(), {"office": load(find("service_only"))})


@pytest.fixture(scope="session")
def sdk_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(new_environment(tmp_path_factory.mktemp("sdks") / "venv", SDKS))


@pytest.fixture(scope="module")
def service(homes: Inside) -> Service:
    return homes.serve()


@pytest.fixture
def sdk(homes: Inside, service: Service, sdk_python: str) -> Any:
    """Has an SDK do something at alice's; what came of it."""

    def ask(*arguments: str, **changes: str) -> Any:
        environment = service.environment(**changes)
        done = homes.run("alice", *environment, sdk_python, _SCRIPT, *arguments, timeout=90)
        assert done.code == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_users_and_their_tokens(sdk: Any) -> None:
    found = sdk("users")
    assert re.fullmatch(r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}", found["user"])
    assert found["user"] != found["other"]
    assert len(set(found["tokens"])) == 3
    assert found["seconds"] == pytest.approx([86_400, 3600, 86_400], abs=120)
    assert (found["before"], found["revoked"], found["renewed"]) == (200, 401, 200)
    assert found["deleted"] == 401


def test_asynchronous_clients(sdk: Any) -> None:
    assert sdk("asynchronous") == {"before": 200, "after": 401}


def test_they_pass_the_offices_firewall_as_signalling(sdk: Any, homes: Inside) -> None:
    before = homes.firewall_counters()["office"]["signalling"]
    assert sdk("just_a_user")["user"]
    assert homes.firewall_counters()["office"]["signalling"] == before + 1


def _denied(reason: str) -> dict[str, Any]:
    return {
        "status": 401, "code": "Denied", "message": f"Denied by the resource provider: {reason}.",
    }  # fmt: skip


def test_the_wrong_key_is_denied(sdk: Any, service: Service) -> None:
    endpoint, _, _ = service.connection.partition("accesskey=")
    variable = {"COMMUNICATION_SERVICES_CONNECTION_STRING": endpoint + _OTHER_KEY}
    reason = "the signature is not that of the access key"
    assert sdk("just_a_user", **variable) == _denied(reason)


def test_a_stale_date_is_denied(sdk: Any) -> None:
    assert sdk("slow_clock") == _denied("its date is more than 15 minutes from now")


def test_an_altered_body_is_denied(sdk: Any) -> None:
    assert sdk("altered_body") == _denied("x-ms-content-sha256 is not the hash of the body")


def test_a_lifetime_of_more_than_a_day_is_refused(sdk: Any) -> None:
    assert sdk("wrong_lifetime") == {
        "status": 400,
        "code": "BadRequest",
        "message": "'expiresInMinutes' must be a number from 60 to 1440",
    }


def test_who_does_not_know_the_authority_refuses_the_service(sdk: Any) -> None:
    found = sdk("just_a_user", REQUESTS_CA_BUNDLE="", SSL_CERT_FILE="")
    assert "CERTIFICATE_VERIFY_FAILED" in found["unreachable"]


def _allocate(homes: Inside, found: dict[str, Any], username: str | None = None) -> int | None:
    """The error code of an allocation with credentials that an SDK got; None if it is granted."""
    own = Credentials(username or found["username"], found["credential"])
    with homes.udp("alice") as made:
        try:
            TurnClient(made, _RELAY, own).allocate()
        except Refused as refusal:
            return int(refusal.code)
    return None


def test_relay_credentials_are_good_for_the_user_and_for_their_time(
    sdk: Any, homes: Inside
) -> None:
    found = sdk("relay", "600")
    assert found["seconds"] == pytest.approx(600, abs=60)
    assert found["default"] == pytest.approx(172_800, abs=60)
    assert found["urls"] == relay.uris("relay.service.example")
    assert found["username"].endswith(f":{found['user']}")
    assert (found["routes"], found["nearest"]) == (["any", "nearest"], ["nearest"])
    assert _allocate(homes, found) is None
    expiry, _, _ = found["username"].partition(":")
    assert _allocate(homes, found, f"{expiry}:8:acs:somebody-else") == 401
    assert _allocate(homes, found, f"{int(expiry) + 60}:{found['user']}") == 401


def test_relay_credentials_that_expired_are_refused(sdk: Any, homes: Inside) -> None:
    found = sdk("relay", "1")
    wait_until(lambda: _allocate(homes, found) == 401, "the credentials to expire")


def test_calls_are_begun_and_ended(sdk: Any) -> None:
    found = sdk("call")
    assert found["id"]
    assert found["targets"] == [found["user"]]
    assert found["state"] == "connecting"
    assert found["after"] == 404
    assert found["told"] == ["incomingCall", "hangup"]


def test_the_example_of_the_docs(sdk_python: str, runs: Path, tmp_path: Path) -> None:
    script = tmp_path / "new_user.py"
    script.write_text(files()["new_user.py"], encoding="utf-8")
    process = callpath(
        "exec", "external_relayed", "--runs", str(runs), "alice", "--", sdk_python, str(script)
    )
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert output.startswith("8:acs:")
