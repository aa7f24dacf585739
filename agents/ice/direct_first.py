"""An ICE agent on aioice that prefers any direct path to any relay, and there IPv6 to IPv4.

aioice nominates aggressively: the first pair that works is taken, which between
two port-restricted NATs is the relay in half of the runs. Here nomination is
regular (RFC 8445 section 8.1.1) and pairs that involve a relay are held back
while direct checks still have time (:data:`HOLD_SECONDS`; less when all of
those have failed, or :data:`SHORT_HOLD_SECONDS` where UDP does not leave a network). So are
direct pairs of IPv4 where there are some of IPv6, which have the higher priority (RFC 8421,
section 4): a first check may be lost at a router that lets in only what answers.
"""

import asyncio
import socket
from collections.abc import Iterable
from functools import cached_property

import ifaddr
from aioice import Candidate, Connection, TransportPolicy, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol, get_host_addresses

from agents.ice import families, protocol
from agents.ice.gathering import enough, is_among, outcome, reflexive
from agents.ice.names import Names
from agents.ice.race import Race
from agents.ice.relaying import Relayed, Try, give_back
from agents.ice.servers import Servers

#: How long direct checks may take before a relayed pair is nominated, in seconds.
HOLD_SECONDS = 2.0

#: The same where one of both ends has no candidate by which UDP from outside could reach it:
#: what is direct then is near, and answers soon.
SHORT_HOLD_SECONDS = 0.25

_SUCCEEDED, _FAILED = CandidatePair.State.SUCCEEDED, CandidatePair.State.FAILED
_IN_PROGRESS = CandidatePair.State.IN_PROGRESS
_NOT_CHECKED = (CandidatePair.State.FROZEN, CandidatePair.State.WAITING)


