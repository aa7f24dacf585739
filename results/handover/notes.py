"""Comments on the packets of a run: flow, step and meaning, at every tap that a packet passed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from results.evidence import Reading
from results.fates import Fate, State
from results.tracing.legs import Conversations, NamedFlow, legs, name_of
from results.tracing.paths import Path
from results.tracing.sightings import Way
from results.words import flows_in_words

_BETWEEN = " · "


def note(flows: Iterable[NamedFlow], step: int | None, meaning: str) -> str:
    """A comment: "Flow 4 · step 2 · Allocate request to the relay"."""
    named = list(flows)
    parts = [flows_in_words(named)] if named else []
    parts += [f"step {step}"] if step else []
    return _BETWEEN.join([*parts, meaning])


def ended(meaning: str, fate: Fate) -> str:
    """A meaning with what became of the packet: "… · refused by office: no_direct_media (…)"."""
    rule = f": {fate.rule}" if fate.rule else ""
    said = f"{fate.outcome} by {fate.by}{rule} ({fate.because})" if fate.by else fate.because
    return f"{meaning}{_BETWEEN}{said}"


def unless_arrived(reading: Reading, path: Path, meaning: str, state: State = "new") -> str:
    """A meaning, and what became of a packet that did not arrive while captures ran."""
    last = path.last
    if path.complete or last.way is Way.LOOP or last.time >= reading.canaries.end:
        return meaning
    return ended(meaning, reading.fates.of(path, state))


@dataclass
class Notes:
    """What is to be said of each row of the packet table."""

    conversations: Conversations
    by_row: dict[int, list[str]] = field(default_factory=dict)
    _known: dict[object, tuple[tuple[int, NamedFlow | None], ...]] = field(
        default_factory=dict, init=False
    )

    def add(self, row: int, text: str) -> None:
        """Say something of a row."""
        self.by_row.setdefault(row, []).append(text)

    def along(self, path: Path, meaning: str, step: int | None = None) -> None:
        """Say a packet's meaning wherever it was seen, with the flow of each leg of its path.

        What a perimeter has not let through has no flow.
        """
        flows = dict(self._flows(path))
        texts: dict[NamedFlow | None, str] = {}
        for at, seen in enumerate(path.sightings):
            flow = flows.get(at)
            if flow not in texts:
                texts[flow] = note([flow] if flow else [], step, meaning)
            self.add(seen.row, texts[flow])

    def along_all(
        self, path: Path, flows: Iterable[NamedFlow], meaning: str, step: int | None = None
    ) -> None:
        """Say a packet's meaning wherever it was seen, with flows that are known."""
        text = note(flows, step, meaning)
        for seen in path.sightings:
            self.add(seen.row, text)

    def _flows(self, path: Path) -> tuple[tuple[int, NamedFlow | None], ...]:
        """Place in the path -> flow; each conversation is looked up once."""
        key = path.first.ends, path.taps, path.complete
        if key not in self._known:
            self._known[key] = tuple(self._read_flows(path))
        return self._known[key]

    def _read_flows(self, path: Path) -> Iterator[tuple[int, NamedFlow | None]]:
        places = {seen.row: at for at, seen in enumerate(path.sightings)}
        for leg in legs(self.conversations.places, path):
            arrived = path.complete or leg.sightings[-1] is not path.last
            flow = name_of(self.conversations.opened(leg).flow) if arrived else None
            yield from ((places[seen.row], flow) for seen in leg.sightings)
