"""Ways in which a relayed run may have been another than it seems; see tests.results.mutants.

The firewall's rule no_direct_media has refused nine of alice's checks, three each
to eve's host, reflexive and relayed candidate, and the office's NAT six of eve's.
"""

from collections.abc import Callable
from pathlib import Path

from results.schema import Verdict
from tests.results.frame_kinds import is_stun
from tests.results.media_mutants import Way, insert
from tests.results.mutants import Mutant, without
from tests.results.paper_mutants import Content, run_json
from tests.results.recorded import change_json, frames, taps, write
from tests.results.story import STEP, Frame, ends, tcp

ALICE, OFFICE, RELAY = (
    bytes(map(int, address.split("."))) for address in ("10.10.0.11", "198.51.100.2", "203.0.113.9")
)

#: Where the relay listens; its other ports are relayed addresses.
_TURN_PORT = 3478

#: Of an IPv4 frame without options: source, destination, destination port.
_SOURCE, _DESTINATION, _PORT = slice(26, 30), slice(30, 34), slice(36, 38)

_ALLOCATE_SUCCESS = b"\x01\x03"
_XOR_RELAYED_ADDRESS = b"\x00\x16\x00\x08"


def refused_by_the_firewall(frame: bytes) -> bool:
    """Whether a frame holds a check that alice sent otherwise than through her relay."""
    turn = frame[_DESTINATION] == RELAY and frame[_PORT] == _TURN_PORT.to_bytes(2)
    return is_stun(frame) and frame[_SOURCE] == ALICE and not turn


def refused_by_the_nat(frame: bytes) -> bool:
    """Whether a frame holds a check that comes to the office from elsewhere than the relay."""
    return is_stun(frame) and frame[_DESTINATION] == OFFICE and not _from_the_relay(frame)


def _from_the_relay(frame: bytes) -> bool:
    return frame[_SOURCE] == RELAY and frame[34:36] == _TURN_PORT.to_bytes(2)


def _ending(edit: Callable[[Content], None]) -> Callable[[Path], None]:
    return lambda folder: change_json(folder / "ending.json", edit)


def counted(kind: str, device: str, rule: str, count: int) -> Callable[[Path], None]:
    """A rule is said to have counted so many packets."""
    return _ending(lambda ending: ending[kind][device].update({rule: count}))


def _passed_the_firewall(folder: Path) -> None:
    """What was seen last before the firewall is seen behind it as well."""
    passed = [
        Frame(time + STEP, data)
        for time, data in frames(folder, "core-eth2")
        if refused_by_the_firewall(data)
    ]
    write(folder, "office_nat-eth0", [*frames(folder, "office_nat-eth0"), *passed])


def _allowed(run: Content) -> None:
    rules = run["policies"]["office"]["rules"]
    next(rule for rule in rules if rule["name"] == "no_direct_media")["action"] = "allow"


def _swapped_allocations(folder: Path) -> None:
    """The relay's answers give alice what it gave to eve, and the other way round."""
    one, other = sorted({_relayed(data) for _, data in frames(folder, "relay-eth0")} - {b""})
    swap = {one: other, other: one}
    for tap in taps(folder):
        found = frames(folder, tap)
        write(folder, tap, [Frame(time, _with_relayed(data, swap)) for time, data in found])


def _relayed(frame: bytes) -> bytes:
    """The coded port of the relayed address in an answer to Allocate; nothing elsewhere."""
    at = frame.find(_XOR_RELAYED_ADDRESS)
    is_answer = is_stun(frame) and frame[42:44] == _ALLOCATE_SUCCESS
    return frame[at + 6 : at + 8] if is_answer and at > 0 else b""


def _with_relayed(frame: bytes, swap: dict[bytes, bytes]) -> bytes:
    old, at = _relayed(frame), frame.find(_XOR_RELAYED_ADDRESS)
    return frame[: at + 6] + swap[old] + frame[at + 8 :] if old else frame


def expecting(**changes: object) -> Callable[[Path], None]:
    """Something else is expected of the run."""
    return run_json(lambda run: run["expect"].update(changes))


