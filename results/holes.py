"""A hole in the evidence, in words: packets that a tap should have seen and has not."""

from results.packets import PacketTable
from results.paths import Hole
from results.problems import Ground, Problem, cite
from results.words import packets_in_words


def hole_problem(table: PacketTable, hole: Hole, count: int) -> Problem:
    """One kind of hole, and how many packets fell into it."""
    seen = hole.seen.tap.name
    missed = hole.missed.name if hole.missed else f"every tap on the way into {hole.host}"
    them = "it" if count == 1 else "them"
    return Problem(
        Ground.HOLE,
        f"{missed} lacks {packets_in_words(count)} that must have passed there: {seen} has {them} "
        f"(first: frame {table.frame[hole.seen.row]} of {seen})",
        (cite(table, hole.seen.row, f"passed {missed} without being captured there"),),
    )
