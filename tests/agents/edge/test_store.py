"""A front end that is started anew knows what the one before it knew."""

from pathlib import Path

import pytest

from agents.edge import tokens
from agents.edge.calls import Call
from agents.edge.identities import Identities
from agents.edge.refusal import Refusal
from agents.edge.relay_access import RelayAccess
from agents.edge.state import Edge
from agents.edge.store import generations_of, load, save

KEY = tokens.new_key()
RELAYS = RelayAccess(("turn:r",), "secret")
NOW = 1_000_000


def _edge() -> tuple[Edge, str, str]:
    """An edge with two users."""
    edge = Edge(Identities(KEY), RELAYS)
    return edge, edge.identities.create(), edge.identities.create()


def test_without_a_file_it_knows_nobody(tmp_path: Path) -> None:
    edge = load(tmp_path / "state.json", KEY, RELAYS)
    assert list(edge.identities.generations) == [edge.identities.service]


def test_users_and_their_tokens(tmp_path: Path) -> None:
    edge, alice, bob = _edge()
    grants = [edge.identities.issue(user, ["voip"], None, NOW)["token"] for user in (alice, bob)]
    edge.identities.revoke(bob)
    save(edge, tmp_path / "state.json")
    again = load(tmp_path / "state.json", KEY, RELAYS).identities
    assert (again.resource, again.service) == (edge.identities.resource, edge.identities.service)
    assert again.bearer(f"Bearer {grants[0]}", NOW).identity == alice
    with pytest.raises(Refusal, match="revoked"):
        again.bearer(f"Bearer {grants[1]}", NOW)


def test_a_call_goes_on_where_it_was(tmp_path: Path) -> None:
    edge, alice, bob = _edge()
    edge.notify(edge.calls.invite("c", alice, bob, "offer"))
    save(edge, tmp_path / "state.json")
    again = load(tmp_path / "state.json", KEY, RELAYS)
    assert again.inboxes.messages[bob] == edge.inboxes.messages[bob]
    again.notify(again.calls.answer("c", bob, "answer"))
    with pytest.raises(Refusal, match="has been answered"):
        again.calls.answer("c", bob, "another")


def test_a_repeated_request_makes_no_second_call(tmp_path: Path) -> None:
    edge, alice, bob = _edge()
    edge.calls.create(Call("c", alice, (bob,)), "id of the request")
    save(edge, tmp_path / "state.json")
    calls = load(tmp_path / "state.json", KEY, RELAYS).calls
    call, notices = calls.create(Call("d", alice, (bob,)), "id of the request")
    assert (call.id, notices) == ("c", [])
    assert call is calls.going_on["c"]


@pytest.mark.parametrize("is_new", [True, False])
def test_the_services_own_relays_are_those_that_it_is_told(tmp_path: Path, is_new: bool) -> None:
    edge, _, _ = _edge()
    if not is_new:
        save(edge, tmp_path / "state.json")
    calls = load(tmp_path / "state.json", KEY, RELAYS, ["203.0.113.30"]).calls
    assert calls.relays == {"203.0.113.30"}


def test_how_often_tokens_were_revoked(tmp_path: Path) -> None:
    edge, alice, bob = _edge()
    edge.identities.revoke(alice)
    save(edge, tmp_path / "state.json")
    paths = [tmp_path / "none.json", tmp_path / "state.json"]
    assert list(generations_of(alice, paths)) == [1]
    assert list(generations_of(bob, paths)) == [0]
    assert list(generations_of("8:acs:nobody", paths)) == []
