"""How the edge refuses a request: a status, and the error body of the service's REST API."""

from http import HTTPStatus


class Refusal(Exception):  # noqa: N818 - an answer, and often the right one
    """A request that is not granted; ``message`` speaks to a person."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """What the answer's body says, as JSON."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_request(message: str) -> Refusal:
    """A body or a parameter is not as it must be."""
    return Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def denied(why: str) -> Refusal:
    """The request is not signed with the access key (code and words as of the real service)."""
    message = f"Denied by the resource provider: {why}."
    return Refusal(HTTPStatus.UNAUTHORIZED, "Denied", message)


def unauthorized(why: str) -> Refusal:
    """There is no valid user access token."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", why)


def forbidden(why: str) -> Refusal:
    """The token is valid, but not for this."""
    return Refusal(HTTPStatus.FORBIDDEN, "Forbidden", why)


def third_party_relay(address: str, port: str) -> Refusal:
    """Media would pass a relay that is not the service's."""
    message = (
        f"the relayed candidate {address} port {port} belongs to no relay of this service; "
        "media may pass no other, so allocate at those of GET /v1/users/ID/relay"
    )
    return Refusal(HTTPStatus.FORBIDDEN, "ThirdPartyRelay", message)


def not_found(message: str) -> Refusal:
    """There is no such thing."""
    return Refusal(HTTPStatus.NOT_FOUND, "NotFound", message)


def conflict(message: str) -> Refusal:
    """It has been done already, or is there already."""
    return Refusal(HTTPStatus.CONFLICT, "Conflict", message)
