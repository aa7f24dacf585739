"""An ICE agent on aioice that prefers any direct path to any relay, and there IPv6 to IPv4.

aioice nominates aggressively: the first pair that works is taken, which between
two port-restricted NATs is the relay in half of the runs. Here nomination is
regular (RFC 8445 section 8.1.1) and pairs that involve a relay are held back
while direct checks still have time (:data:`HOLD_SECONDS`; less when all of
those have failed). So are direct pairs of IPv4 where there are some of IPv6, which
have the higher priority (RFC 8421, section 4): a first check may be lost at a router that
lets in only what answers.
"""

import asyncio
import socket
from collections.abc import Sequence
from functools import cached_property

import ifaddr
from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import (
    CandidatePair,
    StunProtocol,
    relayed_candidate,
)

from agents.ice import families, protocol

#: How long direct checks may take before a relayed pair is nominated, in seconds.
HOLD_SECONDS = 2.0

#: A task that gathers one candidate, and the protocol to use it with if it has its own.
_Gathering = asyncio.Task[tuple[Candidate, StunProtocol | None]]

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

_SUCCEEDED, _FAILED = CandidatePair.State.SUCCEEDED, CandidatePair.State.FAILED
_NOT_CHECKED = (CandidatePair.State.FROZEN, CandidatePair.State.WAITING)


class DirectFirst(Connection):
    """The first implementation of :class:`agents.ice.protocol.IceAgent`."""

    _hold: asyncio.TimerHandle | None = None
    _held_long_enough = False
    _nomination: asyncio.Task[None] | None = None

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

    async def gather_candidates(self) -> None:
        """Gather candidates; the server's name is resolved first, and once."""
        self._stun_servers = await families.resolved(self.stun_server)
        self._turn_servers = await families.resolved(self.turn_server)
        await super().gather_candidates()

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
        tasks: list[_Gathering] = [
            asyncio.create_task(_reflexive(host, server, preferred[host.local_candidate.host]))
            for host in hosts
            for server in self._stun_servers
            if _leads_to(host, server)
        ]
        for server in self._turn_servers:
            rank = families.preference(server[0], addresses)
            tasks.append(asyncio.create_task(self._allocate(component, server, rank)))
        candidates = [host.local_candidate for host in hosts]
        for candidate, relay in await _successes(tasks, timeout):
            if not _is_among(candidate, candidates):
                candidates.append(candidate)
            if relay is not None:
                self._protocols.append(relay)
        return candidates

    async def connect(self) -> None:
        """Check pairs until one is nominated; ConnectionError when none works."""
        loop = asyncio.get_running_loop()
        self._hold = loop.call_later(HOLD_SECONDS, self._end_hold)
        try:
            await super().connect()
        finally:
            self._hold.cancel()
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
        own = socket.socket(_FAMILIES[families.version(address)], socket.SOCK_DGRAM)
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

    async def _allocate(
        self, component: int, server: families.Server, local_preference: int
    ) -> tuple[Candidate, StunProtocol]:
        candidate, relay = await relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: StunProtocol(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )
        candidate.priority = candidate_priority(component, "relay", local_preference)
        return candidate, relay


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


async def _reflexive(
    host: StunProtocol, server: families.Server, local_preference: int
) -> tuple[Candidate, None]:
    return await families.reflexive(host, server, local_preference), None


def _is_among(candidate: Candidate, others: Sequence[Candidate]) -> bool:
    """Whether a candidate is redundant: where nothing translates (RFC 8445, section 5.1.3)."""
    return any((candidate.host, candidate.port) == (one.host, one.port) for one in others)


async def _successes(
    tasks: Sequence[_Gathering], timeout: float
) -> list[tuple[Candidate, StunProtocol | None]]:
    """Results of the tasks that succeed in time; the others are given up."""
    if not tasks:
        return []
    done, pending = await asyncio.wait(tasks, timeout=timeout)
    for task in pending:
        task.cancel()
    return [task.result() for task in tasks if task in done and task.exception() is None]


def _device(address: str) -> str:
    """The name of the interface that has this address; LookupError if none has."""
    for adapter in ifaddr.get_adapters():
        if any(address in (ip.ip, ip.ip[0]) for ip in adapter.ips):
            return adapter.name
    raise LookupError(f"no interface has the address {address}")


def _leads_to(host: StunProtocol, server: families.Server) -> bool:
    """Whether packets to the server would leave from this host candidate's address.

    A socket bound to another device would send them where no answer can come from
    (connect(2) asks the routing table and sends nothing).
    """
    with socket.socket(_FAMILIES[families.version(server[0])], socket.SOCK_DGRAM) as probe:
        if probe.connect_ex(server) != 0:
            return False
        own: str = probe.getsockname()[0]
        return own == host.local_candidate.host
