"""Call automation's requests and answers, as far as calls are begun and ended by it."""

import uuid
from typing import Any

from agents.edge.calls import Call
from agents.edge.refusal import bad_request


def read_call(body: dict[str, Any], service: str) -> Call:
    """The call that a CreateCallRequest asks for, from ``service`` where it names no source.

    Refused (400) where it lacks targets or the callback's URI.
    """
    targets, callback, source = (body.get(key) for key in ("targets", "callbackUri", "source"))
    if not isinstance(targets, list) or not targets:
        raise bad_request("'targets' must be a list of at least one identifier")
    if not isinstance(callback, str) or not callback:
        raise bad_request("'callbackUri' must be a URI")
    return Call(
        id=str(uuid.uuid4()),
        source=service if source is None else _identity(source),
        targets=tuple(map(_identity, targets)),
        callback=callback,
    )


def properties(call: Call) -> dict[str, Any]:
    """What is told of a call (CallConnectionProperties)."""
    return {
        "callConnectionId": call.id,
        "serverCallId": call.id,
        "correlationId": call.id,
        "callConnectionState": call.state,
        "callbackUri": call.callback,
        "source": _identifier(call.source),
        "targets": [_identifier(target) for target in call.targets],
    }


def _identifier(identity: str) -> dict[str, Any]:
    """A communication user in the API's form (CommunicationIdentifierModel)."""
    return {"rawId": identity, "kind": "communicationUser", "communicationUser": {"id": identity}}


def _identity(identifier: Any) -> str:  # noqa: ANN401 - whatever a request holds
    """The identity of a communication user; others (phones, Teams) we do not have."""
    match identifier:
        case {"communicationUser": {"id": str(identity)}} | {"id": str(identity)}:
            return identity
    raise bad_request("each participant must be a 'communicationUser' with an 'id'")
