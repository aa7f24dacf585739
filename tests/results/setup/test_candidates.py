"""An offer carries the candidates that it should, and none that is not the sender's."""

from pathlib import Path

import pytest

from results.problems import Ground
from results.setup.candidates import candidate_problems
from results.setup.checks import stun_messages
from results.setup.turn import read_turn
from results.tracing.paths import follow_udp
from tests.results.call_story import MAPPED, SUCCESS, a_call, described
from tests.results.home_story import ALICE, EVE, HomeStory
from tests.results.story import end, stun, xored

HOST, SRFLX, RELAY = (
    f"host {ALICE.socket}",
    f"srflx {ALICE.mapped}",
    f"relay {ALICE.relayed}",
)


def problems(
    folder: Path, *candidates: str, allocated: bool = True, relay_only: bool = False
) -> list[str]:
    """What is said of an invite of alice with such candidates; eve's answer is right."""
    story = HomeStory()
    for seat in (ALICE, EVE) if allocated else (EVE,):
        story.allocate(seat)
    for number, seat in enumerate((ALICE, EVE), start=1):
        story.from_relay(seat, stun(SUCCESS, number, (MAPPED, xored(end(seat.mapped)))))
    for number in range(60):
        story.to_relay(EVE, bytes([0, number]) * 9)
    table, places = story.table(folder), story.places
    udp = follow_udp(table, places)
    spoken = stun_messages(table, udp)
    call = a_call(described("alice", *candidates), EVE.described(), "eve")
    turn = read_turn(spoken)
    found = list(candidate_problems(table, places, spoken, turn, call, relay_only=relay_only))
    assert all(problem.ground is Ground.CALL and problem.citations for problem in found)
    found = [one for one in found if "of alice" in one.text or not relay_only]
    return [problem.text.split(" (frame")[0] for problem in found]


def test_all_candidates_are_there_and_her_own(tmp_path: Path) -> None:
    assert problems(tmp_path, HOST, SRFLX, RELAY) == []


def test_no_relay_candidate_is_needed_where_none_was_allocated(tmp_path: Path) -> None:
    assert problems(tmp_path, HOST, SRFLX, allocated=False) == []


@pytest.mark.parametrize(
    ("candidates", "complaint"),
    [
        ([SRFLX, RELAY], "has no host candidate"),
        ([HOST, SRFLX], "has no relay candidate, although a relay had allocated an address"),
        (
            [HOST, RELAY, f"host {EVE.socket}"],
            f"declares the host candidate {EVE.socket}, which is no address of its interfaces",
        ),
        (
            [HOST, RELAY, f"srflx {EVE.mapped}"],
            f"declares the srflx candidate {EVE.mapped}, which no server told it of",
        ),
        (
            [HOST, RELAY, f"relay {EVE.relayed}"],
            f"declares the relay candidate {EVE.relayed}, which no relay allocated to it",
        ),
    ],
)
def test_candidates_that_lack_or_are_not_hers(
    tmp_path: Path, candidates: list[str], complaint: str
) -> None:
    said = problems(tmp_path, *candidates)
    assert said == [f"the invite of alice in call c1 {complaint}"]


def test_where_only_relayed_candidates_may_be_used_none_else_is_missed(tmp_path: Path) -> None:
    assert problems(tmp_path, RELAY, relay_only=True) == []


def test_where_only_relayed_candidates_may_be_used_others_are_named(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, HOST, RELAY, relay_only=True)
    assert said.endswith(
        f"declares the host candidate {ALICE.socket}, although only relayed ones may be used"
    )
