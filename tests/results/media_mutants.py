"""Changes to the media of a run, and packets that were never in it: what mutants are made of."""

import struct
from collections.abc import Callable
from pathlib import Path

from results.schema import RunFolder
from results.tracing.sightings import Ends
from tests.results.frame_kinds import ALICE, BEA, BOB, ETHERNET, between, is_rtp, payload
from tests.results.recorded import frames, taps, write
from tests.results.story import STEP, Frame, ends, ethernet, tcp, udp


def mute_from_the_middle(folder: Path) -> None:
    found = frames(folder, "bob-eth0")
    middle = found[len(found) // 2].time
    kept = [frame for frame in found if frame.time < middle or not is_rtp(frame.data)]
    write(folder, "bob-eth0", kept)


def other_calls_media(folder: Path) -> None:
    """The media that alice and bea exchanged takes the place of that of alice and bob."""
    spare = [
        payload(frame.data)
        for frame in frames(folder, "bea-eth0")
        if is_rtp(frame.data) and between(frame.data, ALICE, BEA)
    ]
    mine = [frame for frame in frames(folder, "alice-eth0") if _between_alice_and_bob(frame.data)]
    changed = {payload(frame.data): new for frame, new in zip(mine, spare, strict=False)}
    _replace_payloads(folder, changed)


def media_under_other_keys(folder: Path) -> None:
    """Media of another run: it looks the same, but no key of this one is for it."""
    mine = [frame for frame in frames(folder, "alice-eth0") if _between_alice_and_bob(frame.data)]
    old = [payload(frame.data) for frame in mine]
    _replace_payloads(folder, {data: data[:-1] + bytes([data[-1] ^ 1]) for data in old})


def _between_alice_and_bob(frame: bytes) -> bool:
    return is_rtp(frame) and between(frame, ALICE, BOB)


def _replace_payloads(folder: Path, changed: dict[bytes, bytes]) -> None:
    for tap in taps(folder):
        found = frames(folder, tap)
        write(folder, tap, [Frame(time, _with(data, changed)) for time, data in found])


def _with(frame: bytes, changed: dict[bytes, bytes]) -> bytes:
    new = changed.get(payload(frame))
    if new is None:
        return frame
    source, destination = (int.from_bytes(frame[at : at + 4]) for at in (26, 30))
    ports = struct.unpack(">HH", frame[34:38])
    sockets = ends("0.0.0.0:0", "0.0.0.0:0")._replace(
        src=source, dst=destination, sport=ports[0], dport=ports[1]
    )
    return frame[:ETHERNET] + udp(sockets, new)


def strange_connection(folder: Path) -> None:
    """Bob opens a connection with alice that belongs to no call."""
    way = (("bob-eth0", "alice-eth0", ends(f"{BOB}:40000", f"{ALICE}:443")),)
    insert(folder, way, _media(folder).time, lambda at: tcp(at, 4711, 0x02))


#: Out of a tap, into another, between which ends.
Way = tuple[tuple[str, str, Ends], ...]


_TO_THE_RELAY = ends(f"{ALICE}:40000", "203.0.113.9:3478")


_BEYOND_THE_NAT = ends("198.51.100.2:40000", "203.0.113.9:3478")


_WAY_TO_THE_RELAY = (
    ("alice-eth0", "core-eth0", _TO_THE_RELAY),
    ("core-eth2", "office_nat-eth0", _TO_THE_RELAY),
    ("office_nat-eth1", "inet-eth0", _BEYOND_THE_NAT),
    ("inet-eth2", "relay-eth0", _BEYOND_THE_NAT),
)


def media_at_the_perimeter(folder: Path) -> None:
    """A packet that alice sent to bob is also seen on its way out of the office."""
    copy = _media(folder)
    insert(folder, _WAY_TO_THE_RELAY[1:], copy.time, lambda at: udp(at, copy.data))


def media_at_the_relay(folder: Path) -> None:
    """Alice also sends to the relay what she sends to bob."""
    copy = _media(folder)
    insert(folder, _WAY_TO_THE_RELAY, copy.time, lambda at: udp(at, copy.data))


def unknown_media_at_the_relay(folder: Path) -> None:
    """Alice sends media of which nobody has told to the relay."""
    copy = _media(folder)
    insert(folder, _WAY_TO_THE_RELAY, copy.time, lambda at: udp(at, copy.data[:-1] + b"?"))


def _media(folder: Path) -> Frame:
    """The payload of one of the packets from alice to bob, in the midst of the call."""
    found = [
        Frame(time, payload(data))
        for time, data in frames(folder, "bob-eth0")
        if _between_alice_and_bob(data) and data[26:30] == bytes(map(int, ALICE.split(".")))
    ]
    return found[len(found) // 2]


def insert(folder: Path, way: Way, after: int, packet: Callable[[Ends], bytes]) -> None:
    """Add a packet to the captures, a little after a time."""
    network = RunFolder(folder).read_run().network
    macs = {tap.name: tap.mac for tap in network.taps()}
    now = after + 100 * STEP
    for out, into, sockets in way:
        frame = ethernet(macs[into], macs[out], 0x0800, packet(sockets))
        for tap in (out, into):
            now += STEP
            write(folder, tap, [*frames(folder, tap), Frame(now, frame)])
