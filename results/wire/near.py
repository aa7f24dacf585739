"""The first bytes of frames, gathered once for all headers that lie in them."""

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import Spans
from results.wire.data import Data, Places

#: Ethernet, IPv4 and UDP without options or tags, and the first bytes of the payload; rounded up.
_WIDTH = 64


class Near:
    """Headers of frames. Where they begin at the same byte in all of them, they are at hand."""

    def __init__(self, data: Data, start: Places) -> None:
        self.data = data
        self._start = start
        self._octets = data.octets(start, _WIDTH)

    def gather(self, spans: Spans, kind: np.dtype[np.void]) -> NDArray[np.void]:
        """The structure of this type with which each span begins."""
        offset = self._offset(spans)
        if offset is None or offset + kind.itemsize > _WIDTH:
            return self.data.gather(spans.start, kind)
        # Plain bytes are copied faster than a structure with fields.
        plain = np.dtype((np.void, kind.itemsize))
        every = np.ndarray((len(self._start),), plain, self._octets, offset, (_WIDTH,))
        found = every.copy() if len(spans.rows) == len(every) else every[spans.rows]
        return found.view(kind)

    def _offset(self, spans: Spans) -> int | None:
        """Where all spans begin in their frames; None if not at the same place."""
        if not len(spans.rows):
            return None
        every = len(spans.rows) == len(self._start)
        offsets = spans.start - (self._start if every else self._start[spans.rows])
        first = int(offsets[0])
        return first if (offsets == first).all() else None
