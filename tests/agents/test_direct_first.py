"""Which pair is nominated, and when."""

from types import SimpleNamespace
from typing import Any

import pytest
from aioice.ice import CandidatePair

from agents.ice.direct_first import nominee

_STATES = {
    "works": CandidatePair.State.SUCCEEDED,
    "failed": CandidatePair.State.FAILED,
    "pending": CandidatePair.State.IN_PROGRESS,
}


def _pair(description: str) -> Any:
    local, remote, state = description.split()
    return SimpleNamespace(
        name=description,
        state=_STATES[state],
        local_candidate=SimpleNamespace(type=local),
        remote_candidate=SimpleNamespace(type=remote),
    )


@pytest.mark.parametrize(
    ("pairs", "held_long_enough", "chosen"),
    [
        (["host host pending"], True, None),
        (["host host works"], False, "host host works"),
        (["host srflx pending", "host relay works"], False, None),
        (["host srflx pending", "host relay works"], True, "host relay works"),
        (["host srflx failed", "relay host works"], False, "relay host works"),
        (["host relay works"], False, "host relay works"),
        (["host srflx works", "host relay works"], True, "host srflx works"),
        (["host srflx failed", "host relay pending"], True, None),
    ],
)
def test_direct_pairs_come_before_relayed_ones(
    pairs: list[str], held_long_enough: bool, chosen: str | None
) -> None:
    pair: Any = nominee([_pair(description) for description in pairs], held_long_enough)
    assert (pair.name if pair else None) == chosen
