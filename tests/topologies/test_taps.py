"""Reading what the capture program says."""

from results.schema import TapCount
from topologies.taps import drop_count, interface_drops


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


def test_drops_of_interfaces_are_those_of_both_directions() -> None:
    listing = (
        "Inter-|   Receive                            |  Transmit\n"
        " face |bytes packets errs drop fifo frame compressed multicast|"
        "bytes packets errs drop fifo colls carrier compressed\n"
        "    lo:     840      10    0    0    0     0          0         0"
        "      840      10    0    0    0     0       0          0\n"
        "alice-eth0:120402     571    9    2    9     9          9         9"
        "   110011     480    9    3    9     9       9          9\n"
    )
    assert interface_drops(listing) == {"lo": 0, "alice-eth0": 5}
