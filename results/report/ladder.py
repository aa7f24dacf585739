"""The eight steps of a call as a ladder: who said something to whom, and when."""

from collections.abc import Iterator
from dataclasses import dataclass

from results.schema import CallResult, Step
from results.setup.steps import NAMES, STEPS_TO_INVITE

#: Step -> the server that has part in it, on the ladder's middle rail.
_SERVERS = {
    1: "name server",
    2: "relay",
    3: "front end",
    4: "front end",
    5: "relay",
    6: "front end",
    8: "telemetry",
}

#: Rails: caller, servers, callee.
_CALLER, _SERVER, _CALLEE = 0, 1, 2

#: Step -> from which rail to which, once for each message.
_RUNGS = {
    1: ((_CALLER, _SERVER),),
    2: ((_CALLER, _SERVER),),
    3: ((_CALLER, _SERVER),),
    4: ((_SERVER, _CALLEE),),
    5: ((_CALLEE, _SERVER),),
    6: ((_CALLEE, _SERVER), (_SERVER, _CALLER)),
    7: ((_CALLER, _CALLEE), (_CALLEE, _CALLER)),
    8: ((_CALLER, _SERVER), (_CALLEE, _SERVER)),
}


@dataclass(frozen=True)
class Rung:
    """A step; ``time`` in milliseconds since the first one, None where it was not seen."""

    number: int
    name: str
    server: str
    arrows: tuple[tuple[int, int], ...]
    step: Step | None
    time: float | None


def rungs(call: CallResult) -> Iterator[Rung]:
    """All eight steps, those that were not seen too; of a refused call those before its end."""
    last = STEPS_TO_INVITE if call.refused else len(NAMES)
    seen = {step.step: step for step in call.steps}
    began = min((step.time for step in call.steps), default=0.0)
    for number, name in enumerate(NAMES[:last], start=1):
        step = seen.get(number)
        time = (step.time - began) * 1000 if step else None
        yield Rung(number, name, _SERVERS.get(number, ""), _RUNGS[number], step, time)
