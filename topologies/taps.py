"""One capture per named point: ready before the first packet, drops counted at the end.

Each tap is a dumpcap of its own (pcapng; its classic pcap has microseconds only).
It also works as a mapped root, which tcpdump does not. Canaries, small frames that cross each
tapped link from its other end, show that a silent tap was a working one.
"""

import re
import signal
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from math import ceil, log, prod
from pathlib import Path
from typing import Protocol

from scapy.layers.l2 import Ether

from results.canary_frames import CANARY_ETHERTYPE, CANARY_PORT, Moment, canary
from results.schema import RunFolder, TapCount
from topologies.lab import FarEnd, Lab
from topologies.namespaces import inside_network
from topologies.processes import Process, ProcessError, Processes, Program
from topologies.spec import Network, Tap

#: No bridge forwards frames to this address (IEEE 802.1Q, reserved for "nearest
#: bridge"): a canary crosses its own link only, and no firewall counts it.
_NEAREST_BRIDGE = "01:80:c2:00:00:0e"

#: dumpcap reads what the kernel holds back for up to a quarter of a second. A canary that was
#: lost never comes, so this is not for ever; in seconds.
_FLUSH_TIMEOUT = 30.0

#: How probable it may be that no copy of a canary crosses a cable that loses frames on purpose.
_ALL_LOST = 1e-9

_COUNTS = re.compile(r"Packets received/dropped on interface '.*': (\d+)/(\d+)")


class Taps:
    """The running captures of one run."""

    def __init__(
        self,
        lab: Lab,
        processes: Processes,
        folder: RunFolder,
        canaries: "Canaries",
        unconnected: Collection[str] = (),
    ) -> None:
        """Begin to capture; the tunnels of ``unconnected`` hosts get their canary later."""
        self._lab = lab
        self._processes = processes
        self._folder = folder
        self._run = folder.path.name
        self._taps = lab.network.taps()
        self._canaries = canaries
        self._captures = [self._start(lab, tap) for tap in self._taps]
        processes.wait_ready(self._captures)
        # Only now: without a listener, a canary is of a kind that the kernel drops and counts.
        self._dropped = self._interface_drops()
        self._send_canaries(
            Moment.BEFORE, [tap for tap in self._taps if not _ends(lab, tap) & set(unconnected)]
        )

    def tunnel_is_up(self, host: str) -> None:
        """Send the first canaries through the tunnel of a host that has just connected."""
        taps = [tap for tap in self._taps if host in _ends(self._lab, tap)]
        self._send_canaries(Moment.BEFORE, taps)

    def stop(self) -> dict[str, TapCount]:
        """Send the last canaries, wait until each tap has stored its own, and end the captures."""
        before = {tap.name: _size(self._folder.capture(tap.name)) for tap in self._taps}
        self._send_canaries(Moment.AFTER, self._taps)
        try:
            self._processes.wait(
                lambda: not self._without_last_canary(before),
                _FLUSH_TIMEOUT,
                "the last canary in each capture",
                every=0.01,
            )
        except ProcessError as error:
            missing = ", ".join(self._without_last_canary(before))
            raise ProcessError(f"{error} (missing in {missing})") from None
        return self._end()

    def _end(self) -> dict[str, TapCount]:
        """End the captures; packets received and dropped, by tap.

        dumpcap has closed its file when it tells its counts; the kernel then takes
        its time to close the socket, which nobody has to wait for.
        """
        # While the captures still listen, as at their start.
        dropped = self._interface_drops()
        self._processes.ask_to_end(self._captures, signal.SIGINT)
        self._processes.wait(
            lambda: all(drop_count(capture.heard) for capture in self._captures),
            _FLUSH_TIMEOUT,
            "each capture to tell what it dropped",
        )
        counts = zip(self._taps, self._captures, strict=True)
        found = {tap.name: drop_count(capture.heard) for tap, capture in counts}
        return {
            tap: count.model_copy(update={"lost": dropped[tap] - self._dropped[tap]})
            for tap, count in found.items()
            if count
        }

    def _interface_drops(self) -> dict[str, int]:
        """What the kernel has dropped at each tapped interface until now."""
        dropped = {host: self._lab.links(host).dropped() for host in {t.host for t in self._taps}}
        return {tap.name: dropped[tap.host].get(tap.interface, 0) for tap in self._taps}

    def _start(self, lab: Lab, tap: Tap) -> Process:
        name = f"tap-{tap.name}"
        file = self._folder.capture(tap.name)
        # -p: the interface stays as it is; -w -: to standard output, which makes dumpcap write
        # each packet at once (into a file it would hold them for 0.5 s).
        argv = ("dumpcap", "-p", "-i", tap.interface, "-w", "-")
        program = Program(name=name, argv=argv, ready=r"^File: ", stdout=file)
        return lab.spawn(tap.host, program, self._folder.events(name), self._folder.log(name))

    def _send_canaries(self, moment: Moment, taps: Iterable[Tap]) -> None:
        for tap in taps:
            for _ in range(copies(self._lab.network, tap)):
                self._canaries.send(tap.name, canary(self._run, tap.name, moment))

    def _without_last_canary(self, before: Mapping[str, int]) -> list[str]:
        """Taps whose capture does not hold its last canary, sent when it had so many bytes."""
        return [
            tap.name
            for tap in self._taps
            if not _holds(
                self._folder.capture(tap.name),
                before[tap.name],
                canary(self._run, tap.name, Moment.AFTER),
            )
        ]


