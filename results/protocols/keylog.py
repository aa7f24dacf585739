"""NSS key logs: the master secrets that agents left, by client random."""

from pathlib import Path


class KeyLogError(ValueError):
    """A key log that is missing or malformed. Speaks to a person."""


def read_keylog(path: Path) -> dict[bytes, bytes]:
    """Client random -> master secret, from the CLIENT_RANDOM lines of an NSS key log.

    Lines with other labels are passed over. Raises KeyLogError when the file is
    missing or a CLIENT_RANDOM line malformed.
    """
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise KeyLogError(f"{path} cannot be read: {error.strerror}") from None
    secrets = {}
    for number, words in enumerate(map(str.split, lines), start=1):
        if words[:1] == ["CLIENT_RANDOM"]:
            client_random, master = _secret(path, number, words)
            secrets[client_random] = master
    return secrets


def _secret(path: Path, number: int, words: list[str]) -> tuple[bytes, bytes]:
    try:
        client_random, master = (bytes.fromhex(word) for word in words[1:])
    except ValueError:
        client_random, master = b"", b""
    if (len(client_random), len(master)) != (32, 48):
        raise KeyLogError(
            f"{path}: line {number} is malformed; "
            "expected CLIENT_RANDOM, 64 and 96 hexadecimal digits"
        )
    return client_random, master
