"""Work by processes: all that comes of it, in order, or an error that says how one ended."""

import os
import signal
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from results.wire import line
from results.wire.processes import LostError, by_processes

COUNTS = (1, 2, 5)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_what_comes_of_items_keeps_their_order(count: int, items: int) -> None:
    def work(item: int) -> Iterator[tuple[int, int]]:
        yield from ((item, number) for number in range(item % 3))

    found = list(by_processes(work, range(items), count))
    assert found == [(item, number) for item in range(items) for number in range(item % 3)]


@pytest.mark.parametrize("slot", [1 << 10, line._SLOT])
def test_arrays_arrive_as_they_were(slot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the memory has no room for them; and each is the receiver's own."""
    monkeypatch.setattr(line, "_SLOT", slot)

    def work(item: int) -> Iterator[dict[str, NDArray[np.generic]]]:
        numbers = np.arange(item * 100, dtype=np.uint32)
        yield {"all": numbers, "some": numbers[::2], "flags": numbers > 7, "pairs": pairs(item)}

    found = list(by_processes(work, range(9), 2))
    for item, arrays in enumerate(found):
        (expected,) = work(item)
        for name, array in expected.items():
            assert np.array_equal(arrays[name], array)
            assert arrays[name].dtype == array.dtype
            assert arrays[name].flags.writeable
            assert arrays[name].flags.aligned


def pairs(item: int) -> NDArray[np.uint64]:
    return np.full((item, 2), item, np.uint64)


def test_a_process_that_ends_is_an_error() -> None:
    def work(item: int) -> Iterator[int]:
        yield item
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    found = by_processes(work, range(9), 2)
    assert [next(found) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(LostError, match=r"^ended by SIGKILL$"):
        next(found)


def test_what_goes_wrong_in_a_process_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def work(item: int) -> Iterator[float]:
        yield 1 / item

    with pytest.raises(LostError, match=r"^ended with code 1$"):
        list(by_processes(work, range(3), 2))
    assert "ZeroDivisionError: division by zero" in capfd.readouterr().err


def test_a_process_ends_like_a_process_of_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    """What was to be written, or done at the end, is the business of the one it came from."""
    sys.stdout.write("once\n")
    assert list(by_processes(lambda item: [item], range(4), 2)) == [0, 1, 2, 3]
    sys.stdout.flush()
    assert capfd.readouterr().out == "once\n"


def test_signals_are_for_the_one_who_asked() -> None:
    def work(_item: int) -> Iterator[set[signal.Signals | int]]:
        yield set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    (blocked,) = by_processes(work, range(1), 1)
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= blocked
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
