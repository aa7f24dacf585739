"""What cannot be known without keys, or from these files; nothing is guessed."""

from collections.abc import Iterator, Sequence

import numpy as np

from results.inspection.calls import Call, Part
from results.inspection.lanes import End, ends_of
from results.inspection.pairs import on_relays, relays_of
from results.inspection.records import PathSeen, SelectedPair, StreamSeen
from results.inspection.turn import Turn
from results.packets import Kind, PacketTable
from results.protocols import stun

#: The type of a request to allocate (RFC 8656, section 17).
_REQUEST = stun.Method.ALLOCATE.to_bytes(2)

_CARRIERS = {
    Kind.WIREGUARD: "packets of WireGuard carry",
    Kind.TCP: "packets of TCP carry: media within TLS would look like any other",
}


def of_files(table: PacketTable, any_call: bool) -> Iterator[str]:
    """What is unknown of all of it."""
    if any_call:
        yield (
            "whether checks and media are authentic, which candidates were offered, and who "
            "called whom: that is encrypted"
        )
    for end in _turn_over_tcp(table):
        yield f"what TURN over TCP with {end} carries: that is not read"
    for kind, words in _CARRIERS.items():
        count = int((table.kind == kind).sum())
        if count and (kind is Kind.WIREGUARD or not any_call):
            yield f"what {count:,} {words}"
    snapped = int((table.kind == Kind.OTHER).sum())
    if snapped:
        yield f"what {snapped:,} packets are: of another protocol, fragments, or captured in part"


def _turn_over_tcp(table: PacketTable) -> list[str]:
    """Who is asked, where segments begin with STUN (RFC 8489, section 6.2.2)."""
    rows = np.flatnonzero((table.kind == Kind.TCP) & (table.payload_size >= stun.HEADER_SIZE))
    head = table.octets(rows, table.payload_start[rows], 8)
    asks = (head[:, 4:] == np.frombuffer(stun.MAGIC, np.uint8)).all(axis=1)
    asks &= (head[:, :2] == np.frombuffer(_REQUEST, np.uint8)).all(axis=1)
    return list(dict.fromkeys(str(ends_of(table, row).dst) for row in rows[asks].tolist()))


def of_call(
    call: Call, used: Sequence[Part], pair: SelectedPair | None, relayed: bool | None, turn: Turn
) -> Iterator[str]:
    """What is unknown of one call, each as one sentence; ``used`` are the parts that it uses."""
    if not call.ufrags:
        yield "which pairs were checked: no ICE check is in the files"
    elif pair is None:
        yield "which pair was selected: no answered nomination (USE-CANDIDATE) is in the files"
    if relayed is None:
        yield _whether_relayed([end for part in used for end in on_relays(part, turn)])
    elif relayed and not any(relays_of(part, turn) for part in used):
        yield "which of the two ends is the relay: neither said so, nor has a relay's port"


def _whether_relayed(suspects: Sequence[End]) -> str:
    if suspects:
        return (
            f"whether a relay carries it: {suspects[0]} is on a relay's host, but its allocation "
            "is not in the files"
        )
    return (
        "whether the other side uses a relay: from here its relayed address would look "
        "like any other"
    )


def of_media(streams: Sequence[StreamSeen], paths: Sequence[PathSeen]) -> Iterator[str]:
    """What is unknown of a call's media."""
    for stream in streams:
        if stream.jitter_ms is None:
            yield f"jitter of {stream.ssrc} in {stream.file}: nothing tells its clock rate"
    for path in paths:
        if not path.order_known:
            yield f"in which order media of {path.side} passes: {', '.join(path.places)}"
