"""All that the captures show of a call's ICE, for what is read from it after that."""

from collections.abc import Mapping
from dataclasses import dataclass

from results.calls import Call
from results.checks import Check
from results.fates import Fates
from results.packets import PacketTable
from results.paths import Path
from results.places import Places
from results.selection import Selection
from results.turn import Turn


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
