"""What a person sees of an assessment: a row for each way, and why one does not work."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from results.assessment.records import Assessment, Reach
from scenarios import display

#: Columns of the table.
COLUMNS = ("way", "works", "least ms", "median ms", "jitter ms", "lost", "because")


def show(found: Assessment) -> None:
    """Print an assessment."""
    screen = display.screen()
    way, works, *figures, because = COLUMNS
    grid = Table(way, works, title=f"what {escape(found.host)} reaches of the service")
    for title in figures:
        grid.add_column(title, justify="right")
    grid.add_column(because)
    for reach in found.ways:
        grid.add_row(*_cells(reach))
    screen.print(grid)
    for doubt in found.doubts:
        screen.print(f"this proves nothing: {doubt}", highlight=False, markup=False)


def _cells(reach: Reach) -> Iterator[str]:
    colour = "green" if reach.works else "red" if reach.needed else "yellow"
    yield f"{reach.edge}, {reach.transport.upper()} {reach.port}"
    yield f"[{colour}]{'yes' if reach.works else 'no'}[/]"
    for value in (reach.least_ms, reach.median_ms, reach.jitter_ms):
        yield "" if value is None else f"{value:.3f}"
    yield f"{reach.sent - reach.answered} of {reach.sent}"
    yield escape(_because(reach))


def _because(reach: Reach) -> str:
    """Why, and by whom: a rule where there is one."""
    if not reach.by:
        return reach.because
    who = f"rule {reach.rule} of {reach.by}" if reach.rule else reach.by
    return f"{who}: {reach.because}"
