"""A world vanishes with its holder, and never touches the machine's own network."""

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

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

#: Moment -> how a run folder, or the command's descendants, show that it has come.
_MOMENTS: dict[str, Callable[[Path, int], bool]] = {
    "network": lambda _, command: len(grown_world(command).namespaces) > 12,
    "captures": lambda run, _: (run / "captures" / "relay-lo.pcapng").exists(),
    "agents": lambda run, _: (run / "keys" / "alice.tls").exists(),
    "media": lambda run, _: (run / "keys" / "bea.srtp").exists(),
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


def test_no_lab_packet_reaches_the_machine(runs: Path) -> None:
    network = machine_network()
    with _all_packets_of_the_machine() as packets:
        (result,) = results_of(callpath("run", "intranet", "--json", "--runs", str(runs)))
        assert result["verdict"] == "PASS", result["reason"]
        _send_a_marker()
        seen = packets()
    assert any(_MARKER in packet for packet in seen), "the capture saw nothing of the machine"
    ours = [address.packed for address in _lab_addresses()]
    strays = [packet for packet in seen if packet[26:30] in ours or packet[30:34] in ours]
    assert strays == []
    assert machine_network() == network


_MARKER = b"a packet of the machine itself"


def _lab_addresses() -> list[IPv4Address]:
    return [i.address.ip for host in office().hosts for i in host.interfaces]


def _send_a_marker() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_MARKER, ("127.0.0.1", 9))


@contextmanager
def _all_packets_of_the_machine() -> Iterator[Callable[[], list[bytes]]]:
    """Capture on all of the machine's own interfaces; call the value to get all packets so far."""
    every_protocol = socket.htons(0x0003)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, every_protocol) as capture:
        capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        capture.setblocking(False)

        def packets() -> list[bytes]:
            taken = []
            try:
                while True:
                    taken.append(capture.recv(65536))
            except BlockingIOError:
                return taken

        yield packets
