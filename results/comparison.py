"""Two runs side by side: which calls take another path, and the rules that decide it."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from results.estimate import in_words
from results.measured import Estimate
from results.record import Record
from results.schema import CallResult, Outcome, Result
from results.words import listed


class Way(Record):
    """How a call's media went."""

    flows: tuple[str, ...]
    relayed_by: tuple[str, ...]
    allocated_by: tuple[str, ...]

    def __str__(self) -> str:
        many = "s" if len(self.flows) > 1 else ""
        flows = f"Flow{many} {listed(self.flows)}" if self.flows else "no media"
        relay = f" by {', '.join(self.relayed_by)}" if self.relayed_by else ""
        owner = f" (allocated by {', '.join(self.allocated_by)})" if self.allocated_by else ""
        return flows + relay + owner


class Rating(Record):
    """How a direction of a call is rated in both runs; None where it is not."""

    from_: str = Field(alias="from")
    to: str
    before: Estimate | None
    after: Estimate | None

    def __str__(self) -> str:
        both = f"{in_words(self.before)} → {in_words(self.after)}"
        return f"{self.from_} to {self.to}: {both}"


class CallChange(Record):
    """One call in both runs; None where a run does not have it."""

    participants: tuple[str, ...]
    before: Way | None
    after: Way | None
    #: Rules, as ``device: rule``, that refused pairs of this call in one run only.
    refused_only_before: tuple[str, ...]
    refused_only_after: tuple[str, ...]
    #: Directions that are rated in one of the runs at least.
    ratings: tuple[Rating, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the call takes another path."""
        return self.before != self.after


class Comparison(Record):
    """All calls of two runs."""

    before: str
    after: str
    calls: tuple[CallChange, ...]


def compare(before: Result, after: Result) -> Comparison:
    """Put the calls of two runs side by side, by who takes part in them, in order."""
    pairs = [*_paired(before.calls, after.calls)]
    return Comparison(
        before=before.run, after=after.run, calls=tuple(_change(*pair) for pair in pairs)
    )


def _paired(
    before: tuple[CallResult, ...], after: tuple[CallResult, ...]
) -> list[tuple[CallResult | None, CallResult | None]]:
    rest = list(after)
    pairs: list[tuple[CallResult | None, CallResult | None]] = []
    for call in before:
        same = next((other for other in rest if other.participants == call.participants), None)
        if same is not None:
            rest.remove(same)
        pairs.append((call, same))
    return pairs + [(None, other) for other in rest]


def _change(before: CallResult | None, after: CallResult | None) -> CallChange:
    some = before or after
    assert some is not None
    refused_before, refused_after = _refusing(before), _refusing(after)
    return CallChange(
        participants=some.participants,
        before=_way(before),
        after=_way(after),
        refused_only_before=tuple(sorted(refused_before - refused_after)),
        refused_only_after=tuple(sorted(refused_after - refused_before)),
        ratings=tuple(_ratings(_rated(before), _rated(after))),
    )


#: Sender and receiver -> how that direction is rated.
_Rated = Mapping[tuple[str, str], Estimate | None]


def _ratings(before: _Rated, after: _Rated) -> Iterator[Rating]:
    for way in dict.fromkeys((*before, *after)):
        both = {"before": before.get(way), "after": after.get(way)}
        if any(both.values()):
            yield Rating.model_validate({"from": way[0], "to": way[1], **both})


def _rated(call: CallResult | None) -> _Rated:
    """Each direction by the path that most of its packets took."""
    paths = sorted(call.media if call else (), key=lambda path: path.packets)
    found = {(path.from_, path.to): path.quality for path in paths}
    return {way: quality.estimate if quality else None for way, quality in sorted(found.items())}


def _way(call: CallResult | None) -> Way | None:
    if call is None:
        return None
    return Way(
        flows=_distinct(str(flow) for path in call.media for flow in path.flows),
        relayed_by=_distinct(path.relayed_by for path in call.media if path.relayed_by),
        allocated_by=_distinct(user for path in call.media for user in path.allocated_by),
    )


def _refusing(call: CallResult | None) -> set[str]:
    return {
        f"{pair.by}: {pair.rule}"
        for pair in (call.pairs if call else ())
        if pair.outcome is Outcome.REFUSED
    }


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))
