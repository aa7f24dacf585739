"""What tests captured is held against tshark, all of it, and told in figures."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import wrpcap

from results.packets import Kind
from tests import conftest
from tests.results.recorded import unpack
from tests.results.wire.agreement import SENT_AGAIN, Difference
from tests.results.wire.as_tshark import Said
from tests.tally import Tally
from tests.tshark import needs_tshark

pytestmark = needs_tshark

#: STUN without a magic cookie, which tshark takes for something by its port, and we do not.
CLASSIC = bytes.fromhex("00010000") + bytes(range(16))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """The place of a capture in a run."""
    (tmp_path / "a_run" / "captures").mkdir(parents=True)
    return tmp_path / "a_run" / "captures" / "eve-eth0.pcap"


def store(path: Path, port: int, payload: bytes, link_type: int = 1) -> None:
    packet = Ether() / IP() / UDP(sport=port, dport=port) / Raw(payload)
    wrpcap(str(path), [packet], linktype=link_type)


def test_all_captures_of_all_runs_are_compared_and_evidence_is_not_counted_again(
    tmp_path: Path,
) -> None:
    tally = Tally(datetime(2020, 1, 1, tzinfo=UTC))
    folder = unpack(tmp_path)
    (folder / "evidence.pcapng").write_bytes((folder / "captures/bob-eth0.pcapng").read_bytes())
    store(tmp_path / "machine.pcap", 9, b"?")
    tally.check(tmp_path)
    assert list(tally.lines()) == [
        "agreement with tshark: 3,953 packets of 20 captures, 0 differ; "
        "0 more captures are cut short or empty, as both say"
    ]


def test_a_run_of_old_is_left_out(tmp_path: Path) -> None:
    tally = Tally()
    unpack(tmp_path)
    tally.check(tmp_path)
    assert list(tally.lines()) == []


def test_a_difference_is_told_by_run_file_and_frame(tmp_path: Path, capture: Path) -> None:
    tally = Tally()
    store(capture, 3478, CLASSIC)
    with pytest.raises(AssertionError, match=r"^a_run/captures/eve-eth0\.pcap frame 1: tshark"):
        tally.check(tmp_path)
    figures, difference = tally.lines()
    assert "1 packets of 1 captures, 1 differ (1 unexplained)" in figures
    assert difference.startswith("a_run/captures/eve-eth0.pcap frame 1: ")


@pytest.mark.parametrize(
    ("packets", "differences", "fails"),
    [(10_000, 10, False), (10_000, 11, True), (2_000, 4, False), (0, 0, False)],
)
def test_of_many_packets_one_in_a_thousand_may_differ(
    capture: Path, packets: int, differences: int, fails: bool
) -> None:
    said = Said((Kind.TCP, Kind.TLS), (), 0, 0)
    tally = Tally()
    tally.captures, tally.packets = 1, packets
    difference = Difference(capture, 1, said, said, SENT_AGAIN)
    tally.differences = [(str(difference), difference.why)] * differences
    finish = SimpleNamespace(config=SimpleNamespace(stash={conftest._TALLY: tally}), exitstatus=0)
    conftest.pytest_sessionfinish(finish)  # type: ignore[arg-type]
    assert finish.exitstatus == int(fails)
    figures, *more = tally.lines()
    assert ("FAILED, more than 0.1% differ" in "".join(more)) is fails
    assert (f"{differences} differ ({differences} TCP sent it again)" in figures) is (
        differences > 0
    )


def test_what_nobody_can_read_to_its_end_is_counted_apart(tmp_path: Path, capture: Path) -> None:
    tally = Tally()
    store(capture, 9, b"?")
    cut = capture.with_name("cut.pcap")
    cut.write_bytes(capture.read_bytes()[:-1])
    capture.with_name("empty.pcapng").touch()
    tally.check(tmp_path)
    assert (tally.captures, tally.packets, tally.cut) == (1, 1, 2)


def test_what_tshark_alone_can_read_is_no_agreement(tmp_path: Path, capture: Path) -> None:
    store(capture, 9, b"?", link_type=9)
    with pytest.raises(AssertionError, match=r"tshark reads all 1 frames, but we say: .*eve-eth0"):
        Tally().check(tmp_path)


def test_without_tshark_it_is_said_how_much_was_left_out(
    tmp_path: Path, capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally()
    store(capture, 3478, CLASSIC)
    monkeypatch.setenv("PATH", "/nowhere")
    tally.check(tmp_path)
    assert list(tally.lines()) == [
        "agreement with tshark: 1 captures left out, it is not installed"
    ]


def test_figures_of_several_processes_are_added(tmp_path: Path, capture: Path) -> None:
    whole = Tally()
    for _ in range(2):
        other = Tally()
        store(capture, 3478, CLASSIC)
        with pytest.raises(AssertionError):
            other.check(tmp_path)
        whole.add(json.loads(json.dumps(other.told())))
    figures, *differences = whole.lines()
    assert "2 packets of 2 captures, 2 differ (2 unexplained)" in figures
    assert len(differences) == 2
