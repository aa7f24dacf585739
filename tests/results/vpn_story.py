"""Packets of VPN users that never were: within tunnels, and what carries them outside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from results.absence import find_canaries
from results.media import Packet, Stream
from results.media_keys import MediaKey
from results.packets import Kind
from results.protocols.srtp import Profile
from results.schema import CallResult, Connection, PairOutcome, Run
from results.tracing.legs import Conversations
from results.tracing.openings import connections, queries
from results.tracing.sightings import Ends
from results.tunnelling.vpn import Scenery
from results.tunnelling.wireguard import outer_size
from tests.results.judged import a_run
from tests.results.story import RUN, Hop, Story, back, ends, hops, udp
from topologies.reference import office_with_vpn
from topologies.spec import Network

VIC = "10.99.0.11:40000"
VERA = "10.99.0.12:40001"
VIC_AT_HOME = "192.168.3.11:40002"
ALICE = "10.10.0.11:50000"
EVE = "198.51.100.10:6000"
OFFICE = "198.51.100.2:61000"

IN_TUNNEL = hops("vic-wg0>vpn_gw-wg0")
GW_CORE = hops("vpn_gw-eth1>core-eth3")
CORE_ALICE = hops("core-eth0>alice-eth0")
CORE_NAT = hops("core-eth2>office_nat-eth0")
NAT_EVE = hops("office_nat-eth1>inet-eth0", "inet-eth6>eve_nat-eth1", "eve_nat-eth0>eve-eth0")
VIC_ALICE = (*IN_TUNNEL, *GW_CORE, *CORE_ALICE)
VIC_INET = hops("vic-eth0>vic_nat-eth0", "vic_nat-eth1>inet-eth4")
VIC_EVE = (*VIC_INET, *hops("inet-eth6>eve_nat-eth1", "eve_nat-eth0>eve-eth0"))
VIC_VERA = (*IN_TUNNEL, *GW_CORE, *back(GW_CORE), *hops("vpn_gw-wg0>vera-wg0"))

_OUTSIDE = (*VIC_INET, *hops("inet-eth3>vpn_gw-eth0"))
_HOME, _MAPPED, _GATEWAY = "192.168.3.11:51000", "198.51.100.22:51000", "198.51.100.18:51820"


@dataclass
class VpnStory(Story):
    """The office with its VPN users. Time to live sinks from hop to hop."""

    network: Network = field(default_factory=office_with_vpn)
    #: Whether what goes through vic's tunnel is seen outside as well.
    carried: bool = True
    _sent: int = 0

    def send(
        self,
        route: Sequence[Hop],
        packet_ends: Ends,
        payload: bytes,
        *,
        lost: bool = False,
        inverted: int = 0,
        ttl: int = 64,
    ) -> None:
        """Send UDP along a route, and WireGuard packets where it leads through vic's tunnel."""
        for number, hop in enumerate(route):
            packet = aged(udp(packet_ends, payload), ttl - number)
            if lost and number == len(route) - 1:
                self.see(hop.out, self.framed(hop, packet))
            elif self.carried and {hop.out, hop.into} == {"vic-wg0", "vpn_gw-wg0"}:
                self.see(hop.out, packet)
                self.now += 1_000
                self.carry(outer_size(len(packet), mtu=1420), inward=hop.out == "vic-wg0")
                self.see(hop.into, packet)
            else:
                self.cross(hop, packet, inverted)
        self.now += 1_000

    def carry(self, size: int, *, inward: bool = True, kind: int = 4) -> None:
        """Send a WireGuard packet between vic and the gateway, of some bytes of UDP payload."""
        self._sent += 1
        payload = bytes([kind, 0, 0, 0]) + self._sent.to_bytes(8) + bytes(size - 12)
        first, *others = _OUTSIDE
        parts = [((first,), ends(_HOME, _GATEWAY)), (others, ends(_MAPPED, _GATEWAY))]
        for route, at in parts if inward else parts[::-1]:
            for hop in route if inward else back(route):
                self.cross(hop, udp(at if inward else at.reversed(), payload))

    def scenery(
        self,
        folder: FilePath,
        *pairs: PairOutcome,
        users: tuple[str, str] = ("vic", "alice"),
        connections_: tuple[Connection, ...] = (),
    ) -> Scenery:
        """What there is to find; every RTP packet is media of the one call."""
        table, travels = self.table(folder), self.travels(folder)
        media = {
            user: MediaKey("c1", user, other, Profile.AEAD_AES_256_GCM, b"")
            for user, other in (users, users[::-1])
        }
        rtp = [path for path in travels.paths if path.first.kind is Kind.RTP]
        streams = [
            Stream(key, tuple(Packet(b"", (path,)) for path in rtp if path.origin == user))
            for user, key in media.items()
        ]
        run: Run = a_run(network=self.network, connections=connections_)
        asked = (query.opening for query in queries(table, self.places, travels))
        return Scenery(
            table=table,
            places=self.places,
            run=run,
            udp=travels,
            canaries=find_canaries(table, RUN),
            conversations=Conversations(self.places, travels.paths),
            openings=(*asked, *connections(table, self.places).openings),
            streams=streams,
            calls={
                "c1": CallResult(participants=users, steps=(), media=(), selected={}, pairs=pairs)
            },
            counted={"vpn": {"no_media_to_lan": 3}},
        )


def aged(packet: bytes, ttl: int) -> bytes:
    """An IPv4 packet with another time to live."""
    return packet[:8] + bytes([ttl]) + packet[9:]
