"""The shapes of a drawing, in pixels; and how large lettering is."""

from dataclasses import dataclass

from topologies.spec import Host

#: Width of a bold letter in labels, in pixels (of DejaVu Sans, the widest font in use).
BOLD = 7.0

#: Half the thickness of a wall.
HALF = 4

#: Radius of a number's disc, with the room around it.
_DISC = 12

#: A place in a picture: x and y.
At = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def around(self, out: float) -> "Box":
        """The rectangle that is so much larger on each side."""
        return Box(self.x - out, self.y - out, self.width + 2 * out, self.height + 2 * out)

    def is_clear_of(self, at: At) -> bool:
        """Whether a number's disc at a place leaves the rectangle free."""
        room = self.around(_DISC)
        within = room.x < at[0] < room.x + room.width and room.y < at[1] < room.y + room.height
        return not within


@dataclass(frozen=True)
class Label:
    """Lettering; ``anchor`` as in SVG: start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "start"

    @property
    def box(self) -> Box:
        """The room that it takes."""
        width = len(self.text) * BOLD
        left = {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(self.x - left, self.y - 10, width, 12)


@dataclass(frozen=True)
class Panel:
    """A segment."""

    segment: str
    box: Box
    label: Label


@dataclass(frozen=True)
class Wall:
    """A stretch of a wall; ``kind`` is that of its device, or "wall" where nothing passes."""

    kind: str
    box: Box
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class SiteBox:
    """A site, with the walls around it from the inside out."""

    box: Box
    labels: tuple[Label, ...]
    rings: tuple[Wall, ...]


@dataclass(frozen=True)
class Chip:
    """A host; ``idle`` where nothing begins or ends there."""

    box: Box
    host: Host
    idle: bool


@dataclass(frozen=True)
class Line:
    """A line: its path, where its number stands, its end, and the words of a refusal there."""

    path: str
    middle: At
    end: At
    words: Label | None = None


@dataclass(frozen=True)
class Picture:
    """All shapes of a drawing; ``lines`` in the order in which they were asked for."""

    width: float
    height: float
    panels: tuple[Panel, ...]
    sites: tuple[SiteBox, ...]
    walls: tuple[Wall, ...]
    chips: tuple[Chip, ...]
    lines: tuple[Line, ...]
