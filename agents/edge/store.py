"""What the edge knows, in a file: a front end that is started anew goes on with it.

It stands for the data base that the front ends and telemetry of a service share.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.edge.calls import Call, Calls, State
from agents.edge.identities import Identities
from agents.edge.inboxes import Inboxes
from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge


def save(edge: Edge, path: Path) -> None:
    """Store what the edge knows, all or nothing."""
    identities, calls = edge.identities, edge.calls
    state = {
        "resource": identities.resource,
        "service": identities.service,
        "generations": identities.generations,
        "calls": {name: asdict(call) for name, call in calls.going_on.items()},
        "repeatable": {name: asdict(call) for name, call in calls.repeatable.items()},
        "inboxes": edge.inboxes.messages,
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(path)


def load(
    path: Path, token_key: dict[str, Any], relays: RelayAccess, addresses: Iterable[str] = ()
) -> Edge:
    """The edge as it was stored, or a new one where nothing was.

    ``addresses`` are those of the service's own relays.
    """
    own = frozenset(addresses)
    if not path.exists():
        return Edge(Identities(token_key), relays, calls=Calls(own))
    state = json.loads(path.read_text(encoding="utf-8"))
    named = (state["resource"], state["generations"], state["service"])
    calls = {name: _call(fields) for name, fields in state["calls"].items()}
    repeatable = {
        # A call that goes on is one, however it is found.
        name: calls.get(fields["id"]) or _call(fields)
        for name, fields in state["repeatable"].items()
    }
    return Edge(
        Identities(token_key, *named),
        relays,
        calls=Calls(own, calls, repeatable),
        inboxes=Inboxes(state["inboxes"]),
    )


def generations_of(identity: str, paths: Iterable[Path]) -> Iterator[int]:
    """How often an identity's tokens were revoked, as stored; nothing if it is not there."""
    for path in paths:
        if path.exists():
            generations = json.loads(path.read_text(encoding="utf-8"))["generations"]
            if identity in generations:
                yield generations[identity]


def _call(fields: dict[str, Any]) -> Call:
    given = {"targets": tuple(fields["targets"]), "state": State(fields["state"])}
    return Call(**{**fields, **given})
