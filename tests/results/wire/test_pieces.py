"""Large captures are read in pieces by processes: the same as by one, or the same error."""

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from results.handover import blocks
from results.packets import PacketTable, read_interfaces
from results.wire import captures, pieces, walk
from results.wire.batches import read_batches
from results.wire.capture import CaptureError
from results.wire.captures import open_capture
from results.wire.columns import NAMES
from results.wire.pcap import PcapChain
from results.wire.pieces import Batch
from results.wire.processes import by_processes
from scenarios.reading.mix import Packet, packets, write_pcap, write_pcapng
from tests.results.wire.test_interfaces import TURNS, taps, written
from tests.results.wire.test_mutations import mutated_file, whole_files

#: Bytes of a part of a file with whole packets, and with some that were cut short.
PART, SMALL = 4_000, 600

SAMPLE = 40
LONG = 2_000

#: A program that reads a file with two processes, and says so when they have begun.
_READER = """
import sys
from pathlib import Path
from results.wire import pieces
from results.wire.batches import read_batches
from results.wire.captures import open_capture
pieces._WORTH, pieces.processors = 1, lambda: 2
batches = read_batches(open_capture(Path(sys.argv[1])))
alone, shared = next(batches), next(batches)
print("reading", flush=True)
sys.stdin.read()
"""


class Counted:
    """How often something happened."""

    times = 0


@contextmanager
def small_parts(part: int) -> Iterator[pytest.MonkeyPatch]:
    """Small files are read as large ones are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walk, "_SLICE", 300)
        patched.setattr(walk, "_IN_SLICE", 2)
        patched.setattr(walk, "_FEW", 2)
        patched.setattr(captures, "_PART", part)
        yield patched


@contextmanager
def workers(part: int) -> Iterator[Counted]:
    """However small a file is and few the processors: counts the batches of workers."""
    counted = Counted()

    def counting(
        work: Callable[[range], Iterable[object]], items: Sequence[range], count: int
    ) -> Iterator[object]:
        for outcome in by_processes(work, items, count):
            counted.times += isinstance(outcome, Batch)
            yield outcome

    with small_parts(part) as patched:
        patched.setattr(pieces, "_WORTH", 1)
        patched.setattr(pieces, "processors", lambda: 3)
        patched.setattr(pieces, "by_processes", counting)
        yield counted
    assert_no_child_is_left()


def assert_no_child_is_left() -> None:
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def read(path: Path) -> PacketTable | str:
    """The table of a file, or why there is none."""
    try:
        return read_interfaces([path], taps)
    except CaptureError as error:
        return str(error)


def check(path: Path, part: int = PART) -> int:
    """Read a file with workers and without; how many batches workers read."""
    with small_parts(part):
        alone = read(path)
    with workers(part) as batches:
        shared = read(path)
    if isinstance(alone, str) or isinstance(shared, str):
        assert alone == shared
    else:
        assert alone.taps == shared.taps
        for name in (*NAMES, "tap"):
            assert np.array_equal(getattr(alone, name), getattr(shared, name)), name
    return batches.times


def test_whole_files(tmp_path: Path) -> None:
    for whole in whole_files(tmp_path):
        (tmp_path / "a").write_bytes(whole)
        assert check(tmp_path / "a", SMALL) > 1


def test_truncated_files(tmp_path: Path) -> None:
    source = random.Random(7)  # noqa: S311 (not for secrets)
    for whole in whole_files(tmp_path):
        for _ in range(5):
            (tmp_path / "a").write_bytes(whole[: source.randrange(len(whole) // 2, len(whole))])
            assert check(tmp_path / "a", SMALL) > 0


def mutate(folder: Path, count: int) -> None:
    source = random.Random(8)  # noqa: S311 (not for secrets)
    wholes, shared = whole_files(folder), 0
    for _ in range(count):
        (folder / "mutant").write_bytes(mutated_file(source.choice(wholes), source))
        shared += check(folder / "mutant", SMALL) > 0
    assert shared > count // 3


def test_mutated_files(tmp_path: Path) -> None:
    mutate(tmp_path, SAMPLE)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_mutated_files(tmp_path: Path) -> None:
    mutate(tmp_path, LONG)


@given(turns=TURNS)
@settings(max_examples=20)
def test_several_interfaces(tmp_path_factory: pytest.TempPathFactory, turns: list[int]) -> None:
    check(written(tmp_path_factory.mktemp("turns") / "a.pcapng", turns))


def test_packets_of_one_time_keep_the_order_of_the_taps(tmp_path: Path) -> None:
    """In whatever parts a file is read, and by whom."""
    described = [blocks.interface(name, "", blocks.ETHERNET) for name in ("a", "b")]
    some = [blocks.packet(n % 2, 0, p.frame[:300], ()) for n, p in enumerate(packets(60))]
    (tmp_path / "a.pcapng").write_bytes(blocks.section("", "") + b"".join([*described, *some]))
    assert check(tmp_path / "a.pcapng") > 1
    with small_parts(PART):
        table = read(tmp_path / "a.pcapng")
    assert isinstance(table, PacketTable)
    assert table.tap.tolist() == [0] * 30 + [1] * 30
    assert table.frame.tolist() == [*range(1, 61, 2), *range(2, 61, 2)]


@given(cuts=st.lists(st.integers(0, 60), max_size=3), same=st.booleans())
@settings(max_examples=20)
def test_sections_and_interfaces_that_come_late(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], same: bool
) -> None:
    """A section, or another interface in the same one, begins at each cut."""
    path = tmp_path_factory.mktemp("late") / "a.pcapng"
    described = blocks.interface("a", "", blocks.ETHERNET)
    held, number = blocks.section("", "") + described, 0
    for at, packet in enumerate(packets(60)):
        if at in cuts:
            number += same
            held += described if same else blocks.section("", "") + described
        held += blocks.packet(number, packet.time, packet.frame[:300], ())
    path.write_bytes(held)
    check(path)


def test_a_capture_in_a_capture(tmp_path: Path) -> None:
    """Pieces begin with guesses that are wrong, again and again."""
    write_pcap(tmp_path / "inner.pcap", [p._replace(frame=p.frame[:200]) for p in packets(300)])
    inner = (tmp_path / "inner.pcap").read_bytes()[24:]
    held = [inner[at : at + 3000] for at in range(0, len(inner), 3000)]
    outer = [p._replace(frame=piece) for p, piece in zip(packets(len(held)), held, strict=True)]
    write_pcap(tmp_path / "a.pcap", outer)
    write_pcapng(tmp_path / "a.pcapng", outer)
    assert check(tmp_path / "a.pcap") + check(tmp_path / "a.pcapng") > 0


@pytest.mark.parametrize("write", [write_pcap, write_pcapng])
def test_a_part_ends_where_it_shall(
    tmp_path: Path, write: Callable[[Path, Iterable[Packet]], None]
) -> None:
    """However short its last slice is: what begins beyond is for the next part."""
    write(tmp_path / "a", packets(40))
    file = open_capture(tmp_path / "a")
    begin, size = file.begin(), len(file.data)
    whole = walk.walk(file.chain, begin, size).at.tolist()
    with small_parts(PART):
        for bound in range(begin + 1, size, 97):
            walked = walk.walk(file.chain, begin, bound)
            assert walked.at.tolist() == [at for at in whole if at < bound]


def test_pieces_after_a_wrong_guess_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each guess is a record too late: whoever believed it would lose a packet a piece."""
    write_pcap(tmp_path / "a.pcap", packets(60))
    believed, guess = check(tmp_path / "a.pcap"), PcapChain.guess

    def late(self: PcapChain, start: int, stop: int) -> int | None:
        found = guess(self, start, stop)
        second = -1 if found is None else self.end(found)
        return second if start <= second < stop else None

    monkeypatch.setattr(PcapChain, "guess", late)
    assert 0 < check(tmp_path / "a.pcap") < believed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_pcap(tmp_path / "a.pcap", packets(60))
    return tmp_path / "a.pcap"


