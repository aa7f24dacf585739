"""TLS that somebody else than the service ends: a box that reads HTTPS at a perimeter.

It shows in clear: the certificate is not signed by the run's own authority. Who does not
trust it says so in an alert, and nothing is sent on. What every tap between the user and
the box saw must be the same.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.tls import Connection, connections
from results.protocols.tls_clear import Alert, Shown, certificate, refusal
from results.schema import PACKET_INSPECTION
from results.setup.signalling import spoken_to
from results.tracing.openings import syns
from results.tracing.paths import Path
from results.tracing.places import Places
from results.unsupported import Case
from results.words import packets_in_words
from topologies.nat import INTERCEPTED
from topologies.spec import Network

_HTTPS = 443


@dataclass(frozen=True)
class View:
    """One connection as one tap saw it."""

    tap: str
    syn_row: int
    shown: Shown | None
    refusal: Alert | None


@dataclass(frozen=True)
class Interception:
    """A connection of a user that somebody else than the service ended."""

    user: str
    #: The name that the user asked for, and who signed the certificate for it.
    name: str
    issuer: str
    server: str
    ended_by: str
    #: At all taps from the user to where it ended; None at a tap that has nothing of it.
    views: Mapping[str, View | None]
    shown: Shown
    refusal: Alert | None

    @property
    def words(self) -> str:
        """What was seen, and who said what."""
        said = (
            f"the certificate of {self.name} that {self.user} was shown by {self.ended_by} is "
            f"signed by {self.issuer}, not by the run's CA"
        )
        return f"{said}; {self.user} refused it ({self.refusal.words})" if self.refusal else said

    @property
    def row(self) -> int:
        """What shows it: the alert, or else the certificate."""
        return self.refusal.row if self.refusal else self.shown.row

    @property
    def is_by_a_box(self) -> bool:
        """Whether another host than the server itself ended it."""
        return self.ended_by != self.server

    def case(self, table: PacketTable) -> Case:
        """It as a case that is not supported."""
        return Case(PACKET_INSPECTION, self.words, cite(table, self.row, self.words))

    def problems(self, table: PacketTable) -> Iterator[Problem]:
        """A server that does not prove who it is; taps on the way that saw something else."""
        if not self.is_by_a_box:
            yield Problem(Ground.CALL, self.words, (cite(table, self.row, self.words),))
        for tap, view in self.views.items():
            for what, seen in (
                ("the certificate", view and view.shown and view.shown.certificate),
                ("the refusal", view and view.refusal and view.refusal.description),
            ):
                wanted = self.shown.certificate if what == "the certificate" else self._refused
                if seen != wanted:
                    text = f"{tap} lacks {what} of {self.name} that other taps saw"
                    frame = cite(table, self.shown.row, f"shows {self.user} a certificate")
                    yield Problem(Ground.HOLE, text, (frame,))

    @property
    def _refused(self) -> int | None:
        return self.refusal.description if self.refusal else None


def interceptions(
    table: PacketTable,
    places: Places,
    users: Collection[str],
    authority: x509.Certificate | None,
    ways: Collection[Path],
) -> tuple[Interception, ...]:
    """The connections of users to the service under certificates of another authority.

    None where ``authority``, the run's own, is not known. ``ways`` are those of all SYNs.
    """
    found = []
    for user, connection in spoken_to(table, places, users) if authority else ():
        shown = certificate(connection)
        if authority and not (shown and _is_issued_by(shown.certificate, authority)):
            seen = _followed(table, places, ways, user, connection)
            found += [seen] if seen and not _is_issued_by(seen.shown.certificate, authority) else []
    return tuple(found)


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _followed(
    table: PacketTable, places: Places, ways: Collection[Path], user: str, own: Connection
) -> Interception | None:
    """A connection at all taps that its SYN passed; None where no certificate was captured."""
    way = _way_of(ways, own.syn_row)
    views = _views(table, way.taps if way else (table.tap_name(own.syn_row),), own)
    shown = next((view.shown for view in views.values() if view and view.shown), None)
    if shown is None:
        return None
    name, issuer = own.sni or "", _common_name(shown.certificate)
    server = places.domains[name].name
    ended_by = way.target if way else user
    refused = next((view.refusal for view in views.values() if view and view.refusal), None)
    return Interception(user, name, issuer, server, ended_by, views, shown, refused)


def _way_of(ways: Collection[Path], syn: int) -> Path | None:
    """The way of the SYN in a row, or of the same SYN sent again that went further."""
    own = next((way for way in ways if any(seen.row == syn for seen in way.sightings)), None)
    if own is None:
        return None
    same = [way for way in ways if way.first.ends == own.first.ends]
    return max(same, key=lambda way: len(way.sightings))


def _views(table: PacketTable, taps: Iterable[str], own: Connection) -> dict[str, View | None]:
    """What each tap has of a connection, known by the ClientHello's random."""
    numbers = {tap.name: index for index, tap in enumerate(table.taps)}
    found: dict[str, View | None] = {}
    for tap in taps:
        there = connections(table, numbers[tap]) if tap in numbers else ()
        same = (one for one in there if one.client_random == own.client_random)
        found[tap] = next(
            (View(tap, one.syn_row, certificate(one), refusal(one)) for one in same), None
        )
    return found


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else "somebody without a name"


def taken_problems(
    table: PacketTable, network: Network, counted: Mapping[str, Mapping[str, int]]
) -> Iterator[Problem]:
    """Boxes that took another number of connections than the captures show."""
    for perimeter in network.perimeters:
        if perimeter.inspection is None or perimeter.host not in counted:
            continue
        inside = network.host(perimeter.host).interface_on(perimeter.inside)
        count, seen = counted[perimeter.host].get(INTERCEPTED, 0), _syns_at(table, inside)
        if count != seen:
            yield Problem(
                Ground.COUNTERS,
                f"rule {INTERCEPTED} of {perimeter.host} counted {packets_in_words(count)}, "
                f"but the captures show {seen:,} that open connections",
            )


def _syns_at(table: PacketTable, tap: str) -> int:
    """How many connections to HTTPS came in at a tap."""
    rows, numbers = syns(table)
    names = np.array([one.name == tap for one in table.taps])
    here = names[table.tap[rows]] & ~table.outgoing[rows] & (table.dport[rows] == _HTTPS)
    opened = Counter(zip(table.src[rows][here], numbers[here], strict=True))
    return len(opened)


def last_times(found: Iterable[Interception], table: PacketTable) -> Iterator[int]:
    """When each was seen to end, in ns."""
    for one in found:
        yield int(table.time[one.row])
