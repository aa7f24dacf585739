"""What tshark says of each frame of a capture, beside what the packet table says.

tshark is another reader by other people: where both say the same of a packet, neither
is likely to be wrong.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from results.packets import Kind, PacketTable, read_table
from scenarios.reading.peers import tshark_command
from topologies.spec import Tap

#: Of all packets, this part may differ at most, each for a reason that is known.
_MOST_DIFFERENT = 0.001

_FIELDS = (
    *("frame.number", "frame.protocols", "eth.type", "stun.type", "rtp.ssrc", "rtp.seq"),
    *("tcp.segment_data", "tcp.analysis.retransmission", "tcp.analysis.out_of_order"),
)

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


class Said(NamedTuple):
    """What a reader says of one frame."""

    #: Outermost and innermost, without transport.
    kinds: tuple[Kind, Kind]
    #: Of every STUN message, from the outside in.
    stun_types: tuple[int, ...]
    ssrc: int
    sequence: int


class Difference(NamedTuple):
    """A frame of which both say different things."""

    capture: str
    frame: int
    tshark: Said
    ours: Said
    #: A segment of TCP that tshark calls a retransmission, or out of order.
    is_again: bool

    @property
    def is_explained(self) -> bool:
        """Whether it is known why: tshark does not look into segments that were sent again."""
        kinds = (self.tshark.kinds, self.ours.kinds)
        return kinds == ((Kind.TCP, Kind.TCP), (Kind.TCP, Kind.TLS)) and self.is_again

    def __str__(self) -> str:
        return f"{self.capture} frame {self.frame}: tshark {self.tshark}, ours {self.ours}"


def compare(path: Path) -> tuple[int, list[Difference]]:
    """The number of frames of a capture, and those of which we and tshark differ."""
    table = read_table({_tap(path): path})
    theirs = dict(_of_tshark(path))
    assert sorted(theirs) == np.sort(table.frame).tolist()
    pairs = ((int(table.frame[row]), _ours(table, row)) for row in range(len(table)))
    found = [
        Difference(path.name, frame, theirs[frame][0], ours, theirs[frame][1])
        for frame, ours in pairs
        if theirs[frame][0] != ours
    ]
    return len(table), found


def check_folder(folder: Path) -> None:
    """Compare all captures of a run; AssertionError names the frames where too many differ."""
    count, found = 0, list[Difference]()
    for path in sorted(folder.glob("captures/*")):
        frames, differences = compare(path)
        count, found = count + frames, found + differences
    unexplained = [one for one in found if not one.is_explained]
    assert count > 0
    assert not unexplained, "\n".join(map(str, unexplained))
    assert len(found) <= count * _MOST_DIFFERENT, "\n".join(map(str, found))


def _tap(path: Path) -> Tap:
    return Tap(name=path.stem, host="host", interface="eth0", link=None, mac=None)


def _ours(table: PacketTable, row: int) -> Said:
    kinds = (Kind(int(table.kind[row])), Kind(int(table.inner_kind[row])))
    is_rtp = kinds[1] is Kind.RTP
    types = [
        int(column[row])
        for kind, column in zip(kinds, (table.stun_type, table.inner_stun_type), strict=True)
        if kind is Kind.STUN
    ]
    return Said(
        kinds,
        tuple(types[:1] if kinds[0] is kinds[1] and not _is_wrapped(table, row) else types),
        int(table.ssrc[row]) if is_rtp else 0,
        int(table.sequence[row]) if is_rtp else 0,
    )


def _is_wrapped(table: PacketTable, row: int) -> bool:
    return bool(table.inner_start[row] != table.payload_start[row])


def _of_tshark(path: Path) -> Iterator[tuple[int, tuple[Said, bool]]]:
    command = tshark_command(path, _FIELDS)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        number, *fields, again, early = line.split("\t")
        yield int(number), (_said(*fields), bool(again or early))


def _said(protocols: str, ethertype: str, stun: str, ssrc: str, seq: str, part: str) -> Said:
    layers = protocols.split(":")
    if "icmp" in layers:
        # What an error quotes is no layer of the packet.
        layers, stun, ssrc, seq = layers[: layers.index("icmp") + 1], "", "", ""
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
        # A part of a record that another segment completes.
        inner = Kind.TLS if is_part else (payloads or layers)[0]
        return Kind.TCP, inner
    if transport is not Kind.UDP:
        return transport, transport
    payloads = payloads or [Kind.UDP]
    messages = payloads.count(Kind.STUN)
    if messages > len(stun_types):
        # tshark calls ChannelData "stun" too, but such a layer has no message type.
        payloads[0] = Kind.CHANNEL_DATA
    return payloads[0], payloads[-1]
