"""What a run's signalling tells, opened with its keys."""

from results.clear_text import Secret
from results.protocols.keylog import read_keylog
from results.schema import RunFolder
from results.setup.calls import Call, read_calls
from results.setup.service_keys import read_service_keys
from results.setup.signalling import Signalling, read_signalling
from results.tracing.places import places_of
from tests.mutation.subject import Subject


def calls_of(subject: Subject) -> list[Call]:
    """The calls of a run, with their offers and answers."""
    return read_calls(_signalling_of(subject).messages)


def _signalling_of(subject: Subject) -> Signalling:
    folder = RunFolder(subject.folder)
    keys = tls_keys(subject)
    service = read_service_keys(folder.service_keys) if subject.run.tokens else None
    return read_signalling(subject.table, places_of(subject.run.network), keys, service)


def tls_keys(subject: Subject) -> dict[str, dict[bytes, bytes]]:
    """The TLS keys of each user."""
    folder = RunFolder(subject.folder)
    users = {user for call in subject.run.calls for user in (call.caller, call.callee)}
    return {user: read_keylog(folder.keys(user, "tls")) for user in users}


def ice_passwords(subject: Subject) -> dict[str, bytes]:
    """The ICE password of each username fragment."""
    described = [one for call in calls_of(subject) for one in call.described.values()]
    return {one.ufrag: one.pwd.encode() for one in described}


def secrets_of(subject: Subject) -> list[Secret]:
    """Passwords, credentials, tokens and keys, with the words that a verdict has for them."""
    return list(_signalling_of(subject).secrets)
