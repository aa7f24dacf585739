"""The seal of a run folder: every file's length and digest, so that a change shows."""

import hashlib
from pathlib import Path

from results.record import Record


class SealedFile(Record):
    """Length in bytes and SHA-256 of one file of the folder."""

    bytes: int
    sha256: str


class Seal(Record):
    """The last act of a run."""

    files: dict[str, SealedFile]


def sealed_file(path: Path) -> SealedFile:
    """What the seal says of a file."""
    return SealedFile(bytes=path.stat().st_size, sha256=_digest(path))


def difference(path: Path, expected: SealedFile) -> str | None:
    """In what a file is not as it was sealed, or None."""
    if not path.exists():
        return "is missing since the run was sealed"
    size = path.stat().st_size
    if size != expected.bytes:
        return f"was changed after the run: {size} bytes instead of {expected.bytes}"
    if _digest(path) != expected.sha256:
        return "was changed after the run: its SHA-256 differs from the seal"
    return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
