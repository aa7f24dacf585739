"""What TURN wraps: ChannelData, Send and Data indications (RFC 8656, sections 11 and 12)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.wire.columns import Spans
from results.wire.data import Data, Places, among
from results.wire.kinds import CHANNEL_DATA_HEADER, HEAD, Heads, Kind, Kinds, demultiplexed

#: Message types of the Send and the Data indication (RFC 8656, section 17).
INDICATIONS = (0x0016, 0x0017)

_STUN_HEADER = 20
_ATTRIBUTE = np.dtype([("type", ">u2"), ("length", ">u2")])
_DATA, _MESSAGE_INTEGRITY = 0x0013, 0x0008


class Payloads(NamedTuple):
    """Payloads of UDP: where they lie, their first bytes, and their kinds."""

    spans: Spans
    heads: Heads
    kinds: Kinds


def payloads_of(spans: Spans, heads: Heads) -> Payloads:
    """Payloads with their kinds."""
    return Payloads(spans, heads, demultiplexed(heads, spans.sizes))


def innermost(data: Data, outer: Payloads) -> Payloads:
    """Unwrap ChannelData and indications until something else comes to light."""
    inner = Payloads(
        Spans(outer.spans.rows, outer.spans.start.copy(), outer.spans.end.copy()),
        # Structures would be copied field by field.
        outer.heads[np.arange(len(outer.kinds))],
        outer.kinds.copy(),
    )
    index = np.arange(len(outer.kinds))
    layer = outer
    while len(index):
        index, spans = _wrapped(data, layer, index)
        layer = payloads_of(spans, data.gather(spans.start, HEAD))
        inner.spans.start[index], inner.spans.end[index] = spans.start, spans.end
        inner.heads[index], inner.kinds[index] = layer.heads, layer.kinds
    return inner


def _wrapped(
    data: Data, layer: Payloads, index: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Spans]:
    """What a layer wraps: whose it is, by the numbers in ``index``, and where it lies."""
    channel = np.flatnonzero(layer.kinds == Kind.CHANNEL_DATA)
    by_channel = layer.spans.at(channel)
    start = by_channel.start + CHANNEL_DATA_HEADER
    end = start + layer.heads["length"][channel]
    stun = np.flatnonzero(layer.kinds == Kind.STUN)
    stun = stun[among(layer.heads["type"][stun], INDICATIONS)]
    if not len(stun):
        return index[channel], Spans(by_channel.rows, start, end)
    found, data_start, data_end = _data_attributes(data, layer.spans.at(stun))
    which = np.concatenate([channel, stun[found]])
    return index[which], Spans(
        layer.spans.rows[which],
        np.concatenate([start, data_start]),
        np.concatenate([end, data_end]),
    )


def _data_attributes(data: Data, messages: Spans) -> tuple[NDArray[np.intp], Places, Places]:
    """DATA of the messages that are well-formed and have it (RFC 8489, section 14).

    What follows MESSAGE-INTEGRITY does not count; of several the first does.
    """
    start = np.zeros(len(messages.rows), np.int64)
    end = start.copy()
    closed = np.zeros(len(start), np.bool_)
    length = data.gather(messages.start, HEAD)["length"]
    good = length == messages.sizes - _STUN_HEADER
    at = messages.start + _STUN_HEADER
    while True:
        more = np.flatnonzero(good & (at < messages.end))
        if not len(more):
            break
        head = data.gather(at[more], _ATTRIBUTE)
        value = at[more] + _ATTRIBUTE.itemsize
        size = head["length"].astype(np.int64)
        at[more] = value + size + (-size & 3)
        good[more] = at[more] <= messages.end[more]
        is_data = (head["type"] == _DATA) & (start[more] == 0) & ~closed[more]
        start[more[is_data]] = value[is_data]
        end[more[is_data]] = (value + size)[is_data]
        closed[more] |= head["type"] == _MESSAGE_INTEGRITY
    found = np.flatnonzero(good & (start > 0))
    return found, start[found], end[found]
