"""What tshark says of each frame of a capture, in the terms of the packet table."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from results.packets import Kind
from scenarios.reading.peers import tshark_command

#: tshark's name of a protocol -> ours. What TLS carries, and certificates, it names besides.
_KINDS = {
    "arp": Kind.ARP,
    "icmp": Kind.ICMP,
    "icmpv6": Kind.ICMPV6,
    "tcp": Kind.TCP,
    "udp": Kind.UDP,
    "dns": Kind.DNS,
    "stun": Kind.STUN,
    "classicstun": Kind.STUN,
    "turnchannel": Kind.CHANNEL_DATA,
    "dtls": Kind.DTLS,
    "rtp": Kind.RTP,
    "rtcp": Kind.RTCP,
    "wg": Kind.WIREGUARD,
    "tls": Kind.TLS,
    "http": Kind.HTTP,
}

_FIELDS = (
    *("frame.interface_id", "frame.protocols", "eth.type", "stun.type", "rtp.ssrc", "rtp.seq"),
    *("tcp.segment_data", "tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.len"),
)

#: tshark shows a datagram in its last fragment, unless told to take each for itself, as we do.
_NO_REASSEMBLY = ("-o", "ip.defragment:FALSE")

#: tshark takes whatever uses TCP's port 443 for TLS, unless told to look first.
_NOT_BY_PORT = ("-o", "tcp.try_heuristic_first:TRUE")

#: tshark looks into no segment that its analysis takes for one sent again. At one tap that can
#: be left to it; at several, every segment seems to be.
_NO_ANALYSIS = ("-o", "tcp.analyze_sequence_numbers:FALSE")


class Said(NamedTuple):
    """What a reader says of one frame."""

    #: Outermost and innermost, without transport.
    kinds: tuple[Kind, Kind]
    #: Of every STUN message, from the outside in.
    stun_types: tuple[int, ...]
    ssrc: int
    sequence: int

    def __str__(self) -> str:
        kinds = " in ".join(kind.name for kind in dict.fromkeys(reversed(self.kinds)))
        types = "".join(f", STUN type 0x{number:04x}" for number in self.stun_types)
        media = f", SSRC 0x{self.ssrc:08x}, sequence {self.sequence}" if self.ssrc else ""
        return kinds + types + media


class Segment(NamedTuple):
    """What a frame carries of one direction of a TCP connection: its first and last place."""

    stream: tuple[str, str]
    begin: int
    end: int


class Shown(NamedTuple):
    """A frame as tshark shows it; ``interface`` is its number in the file."""

    interface: int
    said: Said
    #: None where the frame carries no data of TCP.
    segment: Segment | None


def shown(capture: Path, *, one_tap: bool, by_port: bool = True) -> list[Shown]:
    """Every frame of a capture, in the order of the file; AssertionError where tshark fails."""
    options = (
        *_NO_REASSEMBLY,
        *(() if by_port else _NOT_BY_PORT),
        *(_NO_ANALYSIS if one_tap else ()),
    )
    command = [*tshark_command(capture, _FIELDS), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{capture}: {done.stderr}"
    return [_frame(*line.split("\t")) for line in done.stdout.splitlines()]


def _frame(interface: str, *fields: str) -> Shown:
    *told, stream, port, begin, size = fields
    segment = None
    if size.isdigit() and int(size):
        segment = Segment((stream, port), int(begin), int(begin) + int(size))
    return Shown(int(interface or 0), _said(*told), segment)


def _said(protocols: str, ethertype: str, stun: str, ssrc: str, seq: str, part: str) -> Said:
    layers = protocols.split(":")
    for errors in {"icmp", "icmpv6"} & {*layers}:
        # What an error quotes is no layer of the packet.
        layers, stun, ssrc, seq = layers[: layers.index(errors) + 1], "", "", ""
    if "tcp" in layers and "stun" in layers:
        # A segment has no kind of its own for us: the messages of a stream are rows apart.
        layers, stun, ssrc, seq = layers[: layers.index("tcp") + 1], "", "", ""
    if "rtcp" in layers:
        # Both come to one port, and RTP's reader passes it on (RFC 5761).
        layers = [layer for layer in layers if layer != "rtp"]
    known = [_KINDS[layer] for layer in layers if layer in _KINDS]
    types = tuple(int(number, 16) for number in stun.split(",") if number)
    return Said(
        _kinds(known, types, is_canary=ethertype == "0x88b5", is_part=bool(part)),
        types,
        int(ssrc.split(",")[0], 16) if ssrc else 0,
        int(seq.split(",")[0]) if seq else 0,
    )


def _kinds(
    layers: list[Kind], stun_types: tuple[int, ...], *, is_canary: bool, is_part: bool
) -> tuple[Kind, Kind]:
    if not layers:
        kind = Kind.CANARY if is_canary else Kind.OTHER
        return kind, kind
    transport, *payloads = layers
    if transport is Kind.TCP:
        # A part of a record that another segment completes; what a proxy passes on bears HTTP,
        # by which the tunnel was asked for, as a layer too.
        is_tls = is_part or Kind.TLS in payloads
        return Kind.TCP, Kind.TLS if is_tls else (payloads or layers)[0]
    if transport is not Kind.UDP:
        return transport, transport
    payloads = payloads or [Kind.UDP]
    messages = payloads.count(Kind.STUN)
    if messages > len(stun_types):
        # tshark calls ChannelData "stun" too, but such a layer has no message type.
        payloads[0] = Kind.CHANNEL_DATA
    return payloads[0], payloads[-1]
