"""Servers that die in the midst of a run: that they were gone, and what became of the call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from results.outages import Death, Outage
from results.packets import ACK, IP_TCP, IP_UDP, RST, SYN, PacketTable
from results.problems import Ground, Problem, cite
from results.schema import CallResult, Citation
from results.tunnelling.vpn import Findings, Remark, Scenery, together
from topologies.spec import Role

_SECOND = 1e9


def of_deaths(scenery: Scenery) -> Findings:
    """What each planned death did to its call; and restarts of ICE that nothing explains."""
    found = together(_death(scenery, death) for death in scenery.run.deaths)
    return Findings(found.remarks, (*found.problems, *_unexplained(scenery)))


def _unexplained(scenery: Scenery) -> Iterator[Problem]:
    """Restarts in a run in which nothing was to happen to calls; the machine may have halted."""
    if scenery.run.deaths or scenery.run.relay_ttl is not None:
        return
    for name, call in scenery.calls.items():
        for restart in call.restarts:
            where = f"frame {restart.frame} of {restart.tap}"
            text = (
                f"{restart.offered_by} restarted the ICE of call {name} ({where}), "
                "although nothing was to happen to it"
            )
            yield Problem(Ground.HOLE, text)


@dataclass(frozen=True)
class _Gone:
    """A server that died: when it was gone, and until when (ns)."""

    death: Death
    outage: Outage
    #: The last thing that it said before, and what it said when it was gone; rows.
    last: int | None
    beyond: int | None


def _death(scenery: Scenery, death: Death) -> Findings:
    outage = next((one for one in scenery.outages if one.host == death.host), None)
    if outage is None:
        text = f"{death.host} was to die, but ending.json does not tell when it did"
        return Findings(problems=(Problem(Ground.COUNTERS, text),))
    gone = _gone(scenery.table, death, outage)
    call = scenery.calls.get(death.call)
    problems = [
        *_alive(scenery.table, gone),
        *_remembering(scenery, gone),
        *_unhurt(scenery, gone, call),
    ]
    return Findings((_remark(scenery, gone, call),) if call else (), tuple(problems))


def _gone(table: PacketTable, death: Death, outage: Outage) -> _Gone:
    """What the server's host sent by itself that carries something: a dead one only refuses."""
    own = [index for index, tap in enumerate(table.taps) if tap.host == death.host and tap.mac]
    says = np.isin(table.tap, own) & table.outgoing & (table.payload_size > 0)
    rows = np.flatnonzero(says & np.isin(table.protocol, (IP_UDP, IP_TCP)))
    times = table.time[rows]
    before = rows[times < outage.gone * _SECOND]
    until = np.inf if outage.started is None else outage.started * _SECOND
    meanwhile = rows[(times > outage.gone * _SECOND) & (times < until)]
    return _Gone(
        death,
        outage,
        int(before[-1]) if len(before) else None,
        int(meanwhile[0]) if len(meanwhile) else None,
    )


def _alive(table: PacketTable, gone: _Gone) -> Iterator[Problem]:
    """A server that spoke while it was dead, or never did before."""
    host = gone.death.host
    if gone.last is None:
        text = f"{host} was to die in mid-call, but the captures show nothing of it before"
        yield Problem(Ground.CALL, text)
    if gone.beyond is not None:
        frame = cite(table, gone.beyond, f"{host} says something")
        where = f"frame {frame.frame} of {frame.tap}"
        yield Problem(Ground.COUNTERS, f"{host} is said to be dead, but speaks ({where})", (frame,))


def _remembering(scenery: Scenery, gone: _Gone) -> Iterator[Problem]:
    """Media by an allocation that must have been lost."""
    host, killed = gone.death.host, gone.outage.killed * _SECOND
    for path in scenery.paths_of(gone.death.call):
        if path.complete and path.first.time > gone.outage.gone * _SECOND:
            passed = scenery.turn.passed(path)
            if any(one.relay == host and one.time < killed for one in passed):
                frame = cite(scenery.table, path.last.row, "media by an allocation of before")
                where = f"frame {frame.frame} of {frame.tap}"
                text = f"{host} is said to have died, but kept an allocation ({where})"
                yield Problem(Ground.COUNTERS, text, (frame,))
                return


def _unhurt(scenery: Scenery, gone: _Gone, call: CallResult | None) -> Iterator[Problem]:
    """A call that did not notice the death, or did not get over it."""
    if call is None:
        return
    if scenery.places.role(gone.death.host) is Role.RELAY:
        yield from _with_relay(scenery, gone, call)
    else:
        yield from _without_front_end(scenery, gone, call)


