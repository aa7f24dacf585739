"""Mutations of what lies beside the captures: counters, keys, claims and outages."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from joserfc.jwk import ECKey

from results.protocols.keylog import read_keylog
from results.schema import RunFolder, Verdict
from results.setup.service_keys import read_service_keys
from tests.mutation.subject import Draft, Mutant, Mutation, Subject


def _drops(subject: Subject) -> Iterator[Mutant]:
    for tap in subject.taps:
        for counter, reason in (
            ("dropped", rf"\b{tap} dropped 1 packet"),
            ("lost", rf"the kernel dropped 1 packet at the interface of {tap}\b"),
        ):
            change = partial(_drop, tap=tap, counter=counter)
            yield Mutant(f"{counter} of {tap}", change, Verdict.INCONCLUSIVE, reason)


def _drop(draft: Draft, tap: str, counter: str) -> None:
    draft.ending(lambda ending: ending["taps"][tap].update({counter: 1}))


def _miscounts(subject: Subject) -> Iterator[Mutant]:
    for tap in subject.taps:
        reason = rf"the capture of {tap} holds \d+ frames, but the capture program counted \d+"
        yield Mutant(tap, partial(_miscount, tap=tap), Verdict.INCONCLUSIVE, reason)


def _miscount(draft: Draft, tap: str) -> None:
    def edit(ending: dict[str, Any]) -> None:
        ending["taps"][tap]["received"] += 1

    draft.ending(edit)


def _zeroed(subject: Subject) -> Iterator[Mutant]:
    """The counter of every rule that has counted anything.

    What belongs to no connection is dropped as invalid: a verdict rests on no such packet.
    """
    ending = RunFolder(subject.folder).read_ending()
    for kind in ("firewalls", "nats"):
        for device, rules in getattr(ending, kind).items():
            for rule, count in rules.items():
                if count and rule != "invalid":
                    change = partial(_zero, kind=kind, device=device, rule=rule)
                    reason = rf"rule {rule} of {device} counted 0 packets, but the captures show"
                    yield Mutant(f"{rule} of {device}", change, Verdict.INCONCLUSIVE, reason)


def _zero(draft: Draft, kind: str, device: str, rule: str) -> None:
    draft.ending(lambda ending: ending[kind][device].update({rule: 0}))


def _users(subject: Subject) -> list[str]:
    return list(dict.fromkeys(user for call in subject.run.calls for user in _ends(call)))


def _ends(call: Any) -> tuple[str, str]:
    return call.caller, call.callee


_UNREADABLE = r"signalling cannot be read: .*does not authenticate under the logged keys"
_NO_RANDOM = r"none of the \d+ logged sessions has its client random"
_UNAUTHENTIC = r"authenticates? under no key of this run|has its client random"


def _keys(subject: Subject) -> Iterator[Mutant]:
    everybody = _users(subject)
    users = [user for user in everybody if _sessions(subject, user, "tls")]
    for user in users:
        change = partial(_spoil, users=[user], kind="tls")
        yield Mutant(f"TLS of {user}", change, Verdict.INCONCLUSIVE, _UNREADABLE)
    if any(_sessions(subject, user, "dtls") for user in users):
        change = partial(_spoil, users=users, kind="dtls")
        yield Mutant("DTLS of all", change, Verdict.FAIL, _UNAUTHENTIC)
    for one, other in pairwise(everybody):
        change = partial(_swap_keys, one=one, other=other)
        what = f"TLS of {one} and {other} swapped"
        yield Mutant(what, change, Verdict.INCONCLUSIVE, _NO_RANDOM)


def _sessions(subject: Subject, user: str, kind: Any) -> bool:
    """Whether a user's key log holds any secret."""
    return bool(read_keylog(RunFolder(subject.folder).keys(user, kind)))


