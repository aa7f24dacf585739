"""A world vanishes with its holder, and never touches the machine's own network."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scapy.compat import raw
from scapy.utils import PcapNgReader

from results.schema import RunFolder
from tests.lab.support import (
    callpath,
    grown_world,
    machine_network,
    mounts,
    results_of,
    wait_until,
)
from topologies.reference import office
from topologies.spec import Address

#: Moment -> how a run folder, or the command's descendants, show that it has come.
_MOMENTS: dict[str, Callable[[Path, int], bool]] = {
    "network": lambda _, command: len(grown_world(command).namespaces) > 12,
    "captures": lambda run, _: (run / "captures" / "relay-lo.pcapng").exists(),
    "agents": lambda run, _: (run / "keys" / "alice.tls").exists(),
    "media": lambda run, _: any(log.stat().st_size for log in run.glob("keys/bea.srtp")),
}


def _folder(runs: Path) -> Path | None:
    return next(runs.glob("*-intranet-*"), None)


def _grow(runs: Path, moment: str, rootless: bool) -> "subprocess.Popen[str]":
    """Start a run and wait for the moment."""
    process = callpath("run", "intranet", "--runs", str(runs), rootless=rootless)

    def has_come() -> bool:
        folder = _folder(runs)
        if process.poll() is not None:
            return True
        return folder is not None and _MOMENTS[moment](folder, process.pid)

    wait_until(has_come, f"the moment of {moment}")
    assert process.poll() is None, process.communicate()
    return process


@pytest.mark.parametrize("moment", _MOMENTS)
def test_sigkill_of_the_command_removes_everything(moment: str, rootless: bool, runs: Path) -> None:
    mounted, network = mounts(), machine_network()
    process = _grow(runs, moment, rootless)
    world = grown_world(process.pid)
    assert len(world.processes) > 5
    assert len(world.namespaces) > 10
    process.kill()
    process.communicate()
    wait_until(lambda: not world.remains(), f"the end of {world.remains()}")
    assert mounts() == mounted
    assert machine_network() == network
    folder = _folder(runs)
    assert folder is not None
    assert RunFolder(folder).why_incomplete() is not None


def test_ctrl_c_ends_the_world_and_says_what_is_kept(runs: Path) -> None:
    process = _grow(runs, "media", rootless=False)
    world = grown_world(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    folder = _folder(runs)
    assert folder is not None
    assert process.returncode == 2
    assert "interrupted" in errors
    assert str(folder) in errors
    assert "Traceback" not in errors
    assert world.remains() == []
    assert (folder / "captures" / "alice-eth0.pcapng").stat().st_size > 1000
    reason = results_of(callpath("judge", str(folder), "--json"))[0]
    assert reason["verdict"] == "INCONCLUSIVE"
    assert "interrupted" in reason["reason"]


def test_no_lab_packet_reaches_the_machine(runs: Path, tmp_path: Path) -> None:
    network = machine_network()
    file = tmp_path / "machine.pcapng"
    with _capture_of_the_machine(file):
        (result,) = results_of(callpath("run", "intranet", "--json", "--runs", str(runs)))
        assert result["verdict"] == "PASS", result["reason"]
        _send_a_marker()
        # Whatever came before it is in the file then.
        wait_until(lambda: _MARKER in file.read_bytes(), "the capture to see the machine")
    with PcapNgReader(str(file)) as packets:
        assert [packet for packet in packets if _MARKER not in raw(packet)] == []
    assert machine_network() == network


_MARKER = b"a packet of the machine itself"


def _lab_addresses() -> list[Address]:
    return [i.address.ip for host in office().hosts for i in host.interfaces]


def _send_a_marker() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_MARKER, ("127.0.0.1", 9))


def _expression() -> str:
    """What the capture takes, as pcap-filter(7): the lab's addresses, and the marker."""
    return " or ".join([f"host {address}" for address in _lab_addresses()] + ["udp dst port 9"])


@contextmanager
def _capture_of_the_machine(file: Path) -> Iterator[None]:
    """Capture on all of the machine's own interfaces.

    The kernel filters: however busy the machine's network is, nothing of ours is dropped.
    """
    # To standard output dumpcap writes each packet at once.
    argv = ["dumpcap", "-i", "any", "-f", _expression(), "-w", "-"]
    with (
        file.open("wb") as output,
        subprocess.Popen(argv, stdout=output, stderr=subprocess.PIPE, text=True) as capture,
    ):
        assert capture.stderr is not None
        assert any(line.startswith("File: ") for line in capture.stderr)
        try:
            yield
        finally:
            capture.kill()
