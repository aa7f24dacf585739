"""Blocks of pcapng: what is written is read again, by our reader and by Wireshark's tools."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.handover import blocks
from results.wire.captures import read_capture
from tests.tshark import needs_tshark, run, shown

SECOND = 1_000_000_000

#: Text without surrogates, which UTF-8 cannot hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

PACKETS = st.lists(
    st.tuples(st.integers(0, 2**63 - 1), st.binary(max_size=70), st.lists(TEXT, max_size=3)),
    max_size=5,
)


def a_file(*packets: bytes, comment: str = "") -> bytes:
    """A capture with one interface."""
    head = blocks.section("Callpath", comment)
    return head + blocks.interface("alice-eth0", "", blocks.ETHERNET) + b"".join(packets)


@given(packets=PACKETS, comment=TEXT)
def test_packets_are_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    packets: list[tuple[int, bytes, list[str]]],
    comment: str,
) -> None:
    written = [blocks.packet(0, time, data, said) for time, data, said in packets]
    file = tmp_path_factory.mktemp("blocks") / "x.pcapng"
    file.write_bytes(a_file(*written, comment=comment))
    capture = read_capture(file)
    assert capture.interface == "alice-eth0"
    found = capture.records
    assert found.time.tolist() == [time for time, _, _ in packets]
    assert found.original.tolist() == [len(data) for _, data, _ in packets]
    bounds = zip(found.start.tolist(), found.size.tolist(), strict=True)
    assert [capture.data[at : at + size] for at, size in bounds] == [one for _, one, _ in packets]


@pytest.mark.parametrize("size", [0, 1, 3, 4])
def test_every_block_fills_words_and_ends_with_its_length(size: int) -> None:
    for block in (
        blocks.section("x" * size, "y"),
        blocks.tls_secrets(b"x" * size),
        blocks.packet(0, 0, b"x" * size, ["é" * size]),
        blocks.statistics(0, 0, size, 0),
    ):
        assert len(block) % 4 == 0
        assert block[4:8] == block[-4:] == len(block).to_bytes(4, "little")


@needs_tshark
def test_wireshark_reads_several_comments_of_a_packet(tmp_path: Path) -> None:
    file = tmp_path / "x.pcapng"
    said = ["Flow 4 · step 2", 'with "quotes"', "→ ☎"]
    file.write_bytes(a_file(blocks.packet(0, 5 * SECOND + 7, bytes(60), said)))
    (frame,) = shown(file)
    assert frame.comments == tuple(said)
    assert (frame.tap, frame.time) == ("alice-eth0", 5 * SECOND + 7)


@needs_tshark
def test_a_comment_that_is_too_long_is_cut_between_characters(tmp_path: Path) -> None:
    file = tmp_path / "x.pcapng"
    file.write_bytes(a_file(blocks.packet(0, SECOND, bytes(60), ["→" * 30_000])))
    (frame,) = shown(file)
    assert frame.comments == ("→" * (65_535 // 3),)


@needs_tshark
def test_wireshark_finds_what_was_counted(tmp_path: Path) -> None:
    file = tmp_path / "x.pcapng"
    packet = blocks.packet(0, SECOND, bytes(60), [])
    file.write_bytes(a_file(packet, blocks.statistics(0, SECOND, received=12, dropped=5)))
    assert "Number of stat entries = 1" in run("capinfos", str(file))
