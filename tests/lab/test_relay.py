"""What the relay gives to whom, and what it refuses."""

import itertools
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agents import relay
from agents.edge.relay_access import credentials as relay_credentials
from tests.lab.support import PATIENCE, wait_until
from tests.lab.turn import Credentials, Refused, TurnClient
from tests.lab.worlds import Inside, up, world
from topologies.reference import office, office_and_homes

_RELAY = ("203.0.113.9", relay.PORT)

#: A host on the internet, where no client is; the relay may talk to it.
_PEER = "198.51.100.53"

_FRONT_END = "203.0.113.5"

#: Why -> a peer that the relay must refuse.
_REFUSED = {
    "front end": _FRONT_END,
    "telemetry": "203.0.113.13",
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "this host": "0.0.0.0",  # noqa: S104 - the peer that is refused
    "private 10/8": "10.10.0.11",
    "private 172.16/12": "172.31.255.254",
    "private 192.168/16": "192.168.1.11",
    "shared 100.64/10": "100.127.255.254",
    "link-local": "169.254.169.254",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
}

homes = up(office_and_homes())

#: Makes a client on a host, with these credentials.
NewClient = Callable[[str, Credentials | None], TurnClient]


_ports = itertools.count(20_000)


@pytest.fixture
def new_client(homes: Inside) -> Iterator[NewClient]:
    """Clients whose sockets are closed after the test."""
    with ExitStack() as sockets:
        # A port of its own for each client: an earlier one's allocation lives on at its port.
        yield lambda host, own: TurnClient(
            sockets.enter_context(homes.udp(host, next(_ports))), _RELAY, own
        )


def _credentials(homes: Inside, user: str | None = None, seconds: int = 600) -> Credentials:
    """What the front end would give to the user, valid for so many seconds from now.

    Without a name it is somebody new, who has the whole quota.
    """
    expiry = int(time.time()) + seconds
    name = user or f"eve-{secrets.token_hex(4)}"
    return Credentials(*relay_credentials(homes.relay_secret, name, expiry))


@pytest.fixture(scope="module")
def authority(homes: Inside) -> str:
    """The file with the certificate that vouches for the service's servers."""
    return homes.serve().authority


@pytest.fixture
def eve(homes: Inside, new_client: NewClient) -> TurnClient:
    """A client at home, with an allocation."""
    client = new_client("eve", _credentials(homes))
    client.allocate()
    return client


def test_valid_credentials_get_a_port_of_the_stated_range(
    homes: Inside, new_client: NewClient
) -> None:
    address, port = new_client("eve", _credentials(homes, seconds=5)).allocate()
    assert address == _RELAY[0]
    assert port in range(49152, 65536)


def test_without_credentials_there_is_only_a_challenge(new_client: NewClient) -> None:
    with pytest.raises(Refused, match="401 Unauthorized") as refusal:
        new_client("eve", None).allocate()
    assert refusal.value.response.attributes["REALM"] == "service.example"


def _of_another_secret(valid: Credentials) -> Credentials:
    return Credentials(valid.username, relay_credentials("guessed", "eve", 1)[1])


def _prolonged(valid: Credentials) -> Credentials:
    expiry, _, user = valid.username.partition(":")
    return Credentials(f"{int(expiry) + 3600}:{user}", valid.password)


def _of_another_user(valid: Credentials) -> Credentials:
    return Credentials(valid.username.replace("eve", "nina"), valid.password)


@pytest.mark.parametrize("forge", [_of_another_secret, _prolonged, _of_another_user])
def test_wrong_credentials_are_refused(
    forge: Callable[[Credentials], Credentials], homes: Inside, new_client: NewClient
) -> None:
    with pytest.raises(Refused, match="401 Unauthorized"):
        new_client("eve", forge(_credentials(homes))).allocate()


@pytest.mark.parametrize("seconds", [5, 3600])
def test_expired_credentials_are_refused(
    seconds: int, homes: Inside, new_client: NewClient
) -> None:
    with pytest.raises(Refused, match="401 Unauthorized"):
        new_client("eve", _credentials(homes, seconds=-seconds)).allocate()


@pytest.mark.parametrize("peer", _REFUSED.values(), ids=_REFUSED.keys())
def test_no_way_through_the_relay_to(peer: str, eve: TurnClient) -> None:
    with pytest.raises(Refused, match="403 Forbidden IP"):
        eve.permit(peer)
    with pytest.raises(Refused, match="403 Forbidden IP"):
        eve.bind(0x4000, (peer, 9))


_HANDSHAKE = """
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.set_ciphers(sys.argv[2])
with socket.create_connection((sys.argv[3], 443)) as plain:
    with context.wrap_socket(plain, server_hostname=sys.argv[4]) as made:
        print(made.version(), made.cipher()[0])
"""


