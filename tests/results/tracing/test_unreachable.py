"""ICMP errors, the packets that they are about, and who sent them."""

from ipaddress import IPv6Address
from pathlib import Path as FilePath

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6
from scapy.packet import Packet

from results.packets import IP_ICMP, IP_TCP, IP_UDP
from results.tracing.sightings import LONGEST_HOP, Ends, Sighting
from results.tracing.unreachable import Unreachable, unreachables
from tests.results.story import (
    ALICE,
    ALICE_NAT,
    BOB,
    EVE,
    NAT,
    NAT_EVE,
    STEP,
    Story,
    back,
    ends,
    ethernet,
    icmp_error,
    ipv4,
    udp,
)
from topologies.ipv6 import dual_stack


def refuse(story: Story, code: int = 0) -> None:
    """Eve's router says to the office NAT that it has no way, and the NAT passes it on."""
    about = udp(ends(NAT, EVE), b"something")
    story.cross(back(NAT_EVE)[-1], icmp_error("198.51.100.1", "198.51.100.2", code, about))
    inner = udp(ends(ALICE, EVE), b"something")
    for hop in back(ALICE_NAT):
        story.cross(hop, icmp_error("198.51.100.1", "10.10.0.11", code, inner))


def errors(story: Story, folder: FilePath) -> list[Unreachable]:
    return unreachables(story.table(folder), story.places)


def lost(story: Story, folder: FilePath) -> Sighting:
    """A packet that the internet's router saw last."""
    story.send(ALICE_NAT, ends(ALICE, EVE), b"something")
    story.send(NAT_EVE[:1], ends(NAT, EVE), b"something")
    return story.travels(folder).paths[0].last


@pytest.mark.parametrize(
    ("code", "words", "no_route"),
    [
        (0, "network unreachable", True),
        (1, "host unreachable", True),
        (3, "port unreachable", False),
        (13, "communication administratively prohibited", False),
        (4, "destination unreachable, code 4", False),
    ],
)
def test_an_error_stands_where_it_was_made(
    tmp_path: FilePath, code: int, words: str, no_route: bool
) -> None:
    story = Story()
    refuse(story, code)
    (error,) = errors(story, tmp_path)
    assert (error.host, error.about, error.words) == ("inet", ends(NAT, EVE), words)
    assert error.no_route is no_route


def test_an_error_answers_the_packet_that_came_just_before(tmp_path: FilePath) -> None:
    story = Story()
    seen = lost(story, tmp_path)
    refuse(story)
    (error,) = errors(story, tmp_path)
    assert error.answers(seen)
    assert error._replace(time=seen.time - STEP).answers(seen)  # clocks of taps may invert
    for other in (
        error._replace(time=seen.time + LONGEST_HOP + 1),
        error._replace(time=seen.time - LONGEST_HOP),
        error._replace(host="core"),
        error._replace(about=ends(NAT, BOB)),
    ):
        assert not other.answers(seen)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x03\x00" + bytes(6),
        b"\x03\x00" + bytes(6) + ipv4(ends(NAT, EVE), IP_TCP, bytes(8)),
        b"\x03\x00" + bytes(6) + ipv4(ends(NAT, EVE), IP_UDP, b"\x01"),
        b"\x0b\x00" + bytes(6) + udp(ends(NAT, EVE), b"something"),
    ],
    ids=["nothing", "no quotation", "about TCP", "cut short", "time exceeded"],
)
def test_messages_that_are_about_no_udp_packet(tmp_path: FilePath, message: bytes) -> None:
    story = Story()
    packet = ipv4(ends("198.51.100.1:0", "198.51.100.2:0"), IP_ICMP, message)
    frame = ethernet(story.tap("office_nat-eth1").mac, story.tap("inet-eth0").mac, 0x0800, packet)
    story.see("inet-eth0", frame)
    assert errors(story, tmp_path) == []


#: From alice to eve, and the router of the internet.
ALICE_6, EVE_6, INET_6 = "2001:db8:10:1::11", "2001:db8:e1:1::11", "2001:db8:a:1::1"
ABOUT_6 = Ends(int(IPv6Address(ALICE_6)), 5000, int(IPv6Address(EVE_6)), 6000)


def said_over_ipv6(message: Packet, folder: FilePath) -> list[Unreachable]:
    """The errors where the internet's router sends one message of ICMPv6."""
    story = Story(network=dual_stack())
    packet = bytes(IPv6(src=INET_6, dst=ALICE_6) / message)
    frame = ethernet(story.tap("office_nat-eth1").mac, story.tap("inet-eth0").mac, 0x86DD, packet)
    story.see("inet-eth0", frame)
    return errors(story, folder)


@pytest.mark.parametrize(
    ("code", "words", "no_route"),
    [
        (0, "no route to destination", True),
        (1, "communication administratively prohibited", False),
        (3, "address unreachable", True),
        (4, "port unreachable", False),
        (2, "destination unreachable, code 2", False),
    ],
)
def test_an_error_of_ipv6(tmp_path: FilePath, code: int, words: str, no_route: bool) -> None:
    about = IPv6(src=ALICE_6, dst=EVE_6) / UDP(sport=5000, dport=6000) / b"something"
    (error,) = said_over_ipv6(ICMPv6DestUnreach(code=code) / about, tmp_path)
    assert (error.host, error.about, error.words) == ("inet", ABOUT_6, words)
    assert error.no_route is no_route


@pytest.mark.parametrize(
    "message",
    [
        ICMPv6PacketTooBig(mtu=1280) / IPv6(src=ALICE_6, dst=EVE_6) / UDP(sport=5000, dport=6000),
        ICMPv6DestUnreach() / IPv6(src=ALICE_6, dst=EVE_6) / TCP(sport=5000, dport=6000),
        ICMPv6DestUnreach() / b"cut short",
    ],
    ids=["packet too big", "about TCP", "cut short"],
)
def test_messages_of_ipv6_that_are_no_such_error(tmp_path: FilePath, message: Packet) -> None:
    assert said_over_ipv6(message, tmp_path) == []
