"""Small things said in words, the same everywhere."""

from collections.abc import Sequence

from results.schema import MediaPath
from results.tracing.legs import NamedFlow


def listed(names: Sequence[str]) -> str:
    """Names as people list them: a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def flows_in_words(flows: Sequence[NamedFlow]) -> str:
    """Flows as people say them: Flow 4; Flows 3 and 4; no flow."""
    if not flows:
        return "no flow"
    return f"Flow{'s' if len(flows) > 1 else ''} {listed([str(flow) for flow in flows])}"


def direction_in_words(path: MediaPath) -> str:
    """Which media took a path: alice → eve, camera."""
    stream = f", {path.stream}" if path.stream else ""
    again = ", sent again" if path.repeats is not None else ""
    return f"{path.from_} → {path.to}{stream}{again}"


def packets_in_words(count: int) -> str:
    """How many packets, as people write it: 1 packet; 1,204 packets."""
    return "1 packet" if count == 1 else f"{count:,} packets"
