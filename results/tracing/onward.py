"""Connections that a proxy opened because a client had asked it to, by CONNECT.

What goes through a proxy unchanged is TLS from end to end, so the random of the client's
hello tells which connection of the proxy's carries on which of a client's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from results.packets import PacketTable
from results.protocols import tls
from results.tracing.openings import Connections, Opening
from results.tracing.places import Places
from topologies.spec import Role


def with_onward(table: PacketTable, places: Places, found: Connections) -> Connections:
    """The connections, those of clients with a proxy each with the one that carries it on."""
    onward = dict(_pairs(table, places, found.by_syn))
    if not onward:
        return found
    by_syn = {
        row: replace(opening, onward=onward[opening]) if opening in onward else opening
        for row, opening in found.by_syn.items()
    }
    return replace(found, openings=tuple(dict.fromkeys(by_syn.values())), by_syn=by_syn)


def _pairs(
    table: PacketTable, places: Places, by_syn: Mapping[int, Opening]
) -> Iterator[tuple[Opening, Opening]]:
    """Each connection with a proxy, and the proxy's own with the same hello."""
    for index, tap in enumerate(table.taps):
        if places.role(tap.host) is not Role.PROXY:
            continue
        met: dict[bytes, Opening] = {}
        for connection in tls.connections(table, index):
            opening = by_syn.get(connection.syn_row)
            if opening is None or connection.client_random is None:
                continue
            if connection.proxied_to is not None:
                met[connection.client_random] = opening
            elif connection.client_random in met:
                yield met[connection.client_random], opening