class DirectFirst(Connection):
    """An agent (:class:`agents.ice.protocol.IceAgent`) but for restarts (agents/ice/restart.py)."""

    _hold: asyncio.TimerHandle | None = None
    _held_long_enough = False
    _nomination: asyncio.Task[None] | None = None
    _servers: Servers | None = None

    #: What carries TURN, where a way led to a relay.
    transport: str | None = None
    #: Why no way led to a relay, one sentence for each; empty where one did.
    unrelayed: tuple[str, ...] = ()

    @cached_property
    def _late(self) -> list[asyncio.Task[None]]:
        """What gives back the allocations of those who lost a race."""
        return []

    @cached_property
    def _again(self) -> dict[int, asyncio.Task[None]]:
        """The second checks, by the pair's identity."""
        return {}

    @cached_property
    def _every_pair_checked(self) -> asyncio.Event:
        return asyncio.Event()

    def selected(self) -> protocol.SelectedPair | None:
        """The nominated pair, once there is one."""
        pair = self._nominated.get(1)
        if pair is None:
            return None
        return protocol.SelectedPair(
            local=_plain(pair.local_candidate), remote=_plain(pair.remote_candidate)
        )

    def gathered(self) -> list[protocol.Candidate]:
        """The candidates that were gathered."""
        return [_plain(candidate) for candidate in self.local_candidates]

    def use(self, servers: Servers) -> None:
        """Gather from these servers."""
        self._servers = servers
        if servers.relay_only:
            self._transport_policy = TransportPolicy.RELAY

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Gather for one component, from sockets that are bound to their interface.

        An unbound socket of a tunnel's address would send its request out of
        another interface and wait for an answer that cannot come.
        """
        preferred = {address: families.preference(address, addresses) for address in addresses}
        hosts = [await self._open(component, *item) for item in preferred.items()]
        self._protocols += hosts
        candidates = [host.local_candidate for host in hosts]
        if self._servers is None:
            return candidates
        names = Names()
        # With the relay policy there are none to gather, but ways to a relay all the same.
        own = get_host_addresses(use_ipv4=self._use_ipv4, use_ipv6=self._use_ipv6)
        relaying = [
            asyncio.create_task(self._relay(self._servers, names, version))
            for version in sorted(set(map(families.version, own)), reverse=True)
        ]
        asking = [
            asyncio.create_task(reflexive(host, self._servers.stun, names, local_preference))
            for host, local_preference in zip(hosts, preferred.values(), strict=True)
        ]
        await enough(relaying, asking, timeout)
        for found in filter(None, map(outcome, asking)):
            if not is_among(found, candidates):
                candidates.append(found)
        relays = list(filter(None, map(outcome, relaying)))
        if relays:
            self.unrelayed = ()
            self.transport = "proxy" if relays[0].way.proxy else relays[0].way.transport
        self._protocols += relays
        hidden = self._servers.relay_only
        candidates += [
            relayed.candidate(component, own, hide_related_address=hidden) for relayed in relays
        ]
        return candidates

    async def _relay(self, servers: Servers, names: Names, version: int) -> Relayed:
        """An allocation by the first way of a version of IP that leads to one.

        What comes later is given back.
        """
        tries = [Try(way, version, servers, names, self) for way in servers.ways(version)]
        race = Race([one.allocate for one in tries])
        try:
            return await race.winner()
        except (ExceptionGroup, asyncio.CancelledError):
            self.unrelayed += tuple(
                f"{tries[number].way}: {_why(task)}" for number, task in race.losers()
            )
            raise
        finally:
            self._late += [
                asyncio.create_task(give_back(task, tries[number]))
                for number, task in race.losers()
            ]

    async def close(self) -> None:
        """Give back sockets and allocations, those of the race's losers too."""
        await super().close()
        if self._late:
            await asyncio.wait(self._late)

    async def connect(self) -> None:
        """Check pairs until one is nominated; ConnectionError when none works."""
        loop = asyncio.get_running_loop()
        hold = hold_seconds(self.local_candidates, self.remote_candidates)
        self._hold = loop.call_later(hold, self._end_hold)
        try:
            await super().connect()
        finally:
            self._hold.cancel()
            for check in self._again.values():
                check.cancel()
            self._every_pair_checked.set()

    async def checked_every_pair(self) -> None:
        """Wait until a first check on each pair was sent, or checks have ended."""
        await self._every_pair_checked.wait()

    async def check_start(self, pair: CandidatePair) -> None:
        """One connectivity check (RFC 8445 section 7.2), never a nominating one."""
        self.check_state(pair, CandidatePair.State.IN_PROGRESS)
        if not any(other.state in _NOT_CHECKED for other in self._check_list):
            # This last one leaves before anybody who waits can go on.
            self._every_pair_checked.set()
        request = self.build_request(pair, nominate=False)
        try:
            _, source = await self._request(pair, request)
        except stun.TransactionError as error:
            if _is_role_conflict(error):
                # RFC 8445 section 7.2.5.1: take the role that we did not claim, and try again.
                self.switch_role(ice_controlling="ICE-CONTROLLING" not in request.attributes)
                return await self.check_start(pair)
            return self._conclude(pair, _FAILED)
        # RFC 8445 section 7.2.5.2.1: the answer must come from where the check was sent to.
        if source != pair.remote_addr:
            return self._conclude(pair, _FAILED)
        pair.nominated = pair.remote_nominated and not self.ice_controlling
        return self._conclude(pair, _SUCCEEDED)

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """Handle a check of the peer's; our own on that pair, if under way, is sent once more.

        It may have come too early for the peer's NAT or relay, and its retransmission
        takes half a second (RFC 8445 section 7.3.1.4). Only once: two ends that answered each
        check with another one would never end.
        """
        before = self._under_way(protocol, addr)
        super().check_incoming(message, addr, protocol)
        if before is not None and id(before) not in self._again:
            self._again[id(before)] = asyncio.create_task(self._check_again(before))

    async def _check_again(self, pair: CandidatePair) -> None:
        """Another check on a pair; an answer to the first one counts as well."""
        try:
            _, source = await self._request(pair, self.build_request(pair, nominate=False))
        except stun.TransactionError:
            return
        if pair.state is _IN_PROGRESS and source == pair.remote_addr:
            if pair.task is not None:
                pair.task.cancel()
            pair.nominated = pair.remote_nominated and not self.ice_controlling
            self._conclude(pair, _SUCCEEDED)

    def _under_way(self, own: StunProtocol, addr: tuple[str, int]) -> CandidatePair | None:
        """The pair of a socket and a peer's address whose check waits for its answer."""
        waiting = (pair for pair in self._check_list if pair.state is _IN_PROGRESS)
        return next((p for p in waiting if (p.protocol, p.remote_addr) == (own, addr)), None)

    def _conclude(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        self.check_state(pair, state)
        self.check_complete(pair)
        self._consider()

    def _end_hold(self) -> None:
        self._held_long_enough = True
        self._consider()

    def _consider(self) -> None:
        """Nominate the best pair that may be nominated now, if we control and have not yet."""
        if not self.ice_controlling or self._nomination is not None or self._check_list_done:
            return
        pair = nominee(self._check_list, self._held_long_enough)
        if pair is not None:
            self._nomination = asyncio.create_task(self._nominate(pair))

    async def _nominate(self, pair: CandidatePair) -> None:
        """Regular nomination: repeat the check with USE-CANDIDATE (RFC 8445 section 8.1.1)."""
        try:
            await self._request(pair, self.build_request(pair, nominate=True))
        except stun.TransactionError:
            self._nomination = None
            return self._conclude(pair, _FAILED)
        pair.nominated = True
        return self.check_complete(pair)

    def _check_list_maybe_fail(self) -> None:
        """A controlling agent with a working pair has not failed: it may be holding it back."""
        if self.ice_controlling and any(p.state is _SUCCEEDED for p in self._check_list):
            return
        super()._check_list_maybe_fail()

    async def _request(
        self, pair: CandidatePair, request: stun.Message
    ) -> tuple[stun.Message, tuple[str, int]]:
        assert self.remote_password is not None
        return await pair.protocol.request(
            request, pair.remote_addr, integrity_key=self.remote_password.encode()
        )

    async def _open(self, component: int, address: str, local_preference: int) -> StunProtocol:
        """A socket on the address, bound to the device that has it, and its host candidate."""
        own = socket.socket(families.SOCKETS[families.version(address)], socket.SOCK_DGRAM)
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _device(address).encode())
        own.bind((address, 0))
        loop = asyncio.get_running_loop()
        _, host = await loop.create_datagram_endpoint(lambda: StunProtocol(self), sock=own)
        host.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host", local_preference),
            host=address,
            port=own.getsockname()[1],
            type="host",
        )
        return host