def test_a_worker_that_is_killed_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by the kernel, when memory is short."""
    us, size = os.getpid(), path.stat().st_size

    def walked(chain: walk.Chain, begin: int, bound: int) -> walk.Walked:
        if os.getpid() != us and bound == size:
            os.kill(os.getpid(), signal.SIGKILL)
        return walk.walk(chain, begin, bound)

    monkeypatch.setattr(pieces, "walk", walked)
    with workers(PART), pytest.raises(CaptureError) as caught:
        list(read_batches(open_capture(path)))
    assert str(caught.value).startswith(f"{path} could not be read: a process that read it from ")
    assert str(caught.value).endswith(" on ended by SIGKILL")


def test_where_no_more_processes_are_allowed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, asked = signal.pthread_sigmask(signal.SIG_BLOCK, ()), []

    def refused() -> int:
        asked.append(1)
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    assert check(path) == 0
    assert asked
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_workers_end_with_the_reading(path: Path, error: type[BaseException]) -> None:
    with workers(PART) as batches:
        reading = read_batches(open_capture(path))
        assert isinstance(reading, Generator)
        while not batches.times:
            next(reading)
        with pytest.raises(error):
            reading.throw(error)


def test_a_display_goes_on_meanwhile(path: Path) -> None:
    """The thread that draws it holds locks when the process is forked."""
    with Console(stderr=True, force_terminal=True).status("reading", refresh_per_second=1000):
        for _ in range(10):
            assert check(path) > 1


@contextmanager
def reader(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A program, and its workers, in the midst of reading."""
    command = [sys.executable, "-c", _READER, str(path)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "reading\n"
        yield running


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of which workers still have much to read."""
    path = tmp_path_factory.mktemp("long") / "a.pcap"
    write_pcap(path, packets(120_000))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_program(long_file: Path, number: signal.Signals) -> None:
    with reader(long_file) as running:
        if number is signal.SIGINT:
            # As a terminal does.
            os.killpg(running.pid, number)
        else:
            running.send_signal(number)
        assert running.wait() == -number
        # It ends when the last process has closed it.
        assert running.stdout is not None
        assert running.stdout.read() == ""
