"""Captures of packets that never were: a story told hop by hop, then read as any capture.

Each hop names the tap that a packet leaves and the tap that it reaches; times
advance by themselves, 10 µs from tap to tap, unless a test says otherwise.
"""

import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import NamedTuple

from results.canary_frames import CANARY_ETHERTYPE, CANARY_PORT, Moment, canary
from results.packets import IP_ICMP, IP_TCP, IP_UDP, SYN, PacketTable, read_table
from results.tracing.paths import Travels, follow_udp
from results.tracing.places import Places, places_of
from results.tracing.sightings import Ends
from results.tunnelling.tunnels import tunnels_of
from results.wire.capture import LinkType
from topologies.reference import office
from topologies.spec import Host, Interface, Network, Role, Route, Segment, Tap

STEP = 10_000
SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
RUN = "20260101-000000-story-0000"


class Hop(NamedTuple):
    """Out of one tap, into another."""

    out: str
    into: str


def hops(*names: str) -> tuple[Hop, ...]:
    """Hops written as "alice-eth0>core-eth0"."""
    return tuple(Hop(*name.split(">")) for name in names)


def back(route: Sequence[Hop]) -> tuple[Hop, ...]:
    """The same way in the other direction."""
    return tuple(Hop(hop.into, hop.out) for hop in reversed(route))


ALICE_BOB = hops("alice-eth0>bob-eth0")
ALICE_BEA = hops("alice-eth0>core-eth0", "core-eth1>branch_rtr-eth1", "branch_rtr-eth0>bea-eth0")
ALICE_NAT = hops("alice-eth0>core-eth0", "core-eth2>office_nat-eth0")
BOB_NAT = hops("bob-eth0>core-eth0", "core-eth2>office_nat-eth0")
NAT_RELAY = hops("office_nat-eth1>inet-eth0", "inet-eth2>relay-eth0")
NAT_FRONT_END = hops("office_nat-eth1>inet-eth0", "inet-eth2>front_end-eth0")
NAT_EVE = hops("office_nat-eth1>inet-eth0", "inet-eth1>eve-eth0")
EVE_RELAY = hops("eve-eth0>inet-eth1", "inet-eth2>relay-eth0")
FORWARDER_NAT = hops("forwarder-eth0>core-eth0", "core-eth2>office_nat-eth0")
NAT_RESOLVER = hops("office_nat-eth1>inet-eth0", "inet-eth1>resolver-eth0")


def end(text: str) -> tuple[int, int]:
    """An address and port written as "10.0.0.1:80"."""
    address, port = text.split(":")
    return int(IPv4Address(address)), int(port)


def ends(source: str, destination: str) -> Ends:
    """The ends of a packet."""
    return Ends(*end(source), *end(destination))


ALICE = "10.10.0.11:50000"
BOB = "10.10.0.12:50001"
BEA = "10.20.0.11:50002"
EVE = "198.51.100.60:50003"
NAT = "198.51.100.2:61000"
NAT_B = "198.51.100.2:61001"
RELAY = "203.0.113.9:3478"
RELAYED_A = "203.0.113.9:49152"
RELAYED_B = "203.0.113.9:49153"


def with_eve() -> Network:
    """The office, and a user outside, on the internet."""
    eve = Host(
        name="eve",
        role=Role.USER,
        segment=Segment.INTERNET,
        interfaces=(Interface(link="backbone", address=IPv4Interface("198.51.100.60/28")),),
        routes=(Route(to=IPv4Network("0.0.0.0/0"), via=IPv4Address("198.51.100.49")),),
        nameserver="resolver",
    )
    network = office()
    return Network(
        name=network.name,
        links=network.links,
        hosts=(*network.hosts, eve),
        perimeters=network.perimeters,
    )


class Frame(NamedTuple):
    """One frame of a capture; time in ns."""

    time: int
    data: bytes