def _with_relay(scenery: Scenery, gone: _Gone, call: CallResult) -> Iterator[Problem]:
    """A call whose media the relay did not carry, or did not come back after its death."""
    host, name = gone.death.host, gone.death.call
    if not any(path.relayed_by and host in path.relayed_by.split(", ") for path in call.media):
        yield Problem(Ground.CALL, f"{host} died, but carried no media of call {name}")
        return
    if not any(_since_begin(scenery, one.time) > gone.outage.killed for one in call.restarts):
        yield Problem(Ground.CALL, f"{host} died, but the ICE of call {name} did not restart")
    for stream in scenery.streams:
        times = [path.last.time for path in stream.arrived]
        if stream.key.call == name and times and max(times) < gone.outage.gone * _SECOND:
            way = f"media from {stream.key.sender} to {stream.key.receiver} in call {name}"
            yield Problem(Ground.CALL, f"{way} did not survive the death of {host}")


def _without_front_end(scenery: Scenery, gone: _Gone, call: CallResult) -> Iterator[Problem]:
    """A front end that did not die between invite and answer, or that nobody missed."""
    host, name = gone.death.host, gone.death.call
    times = {step.name: _since_begin(scenery, step.time) for step in call.steps}
    if not gone.death.after_seconds:
        if "notify" not in times or times["notify"] > gone.outage.killed:
            yield Problem(Ground.CALL, f"{host} died before the callee of call {name} rang")
        if "answer" in times and times["answer"] < gone.outage.gone:
            yield Problem(Ground.CALL, f"{host} died after the answer of call {name}")
    for user in call.participants:
        if not _refused(scenery, gone, user):
            text = f"{host} died, but the captures show no try of {user} to reach it meanwhile"
            yield Problem(Ground.CALL, text)


def _refused(scenery: Scenery, gone: _Gone, user: str) -> list[int]:
    """Rows of the resets that a user's connections to the dead server met with, at its own tap.

    One that was opened while the server was dying may be reset a moment later.
    """
    table, outage = scenery.table, gone.outage
    own = [index for index, tap in enumerate(table.taps) if tap.host == user and tap.mac]
    address = int(scenery.places.hosts[gone.death.host].address)
    here = (table.protocol == IP_TCP) & np.isin(table.tap, own)
    until = np.inf if outage.started is None else outage.started * _SECOND
    meanwhile = (table.time > outage.killed * _SECOND) & (table.time < until)
    opens = (table.tcp_flags & (SYN | ACK)) == SYN
    ports = table.sport[here & meanwhile & opens & (table.dst == address)]
    resets = here & ((table.tcp_flags & RST) != 0) & (table.src == address)
    return np.flatnonzero(resets & np.isin(table.dport, ports)).tolist()


def _since_begin(scenery: Scenery, seconds: float) -> float:
    """Seconds since the run's first frame as seconds since the epoch."""
    return float(scenery.table.time[0] / _SECOND + seconds)


def _into_media(scenery: Scenery, gone: _Gone) -> str:
    """How long after the first media packet of its call it died, where there was one."""
    own = (one for one in scenery.streams if one.key.call == gone.death.call)
    began = min((path.first.time for one in own for path in one.arrived), default=None)
    if began is None or began > gone.outage.gone * _SECOND:
        return " before there was media"
    return f" {gone.outage.gone - began / _SECOND:.1f} s into media"


def _remark(scenery: Scenery, gone: _Gone, call: CallResult) -> Remark:
    """What happened, in figures."""
    table, host = scenery.table, gone.death.host
    frames: list[Citation] = []
    if gone.last is not None:
        frames.append(cite(table, gone.last, f"the last that {host} said before it died"))
    returns = "was started anew" if gone.outage.started else "did not come back"
    said = f"{host} died{_into_media(scenery, gone)} and {returns}"
    refused = {user: _refused(scenery, gone, user) for user in call.participants}
    if any(refused.values()):
        counts = (f"{user} {len(rows)}" for user, rows in refused.items())
        said += f", connections that it refused meanwhile: {', '.join(counts)}"
        frames += [
            cite(table, rows[0], f"nobody is there for {user}")
            for user, rows in refused.items()
            if rows
        ]
    for gap in call.interruptions:
        where = f"frames {gap.frames[0]} and {gap.frames[1]} of {gap.tap}"
        said += f", no media from {gap.from_} to {gap.to} for {gap.seconds:.2f} s ({where})"
    for restart in call.restarts:
        said += f", ICE restarted by {restart.offered_by} (frame {restart.frame} of {restart.tap})"
    return Remark(said, tuple(frames))
