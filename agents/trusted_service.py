"""The application's own server: it holds the access key, and gets its users their tokens.

Users never see the key. Each is handed an identity, a token and whom to call, in a
file of its own that only this world has.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector

from agents.edge.access_key import Signable, sign
from agents.edge.tokens import Scope
from agents.talk import run_until_terminated, say
from agents.tls import client_context

_SCOPES = [Scope.CHAT, Scope.VOIP]

_VERSION = "api-version=2023-10-01"


async def _create_user(session: ClientSession, config: dict[str, Any]) -> dict[str, Any]:
    """A new identity with a token: ``{"identity": {"id"}, "accessToken": {"token", …}}``.

    The front end is spoken to by its address: that takes no name server.
    """
    body = json.dumps({"createTokenWithScopes": _SCOPES}).encode()
    target, domain = f"/identities?{_VERSION}", config["domain"]
    signed = sign(config["access_key"], Signable("POST", target, domain, body), time.time())
    async with session.post(
        f"https://{config['address']}{target}",
        data=body,
        headers={**signed, "Host": domain, "Content-Type": "application/json"},
        server_hostname=domain,
        raise_for_status=True,
    ) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def _provide(config: dict[str, Any]) -> None:
    """Get each user an identity and a token, and write their files."""
    context = client_context(Path(config["authority"]), Path(config["key_log"]))
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        users = {name: await _create_user(session, config) for name in config["credentials"]}
    contacts = {name: user["identity"]["id"] for name, user in users.items()}
    for name, path in config["credentials"].items():
        credential = {"contacts": contacts, **users[name]}
        Path(path).write_text(json.dumps(credential), encoding="utf-8")
    say("ready", users=contacts)
    await asyncio.Event().wait()


def main(config: dict[str, Any]) -> int:
    """Get the users their tokens.

    ``config``: address and domain of a front end, access_key, authority and key_log
    (files), credentials (user -> the file that is written).
    """
    return run_until_terminated(_provide(config))