class Canaries:
    """Sends canaries across every tapped link of a world.

    It is made once for all runs: the kernel takes 13 ms to close a raw socket.
    """

    def __init__(self, lab: Lab) -> None:
        self._senders = {tap.name: _sender(lab, tap) for tap in lab.network.taps()}

    def send(self, tap: str, payload: bytes) -> None:
        """Send one canary across the tap's link."""
        self._senders[tap].send(payload)


class Sender(Protocol):
    """Sends canaries across a tapped link."""

    def send(self, payload: bytes) -> None:
        """Send one canary."""


class TunnelSender:
    """A socket at the other end of a tunnel: there are no frames, so a canary is a UDP packet."""

    def __init__(self, pid: int, source: IPv4Address, target: IPv4Address) -> None:
        self._pid = pid
        self._source = (str(source), 0)
        self._target = (str(target), CANARY_PORT)

    def send(self, payload: bytes) -> None:
        """Send one canary packet; the tunnel, and so its address, must be there by now."""
        with inside_network(self._pid), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(self._source)
            sender.sendto(payload, self._target)


class CanarySender:
    """A raw socket on the interface at the other end of a tapped link."""

    def __init__(self, end: FarEnd) -> None:
        with inside_network(end.pid):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._socket.bind((end.interface, CANARY_ETHERTYPE))
        mac: bytes = self._socket.getsockname()[4]
        self._header = Ether(dst=_NEAREST_BRIDGE, src=mac, type=CANARY_ETHERTYPE)

    def send(self, payload: bytes) -> None:
        """Send one canary frame."""
        self._socket.send(bytes(self._header / payload))


def _sender(lab: Lab, tap: Tap) -> Sender:
    if tap.tunnel is None:
        return CanarySender(lab.far_end(tap))
    vpn = lab.network.vpn(tap.tunnel)
    (other,) = _ends(lab, tap) - {tap.host}
    return TunnelSender(lab.pid(other), vpn.ends()[other], vpn.ends()[tap.host])


def _ends(lab: Lab, tap: Tap) -> set[str]:
    """The two hosts whose tunnel a tap's canary passes; none for other taps.

    The gateway hears from its first client, every client from the gateway.
    """
    if tap.tunnel is None:
        return set()
    vpn = lab.network.vpn(tap.tunnel)
    return {tap.host, vpn.clients[0].host if tap.host == vpn.gateway else vpn.gateway}


def copies(network: Network, tap: Tap) -> int:
    """How many canaries to send so that one crosses, however many its way loses on purpose.

    That of a tunnel may take any cable.
    """
    given = (
        one.loss
        for link in network.links
        for one in link.impairments
        if tap.tunnel or (link.name == tap.link and one.sender != tap.host)
    )
    lost = 1 - prod(1 - loss for loss in given)
    return ceil(log(_ALL_LOST) / log(lost)) if lost else 1


def drop_count(lines: Sequence[str]) -> TapCount | None:
    """What dumpcap said of its packets at its end; None if it said nothing."""
    for line in lines:
        if match := _COUNTS.search(line):
            return TapCount(received=int(match[1]), dropped=int(match[2]))
    return None


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _holds(file: Path, offset: int, payload: bytes) -> bool:
    """Whether a growing capture has the payload beyond ``offset``."""
    if not file.exists():
        return False
    with file.open("rb") as capture:
        capture.seek(offset)
        return payload in capture.read()
