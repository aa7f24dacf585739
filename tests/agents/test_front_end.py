"""The front end's REST surface, without TLS and network."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from agents.edge import tokens
from agents.edge.access_key import Signable, sign
from agents.edge.identities import Identities
from agents.edge.relay_access import RelayAccess, credentials
from agents.edge.state import Edge
from agents.front_end import surface
from agents.http_server import BODY_MAX

KEY = base64.b64encode(b"access").decode()
NOW = 1_700_000_000.0


class Service:
    """A front end with two users, and what one asks of it."""

    def __init__(self, client: TestClient[Any, Any], edge: Edge) -> None:
        self.client = client
        self.edge = edge
        self.alice, self.bob = (self.new_user() for _ in range(2))

    def new_user(self, *scopes: str) -> tuple[str, str]:
        """A user's identity, and a token of it."""
        identity = self.edge.identities.create()
        issued = self.edge.identities.issue(identity, list(scopes or ("voip", "chat")), None, NOW)
        return identity, issued["token"]

    async def signed(
        self, method: str, target: str, body: object = None, key: str = KEY, **headers: str
    ) -> ClientResponse:
        """A trusted service's request, signed as its SDK would."""
        data = json.dumps(body).encode() if body is not None else b""
        host = f"{self.client.host}:{self.client.port}"
        signature = sign(key, Signable(method, target, host, data), NOW)
        answer: ClientResponse = await self.client.request(
            method, target, data=data, headers={**signature, **headers}
        )
        return answer

    async def says(
        self, user: tuple[str, str], method: str, path: str, body: object = None
    ) -> ClientResponse:
        """A user's request, with the user's token."""
        headers = {"Authorization": f"Bearer {user[1]}"}
        answer: ClientResponse = await self.client.request(
            method, path, data=json.dumps(body).encode() if body is not None else b"",
            headers=headers,
        )  # fmt: skip
        return answer

    async def invites(self) -> ClientResponse:
        """Alice's invite to bob, as call "c"."""
        body = {"call": "c", "to": self.bob[0], "sdp": "offer"}
        return await self.says(self.alice, "POST", "/v1/calls", body)

    async def told(self, user: tuple[str, str], after: int = 0) -> list[dict[str, Any]]:
        """A user's notifications."""
        path = f"/v1/users/{user[0]}/notifications?after={after}"
        answer = await self.says(user, "GET", path)
        assert answer.status == 200
        notifications: list[dict[str, Any]] = (await answer.json())["notifications"]
        return notifications


def with_service(work: Callable[[Service], Awaitable[None]]) -> None:
    """Have something done with a front end whose clock stands still."""

    async def run() -> None:
        edge = Edge(Identities(tokens.new_key()), RelayAccess(("turn:r",), "secret"), lambda: NOW)
        async with TestClient(TestServer(surface(edge, KEY))) as client:
            await work(Service(client, edge))

    asyncio.run(run())


async def error_of(answer: ClientResponse) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which has the API's shape and nothing else."""
    body = await answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message"}
    return answer.status, body["error"]["code"], body["error"]["message"]


def test_an_invite_reaches_a_user_who_waits() -> None:
    async def work(service: Service) -> None:
        waiting = asyncio.create_task(service.told(service.bob))
        assert (await service.invites()).status == 201
        (invite,) = await waiting
        assert invite == {
            "id": 1, "type": "invite", "call": "c", "from": service.alice[0], "sdp": "offer",
        }  # fmt: skip

    with_service(work)


def test_an_invite_with_a_third_partys_relay_is_refused_and_told_to_nobody() -> None:
    async def work(service: Service) -> None:
        candidate = "candidate:1 1 udp 1 198.51.100.54 50000 typ relay raddr 10.0.0.1 rport 9"
        body = {"call": "c", "to": service.bob[0], "sdp": f"v=0\r\na={candidate}\r\n"}
        answer = await service.says(service.alice, "POST", "/v1/calls", body)
        status, code, message = await error_of(answer)
        assert (status, code) == (403, "ThirdPartyRelay")
        assert "198.51.100.54 port 50000" in message
        assert (await service.invites()).status == 201
        (told,) = await service.told(service.bob)
        assert told["sdp"] == "offer"

    with_service(work)


def test_what_is_said_in_a_call_reaches_the_other_side() -> None:
    async def work(service: Service) -> None:
        alice, bob = service.alice, service.bob
        await service.invites()
        await service.says(bob, "POST", "/v1/calls/c/answer", {"sdp": "answer"})
        await service.says(bob, "POST", "/v1/calls/c/candidates", {"candidate": ""})
        await service.says(bob, "POST", "/v1/calls/c/messages", {"text": "hello"})
        await service.says(alice, "POST", "/v1/calls/c/messages", {"text": "hi"})
        await service.says(alice, "DELETE", "/v1/calls/c")
        to_alice = await service.told(alice)
        assert [n["type"] for n in to_alice] == ["answer", "candidate", "chat"]
        to_bob = await service.told(bob, 1)
        assert [(n["type"], n.get("text")) for n in to_bob] == [("chat", "hi"), ("hangup", None)]

    with_service(work)


