"""Columns that grow batch by batch, and leave memory when they get large."""

from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import NAMES, TYPES, Columns, shape

#: Rows that are kept in memory; more of them lie in temporary files, which are mapped.
_IN_MEMORY = 1 << 18

Column = NDArray[np.generic]


class Growing(ExitStack):
    """Columns of packets, and the number of the tap that saw each of them.

    A context: its end closes the files, whose mappings stay.
    """

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._waiting: dict[str, list[Column]] = {name: [] for name in (*NAMES, "tap")}
        self._files: dict[str, IO[bytes]] = {}

    def add(self, batch: Columns, tap: int) -> None:
        """Take in some packets of a tap."""
        self._count += len(batch)
        for name in NAMES:
            self._waiting[name].append(getattr(batch, name))
        self._waiting["tap"].append(np.full(len(batch), tap, np.int16))
        if self._count > _IN_MEMORY:
            self._write_out()

    def finish(self) -> dict[str, Column]:
        """All columns in order of time; packets of one time keep the order of the taps."""
        time: NDArray[np.int64] = self._column("time", np.dtype(np.int64)).view(np.int64)
        tap: NDArray[np.int16] = self._column("tap", np.dtype(np.int16)).view(np.int16)
        order = None if _in_order(time, tap) else np.lexsort((tap, time))
        kinds = TYPES | {"tap": np.dtype(np.int16)}
        return {name: self._ordered(name, kind, order) for name, kind in kinds.items()}

    def _ordered(
        self, name: str, kind: np.dtype[np.generic], order: NDArray[np.intp] | None
    ) -> Column:
        column = self._column(name, kind)
        if order is None:
            return column
        if not self._files:
            return column[order]
        with TemporaryFile() as file:
            new = np.memmap(file, kind, "w+", shape=column.shape)
        # "clip" writes into the file itself, without a copy in memory.
        return np.take(column, order, axis=0, out=new.view(np.ndarray), mode="clip")

    def _column(self, name: str, kind: np.dtype[np.generic]) -> Column:
        if not self._files:
            return np.concatenate([np.empty(shape(name, 0), kind), *self._waiting[name]])
        rows = shape(name, self._count)
        return np.memmap(self._files[name], kind, "r+", shape=rows).view(np.ndarray)

    def _write_out(self) -> None:
        for name, batches in self._waiting.items():
            if name not in self._files:
                self._files[name] = self.enter_context(TemporaryFile())  # noqa: SIM115
            for batch in batches:
                self._files[name].write(np.ascontiguousarray(batch).data)
            self._files[name].flush()
            batches.clear()


def _in_order(time: NDArray[np.int64], tap: NDArray[np.int16]) -> bool:
    later, same = time[1:] > time[:-1], time[1:] == time[:-1]
    return bool(np.all(later | same & (tap[1:] >= tap[:-1])))
