"""What packet shapers did to media: named where they did anything, and held to their counters."""

from pathlib import Path as FilePath

import pytest

from results.counters import counter_problems
from results.fates import Fates
from results.media import Stream, authenticated, losses, rtp_packets
from results.schema import PACKET_SHAPER, Outcome
from results.setup.turn import read_turn
from results.shapers import Shaped, Shapers, counted_remarks, shaped
from results.tracing.paths import Path
from tests.results.judged import a_run
from tests.results.story import NAT, Story, back, ends, hops, rtp, with_eve
from tests.results.test_media import Protector, media_key
from topologies import parts
from topologies.shaping import POLICED, QUEUE_FULL
from topologies.spec import Network, Shaper

ALICE, EVE = "10.10.0.11:50000", "198.51.100.60:50003"
INSIDE = hops("alice-eth0>core-eth0", "core-eth2>office_nat-eth0")
OUTSIDE = hops("office_nat-eth1>inet-eth0", "inet-eth1>eve-eth0")


def network(**rates: int) -> Network:
    return parts.shaped(with_eve(), "office", Shaper(**rates))


BOTH = {"police_packets": 40, "queue_kbit": 150}


class Told(Story):
    """Media between alice and eve by the office's NAT."""

    def out(self, packet: bytes, held: float = 0.0, dropped: bool = False) -> None:
        """Alice sends; the router holds it for so many seconds, or drops it."""
        self.send(INSIDE, ends(ALICE, EVE), packet)
        self.wait(held)
        if not dropped:
            self.send(OUTSIDE, ends(NAT, EVE), packet)
        self.wait(0.02)

    def come_in(self, packet: bytes, dropped: bool = False) -> None:
        """Eve sends."""
        self.send(back(OUTSIDE), ends(EVE, NAT), packet)
        if not dropped:
            self.send(back(INSIDE), ends(EVE, ALICE), packet)
        self.wait(0.02)


def read(story: Story, folder: FilePath) -> tuple[Shapers, Fates, tuple[Path, ...]]:
    paths = story.travels(folder).paths
    shapers = Shapers(story.places, story.network, paths)
    fates = Fates(story.network, {}, read_turn(()), (), story.places, {"office_nat"}, shapers)
    return shapers, fates, paths


def streams(story: Story, folder: FilePath) -> list[Stream]:
    packets = rtp_packets(story.table(folder), story.travels(folder))
    return authenticated(packets, [media_key("alice", "eve")])[0]


def found(story: Story, folder: FilePath) -> list[Shaped]:
    return list(shaped(read(story, folder)[0], streams(story, folder)))


def test_a_router_that_drops_from_its_queue_is_named(tmp_path: FilePath) -> None:
    story, srtp = Told(network(**BOTH)), Protector()
    for number in range(10):
        story.out(srtp(), held=0.06, dropped=number in (4, 6))
    (one,) = found(story, tmp_path)
    assert one.does_shape
    assert one.words == (
        "office_nat held packets for 60.0 ms (median) and dropped 2 (queue_full), "
        "of 10 packets from alice to eve"
    )
    case = one.case(story.table(tmp_path))
    assert (case.name, case.citation.tap) == (PACKET_SHAPER, "office_nat-eth0")
    assert list(losses(story.table(tmp_path), streams(story, tmp_path)[0], lambda _: False))
    on_purpose = read(story, tmp_path)[1].is_explained
    assert losses(story.table(tmp_path), streams(story, tmp_path)[0], on_purpose) == []


@pytest.mark.parametrize("rates", [BOTH, {}])
def test_a_router_that_lets_all_pass_does_not_shape(
    tmp_path: FilePath, rates: dict[str, int]
) -> None:
    story, srtp = Told(network(**rates)), Protector()
    for _ in range(10):
        story.out(srtp())
    (one,) = found(story, tmp_path)
    assert not one.does_shape
    assert one.words == "office_nat let all pass, of 10 packets from alice to eve"


def test_a_loss_that_no_rule_can_have_caused_is_a_gap(tmp_path: FilePath) -> None:
    story = Told(network(police_packets=40))
    story.out(rtp(1), dropped=True)
    _, fates, (lost,) = read(story, tmp_path)
    assert fates.of(lost).gap
    assert not fates.is_explained(lost)


def test_without_a_shaper_a_loss_in_the_router_is_a_gap(tmp_path: FilePath) -> None:
    story = Told(with_eve())
    story.out(rtp(1), dropped=True)
    _, fates, (lost,) = read(story, tmp_path)
    assert fates.of(lost).gap


def test_what_answers_is_policed_and_what_does_not_is_unsolicited(tmp_path: FilePath) -> None:
    story = Told(network(**BOTH))
    story.come_in(rtp(1), dropped=True)
    story.out(rtp(2))
    story.come_in(rtp(3), dropped=True)
    _, fates, paths = read(story, tmp_path)
    early, late = (fates.of(path) for path in paths if not path.complete)
    assert (early.rule, late.rule) == ("unsolicited_to_router", POLICED)
    assert late.outcome is Outcome.REFUSED


@pytest.mark.parametrize(("count", "agrees"), [(0, False), (1, False), (2, True), (3, False)])
def test_the_kernels_counter_must_be_what_the_captures_show(
    tmp_path: FilePath, count: int, agrees: bool
) -> None:
    story = Told(network(**BOTH))
    for number in range(4):
        story.out(rtp(number), dropped=number < 2)
    shapers, fates, paths = read(story, tmp_path)
    counted = {"office_nat": {QUEUE_FULL: count, POLICED: 0}}
    run = a_run(network=story.network)
    texts = [one.text for one in counter_problems(run, counted, fates, paths, 2**63, shapers.rules)]
    packets = "1 packet" if count == 1 else f"{count} packets"
    wanted = f"rule queue_full of office_nat counted {packets}, but the captures show 2"
    assert texts == ([] if agrees else [f"{wanted} that it refused"])


def test_what_the_kernel_counted_is_told(tmp_path: FilePath) -> None:
    shapers, _, _ = read(Told(network(**BOTH)), tmp_path)
    counted = {"office_nat": {QUEUE_FULL: 4, POLICED: 0}}
    (remark,) = counted_remarks(shapers, counted)
    assert remark.text == "rule queue_full of office_nat counted 4 packets"
