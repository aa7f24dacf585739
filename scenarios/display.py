"""What a person sees: progress on the terminal, and the table of results."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from results.comparison import Comparison
from results.estimate import assumptions
from results.measured import Estimate
from results.schema import REPORT, MediaPath, Result, Verdict
from results.words import direction_in_words
from scenarios.bench import Figure
from scenarios.lines.bench import Figure as Line
from scenarios.reading.bench import Figure as Reading
from scenarios.ways.bench import Figure as Way

#: A result, and the folder that it was read from.
Judged: TypeAlias = tuple[Result, Path]

_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}


#: Phases in which the terminal is a guest program's, or Mininet's.
_OF_OTHERS = ("program", "prompt")

#: Columns for output that goes to a file.
_UNWATCHED_WIDTH = 160


@contextmanager
def progress(name: str) -> Iterator[Callable[[str], None]]:
    """Show the phase that a run is in; nothing where standard error is no terminal.

    When a phase begins in which the terminal is somebody else's, it falls silent.
    """
    console = Console(stderr=True)
    with console.status(f"{name}: world") as status:

        def show(phase: str) -> None:
            if phase in _OF_OTHERS:
                status.stop()
            else:
                status.update(f"{name}: {phase}")

        yield show


def waiting(what: str) -> AbstractContextManager[object]:
    """Show what takes its time; nothing where standard error is no terminal."""
    return Console(stderr=True).status(what)


#: Columns of the table of results; the folder's path, which is copied, stays whole.
COLUMNS = ("scenario", "signalling", "media", "verdict", "seconds", "run folder")


def table(results: Sequence[Judged]) -> None:
    """Print one row a run, and below it the reason of each verdict."""
    console = screen()
    grid = Table(*COLUMNS[:-1])
    grid.add_column(COLUMNS[-1], overflow="fold")
    for result, folder in results:
        colour = _COLOURS[result.verdict]
        grid.add_row(
            result.scenario,
            _flows(result.signalling_flows),
            _flows(result.media_flows),
            f"[{colour}]{result.verdict}[/]",
            _seconds(result.seconds.total),
            short(folder),
        )
    console.print(grid)
    for result, _ in results:
        console.print(f"{result.scenario}: {result.reason}", highlight=False, markup=False)


def frames(results: Sequence[Judged]) -> None:
    """Print the frames that each verdict rests on: capture file, number, what it shows."""
    for result, folder in results:
        print(f"frames that show it, in {short(folder)}:")  # noqa: T201
        for citation in result.citations:
            print(f"  {citation.file:32} {citation.frame:>6}  {citation.what}")  # noqa: T201


def quality(results: Sequence[Judged]) -> None:
    """Print how media fared: one row a direction, and below it one a hop of its path."""
    for result, folder in results:
        grid = Table("", title=f"media in {short(folder)}; times in ms")
        for title in _QUALITY:
            grid.add_column(title, justify="right")
        for path in (path for call in result.calls for path in call.media):
            grid.add_row(f"[bold]{direction_in_words(path)}", *_quality_cells(path))
            for hop in path.hops:
                times = (hop.delay_ms, hop.delay_p99_ms, hop.jitter_ms)
                cells = (str(hop.packets), str(hop.lost), "", "", "", *map(_ms, times))
                grid.add_row(f"  {hop.from_} → {hop.to}", *cells)
            grid.add_section()
        screen().print(grid)
        paths = (path for call in result.calls for path in call.media)
        _print_assumptions(path.quality.estimate for path in paths if path.quality)


_QUALITY = (
    "packets", "lost", "burst", "reordered", "twice", "delay", "99 %", "jitter",
    "R", "MOS",
)  # fmt: skip


def _quality_cells(path: MediaPath) -> Iterator[str]:
    found = path.quality
    if found is None:
        return
    counts = (found.expected, found.lost, found.longest_burst, found.reordered, found.duplicated)
    yield from map(str, counts)
    yield from map(_ms, (found.delay_ms, found.delay_p99_ms, found.jitter_ms))
    if found.estimate:
        yield from (f"{found.estimate.r:.1f}", f"{found.estimate.mos:.2f}")


def _print_assumptions(estimates: Iterable[Estimate | None]) -> None:
    """Print what estimates assume, each once."""
    for assumed in dict.fromkeys(assumptions(one.assumed) for one in estimates if one):
        print(assumed)  # noqa: T201


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def reports(results: Sequence[Judged]) -> None:
    """Print where the report of a run is, or the page that leads to those of several."""
    found = [folder / REPORT for _, folder in results]
    pages = found if len(found) == 1 else {folder.parent / "index.html" for _, folder in results}
    for page in pages:
        if page.exists():
            print(f"report: {short(page)}")  # noqa: T201


def lines(results: Sequence[Judged]) -> None:
    """Print one line a run: verdict, scenario and folder."""
    for result, folder in results:
        print(f"{result.verdict} {result.scenario} {short(folder)}")  # noqa: T201


def comparison(compared: Comparison, as_json: bool) -> None:
    """Print which calls take another path, and the rules that decide it."""
    if as_json:
        print(compared.model_dump_json(by_alias=True))  # noqa: T201
        return
    console = screen()
    console.print(f"{compared.before} → {compared.after}", highlight=False)
    for call in compared.calls:
        before, after = (way or "not there" for way in (call.before, call.after))
        verb = f"{before} → {after}" if call.changed else f"{before}, as before"
        console.print(f"  {' and '.join(call.participants)}: {verb}", highlight=False)
        for rules, when in (
            (call.refused_only_before, "no longer refused by"),
            (call.refused_only_after, "now refused by"),
        ):
            if rules:
                console.print(f"    {when} {'; '.join(rules)}", highlight=False)
        for rating in call.ratings:
            console.print(f"    {rating}", highlight=False)
    ratings = [rating for call in compared.calls for rating in call.ratings]
    _print_assumptions(one for rating in ratings for one in (rating.before, rating.after))


def figures(measured: Sequence[Figure]) -> None:
    """Print one row a phase, in seconds."""
    grid = Table("phase", "least", "median", "most")
    for figure in measured:
        seconds = (figure.least, figure.median, figure.most)
        grid.add_row(figure.phase, *(f"{value:.3f}" for value in seconds))
    screen().print(grid)


def lines_measured(measured: Sequence[Line]) -> None:
    """Print one row for each cable at each rate: what was asked, and what came."""
    grid = Table("packets/s in all", "delay asked, ms", "median", "99 %", "loss asked", "lost")
    grid.add_column("for want of room, all")
    for figure in measured:
        jitter = f" ± {figure.jitter_ms:g}" if figure.jitter_ms else ""
        grid.add_row(
            f"{figure.rate:,.0f}",
            f"{figure.delay_ms:g}{jitter}",
            f"{figure.median_ms:.2f}",
            f"{figure.p99_ms:.2f}",
            f"{figure.loss:.1%}",
            f"{figure.lost:.2%}",
            f"{figure.overflowed:,}",
        )
    screen().print(grid)


def ways_measured(measured: Sequence[Way]) -> None:
    """Print one row for each network: what it lets out, and how long it takes to get out."""
    grid = Table("what does not get out", "it is", "TURN over", "least", "median", "most")
    for figure in measured:
        seconds = (figure.least, figure.median, figure.most)
        how = "" if figure.stopped == "nothing" else figure.how
        grid.add_row(figure.stopped, how, figure.transport, *(f"{one:.3f}" for one in seconds))
    screen().print(grid)


def readings(measured: Sequence[Reading]) -> None:
    """Print one row a reader of captures."""
    grid = Table("reader", "what", "packets", "seconds", "packets/s", "times slower", "memory, MiB")
    for figure in measured:
        grid.add_row(
            figure.reader,
            figure.what,
            f"{figure.packets:,}",
            f"{figure.seconds:.3f}",
            f"{figure.rate:,.0f}",
            "" if figure.times_slower is None else f"{figure.times_slower:.0f}",
            "" if figure.anonymous_mib is None else f"{figure.anonymous_mib:.0f}",
        )
    screen().print(grid)


def screen() -> Console:
    """Standard output, as wide as the terminal or as a file may be."""
    # Where nobody watches (a file, a pipe) no line may be cut to a terminal's width.
    return Console() if sys.stdout.isatty() else Console(width=_UNWATCHED_WIDTH)


def _flows(flows: Sequence[str]) -> str:
    return ", ".join(flows) or "none"


def _seconds(total: float | None) -> str:
    return "-" if total is None else f"{total:.1f}"


def short(path: Path) -> str:
    """The path as one would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
