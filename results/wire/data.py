"""The bytes of a file, read at many places at once."""

import mmap
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Places in a file, or numbers of bytes.
Places = NDArray[np.int64]
Octets = NDArray[np.uint8]
Flags = NDArray[np.bool_]

#: Files up to this size in bytes are copied into memory: they may be written anew while we read.
_SMALL = 1 << 20

#: No header that is gathered at once is wider, in bytes.
_WIDEST = 4096


class Data:
    """The bytes of a file. What lies beyond its end reads as zeros.

    A large file is mapped into memory, not copied: its pages belong to the file.
    """

    def __init__(self, raw: bytes | mmap.mmap) -> None:
        self.raw = raw
        self.size = len(raw)
        self._views: dict[np.dtype[np.void], NDArray[np.void]] = {}

    @classmethod
    def of(cls, path: Path) -> "Data":
        """The bytes of a file; OSError where it cannot be read."""
        with path.open("rb") as file:
            if path.stat().st_size <= _SMALL:
                return cls(file.read())
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        return self.raw[part]

    def find(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        """Where bytes are first found in a part of the file; -1 where they are not."""
        return self.raw.find(wanted, start, self.size if end is None else end)

    def view(self, kind: np.dtype[np.void]) -> NDArray[np.void]:
        """A structure as it would be read at every byte; for places where it is whole."""
        if kind not in self._views:
            self._views[kind] = self._every_byte(self.raw, kind)
        return self._views[kind]

    def gather(self, at: Places, kind: np.dtype[np.void]) -> NDArray[np.void]:
        """The structure of this type at each of the places, which lie within the file."""
        # Plain bytes are copied faster than a structure with fields.
        plain = self.view(_plain(kind.itemsize))
        if not len(at) or at.max() < len(plain):
            return plain[at].view(kind)
        beyond = at >= len(plain)
        found = np.empty(len(at), plain.dtype)
        found[~beyond] = plain[at[~beyond]]
        tail = self._every_byte(self._tail, plain.dtype)
        found[beyond] = tail[at[beyond] - self._tail_start]
        return found.view(kind)

    def octets(self, at: Places, width: int) -> Octets:
        """So many bytes from each of the places on, one row each."""
        rows = self.gather(at, _plain(width))
        return rows.view(np.uint8).reshape(len(at), width)

    @cached_property
    def _tail(self) -> bytes:
        """The end of the file, and zeros beyond."""
        return self.raw[self._tail_start :] + bytes(_WIDEST)

    @property
    def _tail_start(self) -> int:
        return max(self.size - _WIDEST, 0)

    @staticmethod
    def _every_byte(raw: bytes | mmap.mmap, kind: np.dtype[np.void]) -> NDArray[np.void]:
        places = max(len(raw) - kind.itemsize + 1, 0)
        return np.ndarray((places,), kind, raw, strides=(1,))


def among(values: NDArray[np.integer], wanted: Sequence[int]) -> Flags:
    """Which values are one of a few; for those numpy's own isin takes many times as long."""
    found: Flags = values == wanted[0]
    for one in wanted[1:]:
        found |= values == one
    return found


def _plain(width: int) -> np.dtype[np.void]:
    return np.dtype((np.void, width))
