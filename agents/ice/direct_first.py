"""An ICE agent on aioice that prefers any direct path to any relay.

aioice nominates aggressively: the first pair that works is taken, which between
two port-restricted NATs is the relay in half of the runs. Here nomination is
regular (RFC 8445 section 8.1.1) and pairs that involve a relay are held back
while direct checks still have time (:data:`HOLD_SECONDS`; less when all of
those have failed).
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
    server_reflexive_candidate,
)

from agents.ice import protocol

#: How long direct checks may take before a relayed pair is nominated, in seconds.
HOLD_SECONDS = 2.0

#: A task that gathers one candidate, and the protocol to use it with if it has its own.
_Gathering = asyncio.Task[tuple[Candidate, None]] | asyncio.Task[tuple[Candidate, StunProtocol]]

_SUCCEEDED, _FAILED = CandidatePair.State.SUCCEEDED, CandidatePair.State.FAILED
_NOT_CHECKED = (CandidatePair.State.FROZEN, CandidatePair.State.WAITING)


class DirectFirst(Connection):
    """An agent (:class:`agents.ice.protocol.IceAgent`) but for restarts (agents/ice/restart.py)."""

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
        self.stun_server = await _resolved(self.stun_server)
        self.turn_server = await _resolved(self.turn_server)
        await super().gather_candidates()

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Gather for one component, from sockets that are bound to their interface.

        An unbound socket of a tunnel's address would send its request out of
        another interface and wait for an answer that cannot come.
        """
        hosts = [await self._open(component, address) for address in addresses]
        self._protocols += hosts
        tasks: list[_Gathering] = [
            asyncio.create_task(server_reflexive_candidate(host, self.stun_server))
            for host in hosts
            if self.stun_server and _leads_to(host, self.stun_server)
        ]
        if self.turn_server:
            tasks.append(asyncio.create_task(self._allocate(component, self.turn_server)))
        candidates = [host.local_candidate for host in hosts]
        for candidate, relay in await _successes(tasks, timeout):
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

    async def _open(self, component: int, address: str) -> StunProtocol:
        """A socket on the address, bound to the device that has it, and its host candidate."""
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _device(address).encode())
        own.bind((address, 0))
        loop = asyncio.get_running_loop()
        _, host = await loop.create_datagram_endpoint(lambda: StunProtocol(self), sock=own)
        host.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=address,
            port=own.getsockname()[1],
            type="host",
        )
        return host

    async def _allocate(
        self, component: int, server: tuple[str, int]
    ) -> tuple[Candidate, StunProtocol]:
        return await relayed_candidate(
            component=component,
            hide_related_address=False,
            protocol_factory=lambda: StunProtocol(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )


def nominee(pairs: list[CandidatePair], held_long_enough: bool) -> CandidatePair | None:
    """The pair to nominate now: a direct one that works, else a relayed one once that may be.

    ``pairs`` are in order of priority. A relayed pair may be nominated when
    direct checks have had their time, or have all failed.
    """
    working = [pair for pair in pairs if pair.state is _SUCCEEDED]
    direct = [pair for pair in working if not is_relayed(pair)]
    if direct:
        return direct[0]
    hopeless = all(pair.state is _FAILED for pair in pairs if not is_relayed(pair))
    return working[0] if working and (held_long_enough or hopeless) else None


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


async def _resolved(server: tuple[str, int] | None) -> tuple[str, int] | None:
    if server is None:
        return None
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(*server, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    address, port = found[0][4][:2]
    return str(address), int(port)


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
        if any(ip.ip == address for ip in adapter.ips):
            return adapter.name
    raise LookupError(f"no interface has the address {address}")


def _leads_to(host: StunProtocol, server: tuple[str, int]) -> bool:
    """Whether packets to the server would leave from this host candidate's address.

    A socket bound to another device would send them where no answer can come from
    (connect(2) asks the routing table and sends nothing).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if probe.connect_ex(server) != 0:
            return False
        own: str = probe.getsockname()[0]
        return own == host.local_candidate.host
