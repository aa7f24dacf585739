"""What the front end offers to trusted services, whose requests the access key signs.

::

    POST   /identities                              a new identity, and a token if wanted
    DELETE /identities/ID                           it is gone, with its tokens
    POST   /identities/ID/:issueAccessToken         {"scopes", "expiresInMinutes"}
    POST   /identities/ID/:revokeAccessTokens
    POST   /networkTraversal/:issueRelayConfiguration  {"id", "routeType", "ttl"}
    POST   /calling/callConnections                 {"targets", "callbackUri", "source"}
    GET    /calling/callConnections/CALL
    DELETE /calling/callConnections/CALL            likewise, since the service alone is in it
    POST   /calling/callConnections/CALL:terminate  end it for everybody

As in the REST reference of Azure Communication Services. Of a call that a trusted
service begins, only the signalling is there: nobody answers in the service's place.
"""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from agents.edge import access_key, call_automation, relay_access
from agents.edge.access_key import Signable
from agents.edge.state import Edge
from agents.http_server import Handler, json_object
from agents.talk import say


class TrustedSurface:
    """Identities, tokens, access to relays, and calls by order of a trusted service."""

    def __init__(self, edge: Edge, access_key: str) -> None:
        self._edge = edge
        self._access_key = access_key

    def routes(self) -> Iterable[web.RouteDef]:
        """Methods, paths and what answers them."""
        identity, call = "/identities/{id}", "/calling/callConnections/{call}"
        for method, path, handler in (
            ("POST", "/identities", self._create_identity),
            ("DELETE", identity, self._delete_identity),
            ("POST", f"{identity}/:issueAccessToken", self._issue_token),
            ("POST", f"{identity}/:revokeAccessTokens", self._revoke_tokens),
            ("POST", "/networkTraversal/:issueRelayConfiguration", self._issue_relay_access),
            ("POST", "/calling/callConnections", self._create_call),
            ("GET", call, self._get_call),
            ("DELETE", call, self._terminate_call),
            ("POST", f"{call}:terminate", self._terminate_call),
        ):
            yield web.route(method, path, self._signed(handler))

    def _signed(self, handler: Handler) -> Handler:
        """A handler whose requests must be signed with the access key."""

        async def checked(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            signed = Signable(request.method, request.raw_path, request.host, body)
            access_key.check(self._access_key, signed, request.headers, self._edge.clock())
            return await handler(request)

        return checked

    async def _create_identity(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        identity = self._edge.identities.create()
        answer: dict[str, Any] = {"identity": {"id": identity}}
        scopes = body.get("createTokenWithScopes")
        if scopes:
            minutes = body.get("expiresInMinutes")
            answer["accessToken"] = self._edge.identities.issue(
                identity, scopes, minutes, self._edge.clock()
            )
        say("identity", identity=identity)
        return web.json_response(answer, status=201)

    async def _delete_identity(self, request: web.Request) -> web.Response:
        self._edge.identities.delete(request.match_info["id"])
        return web.Response(status=204)

    async def _issue_token(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        token = self._edge.identities.issue(
            request.match_info["id"],
            body.get("scopes"),
            body.get("expiresInMinutes"),
            self._edge.clock(),
        )
        return web.json_response(token)

    async def _revoke_tokens(self, request: web.Request) -> web.Response:
        self._edge.identities.revoke(request.match_info["id"])
        return web.Response(status=204)

    async def _issue_relay_access(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        identity = body.get("id")
        if identity is not None:
            self._edge.identities.expect(identity)
        access = self._edge.relays.configuration(
            identity or self._edge.identities.resource,
            self._edge.clock(),
            relay_access.ttl_of(body.get("ttl")),
            relay_access.routes_of(body.get("routeType")),
        )
        return web.json_response(access)

    async def _create_call(self, request: web.Request) -> web.Response:
        wanted = call_automation.read_call(
            await json_object(request), self._edge.identities.service
        )
        for participant in wanted.participants:
            self._edge.identities.expect(participant)
        repeatable = request.headers.get("Repeatability-Request-ID", "")
        call, notices = self._edge.calls.create(wanted, repeatable)
        self._edge.notify(notices)
        headers = {"Repeatability-Result": "accepted"} if repeatable else None
        return web.json_response(call_automation.properties(call), status=201, headers=headers)

    async def _get_call(self, request: web.Request) -> web.Response:
        call = self._edge.calls.call(request.match_info["call"])
        return web.json_response(call_automation.properties(call))

    async def _terminate_call(self, request: web.Request) -> web.Response:
        self._edge.notify(self._edge.calls.terminate(request.match_info["call"]))
        return web.Response(status=204)
