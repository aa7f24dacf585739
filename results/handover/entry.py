"""One run in a summary of several."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from results.schema import Result, Verdict


@dataclass(frozen=True)
class Entry:
    """A run with its result, or with the reason why there is none.

    ``folder`` is the run folder as a person would name it; empty where none was made.
    """

    scenario: str
    folder: str
    result: Result | None
    error: str = ""

    @property
    def outcome(self) -> str:
        """The verdict, or that the run could not be done."""
        return str(self.result.verdict) if self.result else NOT_DONE

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.result is not None and self.result.verdict is Verdict.PASS

    @property
    def reason(self) -> str:
        """What the verdict rests on, or why there is none."""
        return self.result.reason if self.result else self.error

    @property
    def reasons(self) -> list[str]:
        """The reason, one sentence each."""
        return self.reason.split("; ") if self.result else [self.reason]


#: In place of a verdict.
NOT_DONE = "NOT DONE"


def names(entries: Sequence[Entry]) -> list[str]:
    """A name for each run: its scenario, and where that is not enough its folder as well."""
    count = Counter(entry.scenario for entry in entries)
    return [
        entry.scenario if count[entry.scenario] == 1 else f"{entry.scenario} {entry.folder}"
        for entry in entries
    ]
