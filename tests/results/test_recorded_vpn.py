"""Runs of VPN users that took place: media around the tunnel and in it; mutants do not pass."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from results.canary_frames import Moment
from results.judge import judge
from results.schema import MEDIA_OVER_VPN, RunFolder, Verdict
from tests.results.recorded import change_json, frames, keep, reseal, told_then, unpack, write
from tests.results.story import STEP, Frame, rtp, udp
from tests.results.story import ends as ends_of
from tests.results.vpn_story import ALICE, VIC
from topologies.spec import Flow

AROUND, WITHIN = "vpn_internal_relayed", "vpn_media_in_tunnel"

#: Of an Ethernet frame: where UDP's payload begins; of a bare packet, where it begins there.
_PAYLOAD = 42


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recorded")
    return {name: unpack(folder, name) for name in (AROUND, WITHIN)}


@pytest.fixture
def folder_of(unpacked: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A stored run, for a test to change as it likes."""
    return lambda name: shutil.copytree(unpacked[name], tmp_path / name)


def test_media_around_the_tunnel(folder_of: Callable[[str], Path]) -> None:
    result = judge(folder_of(AROUND))
    assert result.verdict is Verdict.PASS
    assert result.signalling_flows == (Flow.F2, Flow.F2_VPN, Flow.F4)
    assert result.media_flows == (Flow.F3, Flow.F4)
    assert result.unsupported is None
    assert "67 of 67 packets in the tunnel at vic-wg0 are consistent with" in result.reason


def test_media_in_the_tunnel(folder_of: Callable[[str], Path]) -> None:
    result = judge(folder_of(WITHIN))
    assert result.verdict is Verdict.PASS
    assert (result.media_flows, result.unsupported) == ((Flow.F2_VPN,), MEDIA_OVER_VPN)
    (call,) = result.calls
    assert {path.taps[0] for path in call.media} == {"vic-wg0", "alice-eth0"}


@pytest.mark.parametrize("name", [AROUND, WITHIN])
def test_they_are_judged_as_they_were(folder_of: Callable[[str], Path], name: str) -> None:
    folder = folder_of(name)
    assert told_then(judge(folder), folder) == RunFolder(folder).read_result()


def _without_carriers(folder: Path) -> None:
    """The WireGuard packets of vic with media inside are gone, wherever they were seen."""
    for tap in (
        "vic-eth0",
        "vic_nat-eth0",
        "vic_nat-eth1",
        "inet-eth4",
        "inet-eth3",
        "vpn_gw-eth0",
    ):
        keep(folder, tap, lambda frame: not _is_data(frame))


def _is_data(frame: bytes) -> bool:
    return frame[_PAYLOAD : _PAYLOAD + 4] == b"\4\0\0\0" and len(frame) > 200


def _canary(moment: Moment) -> Callable[[Path], None]:
    return lambda folder: keep(
        folder, "vic-wg0", lambda frame: f"vic-wg0 {moment}".encode() not in frame
    )


def _media_tried_the_tunnel(folder: Path) -> None:
    """What looks like media leaves vic's end of the tunnel."""
    found = frames(folder, "vic-wg0")
    middle = found[len(found) // 2].time
    more = Frame(middle + STEP, udp(ends_of(VIC, ALICE), rtp(1)))
    write(folder, "vic-wg0", [*found, more])


def _lost(tap: str) -> Callable[[Path], None]:
    """A tap of the tunnel has missed one media packet."""

    def change(folder: Path) -> None:
        found = frames(folder, tap)
        media = next(i for i, one in enumerate(found) if one.data[28:29] == b"\x80")
        write(folder, tap, found[:media] + found[media + 1 :])

    return change


def _expecting(unsupported: str | None) -> Callable[[Path], None]:
    return lambda folder: change_json(
        folder / "run.json", lambda run: run["expect"].update({"unsupported": unsupported})
    )


def _counted(folder: Path) -> None:
    change_json(
        folder / "ending.json",
        lambda ending: ending["firewalls"]["vpn"].update({"no_media_to_lan": 2}),
    )


@pytest.mark.parametrize(
    ("name", "change", "verdict", "words"),
    [
        (AROUND, _without_carriers, Verdict.INCONCLUSIVE, "are consistent with WireGuard packets"),
        (WITHIN, _without_carriers, Verdict.INCONCLUSIVE, "are consistent with WireGuard packets"),
        (AROUND, _canary(Moment.BEFORE), Verdict.INCONCLUSIVE, "vic-wg0 may have been blind"),
        (AROUND, _canary(Moment.AFTER), Verdict.INCONCLUSIVE, "vic-wg0 may have been blind"),
        (AROUND, _media_tried_the_tunnel, Verdict.INCONCLUSIVE, "looks like SRTP at vic-wg0"),
        (AROUND, _counted, Verdict.INCONCLUSIVE, "rule no_media_to_lan of vpn counted 2 packets"),
        (AROUND, _expecting(MEDIA_OVER_VPN), Verdict.FAIL, "but none was seen"),
        (WITHIN, _expecting(None), Verdict.FAIL, "unsupported: media over VPN: vic opens"),
        (WITHIN, _lost("vic-wg0"), Verdict.INCONCLUSIVE, "vic-wg0 lacks 1 packet"),
        (WITHIN, _lost("vpn_gw-wg0"), Verdict.INCONCLUSIVE, "vpn_gw-wg0"),
    ],
)
def test_mutants_do_not_pass(
    folder_of: Callable[[str], Path],
    name: str,
    change: Callable[[Path], None],
    verdict: Verdict,
    words: str,
) -> None:
    folder = folder_of(name)
    change(folder)
    reseal(folder)
    result = judge(folder)
    assert result.verdict is verdict, result.reason
    assert words in result.reason
