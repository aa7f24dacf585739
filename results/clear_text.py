"""That what must stay secret never crosses in clear: no tap has the bytes of a password.

The secrets are those that the decrypted signalling tells: the credential with which a
user authenticates to the relay, and the ICE passwords of offers and answers.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from results.packets import PacketTable
from results.problems import Ground, Problem, cite

#: Shorter ones could occur by chance; ICE passwords have 22 characters (RFC 8839, section 5.4).
_SHORTEST = 8


class Secret(NamedTuple):
    """What is secret, in words and in bytes."""

    what: str
    value: str


def leaks(table: PacketTable, secrets: Iterable[Secret]) -> Iterator[Problem]:
    """Each secret that some tap saw, at the first frame that has it."""
    for secret in dict.fromkeys(secrets):
        if len(secret.value) < _SHORTEST:
            continue
        row = table.find(secret.value.encode())
        if row is not None:
            where = f"frame {table.frame[row]} of {table.tap_name(row)}"
            text = f"{secret.what} crossed in clear ({where})"
            yield Problem(Ground.CALL, text, (cite(table, row, f"{secret.what}, in clear"),))
