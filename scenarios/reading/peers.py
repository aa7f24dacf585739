"""Others that read captures, each as its own documentation has it done, on the same file."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

#: Without these tshark does not see WebRTC for what it is.
HEURISTICS = ("rtp_udp", "rtp_stun", "rtcp_stun", "dtls_stun", "stun_turn")

FIELDS = (
    *("frame.number", "frame.time_epoch", "_ws.col.Protocol", "ip.src", "udp.srcport"),
    *("ip.dst", "udp.dstport", "stun.type", "rtp.ssrc", "rtp.seq"),
)

#: Packets of the prefix that slow readers get.
_FEW = 5_000
_MORE = 100_000

#: Longest time that tshark may take over the file, in seconds.
_PATIENCE = 1_800.0


class PeerError(Exception):
    """A peer that failed. Speaks to a person."""


class Peer(NamedTuple):
    """A program or library, how many packets of a file it reads at most, and how."""

    name: str
    most: int | None
    read: Callable[[Path, int], float]


def tshark_command(path: Path, fields: tuple[str, ...] = FIELDS) -> list[str]:
    """The command that prints fields of each packet of a capture."""
    enabled = [word for name in HEURISTICS for word in ("--enable-heuristic", name)]
    wanted = [word for field in fields for word in ("-e", field)]
    return ["tshark", "-n", "-r", str(path), *enabled, "-T", "fields", *wanted]


def _tshark(path: Path, _count: int) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        tshark_command(path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    if done.returncode:
        raise PeerError(f"tshark cannot read {path}: {done.stderr.strip().splitlines()[-1]}")
    return time.perf_counter() - began


_SCAPY = """
import sys, time
from scapy.all import PcapReader
with PcapReader(sys.argv[1]) as reader:
    next(reader)
    began = time.perf_counter()
    for _, packet in zip(range(int(sys.argv[2]) - 1), reader):
        packet.lastlayer()
    print(time.perf_counter() - began)
"""

_DPKT = """
import itertools, sys, time
import dpkt
with open(sys.argv[1], "rb") as file:
    began = time.perf_counter()
    for _, frame in itertools.islice(dpkt.pcap.UniversalReader(file), int(sys.argv[2])):
        dpkt.ethernet.Ethernet(frame).data.data
    print(time.perf_counter() - began)
"""


def _in_python(program: str) -> Callable[[Path, int], float]:
    """A program in a process of its own: imports are not counted, nor do they stay."""

    def read(path: Path, count: int) -> float:
        command = [sys.executable, "-c", program, str(path), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerError(f"a peer failed: {done.stderr.strip().splitlines()[-1]}")
        return float(done.stdout)

    return read


def installed() -> list[Peer]:
    """The peers that this machine has."""
    found = []
    if shutil.which("tshark"):
        found.append(Peer("tshark", None, _tshark))
    for name, most, program in (("scapy", _FEW, _SCAPY), ("dpkt", _MORE, _DPKT)):
        if importlib.util.find_spec(name):
            found.append(Peer(name, most, _in_python(program)))
    return found


def version(name: str) -> str:
    """The version of a peer, in its own words."""
    if name == "tshark":
        said = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=False)
        number = re.search(r"\d[\d.]*", said.stdout)
        return f"tshark {number[0] if number else 'of unknown version'}"
    return f"{name} {importlib.metadata.version(name)}"
