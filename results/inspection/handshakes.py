"""DTLS handshakes of a conversation, from whichever file has most of each."""

from collections.abc import Iterator

from results.inspection.conversations import Conversation, Way
from results.inspection.ends import pair_at
from results.inspection.records import Dtls
from results.inspection.turn import Turn
from results.packets import Kind
from results.protocols.dtls import Datagram, Handshake, handshakes


def dtls_of(conversation: Conversation, turn: Turn) -> list[Dtls]:
    """Each association once, by the random of its ClientHello."""
    best: dict[bytes, tuple[Way, Handshake]] = {}
    for way in conversation.ways:
        for found in handshakes(_datagrams(way, turn)):
            known = best.get(found.client_random)
            if known is None or _told(found) > _told(known[1]):
                best[found.client_random] = (way, found)
    return [_record(way, found) for way, found in best.values()]


def _datagrams(way: Way, turn: Turn) -> Iterator[Datagram]:
    lane = way.lane
    for row in lane.of_kind(Kind.DTLS).tolist():
        direction = int(lane.goes_forward(row) is way.turned)
        pair, ends = pair_at(way, direction, turn), way.ends(direction)
        known = pair.local is not None and pair.remote is not None
        source, target = (pair.local, pair.remote) if known else ends
        yield Datagram(row, source, target, lane.table.innermost(row))


def _told(found: Handshake) -> int:
    """How much of a handshake was captured."""
    parts = (found.server_random, found.client_certificate, found.server_certificate)
    return sum(part is not None for part in parts)


def _record(way: Way, found: Handshake) -> Dtls:
    client, server = found.client_certificate, found.server_certificate
    return Dtls(
        client=str(found.client),
        server=str(found.server),
        file=way.lane.name,
        frame=int(way.lane.table.frame[found.client_hello_row]),
        srtp_profile=found.srtp_profile,
        client_certificate=client and client.fingerprint,
        server_certificate=server and server.fingerprint,
    )
