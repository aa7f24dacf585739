"""What the service's own SDKs are asked to do on a host, one thing a call.

Runs in an environment of its own, which has the SDKs and nothing of ours::

    python sdk_client.py users        -> one JSON object of what came of it

An error of the service is told as ``{"status", "code", "message"}``; one of the
connection as ``{"unreachable": REASON}``.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.communication.callautomation import CallAutomationClient
from azure.communication.identity import (
    CommunicationIdentityClient,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
)
from azure.communication.identity._shared import policy
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncIdentityClient
from azure.communication.networktraversal import CommunicationRelayClient, RouteType
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

CONNECTION = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
VOIP = [CommunicationTokenScope.VOIP]


def identity_client(**options: Any) -> CommunicationIdentityClient:
    """A client that does not try again: we want the first answer."""
    return CommunicationIdentityClient.from_connection_string(CONNECTION, retry_total=0, **options)


def users() -> dict[str, Any]:
    """Users come, get tokens, lose them and go."""
    client = identity_client()
    user = client.create_user()
    day = client.get_token(user, VOIP)
    hour = client.get_token(
        user,
        [CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP],
        token_expires_in=timedelta(hours=1),
    )
    other, others = client.create_user_and_token(VOIP)
    found = {
        "user": user.properties["id"],
        "other": other.properties["id"],
        "tokens": [day.token, hour.token, others.token],
        "seconds": [_seconds_until(token.expires_on) for token in (day, hour, others)],
        "before": _statuses(user, day.token),
    }
    client.revoke_tokens(user)
    found["revoked"] = _statuses(user, day.token)
    found["renewed"] = _statuses(user, client.get_token(user, VOIP).token)
    client.delete_user(other)
    found["deleted"] = _statuses(other, others.token)
    return found


def wrong_lifetime() -> dict[str, Any]:
    """A token for longer than a day."""
    client = identity_client()
    client.get_token(client.create_user(), VOIP, token_expires_in=timedelta(hours=25))
    return {}


def slow_clock() -> dict[str, Any]:
    """A request whose date is an hour old."""
    then = datetime.now(UTC) - timedelta(hours=1)
    policy.get_current_utc_time = lambda: f"{then:%a, %d %b %Y %H:%M:%S} GMT"
    return just_a_user()


def altered_body() -> dict[str, Any]:
    """A request that somebody alters on its way, after it was signed."""
    transport = RequestsTransport()
    send = transport.send

    def altering(request: Any, **options: Any) -> Any:
        request.set_json_body({"createTokenWithScopes": ["chat"]})
        return send(request, **options)

    transport.send = altering
    identity_client(transport=transport).create_user_and_token(VOIP)
    return {}


def just_a_user() -> dict[str, Any]:
    """A user; what there is to see is whether it is granted."""
    return {"user": identity_client().create_user().properties["id"]}


def relay() -> dict[str, Any]:
    """Relay configurations for a user (argument: their life in seconds)."""
    ttl = int(sys.argv[2])
    user = identity_client().create_user()
    client = CommunicationRelayClient.from_connection_string(CONNECTION)
    every = client.get_relay_configuration(user=user, ttl=ttl)
    nearest = client.get_relay_configuration(user=user, ttl=ttl, route_type=RouteType.NEAREST)
    server = every.ice_servers[0]
    return {
        "user": user.properties["id"],
        "seconds": _seconds_until(every.expires_on),
        "urls": server.urls,
        "username": server.username,
        "credential": server.credential,
        "routes": [one.route_type for one in every.ice_servers],
        "nearest": [one.route_type for one in nearest.ice_servers],
        "default": _seconds_until(client.get_relay_configuration().expires_on),
    }


def asynchronous() -> dict[str, Any]:
    """The same SDKs' asynchronous clients, which sign another spelling of the same path."""
    return asyncio.run(_asynchronously())


async def _asynchronously() -> dict[str, Any]:
    async with AsyncIdentityClient.from_connection_string(CONNECTION, retry_total=0) as client:
        user = await client.create_user()
        token = await client.get_token(user, VOIP)
        before = _statuses(user, token.token)
        await client.revoke_tokens(user)
        after = _statuses(user, token.token)
        await client.delete_user(user)
    return {"before": before, "after": after}


def call() -> dict[str, Any]:
    """A call to a user, looked at and ended."""
    user, token = identity_client().create_user_and_token(VOIP)
    client = CallAutomationClient.from_connection_string(CONNECTION)
    made = client.create_call(user, "https://app.example/events")
    connection = client.get_call_connection(made.call_connection_id)
    state = connection.get_call_properties().call_connection_state
    connection.hang_up(is_for_everyone=True)
    try:
        connection.get_call_properties()
    except HttpResponseError as error:
        after = error.status_code
    told = _get(f"/v1/users/{user.properties['id']}/notifications", token.token).json()
    return {
        "id": made.call_connection_id,
        "targets": [target.raw_id for target in made.targets],
        "user": user.properties["id"],
        "state": state,
        "after": after,
        "told": [one["type"] for one in told["notifications"]],
    }


def _statuses(user: CommunicationUserIdentifier, token: str) -> int:
    """What a user's own request is answered with this token."""
    status: int = _get(f"/v1/users/{user.properties['id']}/relay", token).status_code
    return status


def _get(path: str, token: str) -> Any:
    import requests

    endpoint = CONNECTION.partition(";")[0].removeprefix("endpoint=").rstrip("/")
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(endpoint + path, headers=headers, timeout=10)


def _seconds_until(moment: str | datetime) -> float:
    """How long until a time; the identity SDK leaves it as text."""
    then = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return then.timestamp() - time.time()


def main(act: str) -> dict[str, Any]:
    """Do one of the things above."""
    try:
        done: dict[str, Any] = globals()[act]()
    except HttpResponseError as error:
        shape = json.loads(error.response.text())["error"]
        return {"status": error.status_code, **shape}
    except ServiceRequestError as error:
        return {"unreachable": str(error)}
    return done


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])) + "\n")
