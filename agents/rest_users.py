"""What the front end offers to users, who bear tokens (``Authorization: Bearer``).

::

    POST   /v1/users/ID/session               the user is there
    GET    /v1/users/ID/relay                 relay URLs and short-lived credentials
    GET    /v1/users/ID/notifications?after=N wait for notifications beyond N
    POST   /v1/calls                          invite: {"call", "to", "sdp"}
    POST   /v1/calls/CALL/answer              {"sdp"}
    POST   /v1/calls/CALL/offers              {"sdp"}, amid a call: it restarts ICE
    POST   /v1/calls/CALL/candidates          {"candidate"}; "" ends them (RFC 8838)
    POST   /v1/calls/CALL/messages            chat: {"text"}
    DELETE /v1/calls/CALL                     hang up

ID is the identity that the token is for; who sends something is told by the token alone.
"""

from collections.abc import Iterable

from aiohttp import web

from agents.edge.calls import Notice
from agents.edge.refusal import bad_request, forbidden
from agents.edge.state import Edge
from agents.edge.tokens import CALLING, CHATTING, IN_CALLS, Scope
from agents.http_server import fields
from agents.talk import say

#: How long a long poll waits before it returns empty, in seconds.
_POLL_SECONDS = 25.0


class UsersSurface:
    """Calls between users, with their notifications and their access to relays."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def routes(self) -> Iterable[web.RouteDef]:
        """Methods, paths and what answers them."""
        yield web.post("/v1/users/{id}/session", self._session)
        yield web.get("/v1/users/{id}/relay", self._relay)
        yield web.get("/v1/users/{id}/notifications", self._poll)
        yield web.post("/v1/calls", self._invite)
        yield web.post("/v1/calls/{call}/answer", self._answer)
        yield web.post("/v1/calls/{call}/offers", self._offer)
        yield web.post("/v1/calls/{call}/candidates", self._candidates)
        yield web.post("/v1/calls/{call}/messages", self._chat)
        yield web.delete("/v1/calls/{call}", self._hang_up)

    def _user(self, request: web.Request, needed: frozenset[Scope]) -> str:
        """Whose request it is, by the token: an identity; 401 or 403 otherwise."""
        grant = self._edge.identities.bearer(
            request.headers.get("Authorization", ""), self._edge.clock()
        )
        grant.require(needed)
        if request.match_info.get("id", grant.identity) != grant.identity:
            raise forbidden("the token is another user's")
        return grant.identity

    async def _session(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        say("session", user=user)
        return web.json_response({"user": user}, status=201)

    async def _relay(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        return web.json_response(self._edge.relays.of_user(user, self._edge.clock()))

    async def _poll(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        after = request.query.get("after", "0")
        if not (after.isdecimal() and after.isascii() and len(after) < 10):
            raise bad_request("'after' must be the number of a notification")
        news = await self._edge.inboxes.beyond(user, int(after), _POLL_SECONDS)
        return web.json_response({"notifications": news})

    async def _invite(self, request: web.Request) -> web.Response:
        user = self._user(request, CALLING)
        call, target, sdp = await fields(request, "call", "to", "sdp")
        self._edge.identities.expect(target)
        self._edge.notify(self._edge.calls.invite(call, user, target, sdp))
        return web.json_response({"call": call}, status=201)

    async def _answer(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        (sdp,) = await fields(request, "sdp")
        return self._done(request, self._edge.calls.answer(request.match_info["call"], user, sdp))

    async def _offer(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        (sdp,) = await fields(request, "sdp")
        return self._done(request, self._edge.calls.offer(request.match_info["call"], user, sdp))

    async def _candidates(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        (candidate,) = await fields(request, "candidate")
        notices = self._edge.calls.candidate(request.match_info["call"], user, candidate)
        return self._done(request, notices)

    async def _chat(self, request: web.Request) -> web.Response:
        user = self._user(request, CHATTING)
        (text,) = await fields(request, "text")
        return self._done(request, self._edge.calls.chat(request.match_info["call"], user, text))

    async def _hang_up(self, request: web.Request) -> web.Response:
        user = self._user(request, IN_CALLS)
        return self._done(request, self._edge.calls.hang_up(request.match_info["call"], user))

    def _done(self, request: web.Request, notices: list[Notice]) -> web.Response:
        self._edge.notify(notices)
        return web.json_response({"call": request.match_info["call"]})