def test_users_get_relay_credentials_bound_to_them() -> None:
    async def work(service: Service) -> None:
        identity = service.alice[0]
        answer = await service.says(service.alice, "GET", f"/v1/users/{identity}/relay")
        server = (await answer.json())["iceServers"][0]
        expected = credentials("secret", identity, int(NOW) + 600)
        assert (server["username"], server["credential"]) == expected

    with_service(work)


_USERS_REQUESTS: list[tuple[str, str, object]] = [
    ("POST", "/v1/users/{id}/session", {}),
    ("GET", "/v1/users/{id}/relay", None),
    ("GET", "/v1/users/{id}/notifications", None),
    ("POST", "/v1/calls", {"call": "d", "to": "{id}", "sdp": ""}),
    ("POST", "/v1/calls/c/answer", {"sdp": ""}),
    ("POST", "/v1/calls/c/candidates", {"candidate": ""}),
    ("POST", "/v1/calls/c/messages", {"text": ""}),
    ("DELETE", "/v1/calls/c", None),
]


@pytest.mark.parametrize(("method", "path", "body"), _USERS_REQUESTS)
def test_without_a_valid_token_nothing_is_granted(method: str, path: str, body: object) -> None:
    async def work(service: Service) -> None:
        await service.invites()
        where = path.format(id=service.bob[0])
        nobody = await service.client.request(method, where, json=body)
        assert (await error_of(nobody))[:2] == (401, "Unauthorized")
        assert nobody.headers["WWW-Authenticate"] == "Bearer"
        service.edge.identities.revoke(service.bob[0])
        revoked = await service.says(service.bob, method, where, body)
        assert (await error_of(revoked))[:2] == (401, "Unauthorized")

    with_service(work)


@pytest.mark.parametrize(
    ("method", "path", "body"), [one for one in _USERS_REQUESTS if one[1] != "/v1/calls"]
)
def test_one_users_token_does_not_act_for_another(method: str, path: str, body: object) -> None:
    async def work(service: Service) -> None:
        await service.invites()
        eve = service.new_user()
        answer = await service.says(eve, method, path.format(id=service.bob[0]), body)
        assert (await error_of(answer))[:2] == (403, "Forbidden")
        assert [n["type"] for n in await service.told(service.bob)] == ["invite"]

    with_service(work)


def test_a_token_is_good_for_its_scopes_only() -> None:
    async def work(service: Service) -> None:
        joiner, chatter = service.new_user("voip.join"), service.new_user("chat")
        body = {"call": "d", "to": service.bob[0], "sdp": ""}
        for user in (joiner, chatter):
            answer = await service.says(user, "POST", "/v1/calls", body)
            status, _, message = await error_of(answer)
            assert (status, message) == (
                403, "the token's scopes are not for this; it takes voip",
            )  # fmt: skip
        answer = await service.says(joiner, "GET", f"/v1/users/{joiner[0]}/relay")
        assert answer.status == 200

    with_service(work)


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/v1/calls", b"{", 400, "the body is not JSON"),
        ("/v1/calls", b"\xff", 400, "the body is not JSON"),
        ("/v1/calls", b"[" * 60_000, 400, "the body is not JSON"),
        ("/v1/calls", b"[]", 400, "the body is not a JSON object"),
        ("/v1/calls", b'{"call": 1}', 400, "the body lacks the text field 'call'"),
        ("/v1/calls", b" " * (BODY_MAX + 1), 413, "a body has at most 65536 bytes"),
        ("/v1/calls/x/answer", b'{"sdp": ""}', 404, "there is no call 'x'"),
        ("/v1/nothing", b"{}", 404, "Not Found"),
        ("/v1/calls/c", b"{}", 405, "Method Not Allowed"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(
    path: str, body: bytes, status: int, reason: str
) -> None:
    async def work(service: Service) -> None:
        headers = {"Authorization": f"Bearer {service.alice[1]}"}
        answer = await service.client.post(path, data=body, headers=headers)
        seen, _, message = await error_of(answer)
        assert (seen, message) == (status, reason)

    with_service(work)


def test_replayed_requests_are_refused_and_told_to_nobody() -> None:
    async def work(service: Service) -> None:
        answer: object = {"sdp": "answer"}
        await service.invites()
        assert (await error_of(await service.invites()))[:2] == (409, "Conflict")
        for status in (200, 409):
            said = await service.says(service.bob, "POST", "/v1/calls/c/answer", answer)
            assert said.status == status
        assert len(await service.told(service.alice)) == 1
        assert len(await service.told(service.bob)) == 1

    with_service(work)


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "²", "9" * 5000])
def test_a_poll_names_a_notification(after: str) -> None:
    async def work(service: Service) -> None:
        path = f"/v1/users/{service.bob[0]}/notifications?after={after}"
        status, _, message = await error_of(await service.says(service.bob, "GET", path))
        assert (status, message) == (400, "'after' must be the number of a notification")

    with_service(work)


