"""A hole in the evidence, in words: packets that a tap should have seen and has not."""

from collections.abc import Iterator

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.tracing.openings import Opening, missing_hello
from results.tracing.paths import Hole
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


def hello_problems(table: PacketTable, opening: Opening) -> Iterator[Problem]:
    """A tap that saw a connection's SYN, but not the first data that others have."""
    unseen = missing_hello(table, opening)
    if unseen:
        yield Problem(
            Ground.HOLE,
            f"{unseen.tap.name} saw the SYN of {opening.what}, but not its ClientHello",
            (cite(table, unseen.row, "SYN of a connection without its ClientHello"),),
        )
