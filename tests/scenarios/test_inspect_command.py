"""The command that reads captures of others: what it says, and its exit codes."""

import json
import shutil
from pathlib import Path

import pytest

from scenarios import commands
from scenarios.cli import main


def test_inspect_needs_captures_only(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for tap in ("alice-eth0", "bob-eth0"):
        shutil.copy(recorded / "captures" / f"{tap}.pcapng", tmp_path)
    files = [str(tmp_path / "alice-eth0.pcapng"), str(tmp_path / "bob-eth0.pcapng")]
    assert main(["inspect", *files]) == commands.PASS
    out = capsys.readouterr().out
    assert "call 1: A at 10.10.0.11:" in out
    assert "  direct, over udp\n" in out
    assert "path of A's media" in out
    assert main(["inspect", "--json", *files]) == commands.PASS
    assert len(json.loads(capsys.readouterr().out)["calls"]) == 2


def test_inspect_says_what_is_there_where_no_call_is(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded / "captures" / "telemetry-eth0.pcapng"
    assert main(["inspect", str(path)]) == commands.NOT_DONE
    out = capsys.readouterr().out
    assert "no call found: neither ICE checks nor DTLS nor media" in out
    assert "packets (TCP)\n" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; expected a pcap or pcapng file"),
        (b"PK\x03\x04 an archive", "is not a capture"),
        (bytes.fromhex("d4c3b2a1") + b"\x02\x00", "is truncated at byte 6, within the file header"),
    ],
)
def test_inspect_says_what_is_wrong_with_a_file(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(content)
    assert main(["inspect", str(path)]) == commands.NOT_DONE
    assert f"{path} {said}" in capsys.readouterr().err


def test_inspect_counts_a_file_once(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(recorded / "captures" / "bob-eth0.pcapng")
    assert main(["inspect", path, path]) == commands.NOT_DONE
    assert "is given twice; each file counts once" in capsys.readouterr().err
