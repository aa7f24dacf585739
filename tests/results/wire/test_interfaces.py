"""Captures of several interfaces: each record is read as its own interface has it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.handover import blocks
from results.packets import PacketTable, read_interfaces, read_table
from results.wire.batches import read_batches
from results.wire.capture import CaptureError, Interface, LinkType, joined
from results.wire.captures import captured, open_capture, parts, read_capture
from results.wire.columns import NAMES
from scenarios.reading.mix import packets
from tests.tshark import fields, needs_tshark
from topologies.spec import Tap

ETHERNET_HEADER = 14

#: Frames of Ethernet, and the IP packets within them.
FRAMES = [packet.frame for packet in packets(60)]

#: Where things lie in the file, and which frames they are in.
_OF_THE_FILE = ("frame", "frame_start", "transport_start", "payload_start", "inner_start")
_OF_THE_LINK = ("src_mac", "dst_mac", "frame_size")

#: For each packet in turn its interface: 0 has Ethernet, 1 is a tunnel, 2 has Ethernet.
TURNS = st.lists(st.integers(0, 2), max_size=60)
NAMED = ("eth0", "wg0", "eth1")
LINKS = (blocks.ETHERNET, blocks.RAW_IP, blocks.ETHERNET)


def written(path: Path, turns: Sequence[int], of: Sequence[int] = (0, 1, 2)) -> Path:
    """A capture of some of the three interfaces, with the packets that are theirs by turns."""
    described = [blocks.interface(NAMED[one], "", LINKS[one]) for one in of]
    held = [
        blocks.packet(of.index(which), at, _frame(at, which), ())
        for at, which in enumerate(turns)
        if which in of
    ]
    path.write_bytes(blocks.section("", "") + b"".join(described + held))
    return path


def _frame(at: int, which: int) -> bytes:
    return FRAMES[at][ETHERNET_HEADER if LINKS[which] == blocks.RAW_IP else 0 :]


def table_of(*paths: Path) -> PacketTable:
    return read_interfaces(paths, taps)


def taps(path: Path, interfaces: Sequence[Interface]) -> list[Tap]:
    return [
        Tap(name=f"{path.stem}:{one.name}", host="host", interface="", link=None, mac=None)
        for one in interfaces
    ]


def tap() -> Tap:
    return Tap(name="eth0", host="host", interface="eth0", link=None, mac=None)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interfaces")


@given(turns=TURNS)
def test_each_record_has_its_interface(folder: Path, turns: list[int]) -> None:
    file = open_capture(written(folder / "a.pcapng", turns))
    records = joined(list(parts(file)))
    assert records.interface.tolist() == turns
    assert [file.data[one.start :][: one.size] for one in records] == [
        _frame(at, which) for at, which in enumerate(turns)
    ]
    assert file.interfaces == [
        Interface(number, NAMED[number], LinkType(LINKS[number])) for number in range(3)
    ]


@given(turns=TURNS)
def test_what_is_read_is_what_files_of_one_interface_each_say(
    folder: Path, turns: list[int]
) -> None:
    together = table_of(written(folder / "a.pcapng", turns))
    for which in range(3):
        alone = table_of(written(folder / "one.pcapng", turns, [which]))
        rows = together.tap == which
        assert together.frame[rows].tolist() == [
            at + 1 for at, one in enumerate(turns) if one == which
        ]
        for name in NAMES:
            if name not in _OF_THE_FILE:
                assert np.array_equal(getattr(together, name)[rows], getattr(alone, name)), name


def test_links_of_one_file_are_read_as_they_are(folder: Path) -> None:
    """The same packet with Ethernet and without differs in nothing but that."""
    frame = FRAMES[0]
    data = blocks.section("", "")
    data += b"".join(blocks.interface(name, "", LINKS[n]) for n, name in enumerate(NAMED[:2]))
    data += blocks.packet(0, 1, frame, ()) + blocks.packet(1, 1, frame[ETHERNET_HEADER:], ())
    (folder / "a.pcapng").write_bytes(data)
    table = table_of(folder / "a.pcapng")
    assert [one.name for one in table.taps] == ["a:eth0", "a:wg0"]
    assert table.payload(0) == table.payload(1) != b""
    for name in set(NAMES) - {*_OF_THE_FILE, *_OF_THE_LINK}:
        one, other = getattr(table, name)
        assert np.array_equal(one, other), name


def test_batches_are_of_one_interface_each(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.wire.batches.BATCH", 7)
    turns = [at % 3 for at in range(60)]
    found = list(read_batches(open_capture(written(folder / "a.pcapng", turns))))
    for number in range(3):
        own = [one.columns for one in found if one.interface.number == number]
        assert [len(columns) for columns in own] == [7, 7, 6]
        frames = np.concatenate([columns.frame for columns in own])
        assert frames.tolist() == list(range(number + 1, 61, 3))


def test_a_section_begins_with_interfaces_of_its_own(folder: Path) -> None:
    first = written(folder / "1.pcapng", [0, 1], [0, 1]).read_bytes()
    second = written(folder / "2.pcapng", [2], [2]).read_bytes()
    (folder / "a.pcapng").write_bytes(first + second)
    file = open_capture(folder / "a.pcapng")
    assert joined(list(parts(file))).interface.tolist() == [0, 1, 2]
    assert [one.name for one in file.interfaces] == list(NAMED)


def test_files_follow_each_other_in_the_numbers_of_taps(folder: Path) -> None:
    one = written(folder / "a.pcapng", [1, 0], [0, 1])
    other = written(folder / "b.pcapng", [2], [2])
    table = table_of(one, other)
    assert [found.name for found in table.taps] == ["a:eth0", "a:wg0", "b:eth1"]
    seen = sorted(zip(table.tap.tolist(), table.frame.tolist(), strict=True))
    assert seen == [(0, 2), (1, 1), (2, 1)]


@needs_tshark
def test_frames_and_interfaces_are_those_that_tshark_shows(folder: Path) -> None:
    turns = [at * at % 7 % 3 for at in range(60)]
    path = written(folder / "a.pcapng", turns)
    table = table_of(path)
    ours = {
        int(table.frame[row]): table.tap_name(row).removeprefix("a:") for row in range(len(table))
    }
    shown = fields(path, "", "frame.number", "frame.interface_name", "frame.interface_id")
    assert {int(number): name for number, name, _ in shown} == ours
    assert [int(which) for _, _, which in shown] == turns


def test_more_interfaces_than_can_be_told_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("results.packets._LAST_TAP", 1)
    path = written(folder / "a.pcapng", [0, 1])
    assert len(table_of(path)) == 2
    with pytest.raises(CaptureError, match="has too many interfaces; at most 2 fit"):
        table_of(written(path, [0, 1, 2]))


def test_a_taps_capture_has_one_link_type(folder: Path) -> None:
    path = written(folder / "a.pcapng", [0, 1])
    said = f"{path} has interfaces of several link types; expected one"
    for read in (read_capture, lambda path: read_table({tap(): path})):
        with pytest.raises(CaptureError) as caught:
            read(path)
        assert str(caught.value) == said
    assert len(read_table({tap(): written(path, [0, 2], [0, 2])})) == 2


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["eth0"], "eth0"),
        ([""], None),
        (["eth0", "eth1"], "eth0 and eth1"),
        (["eth0", "eth0"], "eth0"),
        (["", "eth1"], "one without a name and eth1"),
        (["", ""], "2 interfaces without a name"),
    ],
)
def test_what_was_captured_is_told_in_words(
    folder: Path, names: list[str], said: str | None
) -> None:
    described = [blocks.interface(name, "", blocks.ETHERNET) for name in names]
    path = folder / "a.pcapng"
    path.write_bytes(blocks.section("", "") + b"".join(described))
    file = open_capture(path)
    assert sum(map(len, parts(file))) == 0
    assert captured(file) == said
    assert read_table({tap(): path}).interfaces == (said,)