@pytest.mark.parametrize(
    ("ciphers", "name", "said"),
    [
        ("DEFAULT", "relay.service.example", "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", "relay.service.example", "handshake failure"),
        ("DEFAULT", "other.service.example", "certificate is not valid for 'other.service.exam"),
    ],
)
def test_tls_with_the_relay_is_what_the_service_asks_for(
    ciphers: str, name: str, said: str, homes: Inside, authority: str
) -> None:
    shake = (sys.executable, "-c", _HANDSHAKE, authority, ciphers, _RELAY[0], name)
    done = homes.run("eve", *shake)
    assert said in done.stdout + done.stderr


def test_data_passes_to_an_allowed_peer_and_not_to_a_refused_one(
    homes: Inside, eve: TurnClient
) -> None:
    with homes.udp("resolver", 7000) as peer, homes.udp("front_end", 7000) as front_end:
        with pytest.raises(Refused):
            eve.permit(_FRONT_END)
        eve.permit(_PEER)
        eve.send((_FRONT_END, 7000), b"not for you")
        eve.send((_PEER, 7000), b"out")
        peer.settimeout(PATIENCE)
        data, relayed = peer.recvfrom(100)
        assert data == b"out"
        peer.sendto(b"back", relayed)
        assert eve.receive() == ((_PEER, 7000), b"back")
        # The relay took them in order: what it sent to the front end would be there by now.
        front_end.setblocking(False)
        with pytest.raises(BlockingIOError):
            front_end.recv(100)


def test_nothing_comes_from_a_peer_that_was_not_named(homes: Inside, new_client: NewClient) -> None:
    """The relay filters by permission (RFC 8656 section 9)."""
    client = new_client("eve", _credentials(homes))
    relayed = client.allocate()
    client.permit(_PEER)
    with homes.udp("nina") as stranger, homes.udp("resolver", 7001) as known:
        stranger.sendto(b"unasked", relayed)
        known.sendto(b"asked", relayed)
        assert client.receive() == ((_PEER, 7001), b"asked")


def test_two_relayed_clients_meet_on_the_relay(homes: Inside, new_client: NewClient) -> None:
    alice, eve = (new_client(user, _credentials(homes)) for user in ("alice", "eve"))
    alices, eves = alice.allocate(), eve.allocate()
    for client in (alice, eve):
        client.permit(_RELAY[0])
    alice.send(eves, b"from alice")
    assert eve.receive() == (alices, b"from alice")
    eve.send(alices, b"from eve")
    assert alice.receive() == (eves, b"from eve")


def test_coturns_own_client_loses_nothing_from_relay_to_relay(homes: Inside) -> None:
    done = homes.run(
        "nina", "turnutils_uclient", "-u", "nina", "-W", homes.relay_secret, "-y", "-c",
        "-m", "2", "-n", "20", _RELAY[0],
    )  # fmt: skip
    assert done.code == 0, done
    assert re.findall(r"tot_recv_msgs=(\d+)", done.stdout)[-1] == "40", done.stdout
    assert "Total lost packets 0 " in done.stdout


def test_peers_that_no_route_leads_to_leave_the_allocation_alive(
    homes: Inside, eve: TurnClient
) -> None:
    nowhere = "198.18.5.5"
    with homes.udp("resolver", 7002) as peer:
        for address in (nowhere, _PEER):
            eve.permit(address)
        for _ in range(20):
            eve.send((nowhere, 9), b"lost")
        eve.send((_PEER, 7002), b"still here")
        peer.settimeout(PATIENCE)
        assert peer.recv(100) == b"still here"
    eve.refresh(600)


def test_a_user_has_twenty_allocations_over_all_credentials(
    homes: Inside, new_client: NewClient
) -> None:
    clients = [
        new_client("nina", _credentials(homes, "greedy", 600 + number))
        for number in range(relay.USER_QUOTA)
    ]
    for client in clients:
        client.allocate()
    assert _code(new_client("nina", _credentials(homes, "greedy"))) == 486
    assert _code(new_client("nina", _credentials(homes, "modest"))) is None
    clients[0].refresh(0)
    wait_until(
        lambda: _code(new_client("nina", _credentials(homes, "greedy"))) is None,
        "the allocation that was given back",
    )


def test_all_users_together_have_a_quota(tmp_path: Path) -> None:
    with world(office(), tmp_path) as offices:
        codes = [_allocate_and_leave(offices, number) for number in range(relay.TOTAL_QUOTA + 1)]
    assert set(codes[:-1]) == {None}
    assert codes[-1] == 486


def _allocate_and_leave(offices: Inside, number: int) -> int | None:
    """Take an allocation, one of at most ten a user; the socket need not stay."""
    own = _credentials(offices, f"user{number // 10}")
    with offices.udp("alice", 10_000 + number) as made:
        return _code(TurnClient(made, _RELAY, own))


def _code(client: TurnClient) -> int | None:
    """The error code that a client's wish for an allocation gets; None when it is granted."""
    try:
        client.allocate()
    except Refused as refusal:
        return int(refusal.code)
    return None
