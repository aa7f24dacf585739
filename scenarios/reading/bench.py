"""Reading captures measured: how fast, how much faster than others, in how much memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scenarios.reading import peers, taps
from scenarios.reading.mix import packets, write_pcap, write_pcapng

#: Packets of the file, and at each tap, unless asked otherwise.
PACKETS = 1_000_000
_AT_A_TAP = 200_000

Progress = Callable[[str], None]


class ReadingError(Exception):
    """A measurement that failed. Speaks to a person."""


@dataclass(frozen=True)
class Figure:
    """One measurement: who did what with how many packets in how many seconds.

    ``times_slower`` compares seconds a packet with ours on the same file; None for our own.
    """

    reader: str
    what: str
    packets: int
    seconds: float
    times_slower: float | None = None
    #: Seconds of all processors, and anonymous memory of all processes at most; ours alone.
    cpu_seconds: float | None = None
    anonymous_mib: float | None = None

    @property
    def rate(self) -> float:
        """Packets in a second."""
        return self.packets / self.seconds


def bench(count: int, times: int, progress: Progress) -> list[Figure]:
    """Make files of so many packets, and let everybody read them; of our times the best counts."""
    with tempfile.TemporaryDirectory(prefix="callpath-bench-") as folder:
        return list(_figures(Path(folder), count, times, progress))


def _figures(folder: Path, count: int, times: int, progress: Progress) -> Iterator[Figure]:
    progress(f"writing {count:,} packets")
    pcap, pcapng = folder / "mix.pcap", folder / "mix.pcapng"
    write_pcap(pcap, packets(count))
    write_pcapng(pcapng, packets(count))
    progress("reading pcap and pcapng")
    ours = _own(pcap, times)
    yield ours
    yield _own(pcapng, times)
    pcapng.unlink()
    for peer in peers.installed():
        progress(f"{peer.name} is reading")
        yield _of_peer(peer, pcap, ours)
    pcap.unlink()
    progress("joining taps")
    yield _joining(folder, times, min(count, _AT_A_TAP))


def _own(path: Path, times: int) -> Figure:
    said = _program("scenarios.reading.own", times, path)
    return Figure(
        reader="callpath",
        what=f"classify and fingerprint, {path.suffix[1:]}",
        packets=int(said["packets"]),
        seconds=said["seconds"],
        cpu_seconds=said["cpu_seconds"],
        anonymous_mib=said["anonymous_kib"] / 1024,
    )


def _of_peer(peer: peers.Peer, path: Path, ours: Figure) -> Figure:
    count = min(ours.packets, peer.most or ours.packets)
    seconds = peer.read(path, count)
    slower = seconds / count * ours.rate
    return Figure(peers.version(peer.name), "dissect, pcap", count, seconds, slower)


def _joining(folder: Path, times: int, count: int) -> Figure:
    some = list(islice(packets(count), count))
    paths = [folder / f"tap{number}.pcap" for number in range(taps.TAPS)]
    for number, path in enumerate(paths):
        write_pcap(path, taps.seen_at(some, number))
    said = _program("scenarios.reading.taps", times, *paths)
    what = f"join {taps.TAPS} taps of {count:,}"
    return Figure("callpath", what, int(said["sightings"]), said["seconds"])


def _program(module: str, times: int, *paths: Path) -> dict[str, float]:
    """What one of our measuring programs says."""
    done = subprocess.run(
        [sys.executable, "-m", module, str(times), *map(str, paths)],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReadingError(f"{module} failed: {done.stderr.strip().splitlines()[-1]}")
    said: dict[str, float] = json.loads(done.stdout)
    return said
