"""Open vSwitch, private to a world: its database, its switch, and how it is asked.

The userspace datapath works everywhere; the kernel's is used where the kernel
has it and the world is real root. See DESIGN.md for the traps that the settings
below avoid.
"""

import os
import re
import socket
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

from topologies.processes import PATIENCE, Process, Processes, Program
from topologies.spec import Firewall, Network

#: All of it lies in the world's own /run.
FOLDER = Path("/run/openvswitch")

_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
_SOCKET = FOLDER / "db.sock"
_DATABASE = FOLDER / "conf.db"
_CONTROL = FOLDER / "vswitchd.ctl"

#: Succeeds where the kernel has the datapath; a kernel that has it as a module loads it then.
KERNEL_DATAPATH = ("genl", "ctrl", "get", "name", "ovs_datapath")

#: Where programs of user space make network devices, as the userspace datapath does.
_TUN = Path("/dev/net/tun")

_FLOW = re.compile(r"cookie=(?P<cookie>0x[0-9a-f]+),.* n_packets=(?P<packets>\d+),")


def datapath_id(network: Network, firewall: Firewall) -> int:
    """The number that a firewall's bridge has toward the controller."""
    return network.firewalls.index(firewall) + 1


def ports(network: Network, firewall: Firewall) -> dict[str, tuple[int, ...]]:
    """The ports of a firewall's bridge, by side: hosts are attached in order, from 1."""
    hosts = [host.name for host, _ in network.attached(firewall.link)]
    return {
        side: tuple(hosts.index(name) + 1 for name in names)
        for side, names in firewall.sides.items()
    }


class OvsError(Exception):
    """Open vSwitch refused something. Speaks to a person."""


def start(processes: Processes, logs: Path) -> list[Process]:
    """Start database and switch; returns once they answer."""
    if datapath() == "user" and not os.access(_TUN, os.R_OK | os.W_OK):
        raise OvsError(
            f"firewalls need {_TUN}, which this user may not open; see: ./callpath doctor"
        )
    FOLDER.mkdir(exist_ok=True)
    # Whatever starts ovs-vsctl from here on, Mininet too, finds the world's own files.
    os.environ.update(OVS_DBDIR=str(FOLDER), OVS_LOGDIR=str(FOLDER), OVS_SYSCONFDIR=str(FOLDER))
    ask("ovsdb-tool", "create", str(_DATABASE), str(_SCHEMA))
    database = _spawn(
        processes,
        logs,
        Program("ovsdb", ("ovsdb-server", f"--remote=punix:{_SOCKET}", str(_DATABASE))),
    )
    # The socket's file is there before anybody listens; ovs-vsctl would wait a second then.
    processes.wait(_database_listens, PATIENCE, "ovsdb-server to listen", every=0.005)
    # Without it, TCP and UDP through the userspace datapath fail while ping passes: offloaded
    # checksums are never made. It counts only when set before the switch starts.
    ask("ovs-vsctl", "--no-wait", "init", "--", "set", "Open_vSwitch", ".",
        "other_config:userspace-tso-enable=true")  # fmt: skip
    switch = _spawn(
        processes,
        logs,
        Program("vswitchd", ("ovs-vswitchd", f"--unixctl={_CONTROL}", f"unix:{_SOCKET}")),
    )
    return [database, switch]


@cache
def datapath() -> str:
    """Mininet's name of the datapath to use here: "kernel" or "user"."""
    return "kernel" if _is_real_root() and _kernel_has_datapath() else "user"


def settle() -> None:
    """Have the counters of all flow entries brought up to date (they lag up to 0.3 s)."""
    ask("ovs-appctl", "-t", str(_CONTROL), "revalidator/purge")


def counters(bridge: str) -> dict[int, int]:
    """Packets counted under each cookie; entries of one cookie are added up."""
    found: Counter[int] = Counter()
    for line in ask("ovs-ofctl", "-O", "OpenFlow13", "dump-flows", bridge).splitlines():
        if match := _FLOW.search(line):
            found[int(match["cookie"], 16)] += int(match["packets"])
    return dict(found)


def ask(*command: str) -> str:
    """Run one of the OVS tools; what it prints, or OvsError with what it complained of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise OvsError(f"{' '.join(command)} failed: {done.stderr.strip() or 'without a word'}")
    return done.stdout


def _spawn(processes: Processes, logs: Path, program: Program) -> Process:
    log = logs / f"{program.name}.log"
    return processes.spawn(program, None, log, log)


def _database_listens() -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(_SOCKET)) == 0


def _kernel_has_datapath() -> bool:
    asked = subprocess.run(KERNEL_DATAPATH, capture_output=True, timeout=PATIENCE, check=False)
    return asked.returncode == 0


def _is_real_root() -> bool:
    """Whether our root is the machine's: it maps every user id to itself."""
    return Path("/proc/self/uid_map").read_text(encoding="utf-8").split() == [
        "0",
        "0",
        "4294967295",
    ]
