"""The small parts of the reader: bytes beyond the end, work ahead, columns that leave memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from results.packets import PacketTable, read_table
from results.wire import ahead as ahead_module
from results.wire import growing
from results.wire.ahead import ahead
from results.wire.columns import NAMES, TYPES, Columns, shape
from results.wire.data import Data
from scenarios.reading.mix import packets, write_pcap
from topologies.spec import Tap

PAIR = np.dtype([("one", ">u2"), ("two", "u1")])


@pytest.mark.parametrize("size", [3, 4, 5000])
def test_what_lies_beyond_the_end_is_zeros(size: int) -> None:
    data = Data(b"\x01\x02\x03\x04".rjust(size, b"\x09")[-size:])
    at = np.array([0, size - 3, size - 2, size - 1, size])
    found = data.gather(at, PAIR)
    assert found["one"].tolist()[1:] == [0x0203, 0x0304, 0x0400, 0]
    assert found["two"].tolist()[1:] == [4, 0, 0, 0]
    assert data.octets(at, 2)[-1].tolist() == [0, 0]


def test_no_places_at_all() -> None:
    assert len(Data(b"").gather(np.empty(0, np.int64), PAIR)) == 0


def test_a_large_file_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert isinstance(Data.of(tmp_path / "file").raw, bytes)
    monkeypatch.setattr("results.wire.data._SMALL", 2)
    data = Data.of(tmp_path / "file")
    assert not isinstance(data.raw, bytes)
    assert (data[1:3], len(data), data.find(b"c")) == (b"bc", 3, 2)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "THREADS", request.param)


@pytest.mark.usefixtures("threads")
def test_work_ahead_keeps_the_order() -> None:
    for count in (0, 1, 2, 50):
        assert list(ahead(lambda number: number * 2, range(count))) == list(range(0, count * 2, 2))


@pytest.mark.usefixtures("threads")
def test_what_goes_wrong_is_said_where_it_is_due() -> None:
    found = ahead(lambda number: 1 // (3 - number), range(10))
    assert [next(found) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(found)


@pytest.mark.usefixtures("threads")
def test_only_a_few_items_are_taken_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    next(ahead(lambda number: number, items()))
    assert len(taken) <= 4


def test_every_column_has_a_type() -> None:
    assert list(TYPES) == list(NAMES)
    blank = Columns.blank(3)
    assert {name: getattr(blank, name).shape for name in NAMES} == {
        name: shape(name, 3) for name in NAMES
    }


def read(folder: Path) -> PacketTable:
    captures = {}
    for name, start in (("a", 0), ("b", 500)):
        path = folder / f"{name}.pcap"
        write_pcap(path, list(packets(1500))[start:])
        captures[Tap(name=name, host="h", interface="e", link="l", mac=None)] = path
    return read_table(captures)


def test_columns_in_files_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = read(tmp_path)
    monkeypatch.setattr(growing, "_IN_MEMORY", 100)
    monkeypatch.setattr("results.wire.batches.BATCH", 64)
    in_files = read(tmp_path)
    for name in (*NAMES, "tap"):
        assert np.array_equal(getattr(in_memory, name), getattr(in_files, name)), name
    assert np.all(np.diff(in_files.time) >= 0)
    assert in_files.payload(7) == in_memory.payload(7)
