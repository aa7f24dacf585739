"""Calls out of networks that refuse UDP, judged as they were: over TCP, and by a proxy."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from results.handover.evidence_pcapng import write_evidence
from results.judge import examine, judge
from results.packets import read_interfaces
from results.protocols import stun
from results.schema import Result, RunFolder, Verdict
from results.tracing.streams import to_relays
from tests.results.recorded import change_json, frames, reseal, told_then, unpack, write

#: Through the proxy and on to the relay, as the media of the office's user goes.
_BY_PROXY = (
    *("alice-eth0", "proxy-eth0", "proxy-eth0", "core-eth0", "core-eth2", "office_nat-eth0"),
    *("office_nat-eth1", "inet-eth0", "inet-eth2", "relay-eth0", "relay-eth0", "inet-eth2"),
    *("inet-eth3", "eve_nat-eth1", "eve_nat-eth0", "eve-eth0"),
)


@pytest.fixture(scope="module", params=["udp_blocked", "proxy_with_login"])
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), request.param)


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """A stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / unpacked.name)


@pytest.fixture
def by_proxy(tmp_path: Path) -> Path:
    """The run by the proxy alone."""
    return unpack(tmp_path, "proxy_with_login")


def judged(folder: Path) -> Result:
    reseal(folder)
    return judge(folder)


def test_the_runs_pass(folder: Path) -> None:
    result = judge(folder)
    assert told_then(result, folder) == RunFolder(folder).read_result()
    assert result.verdict is Verdict.PASS
    assert result.media_flows == ("3", "4")


def test_media_is_followed_through_tls_by_the_proxy_to_the_relay_and_on(by_proxy: Path) -> None:
    (call,) = judge(by_proxy).calls
    there = next(path for path in call.media if path.from_ == "alice")
    assert there.taps == _BY_PROXY
    assert (there.transport, there.relayed_by) == ("proxy", "relay")
    assert there.packets == there.authenticated > 90


def test_it_is_the_proxy_that_asks_for_names(by_proxy: Path) -> None:
    reading = examine(by_proxy).reading
    asked = {query.asked_by for query in reading.queries if "front-end" in query.name}
    assert asked == {"proxy", "eve"}


def test_users_signalling_is_tied_to_the_connections_of_the_proxy(by_proxy: Path) -> None:
    reading = examine(by_proxy).reading
    own = [one for one in reading.tcp.openings if one.path.origin == "alice"]
    onward = [one.onward for one in own if one.onward]
    assert {one.path.target for one in onward} == {"front_end", "telemetry"}
    assert all(one.legs == () for one in own), "a connection with a proxy has no number itself"


@pytest.mark.parametrize(("expected", "words"), [("udp", "UDP"), ("tls", "TLS")])
def test_media_over_another_transport_than_expected_fails(
    folder: Path, expected: str, words: str
) -> None:
    change_json(folder / "run.json", lambda run: run["expect"].update(transport=expected))
    result = judged(folder)
    assert result.verdict is Verdict.FAIL
    assert f"expected media over {words}, but that from alice to eve went over" in result.reason


def test_one_missing_segment_is_a_hole(folder: Path) -> None:
    """What follows it in the stream cannot be read at that tap."""
    reading = examine(folder).reading
    media = reading.media[0][0].packets
    row = next(seen.row for seen in media[20].path.sightings if seen.tap.name == "office_nat-eth0")
    missing = int(reading.table.frame[row])
    kept = [f for n, f in enumerate(frames(folder, "office_nat-eth0"), start=1) if n != missing]
    write(folder, "office_nat-eth0", kept)
    result = judged(folder)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "office_nat-eth0 lacks" in result.reason


def test_without_the_keys_of_the_users_tls_says_nothing(by_proxy: Path) -> None:
    keys = RunFolder(by_proxy).keys("alice", "tls")
    lines = keys.read_text(encoding="ascii").splitlines()
    keys.write_text("\n".join(_without_relays(lines, by_proxy)) + "\n", encoding="ascii")
    result = judged(by_proxy)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "TURN over TLS cannot be read" in result.reason
    assert "logged sessions has its client random" in result.reason


def _without_relays(lines: list[str], folder: Path) -> list[str]:
    """A key log without the sessions with relays: those that nothing else is read from."""
    reading = examine(folder).reading
    found = to_relays(reading.table, reading.places)
    hidden = {one.client_random.hex() for one, _ in found if one.client_random}
    return [line for line in lines if line.split()[1] not in hidden]


def test_messages_of_streams_are_no_frames_of_the_evidence(folder: Path, tmp_path: Path) -> None:
    judged_run = examine(folder)
    table = judged_run.reading.table
    assert np.count_nonzero(table.from_stream) > 1000
    written = write_evidence(folder, judged_run, tmp_path / "evidence.pcapng")
    kept = sum(len(frames(folder, tap.name)) for tap in table.taps)
    found = read_interfaces([written], lambda _, interfaces: table.taps[: len(interfaces)])
    assert len(found) == kept


def test_every_allocation_is_given_back(folder: Path) -> None:
    """By Refresh with lifetime 0 (RFC 8656, section 7.4), within the stream too."""
    reading = examine(folder).reading
    given_back = {
        item.path.origin
        for item in reading.spoken
        if item.message.method == stun.Method.REFRESH
        and item.message.message_class is stun.Class.REQUEST
        and item.message.lifetime == 0
    }
    assert given_back == {one.user for one in reading.turn.allocations} == {"alice", "eve"}
