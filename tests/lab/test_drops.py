"""What the kernel drops at a tapped interface before the capture counts as a drop."""

from pathlib import Path

from results.absence import count_problems
from results.packets import read_table
from results.schema import RunFolder
from tests.lab.support import PATIENCE, callpath

#: An echo of more than the interface takes in: the cable's other end knows no such limit.
_PING = "ping -c 1 -W 1 -s 1200 -M dont 10.10.0.1"
_TOO_SMALL = "ip link set alice-eth0 mtu 600"


def drops_at_alices(runs: Path, script: str) -> list[str]:
    """What is said of alice's tap after a script ran on her host."""
    command = ("exec", "intranet", "--runs", str(runs), "alice", "--", "sh", "-c", script)
    process = callpath(*command)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 1), errors
    (path,) = runs.glob("*-intranet-*")
    folder = RunFolder(path)
    taps = folder.read_run().network.taps()
    table = read_table({tap: folder.capture(tap.name) for tap in taps if tap.host == "alice"})
    return [problem.text for problem in count_problems(table, folder.read_ending())]


def test_a_packet_that_the_kernel_drops_at_the_interface_is_told(runs: Path) -> None:
    assert drops_at_alices(runs, f"{_TOO_SMALL}; {_PING}") == [
        "the kernel dropped 1 packet at the interface of alice-eth0, "
        "which the capture there may not have seen"
    ]


def test_an_interface_that_takes_all_has_no_drops(runs: Path) -> None:
    assert drops_at_alices(runs, _PING) == []