def _spoil(draft: Draft, users: list[str], kind: Any) -> None:
    """Each secret becomes another one."""
    for user in users:
        path = draft.folder.keys(user, kind)
        found = path.read_text(encoding="ascii").splitlines()
        lines = (line.split() for line in found if not line.startswith("#"))
        wrong = (" ".join([*words[:2], "5a" * (len(words[2]) // 2)]) for words in lines)
        path.write_text("\n".join(wrong) + "\n", encoding="ascii")


def _swap_keys(draft: Draft, one: str, other: str) -> None:
    paths = [draft.folder.keys(user, "tls") for user in (one, other)]
    texts = [path.read_text(encoding="ascii") for path in paths]
    for path, text in zip(paths, reversed(texts), strict=True):
        path.write_text(text, encoding="ascii")


def _tokens(subject: Subject) -> Iterator[Mutant]:
    """The service signs with another key than the tokens were signed with."""
    if subject.run.tokens:
        yield Mutant("of all", _replace_token_key, Verdict.FAIL, _FORGED)


_FORGED = r"with a token that the service did not sign \(frame \d+ of "


def _replace_token_key(draft: Draft) -> None:
    other = ECKey.generate_key("P-256").as_dict(private=False)
    path = draft.folder.service_keys
    read_service_keys(path).model_copy(update={"tokens": other}).write(path)


def _port(claim: dict[str, Any]) -> None:
    claim["local"]["port"] ^= 1


def _peer(claim: dict[str, Any]) -> None:
    claim["remote"]["address"] = "192.0.2.99"


def _type(claim: dict[str, Any]) -> None:
    kind = claim["local"]["type"]
    claim["local"]["type"] = "host" if kind == "relay" else "relay"


_FORGERIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "port": _port,
    "peer": _peer,
    "type": _type,
}


def _claims(subject: Subject) -> Iterator[Mutant]:
    selected = {user for call in subject.result.calls for user in call.selected}
    for user in (user for user in _users(subject) if user in selected):
        for what, forge in _FORGERIES.items():
            change = partial(_forge, user=user, forge=forge)
            reason = rf"{user} claims the (local|remote) end .* but the captures show"
            yield Mutant(f"{what} of {user}", change, Verdict.FAIL, reason)
        reason = f"{user} left no claim of the pair that it selected"
        change = partial(_forget, user=user)
        yield Mutant(f"none of {user}", change, Verdict.INCONCLUSIVE, reason)


def _forge(draft: Draft, user: str, forge: Callable[[dict[str, Any]], None]) -> None:
    events = _events(draft, user)
    forge([event for event in events if event["event"] == "selected"][-1])
    _write_events(draft, user, events)


def _forget(draft: Draft, user: str) -> None:
    events = _events(draft, user)
    _write_events(draft, user, [event for event in events if event["event"] != "selected"])


def _events(draft: Draft, user: str) -> list[dict[str, Any]]:
    lines = draft.folder.events(user).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _write_events(draft: Draft, user: str, events: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(event) + "\n" for event in events)
    draft.folder.events(user).write_text(text, encoding="utf-8")


def _outages(subject: Subject) -> Iterator[Mutant]:
    """A server's death that nobody tells of, or that is said to have come 2 seconds sooner."""
    for outage in RunFolder(subject.folder).read_ending().outages:
        host = outage.host
        reason = f"{host} was to die, but ending.json does not tell when it did"
        yield Mutant(f"none of {host}", _no_outages, Verdict.INCONCLUSIVE, reason)
        reason = f"{host} is said to be dead, but speaks"
        yield Mutant(f"sooner for {host}", _sooner, Verdict.INCONCLUSIVE, reason)


def _no_outages(draft: Draft) -> None:
    draft.ending(lambda ending: ending.update(outages=[]))


def _sooner(draft: Draft) -> None:
    def edit(ending: dict[str, Any]) -> None:
        for outage in ending["outages"]:
            for moment in ("killed", "gone"):
                outage[moment] -= 2

    draft.ending(edit)


MUTATIONS = (
    Mutation("a drop counter raised", _drops),
    Mutation("a packet counter changed", _miscounts),
    Mutation("a policy counter zeroed", _zeroed),
    Mutation("wrong keys", _keys),
    Mutation("token forged", _tokens),
    Mutation("claim forged", _claims),
    Mutation("an outage told otherwise", _outages),
)