def hold_seconds(local: Iterable[Candidate], remote: Iterable[Candidate]) -> float:
    """How long relayed pairs are held back for direct ones, in seconds."""
    reached = all(any(map(_is_reached, end)) for end in (local, remote))
    return HOLD_SECONDS if reached else SHORT_HOLD_SECONDS


def _is_reached(candidate: Candidate) -> bool:
    """Whether UDP from outside could reach a candidate; IPv6's are not translated."""
    is_host_of_ipv6 = candidate.type == "host" and families.version(candidate.host) == 6
    return candidate.type == "srflx" or is_host_of_ipv6


def nominee(pairs: list[CandidatePair], held_long_enough: bool) -> CandidatePair | None:
    """The pair to nominate now: the first that works of the best rank, else of the next.

    ``pairs`` are in order of priority. A pair of a lower rank may be nominated when
    checks on those above it have had their time, or have all failed.
    """
    for rank in sorted({_rank(pair) for pair in pairs}):
        alike = [pair for pair in pairs if _rank(pair) == rank]
        working = [pair for pair in alike if pair.state is _SUCCEEDED]
        if working:
            return working[0]
        if not held_long_enough and any(pair.state is not _FAILED for pair in alike):
            return None
    return None


def _rank(pair: CandidatePair) -> int:
    """0 for direct pairs of IPv6, 1 for those of IPv4, 2 for all that involve a relay."""
    if is_relayed(pair):
        return 2
    return 0 if families.version(pair.local_candidate.host) == 6 else 1


def is_relayed(pair: CandidatePair) -> bool:
    """Whether media on this pair would pass a relay."""
    return "relay" in (pair.local_candidate.type, pair.remote_candidate.type)


def _plain(candidate: Candidate) -> protocol.Candidate:
    return protocol.Candidate(
        type=candidate.type,
        address=candidate.host,
        port=candidate.port,
        protocol=candidate.transport,
    )


def _is_role_conflict(error: stun.TransactionError) -> bool:
    return error.response is not None and error.response.error_code == 487


def _device(address: str) -> str:
    """The name of the interface that has this address; LookupError if none has."""
    for adapter in ifaddr.get_adapters():
        if any(address in (ip.ip, ip.ip[0]) for ip in adapter.ips):
            return adapter.name
    raise LookupError(f"no interface has the address {address}")


def _why(task: asyncio.Task[Relayed]) -> str:
    """Why a try led nowhere until now, in words."""
    return str(task.exception()) if task.done() else "no answer"