@dataclass
class Story:
    """A network and what its taps saw."""

    network: Network = field(default_factory=with_eve)
    now: int = START
    #: Taps that miss whatever is sent from now on.
    deaf: set[str] = field(default_factory=set)
    frames: dict[str, list[Frame]] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        """Who stands where."""
        return places_of(self.network)

    def tap(self, name: str) -> Tap:
        """The tap of that name."""
        return next(tap for tap in self.network.taps() if tap.name == name)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * SECOND)

    def see(self, tap: str, frame: bytes, time: int | None = None) -> None:
        """Let a tap capture a frame, now or at some time."""
        if tap not in self.deaf:
            self.frames.setdefault(tap, []).append(Frame(self.now if time is None else time, frame))

    def cross(self, hop: Hop, packet: bytes, inverted: int = 0) -> None:
        """Send an IP packet over one hop; ``inverted`` ns too early at the far end."""
        frame = self.framed(hop, packet)
        self.see(hop.out, frame)
        self.see(hop.into, frame, self.now - inverted if inverted else self.now + STEP)
        self.now += 2 * STEP

    def send(
        self,
        route: Sequence[Hop],
        packet_ends: Ends,
        payload: bytes,
        *,
        lost: bool = False,
        inverted: int = 0,
    ) -> None:
        """Send UDP along a route; a ``lost`` packet does not reach the end of its last hop."""
        for hop in route[: len(route) - lost]:
            self.cross(hop, udp(packet_ends, payload), inverted)
        if lost:
            self.leave(route[-1], packet_ends, payload)

    def leave(self, hop: Hop, packet_ends: Ends, payload: bytes) -> None:
        """Let a packet go that arrives nowhere."""
        self.see(hop.out, self.framed(hop, udp(packet_ends, payload)))
        self.now += STEP

    def framed(self, hop: Hop, packet: bytes) -> bytes:
        """A packet as the taps of a hop capture it; in a tunnel there are no frames."""
        out, into = self.tap(hop.out), self.tap(hop.into)
        return packet if out.tunnel else ethernet(into.mac, out.mac, 0x0800, packet)

    def loop(self, packet_ends: Ends, payload: bytes) -> None:
        """Send UDP over the relay's loopback."""
        self.see("relay-lo", ethernet(None, None, 0x0800, udp(packet_ends, payload)))
        self.now += STEP

    def syn(self, route: Sequence[Hop], packet_ends: Ends, isn: int) -> None:
        """Send a SYN along a route."""
        for hop in route:
            self.cross(hop, tcp(packet_ends, isn, SYN))

    def say(self, route: Sequence[Hop], packet_ends: Ends, seq: int, payload: bytes) -> None:
        """Send TCP data along a route."""
        for hop in route:
            self.cross(hop, tcp(packet_ends, seq, 0x18, payload))

    def canaries(self, moment: Moment, *, without: str = "", run: str = RUN) -> None:
        """Let a canary arrive at every tap."""
        for tap in self.network.taps():
            if tap.name != without:
                self.see(tap.name, self._canary(tap, canary(run, tap.name, moment)))
        self.now += STEP

    def _canary(self, tap: Tap, text: bytes) -> bytes:
        if tap.tunnel is None:
            return ethernet(tap.mac, None, CANARY_ETHERTYPE, text).ljust(60, b"\0")
        vpn = self.network.vpn(tap.tunnel)
        other = vpn.clients[0].host if tap.host == vpn.gateway else vpn.gateway
        here, there = (int(vpn.ends()[host]) for host in (tap.host, other))
        return udp(Ends(there, 40_000, here, CANARY_PORT), text)

    def table(self, folder: Path) -> PacketTable:
        """Write the captures and read them."""
        captures = {tap: folder / f"{tap.name}.pcap" for tap in self.network.taps()}
        for tap, path in captures.items():
            link_type = LinkType.RAW_IP if tap.tunnel else LinkType.ETHERNET
            path.write_bytes(pcap(self.frames.get(tap.name, []), link_type))
        return read_table(captures, tunnels_of(self.network))

    def travels(self, folder: Path) -> Travels:
        """The paths of all UDP packets."""
        return follow_udp(self.table(folder), self.places)


