"""Comments on STUN: allocations and permissions at relays, and the checks of each call."""

from collections.abc import Iterable, Iterator, Mapping

from results.evidence import Reading
from results.handover.notes import Notes, ended, unless_arrived
from results.protocols import stun
from results.protocols.sdp import End
from results.setup.checks import Check, Spoken
from results.setup.ice import Ice
from results.setup.pairs import request_fate
from results.setup.selection import pair_in_words, text_of
from results.setup.turn import allocated
from results.shown import CallEvidence
from results.tracing.paths import Path
from topologies.spec import Role

#: Steps of a call (results/setup/steps.py) by which caller and callee allocate, and of the checks.
_CALLER_ALLOCATES, _CALLEE_ALLOCATES, _CHECKS = 2, 5, 7


def add_stun(notes: Notes, reading: Reading, calls: Iterable[CallEvidence]) -> None:
    """Say what each STUN message is for."""
    checked: set[int] = set()
    for call in calls:
        ice = reading.ice(call.call, call.selection)
        for path, meaning in _checks(reading, ice):
            checked.add(path.first.row)
            notes.along(path, meaning, _CHECKS)
    steps = dict(_allocating(reading))
    for item in reading.spoken:
        if item.path.first.row not in checked:
            notes.along(item.path, _meaning(reading, item), _step(steps, item))


def _checks(reading: Reading, ice: Ice) -> Iterator[tuple[Path, str]]:
    """Every check of a call and its answer, with their meanings."""
    for user in ice.call.participants:
        for check in ice.checks[user]:
            for path in check.requests:
                yield path, _request(ice, check, path)
            if check.response:
                yield check.response, _response(reading, ice, check, check.response)


def _request(ice: Ice, check: Check, path: Path) -> str:
    verb = "nominates" if check.nominates else "checks"
    meaning = f"{check.sender} {verb} {pair_in_words(check.sent_on)}"
    answered = check.response is not None and path == check.request
    return meaning if answered else ended(meaning, request_fate(ice, check, path))


def _response(reading: Reading, ice: Ice, check: Check, path: Path) -> str:
    pair = pair_in_words(check.sent_on)
    if check is ice.selection.nomination:
        return f"the pair that call {ice.call.id} selected: {check.sender} {pair}"
    meaning = f"{ice.call.other(check.sender)} answers the check of {check.sender} on {pair}"
    return unless_arrived(reading, path, meaning, "established")


def _allocating(reading: Reading) -> Iterator[tuple[tuple[str, End], int]]:
    """User and socket -> the step in which an allocation was asked for from there."""
    for call in reading.calls:
        for user, step in ((call.caller, _CALLER_ALLOCATES), (call.callee, _CALLEE_ALLOCATES)):
            offered = {item.end for item in call.described[user].candidates if item.type == "relay"}
            for one in reading.turn.allocations:
                if one.user == user and one.relayed in offered:
                    yield (user, one.base), step


def _step(steps: Mapping[tuple[str, End], int], item: Spoken) -> int | None:
    if item.message.method != stun.Method.ALLOCATE:
        return None
    first, last = item.path.first, item.path.last
    sent = steps.get((item.path.origin, (first.ends.src, first.ends.sport)))
    return sent or steps.get((item.path.target, (last.ends.dst, last.ends.dport)))


def _meaning(reading: Reading, item: Spoken) -> str:
    """A message by the words of the RFCs; of one that did not arrive, where it ended."""
    origin, target = _named(reading, item.path.origin), _named(reading, item.path.target)
    message, path = item.message, item.path
    what = _method(message.method)
    match message.message_class:
        case stun.Class.REQUEST:
            meaning = f"{what} request to {target}" if path.complete else f"{what} request"
        case stun.Class.SUCCESS:
            meaning = f"{what} success of {origin}"
        case stun.Class.ERROR:
            meaning = f"{what} error of {origin}"
        case _:
            meaning = f"{what} indication"
    return unless_arrived(reading, path, meaning + _detail(message))


def _detail(message: stun.Message) -> str:
    """What a message grants, refuses or asks for."""
    relayed = allocated(message)
    if relayed:
        return f": {text_of(relayed)}"
    try:
        error, peers = message.error_code, message.xor_peer_addresses
    except stun.StunError:
        return ""
    if error:
        return f": {error[0]} ({error[1]})"
    named = ", ".join(str(peer.ip) for peer in peers)
    return f" for {named}" if named else ""


def _method(number: int) -> str:
    """A method as the RFC names it: CreatePermission."""
    try:
        return stun.Method(number).name.title().replace("_", "")
    except ValueError:
        return f"STUN method 0x{number:03x}"


def _named(reading: Reading, host: str) -> str:
    """A host; the relay, where there is but one."""
    relays = [each.name for each in reading.run.network.with_role(Role.RELAY)]
    return "the relay" if relays == [host] else host
