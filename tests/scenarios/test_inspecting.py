"""What a person reads of an inspection."""

import re
from pathlib import Path

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from results.handover import blocks
from results.inspection.inspector import inspect
from scenarios.inspecting import show
from tests.results.inspection.crafted import OTHER, A, B, Capture, ice, media, talk


def told(folder: Path, capsys: pytest.CaptureFixture[str], *captures: Capture) -> str:
    """The lines about these captures, which are named 0.pcap, 1.pcap …."""
    show(inspect([one.store(folder / f"{name}.pcap") for name, one in enumerate(captures)]))
    return capsys.readouterr().out


def test_bounds_on_one_side_are_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = Capture(), Capture(ahead=5)
    talk(first, A, B, range(50))
    talk(second, A, B, range(50), ttl=63, late=0.25)
    out = told(tmp_path, capsys, first, second)
    assert "  silence: no media of B at all (0.pcap, 1.pcap)\n" in out
    assert (
        "clock of 1.pcap less that of 0.pcap: at most 5250.000 ms, by packets in one direction "
        "only: there is a bound on one side\n"
    ) in out
    assert re.search(r" unknown │ +0\.000 and unknown │", out)


def test_a_silence_that_all_files_have_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = Capture(), Capture()
    for capture, ttl in ((first, 64), (second, 63)):
        ice(capture)
        talk(capture, A, B, range(300), ttl=ttl)
        talk(capture, B, A, range(100), ttl=ttl - 10, ssrc=OTHER)
    out = told(tmp_path, capsys, first, second)
    assert out.count("silence: ") == 1
    assert (
        "  silence: B sent no more media, while the other side went on for 4.0 s "
        "(0.pcap from 08:00:02.980000, 1.pcap from 08:00:02.980000)\n"
    ) in out


def test_what_is_unknown_of_a_call_stands_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = Capture()
    ice(capture, nominated=False)
    out = told(tmp_path, capsys, capture)
    assert "  direct or relayed: unknown, over udp\n" in out
    assert "  no media was seen\n" in out
    assert "  unknown: which pair was selected: no answered nomination" in out


def test_an_address_in_brackets_is_no_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = Capture()
    for number in range(50):
        packet = IPv6(src="fd00::1", dst="fe80::2") / UDP(sport=5000, dport=5001)
        capture.add(number / 50, packet / Raw(media(number)))
    assert "│ [fd00::1]:5000 > [fe80::2]:5001 │" in told(tmp_path, capsys, capture)


def test_interfaces_of_one_file_are_told_apart_and_their_clock_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.pcapng"
    described = [blocks.interface(name, "", blocks.ETHERNET) for name in ("eth0", "[wg0]")]
    file.write_bytes(blocks.section("", "") + b"".join(described))
    show(inspect([file]))
    out = capsys.readouterr().out
    assert out.startswith("a.pcapng:eth0: no packets\na.pcapng:[wg0]: no packets\n")
    assert "clock" not in out


def test_a_file_without_packets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talking, empty = Capture(), Capture()
    talk(talking, A, B, range(50))
    path = talking.store(tmp_path / "a.pcap")
    nothing = tmp_path / "b.pcap"
    nothing.write_bytes(path.read_bytes()[:24])
    assert empty.packets == []
    show(inspect([path, nothing]))
    assert "b.pcap: no packets\n" in capsys.readouterr().out
