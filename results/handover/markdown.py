"""Results as Markdown, for the summary of a CI job: a table, then what did not pass."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from results.handover.entry import Entry

_COLUMNS = ("scenario", "verdict", "signalling", "media", "reason", "run folder")

#: What means something in Markdown (GitHub Flavored Markdown, section 2.4, "Backslash escapes").
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>|#~&])")
#: Control characters, and halves of characters, which no file can hold.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def markdown(entries: Sequence[Entry]) -> str:
    """The results of runs."""
    return "\n".join(_lines(entries)) + "\n"


def _lines(entries: Sequence[Entry]) -> Iterator[str]:
    yield f"## Callpath: {_counted(entries)}"
    yield ""
    yield _row(_COLUMNS)
    yield _row("---" for _ in _COLUMNS)
    for entry in entries:
        yield _row(_cells(entry))
    for entry in entries:
        if not entry.passed:
            yield from _section(entry)


def _counted(entries: Iterable[Entry]) -> str:
    count = Counter(entry.outcome for entry in entries)
    return ", ".join(f"{number} {outcome}" for outcome, number in count.items()) or "no runs"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(entry: Entry) -> Iterator[str]:
    result = entry.result
    yield code(entry.scenario)
    yield f"**{entry.outcome}**"
    yield ", ".join(result.signalling_flows) or "none" if result else "-"
    yield ", ".join(result.media_flows) or "none" if result else "-"
    yield text(entry.reason if entry.passed else _first_of(entry))
    yield code(entry.folder) if entry.folder else "-"


def _first_of(entry: Entry) -> str:
    """What decides; the rest stands below the table."""
    first, *more = entry.reasons
    return f"{first}; …" if more else first


def _section(entry: Entry) -> Iterator[str]:
    yield ""
    yield f"### {code(entry.scenario)}: {entry.outcome}"
    yield ""
    yield from (f"- {text(part)}" for part in entry.reasons)
    if entry.result and entry.result.citations:
        yield ""
        yield f"Frames that show it, in {code(entry.folder)}:"
        yield ""
        for cited in entry.result.citations:
            yield f"- {code(cited.file)} frame {cited.frame}: {text(cited.what)}"


def text(said: str) -> str:
    """Text that shows as it is, on one line."""
    return _PUNCTUATION.sub(r"\\\1", _CONTROL.sub(" ", said)).strip()


def code(name: str) -> str:
    """A name or path in a code span; it can hold no backticks, nor in tables a bare bar."""
    shown = _CONTROL.sub(" ", name).replace("`", "'").replace("|", r"\|").strip()
    return f"`{shown}`" if shown else "-"
