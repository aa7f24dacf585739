"""What is gathered for one component, and how long that is waited for."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from aioice import Candidate
from aioice.ice import StunProtocol

from agents.ice import families
from agents.ice.names import Names
from agents.ice.relaying import Relayed

T = TypeVar("T")


async def reflexive(
    host: StunProtocol, server: families.Server | None, names: Names, local_preference: int
) -> Candidate | None:
    """What a STUN server sees of a socket; None where packets leave from elsewhere."""
    if server is None:
        return None
    version = families.version(host.local_candidate.host)
    resolved = (await names.address(server[0], version), server[1])
    if not _leads_to(host, resolved):
        return None
    return await families.reflexive(host, resolved, local_preference)


def is_among(candidate: Candidate, others: Iterable[Candidate]) -> bool:
    """Whether a candidate is redundant: where nothing translates (RFC 8445, section 5.1.3)."""
    return any((candidate.host, candidate.port) == (one.host, one.port) for one in others)


async def enough(
    relaying: Sequence[asyncio.Task[Relayed]],
    asking: Iterable[asyncio.Task[Candidate | None]],
    timeout: float,
) -> None:
    """Wait until all is gathered, at most so long; the rest is given up.

    Where TURN had to take another way than UDP, no answer over UDP will come.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    pending: set[asyncio.Task[Any]] = {*relaying, *asking}
    while pending and not _is_round_udp(relaying):
        done, pending = await asyncio.wait(
            pending, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            break
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)


def _is_round_udp(relaying: Sequence[asyncio.Task[Relayed]]) -> bool:
    """Whether nobody is still on the way to a relay, and those who are there avoid UDP."""
    if not all(task.done() for task in relaying):
        return False
    there = [relayed.way.transport for task in relaying if (relayed := outcome(task))]
    return bool(there) and "udp" not in there


def outcome(task: asyncio.Task[T]) -> T | None:
    """What a task has led to; None where it failed, was given up or still runs."""
    ended = task.done() and not task.cancelled()
    return task.result() if ended and task.exception() is None else None


def _leads_to(host: StunProtocol, server: families.Server) -> bool:
    """Whether packets to the server would leave from this host candidate's address.

    A socket bound to another device would send them where no answer can come from
    (connect(2) asks the routing table and sends nothing).
    """
    with socket.socket(families.SOCKETS[families.version(server[0])], socket.SOCK_DGRAM) as probe:
        if probe.connect_ex(server) != 0:
            return False
        own: str = probe.getsockname()[0]
        return own == host.local_candidate.host
