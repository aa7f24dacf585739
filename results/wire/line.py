"""The line between a worker and its process: a pipe each way, and memory that both see."""

import mmap
import os
import pickle
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from itertools import accumulate
from typing import Any

#: Parts of the memory in which a worker lays down what it found: it may be so far ahead.
_SLOTS = 2

#: Bytes of a part, enough for the columns of a batch; those that are not used take no memory.
_SLOT = 4 << 20

#: Arrays begin at multiples of this, or their numbers would be read slowly.
_ALIGNED = 64


class Line:
    """Made before a process forks; then the worker tells and its process listens."""

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, _SLOTS * _SLOT))
        self._turn = 0
        self._heard, self._told = _pipe()
        #: Brings one byte for each slot that is free.
        self._free, self._freed = _pipe()

    def tell(self) -> None:
        """Be the worker's end."""
        self._heard.close()
        self._freed.close()

    def listen(self) -> None:
        """Be the other end."""
        self._told.close()
        self._free.close()
        self._set_free(_SLOTS)

    def close(self) -> None:
        """Hang up."""
        for end in (self._heard, self._told, self._free, self._freed):
            with suppress(BrokenPipeError):
                end.close()

    def send(self, outcome: object) -> None:
        """Tell what was found; its arrays go by the memory, if there is room for them.

        Raises BrokenPipeError or EOFError where nobody listens any more.
        """
        found: list[pickle.PickleBuffer] = []
        body = pickle.dumps(outcome, 5, buffer_callback=found.append)
        arrays = [array.raw() for array in found]
        places = _places([len(array) for array in arrays])
        if places[-1] > _SLOT:
            body, arrays = pickle.dumps(outcome, 5), []
        if arrays:
            slot = self._free_slot()
            for array, at in zip(arrays, places, strict=False):
                slot[at : at + len(array)] = array
        pickle.dump((body, [len(array) for array in arrays]), self._told)
        self._told.flush()

    def receive(self) -> Any:  # noqa: ANN401 (anything)
        """What was told next, in memory of its own; EOFError where the worker ended instead."""
        try:
            body, sizes = pickle.load(self._heard)  # noqa: S301 (by ourselves)
        except pickle.UnpicklingError:
            raise EOFError from None
        places = _places(sizes)
        octets = memoryview(b"")
        if sizes:
            octets = memoryview(bytearray(self._slot()[: places[-1]]))
            self._set_free(1)
        arrays = [octets[at : at + size] for at, size in zip(places, sizes, strict=False)]
        return pickle.loads(body, buffers=arrays)  # noqa: S301 (by ourselves)

    def _free_slot(self) -> memoryview:
        if not self._free.read(1):
            raise EOFError
        return self._slot()

    def _slot(self) -> memoryview:
        """Slots are used in turns."""
        at = self._turn * _SLOT
        self._turn = (self._turn + 1) % _SLOTS
        return self._memory[at : at + _SLOT]

    def _set_free(self, slots: int) -> None:
        # The worker may have ended, as it does when its work is done.
        with suppress(BrokenPipeError):
            self._freed.write(bytes(slots))
            self._freed.flush()


def _places(sizes: list[int]) -> list[int]:
    """Where arrays of these sizes are laid down one after the other, and where that ends."""
    return [0, *accumulate(size + -size % _ALIGNED for size in sizes)]


def _pipe() -> tuple[BufferedReader, BufferedWriter]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
