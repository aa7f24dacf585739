"""Payloads that lie in no file: put together from several packets, or decrypted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from results.wire.columns import Spans
from results.wire.data import Data
from results.wire.fingerprint import fingerprints
from results.wire.kinds import HEAD, Kind
from results.wire.turn import innermost, payloads_of


class Loose(NamedTuple):
    """A payload read as one of UDP: its kinds, what is innermost, and the fingerprint of that."""

    payload: bytes
    kind: Kind
    inner_kind: Kind
    innermost: bytes
    fingerprint: int


def read_loose(payloads: Sequence[bytes]) -> list[Loose]:
    """Read payloads as if each had come in a UDP datagram of its own."""
    data = Data(b"".join(payloads))
    sizes = np.array([len(payload) for payload in payloads], np.int64)
    ends = np.cumsum(sizes)
    spans = Spans(np.arange(len(payloads)), ends - sizes, ends)
    outer = payloads_of(spans, data.gather(spans.start, HEAD))
    inner = innermost(data, outer)
    prints = fingerprints(data, inner.spans.start, inner.spans.sizes, inner.heads)
    return [
        Loose(payload, Kind(kind), Kind(inner_kind), data[start:end], fingerprint)
        for payload, kind, inner_kind, start, end, fingerprint in zip(
            payloads,
            *(column.tolist() for column in (outer.kinds, inner.kinds)),
            *(column.tolist() for column in (inner.spans.start, inner.spans.end, prints)),
            strict=True,
        )
    ]