def test_a_fault_of_ours_is_answered_in_the_apis_shape(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError

    async def work(service: Service) -> None:
        monkeypatch.setattr(service.edge.inboxes, "put", breaks)
        status, code, _ = await error_of(await service.invites())
        assert (status, code) == (500, "InternalServerError")
        assert (await service.signed("POST", "/identities")).status == 201

    with_service(work)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_trusted_services_make_users_and_give_them_tokens() -> None:
    async def work(service: Service) -> None:
        wanted = {"createTokenWithScopes": ["voip"], "expiresInMinutes": 60}
        made = await service.signed("POST", "/identities?api-version=2023-10-01", wanted)
        assert made.status == 201
        created = await made.json()
        identity, token = created["identity"]["id"], created["accessToken"]["token"]
        session = await service.says((identity, token), "POST", f"/v1/users/{identity}/session")
        assert session.status == 201
        again = await service.signed(
            "POST", f"/identities/{identity}/:issueAccessToken", {"scopes": ["voip"]}
        )
        assert (again.status, (await again.json()).keys()) == (200, {"token", "expiresOn"})
        for path in (f"/identities/{identity}/:revokeAccessTokens",):
            assert (await service.signed("POST", path)).status == 204
        assert (await service.signed("DELETE", f"/identities/{identity}")).status == 204
        assert (await service.signed("DELETE", f"/identities/{identity}")).status == 404

    with_service(work)


def test_an_identity_may_come_without_a_token() -> None:
    async def work(service: Service) -> None:
        made = await (await service.signed("POST", "/identities")).json()
        assert made.keys() == {"identity"}

    with_service(work)


def test_trusted_services_get_relay_credentials_for_users_and_for_themselves() -> None:
    async def work(service: Service) -> None:
        path = "/networkTraversal/:issueRelayConfiguration"
        for user in (service.alice[0], None):
            wanted = {"id": user, "ttl": 60, "routeType": "nearest"}
            (server,) = (await (await service.signed("POST", path, wanted)).json())["iceServers"]
            assert server["username"].startswith(f"{int(NOW) + 60}:{user or ''}")
            assert server["routeType"] == "nearest"
        assert (await service.signed("POST", path, {"id": "8:acs:nobody"})).status == 404

    with_service(work)


def test_trusted_services_begin_and_end_calls() -> None:
    async def work(service: Service) -> None:
        wanted = {"targets": [{"communicationUser": {"id": service.bob[0]}}], "callbackUri": "x"}
        path, repeat = "/calling/callConnections", {"Repeatability-Request-ID": "one"}
        made = [await service.signed("POST", path, wanted, **repeat) for _ in range(2)]
        assert [answer.status for answer in made] == [201, 201]
        first, again = [(await answer.json())["callConnectionId"] for answer in made]
        assert first == again
        state = await (await service.signed("GET", f"{path}/{first}")).json()
        assert state["callConnectionState"] == "connecting"
        assert (await service.signed("POST", f"{path}/{first}:terminate")).status == 204
        told = await service.told(service.bob)
        assert [n["type"] for n in told] == ["incomingCall", "hangup"]
        assert (await service.signed("GET", f"{path}/{first}")).status == 404

    with_service(work)


def test_a_service_calls_nobody_who_does_not_exist() -> None:
    async def work(service: Service) -> None:
        body = {"targets": [{"communicationUser": {"id": "8:acs:nobody"}}], "callbackUri": "x"}
        answer = await service.signed("POST", "/calling/callConnections", body)
        assert (await error_of(answer))[:2] == (404, "NotFound")

    with_service(work)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/identities"),
        ("DELETE", "/identities/8:acs:x"),
        ("POST", "/identities/8:acs:x/:issueAccessToken"),
        ("POST", "/identities/8:acs:x/:revokeAccessTokens"),
        ("POST", "/networkTraversal/:issueRelayConfiguration"),
        ("POST", "/calling/callConnections"),
        ("GET", "/calling/callConnections/c"),
        ("DELETE", "/calling/callConnections/c"),
        ("POST", "/calling/callConnections/c:terminate"),
    ],
)
def test_the_wrong_key_or_a_users_token_get_trusted_services_nothing(
    method: str, path: str
) -> None:
    async def work(service: Service) -> None:
        wrong = await service.signed(method, path, key=base64.b64encode(b"guessed").decode())
        assert (await error_of(wrong))[:2] == (401, "Denied")
        assert wrong.headers["WWW-Authenticate"] == "HMAC-SHA256"
        answer = await service.says(service.alice, method, path)
        assert (await error_of(answer))[:2] == (401, "Denied")

    with_service(work)