def pcap(frames: Sequence[Frame], link_type: LinkType = LinkType.ETHERNET) -> bytes:
    """A classic capture with nanoseconds, in the order of time."""
    records = [
        struct.pack("<IIII", *divmod(frame.time, SECOND), len(frame.data), len(frame.data))
        + frame.data
        for frame in sorted(frames, key=lambda frame: frame.time)
    ]
    header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, link_type)
    return header + b"".join(records)


def ethernet(destination: str | None, source: str | None, kind: int, payload: bytes) -> bytes:
    """An Ethernet frame; None is the all-zero address of loopback."""
    macs = [bytes.fromhex((mac or "00" * 6).replace(":", "")) for mac in (destination, source)]
    return b"".join(macs) + kind.to_bytes(2) + payload


def udp(packet_ends: Ends, payload: bytes) -> bytes:
    """An IPv4 packet with UDP; checksums are left out."""
    ports = struct.pack(">HHHH", packet_ends.sport, packet_ends.dport, 8 + len(payload), 0)
    return ipv4(packet_ends, IP_UDP, ports + payload)


def tcp(packet_ends: Ends, seq: int, flags: int, payload: bytes = b"", *, ack: int = 0) -> bytes:
    """An IPv4 packet with TCP; checksums are left out."""
    header = struct.pack(
        ">HHIIBBHHH", packet_ends.sport, packet_ends.dport, seq, ack, 0x50, flags, 65_535, 0, 0
    )
    return ipv4(packet_ends, IP_TCP, header + payload)


def ipv4(packet_ends: Ends, protocol: int, payload: bytes) -> bytes:
    """An IPv4 packet without options."""
    size = 20 + len(payload)
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, protocol, 0)
        + struct.pack(">II", packet_ends.src, packet_ends.dst)
        + payload
    )


def icmp_error(source: str, destination: str, code: int, about: bytes) -> bytes:
    """An IPv4 packet with "destination unreachable" about another packet (RFC 792)."""
    addresses = ends(f"{source}:0", f"{destination}:0")
    return ipv4(addresses, IP_ICMP, struct.pack(">BBHI", 3, code, 0, 0) + about)


def channel_data(payload: bytes, channel: int = 0x4000) -> bytes:
    """A ChannelData message (RFC 8656, section 12.4)."""
    return struct.pack(">HH", channel, len(payload)) + payload


def rtp(number: int, size: int = 100) -> bytes:
    """Something that looks like RTP, different for each number."""
    return struct.pack(">BBHII", 0x80, 111, number % 2**16, number * 960, 0x11111111) + bytes(size)


def stun(kind: int, transaction: int, *attributes: tuple[int, bytes]) -> bytes:
    """A STUN message without integrity (RFC 8489, section 5)."""
    body = b"".join(
        struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4)
        for name, value in attributes
    )
    return struct.pack(">HHI", kind, len(body), 0x2112A442) + transaction.to_bytes(12) + body


def dns_query(name: str, number: int = 1) -> bytes:
    """A DNS question for an A record."""
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + _question(name)


def dns_answer(name: str, number: int = 1, address: str = "203.0.113.5") -> bytes:
    """The answer to it."""
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + IPv4Address(address).packed
    return struct.pack(">HHHHHH", number, 0x8180, 1, 1, 0, 0) + _question(name) + record


def _question(name: str) -> bytes:
    labels = [bytes([len(label)]) + label.encode() for label in name.split(".")]
    return b"".join(labels) + b"\0" + struct.pack(">HH", 1, 1)


def signed(kind: int, transaction: int, password: str, *attributes: tuple[int, bytes]) -> bytes:
    """A STUN message with MESSAGE-INTEGRITY (RFC 8489, section 14.5)."""
    covered = stun(kind, transaction, *attributes)
    size = len(covered) - 20 + 24
    covered = covered[:2] + size.to_bytes(2) + covered[4:]
    digest = hmac.digest(password.encode(), covered, "sha1")
    return covered + struct.pack(">HH", 0x0008, 20) + digest


def xored(address: tuple[int, int]) -> bytes:
    """The value of an XOR-…-ADDRESS attribute (RFC 8489, section 14.2)."""
    ip, port = address
    return struct.pack(">HHI", 1, port ^ 0x2112, ip ^ 0x2112A442)
