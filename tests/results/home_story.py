"""Alice in the office and eve at home, each behind a NAT: their checks, and what relays say.

Whatever one of them sends, its ends are translated on the way as the NATs would.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from controllers.policy import Policy, find, load
from results.fates import Fates
from results.protocols.sdp import Description
from results.setup.calls import Call
from results.setup.checks import checks_of, stun_messages
from results.setup.ice import Ice
from results.setup.selection import selection_of
from results.setup.turn import read_turn
from results.tracing.paths import follow_udp
from results.tracing.unreachable import unreachables
from tests.results.call_story import a_call, described
from tests.results.story import (
    ALICE_NAT,
    NAT_RELAY,
    RELAY,
    RELAYED_A,
    RELAYED_B,
    Hop,
    Story,
    back,
    channel_data,
    end,
    ends,
    hops,
    stun,
    xored,
)
from topologies.reference import office_and_homes
from topologies.spec import Network

ALLOCATE_SUCCESS = 0x0103
CREATE_PERMISSION, CHANNEL_BIND = 0x0008, 0x0009
#: What is added to a request's type for its answer (RFC 8489, section 5).
SUCCESS, ERROR = 0x0100, 0x0110

ERROR_CODE, CHANNEL_NUMBER, PEER, RELAYED = 0x0009, 0x000C, 0x0012, 0x0016


@dataclass(frozen=True)
class Seat:
    """Where a user sits: ways to her NAT and on to the relay, and her sockets in and outside."""

    user: str
    inside: tuple[Hop, ...]
    outside: tuple[Hop, ...]
    socket: str
    mapped: str
    turn: str
    turn_mapped: str
    relayed: str

    def described(self) -> Description:
        """All of her candidates."""
        candidates = (f"host {self.socket}", f"srflx {self.mapped}", f"relay {self.relayed}")
        return described(self.user, *candidates)


ALICE = Seat(
    user="alice",
    inside=ALICE_NAT,
    outside=NAT_RELAY,
    socket="10.10.0.11:50000",
    mapped="198.51.100.2:61000",
    turn="10.10.0.11:50010",
    turn_mapped="198.51.100.2:61010",
    relayed=RELAYED_A,
)
EVE = Seat(
    user="eve",
    inside=hops("eve-eth0>eve_nat-eth0"),
    outside=hops("eve_nat-eth1>inet-eth3", "inet-eth2>relay-eth0"),
    socket="192.168.1.11:50003",
    mapped="198.51.100.10:61003",
    turn="192.168.1.11:50013",
    turn_mapped="198.51.100.10:61013",
    relayed=RELAYED_B,
)


def alice_calls_eve() -> Call:
    """The call, with all candidates of both."""
    return a_call(ALICE.described(), EVE.described(), "eve")


@dataclass
class HomeStory(Story):
    """The office and two homes."""

    network: Network = field(default_factory=office_and_homes)
    policies: dict[str, Policy] = field(default_factory=dict)
    #: Devices of whose rules there are counters.
    counted: Sequence[str] = ("office", "eve_home", "branch", "office_nat", "eve_nat")

    def enforce(self, firewall: str, policy: str) -> None:
        """Let a firewall enforce a policy that comes with Callpath."""
        self.policies[firewall] = load(find(policy))

    def direct(self, sender: Seat, receiver: Seat, payload: bytes, until: str = "") -> None:
        """From socket to socket by both NATs; ``until`` "link" or "nat", where it is stopped.

        The link is that between the sender and her NAT, the NAT the receiver's.
        """
        outer = ends(sender.mapped, receiver.mapped)
        first = ends(sender.socket, receiver.mapped)
        self.send(sender.inside, first, payload, lost=until == "link")
        if until == "link":
            return
        self.send((sender.outside[0], back(receiver.outside)[-1]), outer, payload)
        if until != "nat":
            self.send(back(receiver.inside), ends(sender.mapped, receiver.socket), payload)

    def to_relay(self, seat: Seat, payload: bytes) -> None:
        """From the socket with which a user speaks with the relay."""
        self.send(seat.inside, ends(seat.turn, RELAY), payload)
        self.send(seat.outside, ends(seat.turn_mapped, RELAY), payload)

    def from_relay(self, seat: Seat, payload: bytes) -> None:
        """From the relay to the socket with which a user speaks with it."""
        self.send(back(seat.outside), ends(RELAY, seat.turn_mapped), payload)
        self.send(back(seat.inside), ends(RELAY, seat.turn), payload)

    def allocate(self, seat: Seat) -> None:
        """The relay gives a user her relayed address."""
        number = int.from_bytes(seat.user.encode())
        self.from_relay(seat, stun(ALLOCATE_SUCCESS, number, (RELAYED, xored(end(seat.relayed)))))

    def ask_for(
        self, seat: Seat, peer: str, transaction: int, *, kind: int = CHANNEL_BIND, error: int = 0
    ) -> None:
        """A user asks the relay to let a peer through, and is answered."""
        asked: list[tuple[int, bytes]] = [(PEER, xored(end(peer)))]
        if kind == CHANNEL_BIND:
            asked.append((CHANNEL_NUMBER, b"\x40\x00\x00\x00"))
        self.to_relay(seat, stun(kind, transaction, *asked))
        if error:
            code = bytes([0, 0, error // 100, error % 100]) + b"Forbidden IP"
            self.from_relay(seat, stun(kind + ERROR, transaction, (ERROR_CODE, code)))
        else:
            self.from_relay(seat, stun(kind + SUCCESS, transaction))

    def relayed(self, sender: Seat, receiver: Seat, payload: bytes, until: str = "") -> None:
        """By the sender's relay to the receiver's socket; ``until`` "relay" or "nat"."""
        self.to_relay(sender, channel_data(payload))
        if until == "relay":
            return
        outer = ends(sender.relayed, receiver.mapped)
        self.send(back(receiver.outside), outer, payload)
        if until != "nat":
            self.send(back(receiver.inside), ends(sender.relayed, receiver.socket), payload)

    def to_relayed(self, sender: Seat, receiver: Seat, payload: bytes, until: str = "") -> None:
        """From a socket to the relayed address of the receiver; ``until`` "relay"."""
        self.send(sender.inside, ends(sender.socket, receiver.relayed), payload)
        self.send(sender.outside, ends(sender.mapped, receiver.relayed), payload)
        if until != "relay":
            self.from_relay(receiver, channel_data(payload))

    def ice(self, folder: FilePath, call: Call | None = None) -> Ice:
        """What the captures show of the call's ICE."""
        call = call or alice_calls_eve()
        table, places = self.table(folder), self.places
        udp = follow_udp(table, places)
        spoken = stun_messages(table, udp)
        turn = read_turn(spoken)
        checks = {user: checks_of(places, spoken, call, user) for user in call.participants}
        errors = unreachables(table, places)
        fates = Fates(self.network, self.policies, turn, errors, places, self.counted)
        selection = selection_of(table, call, checks, None)
        return Ice(table, places, udp.paths, turn, fates, call, checks, selection)