_BOB_INSIDE, _BOB_OUTSIDE = (
    ends(f"{address}:40000", "203.0.113.5:443") for address in ("10.10.0.12", "198.51.100.2")
)
_BOB_TO_THE_FRONT_END: Way = (
    ("bob-eth0", "core-eth0", _BOB_INSIDE),
    ("core-eth2", "office_nat-eth0", _BOB_INSIDE),
    ("office_nat-eth1", "inet-eth0", _BOB_OUTSIDE),
    ("inet-eth2", "front_end-eth0", _BOB_OUTSIDE),
)


def _bob_calls_home(folder: Path) -> None:
    """Bob, who is in no call, opens a connection with the front end: Flow 4 as others."""
    middle = frames(folder, "alice-eth0")[100].time
    insert(folder, _BOB_TO_THE_FRONT_END, middle, lambda at: tcp(at, 4711, 0x02))


INCONCLUSIVE, FAIL = Verdict.INCONCLUSIVE, Verdict.FAIL

RELAYED_MUTANTS = (
    Mutant(
        "the refusing rule counted nothing",
        counted("firewalls", "office", "no_direct_media", 0),
        INCONCLUSIVE,
        "rule no_direct_media of office counted 0 packets, but the captures show 9 that it refused",
    ),
    Mutant(
        "the refusing rule counted too few",
        counted("firewalls", "office", "no_direct_media", 8),
        INCONCLUSIVE,
        "rule no_direct_media of office counted 8 packets, but the captures show 9",
    ),
    Mutant(
        "the refusing rule counted too many",
        counted("firewalls", "office", "no_direct_media", 10),
        INCONCLUSIVE,
        "rule no_direct_media of office counted 10 packets, but the captures show 9",
    ),
    Mutant(
        "the NAT's rule counted nothing",
        counted("nats", "office_nat", "unsolicited_to_router", 0),
        INCONCLUSIVE,
        "rule unsolicited_to_router of office_nat counted 0 packets, but the captures show 6",
    ),
    Mutant(
        "no counters of the firewall",
        _ending(lambda ending: ending["firewalls"].clear()),
        INCONCLUSIVE,
        "office enforces a policy, but ending.json has no counters of its rules",
    ),
    Mutant(
        "refused checks cut at the tap before the firewall",
        without("core-eth2", drop=refused_by_the_firewall),
        INCONCLUSIVE,
        "nothing explains what became of 3 pairs of alice: "
        "a check reached core-eth0 and was not seen to go on",
    ),
    Mutant(
        "refused checks cut at all taps",
        without(drop=refused_by_the_firewall),
        INCONCLUSIVE,
        "rule no_direct_media of office counted 9 packets, but the captures show 0 that it refused",
    ),
    Mutant(
        "refused checks that passed the firewall",
        _passed_the_firewall,
        INCONCLUSIVE,
        "nothing explains what became of 3 pairs of alice: "
        "a check reached office_nat-eth0 and was not seen to go on",
    ),
    Mutant(
        "refused checks cut at the NAT",
        without("office_nat-eth1", drop=refused_by_the_nat),
        INCONCLUSIVE,
        "nothing explains what became of 2 pairs of eve: "
        "a check left inet-eth0 and was not seen to arrive at office_nat-eth1",
    ),
    Mutant(
        "a policy that allows what was refused",
        run_json(_allowed),
        INCONCLUSIVE,
        "a check left core-eth2 and was not seen to arrive at office_nat-eth0, "
        "although office lets it pass by rule no_direct_media",
    ),
    Mutant(
        "allocations that are swapped",
        _swapped_allocations,
        FAIL,
        "lacks step 2 (allocate): no relay allocated alice the address that its SDP offers",
    ),
    Mutant(
        "the other's allocation is expected",
        expecting(allocated_by=["eve"]),
        FAIL,
        "expected media through the TURN allocation of eve, but that "
        "from alice to eve passed the TURN allocation of alice",
    ),
    Mutant(
        "direct media is expected",
        expecting(allocated_by=[]),
        FAIL,
        "expected media through no TURN allocation, but that "
        "from eve to alice passed the TURN allocation of alice",
    ),
    Mutant(
        "a first packet refused by a NAT is expected",
        expecting(refused_first="eve"),
        FAIL,
        "expected a refused first packet in call 1-alice-eve, but the first check of eve "
        "on the selected pair ended at relay-eth0, not at a NAT",
    ),
    Mutant(
        "a user who is in no call signals",
        _bob_calls_home,
        FAIL,
        "unexpected signalling of bob: a TCP connection of bob to 203.0.113.5:443",
    ),
)
