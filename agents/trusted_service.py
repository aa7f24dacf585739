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


class TrustedService:
    """Signed requests to a front end, by its address: it needs no name server for that."""

    def __init__(self, session: ClientSession, config: dict[str, Any]) -> None:
        self._session = session
        self._key: str = config["access_key"]
        self._domain: str = config["domain"]
        self._address: str = config["address"]

    async def create_user(self) -> dict[str, Any]:
        """A new identity with a token: ``{"identity": {"id"}, "accessToken": {"token", …}}``."""
        body = json.dumps({"createTokenWithScopes": _SCOPES}).encode()
        target = f"/identities?{_VERSION}"
        signed = sign(self._key, Signable("POST", target, self._domain, body), time.time())
        headers = {**signed, "Host": self._domain, "Content-Type": "application/json"}
        async with self._session.post(
            f"https://{self._address}{target}",
            data=body,
            headers=headers,
            server_hostname=self._domain,
            raise_for_status=True,
        ) as response:
            answer: dict[str, Any] = await response.json()
            return answer


async def _provide(config: dict[str, Any]) -> None:
    """Get each user an identity and a token, and write their files."""
    context = client_context(Path(config["authority"]), Path(config["key_log"]))
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        service = TrustedService(session, config)
        users = {name: await service.create_user() for name in config["credentials"]}
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
