"""Evidence of small stories: what counts as a hole, what is said when there is nothing."""

from pathlib import Path as FilePath

import pytest

from results.canary_frames import Moment
from results.evidence import Reading
from results.problems import Ground
from results.shown import Evidence
from tests.results.judged import a_run
from tests.results.story import (
    ALICE,
    ALICE_BEA,
    ALICE_BOB,
    BEA,
    BOB,
    FORWARDER_NAT,
    NAT_RESOLVER,
    Story,
    back,
    dns_query,
    ends,
    hops,
)
from topologies.spec import Flow

SOMETHING = b"\x00 something that is not media"


def read(story: Story, folder: FilePath) -> Evidence:
    return Reading(story.table(folder), a_run(network=story.network), {}, {}, {}).evidence()


def holes(evidence: Evidence) -> list[str]:
    return [problem.text for problem in evidence.problems if problem.ground is Ground.HOLE]


def torn(story: Story, times: int = 1) -> None:
    """Packets that one tap does not see."""
    story.deaf = {"core-eth1"}
    for number in range(times):
        story.send(ALICE_BEA, ends(ALICE, BEA), SOMETHING + bytes([number]))
    story.deaf = set()


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (
            1,
            "core-eth1 lacks 1 packet that must have passed there: branch_rtr-eth1 has it "
            "(first: frame 2 of branch_rtr-eth1)",
        ),
        (
            3,
            "core-eth1 lacks 3 packets that must have passed there: branch_rtr-eth1 has them "
            "(first: frame 2 of branch_rtr-eth1)",
        ),
    ],
)
def test_packets_that_a_tap_lacks_between_the_canaries(
    tmp_path: FilePath, times: int, text: str
) -> None:
    story = Story()
    story.canaries(Moment.BEFORE)
    torn(story, times)
    story.canaries(Moment.AFTER)
    assert holes(read(story, tmp_path)) == [text]


def test_before_and_after_the_canaries_taps_need_not_be_there(tmp_path: FilePath) -> None:
    story = Story()
    torn(story)
    story.canaries(Moment.BEFORE)
    story.send(ALICE_BOB, ends(ALICE, BOB), SOMETHING)
    story.canaries(Moment.AFTER)
    torn(story)
    assert holes(read(story, tmp_path)) == []


def test_a_connection_whose_hello_one_tap_lacks(tmp_path: FilePath) -> None:
    story = Story()
    sockets = ends("10.10.0.11:40001", "10.20.0.11:443")
    story.syn(ALICE_BEA, sockets, 7)
    story.deaf = {"core-eth1"}
    story.say(ALICE_BEA, sockets, 8, b"a ClientHello with its random")
    assert holes(read(story, tmp_path)) == [
        "core-eth1 saw the SYN of a TCP connection of alice to 10.20.0.11:443, "
        "but not its ClientHello"
    ]


def test_an_unexpected_connection_is_shown_with_its_frame(tmp_path: FilePath) -> None:
    story = Story()
    story.syn(ALICE_BOB, ends("10.10.0.11:40001", "10.10.0.12:443"), 7)
    (shown,) = read(story, tmp_path).signalling
    assert shown.flow is Flow.F5
    assert shown.what == "a TCP connection of alice to 10.10.0.12:443"
    assert (shown.citation.tap, shown.citation.frame) == ("alice-eth0", 1)


def strangers(evidence: Evidence) -> list[str]:
    return [problem.text for problem in evidence.problems if problem.ground is Ground.FLOWS]


def test_signalling_of_a_user_who_is_in_no_call(tmp_path: FilePath) -> None:
    """The flow is one that is expected, but not of bea."""
    story = Story()
    way = hops("bea-eth0>branch_rtr-eth0", "branch_rtr-eth1>core-eth1", "core-eth0>forwarder-eth0")
    story.send(way, ends("10.20.0.11:40000", "10.10.0.53:53"), dns_query("relay.service.example"))
    story.syn(back(ALICE_BEA), ends("10.20.0.11:40001", "10.10.0.11:443"), 7)
    assert strangers(read(story, tmp_path)) == [
        "unexpected signalling of bea: a DNS query for relay.service.example (frame 1 of bea-eth0)",
        "unexpected signalling of bea: a TCP connection of bea to 10.10.0.11:443 "
        "(frame 2 of bea-eth0)",
    ]


def test_signalling_of_who_is_no_user_or_in_a_call(tmp_path: FilePath) -> None:
    story = Story()
    query = dns_query("relay.service.example")
    story.send(FORWARDER_NAT, ends("10.10.0.53:40000", "198.51.100.53:53"), query)
    story.send(NAT_RESOLVER, ends("198.51.100.2:40000", "198.51.100.53:53"), query)
    story.syn(ALICE_BOB, ends("10.10.0.11:40001", "10.10.0.12:443"), 7)
    assert strangers(read(story, tmp_path)) == []


def test_no_packets_at_all(tmp_path: FilePath) -> None:
    evidence = read(Story(), tmp_path)
    assert (evidence.signalling, evidence.media, evidence.calls) == ((), (), ())
    assert {problem.ground for problem in evidence.problems} == {Ground.CANARY}
