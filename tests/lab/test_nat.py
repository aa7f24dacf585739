"""NATs are what they are declared to be (RFC 4787), as measured from behind them (RFC 5780)."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from socket import socket

import pytest
from aioice import stun

from tests.lab.support import PATIENCE, wait_until
from tests.lab.turn import Address, TurnClient
from tests.lab.worlds import Inside, up
from topologies import nat_probe
from topologies.reference import office_and_homes
from topologies.spec import Host, Interface, Nat, Network, Role, Route, Segment

_ONE, _OTHER = (IPv4Address(address) for address in ("198.51.100.54", "198.51.100.55"))

#: The judge's two addresses, as peers.
_PEERS: tuple[Address, Address] = ((str(_ONE), 3478), (str(_OTHER), 3478))

#: Perimeter -> a user behind it.
_USERS = {"office": "alice", "eve_home": "eve", "nina_home": "nina"}


def _judged(network: Network) -> Network:
    """The network and one host more on the internet: a STUN server with two addresses."""
    judge = Host(
        name="judge",
        role=Role.USER,
        segment=Segment.INTERNET,
        interfaces=tuple(
            Interface(link="backbone", address=IPv4Interface(f"{address}/28"))
            for address in (_ONE, _OTHER)
        ),
        routes=(Route(to=IPv4Network("0.0.0.0/0"), via=IPv4Address("198.51.100.49")),),
    )
    parts = {name: getattr(network, name) for name in ("links", "perimeters", "firewalls")}
    return Network(name="judged", hosts=(*network.hosts, judge), **parts)


_homes = up(_judged(office_and_homes(eve_nat=Nat.ENDPOINT_INDEPENDENT, nina_nat=Nat.SYMMETRIC)))


@pytest.fixture(scope="module")
def homes(_homes: Inside) -> Inside:
    """The world, with the judge's coturn running."""
    _homes.start(
        "judge",
        "stun",
        "turnserver",
        "-n",
        f"--listening-ip={_ONE}",
        f"--listening-ip={_OTHER}",
        "--stun-only",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-cli",
        "--log-file=stdout",
        "--simple-log",
        "--pidfile=",
        "--userdb=/run/callpath/judge.db",
        "--relay-threads=1",
        ready=r"IO method \(admin thread\)",
    )
    return _homes


@pytest.fixture(scope="module")
def measured(homes: Inside) -> dict[str, str]:
    """Host -> what the probe printed there. All at once: each waits for 6 s of silence."""
    hosts = (*_USERS.values(), "resolver")
    commands = [(h, nat_probe.command(homes.network.host(h).address, _ONE)) for h in hosts]
    return {host: done.stdout for host, done in zip(hosts, homes.run_all(commands), strict=True)}


def test_each_nat_is_of_its_declared_kind(homes: Inside, measured: dict[str, str]) -> None:
    declared = {perimeter.name: perimeter.nat for perimeter in homes.network.perimeters}
    assert set(declared) == set(_USERS)
    assert set(declared.values()) == set(Nat)
    for perimeter, user in _USERS.items():
        behaviour = nat_probe.read(measured[user])
        assert nat_probe.difference(declared[perimeter], behaviour) is None, perimeter


@pytest.mark.parametrize(
    ("user", "other"), [("eve", Nat.SYMMETRIC), ("nina", Nat.ENDPOINT_INDEPENDENT)]
)
def test_a_nat_of_another_kind_than_declared_is_told(
    user: str, other: Nat, measured: dict[str, str]
) -> None:
    assert nat_probe.difference(other, nat_probe.read(measured[user])) is not None


def test_without_a_nat_nothing_is_filtered(measured: dict[str, str]) -> None:
    """The silence that the probe takes for a filter is the NAT's, not the judge's."""
    with pytest.raises(nat_probe.ProbeError, match="no NAT"):
        nat_probe.read(measured["resolver"])
    assert "NAT with Endpoint Independent Filtering!" in measured["resolver"]


@pytest.mark.parametrize(
    ("port", "first_peers"),
    [(5000, (_PEERS[0], _PEERS[0])), (6000, _PEERS)],
    ids=["same peer", "different peers"],
)
def test_two_users_on_one_source_port_have_mappings_of_their_own(
    homes: Inside, port: int, first_peers: tuple[Address, Address]
) -> None:
    """RFC 4787 REQ-1 (one mapping toward all peers) and REQ-3 (no port overloading)."""
    with homes.udp("alice", port) as alice, homes.udp("bob", port) as bob:
        alices = _mapping(alice, first_peers[0])
        bobs = _mapping(bob, first_peers[1])
        assert alices != bobs
        for peer in _PEERS:
            assert _mapping(alice, peer) == alices
            assert _mapping(bob, peer) == bobs


def test_an_early_packet_from_outside_is_dropped_and_changes_no_mapping(homes: Inside) -> None:
    peer = (str(homes.network.host("resolver").address), 7000)
    with homes.udp("eve", 5000) as eve, homes.udp("resolver", peer[1]) as outside:
        mapping = _mapping(eve, _PEERS[0])
        dropped = _dropped_by(homes, "eve_nat")
        outside.sendto(b"early", mapping)
        wait_until(lambda: _dropped_by(homes, "eve_nat") == dropped + 1, "the NAT to drop it")
        eve.sendto(b"from inside", peer)
        assert _received(outside) == (b"from inside", mapping)
        outside.sendto(b"now it passes", mapping)
        assert _received(eve) == (b"now it passes", peer)


def test_another_port_of_a_known_peer_is_filtered(homes: Inside) -> None:
    """Address-and-port-dependent filtering (RFC 4787 section 5), with the drop counted."""
    address = str(homes.network.host("resolver").address)
    with (
        homes.udp("eve", 5001) as eve,
        homes.udp("resolver", 7001) as known,
        homes.udp("resolver", 7002) as unknown,
    ):
        eve.sendto(b"from inside", (address, 7001))
        _, mapping = _received(known)
        dropped = _dropped_by(homes, "eve_nat")
        unknown.sendto(b"from another port", mapping)
        wait_until(lambda: _dropped_by(homes, "eve_nat") == dropped + 1, "the NAT to drop it")
        known.sendto(b"from the known port", mapping)
        assert _received(eve) == (b"from the known port", (address, 7001))


def test_a_symmetric_nat_maps_anew_for_each_peer(homes: Inside) -> None:
    with homes.udp("nina", 5000) as nina:
        first, second = (_mapping(nina, peer) for peer in _PEERS)
        assert first != second
        assert _mapping(nina, _PEERS[0]) == first


def _mapping(made: socket, peer: Address) -> Address:
    """The socket's transport address as this peer of the judge's sees it."""
    response = TurnClient(made, peer, None).request(stun.Method.BINDING, {})
    mapping: Address = response.attributes["XOR-MAPPED-ADDRESS"]
    return mapping


def _received(made: socket) -> tuple[bytes, Address]:
    made.settimeout(PATIENCE)
    data, source = made.recvfrom(65536)
    return data, source


def _dropped_by(homes: Inside, router: str) -> int:
    return homes.nat_counters()[router]["unsolicited_to_router"]
