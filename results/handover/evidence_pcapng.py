"""``evidence.pcapng``: all captures of a run in one, in order of time, with the story as comments.

Interfaces bear the names of the taps, packets comments with flow, step and meaning,
and the keys of TLS and DTLS lie inside, so that Wireshark shows what was said
without further ado. What is told of a message within a stream stands at its segment.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from results.handover import blocks
from results.handover.comments import comments_of
from results.judge import Judged, examine
from results.packets import PacketTable
from results.schema import EVIDENCE, RunFolder
from topologies.spec import Network, Tap

#: A line of an NSS key log: what the secret is, whose, and the secret.
_SECRET = re.compile(rb"[A-Z0-9_]+ [0-9a-fA-F]+ [0-9a-fA-F]+")


def write_evidence(folder: Path, judged: Judged | None = None, to: Path | None = None) -> Path:
    """Write the evidence of a run as one capture, into its folder unless told otherwise.

    Raises RunFolderError when there is no run folder, OSError when it cannot be written.
    """
    found = judged or examine(folder)
    target = to or folder / EVIDENCE
    try:
        with target.open("wb") as file:
            file.writelines(_blocks(RunFolder(folder), found))
    except OSError as error:
        raise OSError(f"{target} cannot be written: {error.strerror}") from error
    return target


def _blocks(folder: RunFolder, judged: Judged) -> Iterator[bytes]:
    table, result = judged.reading.table, judged.result
    yield blocks.section("Callpath", f"{result.scenario}: {result.verdict}: {result.reason}")
    for tap in table.taps:
        # What has no Ethernet is the inside of a tunnel.
        link_type = blocks.RAW_IP if tap.tunnel else blocks.ETHERNET
        yield blocks.interface(tap.name, _description(judged.run.network, tap), link_type)
    secrets = _secrets(folder)
    if secrets:
        yield blocks.tls_secrets(secrets)
    yield from _packets(table, comments_of(judged))
    yield from _statistics(judged)


def _description(network: Network, tap: Tap) -> str:
    """Where a tap is, in words."""
    host = network.host(tap.host)
    where = f"link {tap.link}" if tap.link else f"tunnel {tap.tunnel}" if tap.tunnel else "loopback"
    return f"{tap.interface} of {tap.host} ({host.role}, {host.segment}), {where}"


def _secrets(folder: RunFolder) -> bytes:
    """All lines of the key logs of TLS and DTLS, each once: both ends have the same ones."""
    files = sorted((folder.path / "keys").glob("*.*tls"))
    lines = (line.strip() for file in files for line in file.read_bytes().splitlines())
    secrets = dict.fromkeys(line for line in lines if _SECRET.fullmatch(line))
    return b"".join(line + b"\n" for line in secrets)


def _packets(table: PacketTable, comments: dict[int, list[str]]) -> Iterator[bytes]:
    within = _within(table)
    for row in np.flatnonzero(~table.from_stream).tolist():
        rows = (row, *within.get(_frame(table, row), ()))
        said = dict.fromkeys(text for one in rows for text in comments.get(one, ()))
        yield blocks.packet(int(table.tap[row]), int(table.time[row]), table.ethernet(row), said)


def _within(table: PacketTable) -> dict[tuple[int, int], list[int]]:
    """Tap and number of a frame -> the rows of the messages that were complete with it."""
    found: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(table.from_stream).tolist():
        found.setdefault(_frame(table, row), []).append(row)
    return found


def _frame(table: PacketTable, row: int) -> tuple[int, int]:
    return int(table.tap[row]), int(table.frame[row])


def _statistics(judged: Judged) -> Iterator[bytes]:
    """What the capture programs counted, where the run got that far."""
    table = judged.reading.table
    end = int(table.time[-1]) if len(table) else 0
    for number, tap in enumerate(table.taps):
        count = judged.ending and judged.ending.taps.get(tap.name)
        if count:
            yield blocks.statistics(number, end, count.received, count.dropped)
