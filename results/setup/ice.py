"""All that the captures show of a call's ICE, for what is read from it after that."""

from collections.abc import Mapping
from dataclasses import dataclass

from results.fates import Fates
from results.packets import PacketTable
from results.setup.calls import Call
from results.setup.checks import Check
from results.setup.selection import Selection
from results.setup.turn import Turn
from results.tracing.paths import Path
from results.tracing.places import Places


@dataclass(frozen=True)
class Ice:
    """The checks of a call and the pair that they selected, amid all UDP packets of the run."""

    table: PacketTable
    places: Places
    udp: tuple[Path, ...]
    turn: Turn
    fates: Fates
    call: Call
    checks: Mapping[str, list[Check]]
    selection: Selection
