"""Reading what the capture program says."""

from results.schema import TapCount
from topologies.taps import drop_count


def test_counts_are_read_from_dumpcaps_last_line() -> None:
    lines = [
        "Capturing on 'alice-eth0'",
        "File: -",
        "Packets captured: 571",
        "Packets received/dropped on interface 'alice-eth0': 571/3 "
        "(pcap:1/dumpcap:2/flushed:0/ps_ifdrop:0) (99.5%)",
    ]
    assert drop_count(lines) == TapCount(received=571, dropped=3)


def test_a_capture_that_died_has_no_counts() -> None:
    assert drop_count(["Capturing on 'alice-eth0'", "File: -"]) is None
