"""A run that took place behind a NAT64: two families on one way; its mutants do not pass."""

import shutil
from pathlib import Path

import pytest

from results.judge import judge
from results.packets import IP_UDP
from results.schema import RunFolder, Verdict
from tests.results.mutants import Mutant, without
from tests.results.paper_mutants import Content
from tests.results.recorded import change_json, reseal, told_then, unpack
from tests.results.relayed_mutants import expecting
from topologies.spec import Flow

OFFICE_TAPS = ("alice-eth0", "core-eth0", "core-eth2", "office_nat-eth0")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "ipv6_only_nat64")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def test_the_run_passes_and_tells_of_both_families(folder: Path) -> None:
    result = judge(folder)
    assert result.verdict is Verdict.PASS
    assert result.reason == (
        "alice and eve: 224 of 224 media packets authenticated, Flows 3 and 4 over IPv4 and IPv6; "
        "direct pairs refused by office_nat: unsolicited_to_router; signalling Flows 2, 3 and 4"
    )
    assert result.media_flows == (Flow.F3, Flow.F4)


def test_it_is_judged_as_it_was_right_after_the_run(folder: Path) -> None:
    stored, result = RunFolder(folder).read_result(), judge(folder)
    assert told_then(result, folder) == stored


def test_each_direction_changes_its_family_once(folder: Path) -> None:
    (call,) = judge(folder).calls
    outward, inward = call.media
    assert (outward.from_, outward.ip) == ("alice", ("IPv6", "IPv4"))
    assert (inward.from_, inward.ip) == ("eve", ("IPv4", "IPv6"))
    assert outward.taps[:4] == OFFICE_TAPS


def test_the_office_user_has_one_candidate_of_ipv6_and_the_others_of_ipv4(folder: Path) -> None:
    (call,) = judge(folder).calls
    locals_ = {(pair.local.type, ":" in pair.local.address) for pair in call.pairs}
    assert locals_ == {("host", False), ("relay", False)}, "a pair is of one family"
    assert call.selected["alice"].local.type == "relay"


def is_channel_data(frame: bytes) -> bool:
    """Whether a frame holds ChannelData (RFC 8656, section 12.4), of either family."""
    if frame[12:14] == b"\x86\xdd":
        return frame[20] == IP_UDP and 0x40 <= frame[62] < 0x50
    return frame[12:14] == b"\x08\x00" and frame[23] == IP_UDP and 0x40 <= frame[42] < 0x50


def _translated_nothing(folder: Path) -> None:
    def change(ending: Content) -> None:
        ending["nats"]["office_nat"]["translated"] = 0

    change_json(folder / "ending.json", change)


MUTANTS = (
    Mutant(
        "media over IPv6 alone is expected",
        expecting(ip=["IPv6"]),
        Verdict.FAIL,
        "expected media over IPv6, but that from alice to eve went over IPv6 and IPv4",
    ),
    Mutant(
        "media over IPv4 alone is expected",
        expecting(ip=["IPv4"]),
        Verdict.FAIL,
        "expected media over IPv4, but that from alice to eve went over IPv6 and IPv4",
    ),
    Mutant(
        "a NAT64 that translated nothing",
        _translated_nothing,
        Verdict.INCONCLUSIVE,
        "rule translated of office_nat counted 0 packets, but the captures show",
    ),
    Mutant(
        "no media on the side of IPv6",
        without(*OFFICE_TAPS, drop=is_channel_data),
        Verdict.INCONCLUSIVE,
        "every tap on the way into",
    ),
    Mutant(
        "no media on the side of IPv4",
        without("office_nat-eth1", "inet-eth0", drop=is_channel_data),
        Verdict.INCONCLUSIVE,
        "every tap on the way into inet lacks",
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_does_not_pass(folder: Path, mutant: Mutant) -> None:
    mutant.change(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is mutant.verdict, result.reason
    assert mutant.reason in result.reason
