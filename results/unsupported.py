"""Cases that the documents do not support (call-flow-topologies, "Unsupported technologies")."""

from dataclasses import dataclass

from results.schema import Citation


@dataclass(frozen=True)
class Case:
    """One such case: what the documents call it, what was seen, and the frame that shows it."""

    name: str
    what: str
    citation: Citation
