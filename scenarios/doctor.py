"""What this machine offers to a network, and the command that mends what is missing.

:func:`look` finds the facts, :func:`judge` turns them into checks without any
I/O. Whatever has to be tried is tried in one throw-away namespace; the machine's
own network is not touched.
"""

import json as json_format
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TextIO

from topologies import ovs
from topologies.processes import PATIENCE

Status = Literal["used", "fallback", "missing"]

#: The launcher installs what is missing (and leaves its services disabled).
INSTALL = "sudo ./callpath doctor"

#: What only the kernel lacks, the virtual machine has.
OTHER_KERNEL = "vagrant up"

#: Exit code where something is missing that no run can do without.
NOT_READY = 2


@dataclass(frozen=True)
class Check:
    """One facility: what a run uses of it here, and what would mend it."""

    name: str
    status: Status
    what: str
    mend: str | None = None


@dataclass(frozen=True)
class Facts:
    """What was found on the machine."""

    root: bool
    processors: int
    #: The part of the processors' busy time since boot that other machines took (steal).
    stolen: float
    versions: Mapping[str, str]
    #: Programs found on PATH.
    programs: frozenset[str]
    #: What was tried in a throw-away namespace, and what of it worked.
    tried: frozenset[str]
    worked: frozenset[str]
    #: What unshare said where it made no namespace.
    refused: str = ""
    mininet: bool = True
    #: The kernel has netem as a module, which could not be loaded.
    netem_module: bool = False
    #: The user may make devices of user space, as wireguard-go and tayga do.
    tun: bool = True
    #: There is a dumpcap which this user may not run.
    dumpcap_barred: bool = False
    #: Kernel settings that keep ordinary users from user namespaces.
    barring: tuple[str, ...] = ()
    user: str = "$USER"


#: Name -> Debian package whose version tells.
_PACKAGES = {
    "mininet": "mininet",
    "openvswitch": "openvswitch-switch",
    "coturn": "coturn",
    "dumpcap": "wireshark-common",
    "unbound": "unbound",
    "squid": "squid",
    "tayga": "tayga",
    "nftables": "nftables",
    "iproute2": "iproute2",
}

#: The program that stands for a facility.
_PROGRAMS = (
    "mnexec",
    "ovs-vswitchd",
    "ovsdb-server",
    "turnserver",
    "unbound",
    "unbound-control",
    "squid",
    "dumpcap",
    "nft",
    "ip",
    "tc",
    "ping",
    "wg",
    "wireguard-go",
    "tayga",
)

#: Name -> what is tried as root of new namespaces.
_TRIALS = {
    "namespace": "true",
    "wireguard": "ip link add callpath type wireguard",
    "netem": "tc qdisc add dev lo root netem delay 1ms",
    "nftables": "nft add table ip callpath",
    "datapath": shlex.join(ovs.KERNEL_DATAPATH),
    "capture": "ip link set lo up && dumpcap -L -i lo",  # opens the device and names its link types
}

#: The namespaces of a world.
_NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

#: Kernel setting -> the value with which it keeps ordinary users out (Debian, all, Ubuntu).
_BARRING = {
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "user.max_user_namespaces": ("0", "65536"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
}

_TUN = "/dev/net/tun"

#: How releases of Ubuntu's kernels end, whose netem is in a package of its own.
_UBUNTU = ("-generic", "-aws", "-azure", "-gcp", "-kvm", "-oracle", "-virtual")


def checks() -> list[Check]:
    """Examine this machine."""
    return judge(look(_TRIALS))


def facilities() -> dict[str, str]:
    """Facility -> what is used of it here, for the run folder."""
    # dumpcap alone starts longer than all else takes, and the run is about to start it anyway.
    trials = [name for name in _TRIALS if name != "capture"]
    return {check.name: check.what for check in judge(look(trials))}


def versions() -> dict[str, str]:
    """Versions of what a run rests on, for the run folder. Starts no program."""
    status = _dpkg_status()
    return {
        "kernel": os.uname().release,
        "python": platform.python_version(),
        "aiortc": _distribution("aiortc"),
        "aioice": _distribution("aioice"),
        **{name: packaged(status, package) for name, package in _PACKAGES.items()},
    }


def report(checks: list[Check], json: bool, out: TextIO) -> int:
    """Write the checks, as a table or one JSON object a line; returns the exit code."""
    if json:
        out.writelines(json_format.dumps(asdict(check)) + "\n" for check in checks)
    else:
        _table(checks, out)
    return NOT_READY if any(check.status == "missing" for check in checks) else 0


def judge(facts: Facts) -> list[Check]:
    """What a run can use, by the facts."""
    return [
        _used("python", facts.versions["python"]),
        _mininet(facts),
        _program("mnexec", facts, "enters a host's namespaces", "mnexec"),
        _openvswitch(facts),
        _program("coturn", facts, facts.versions["coturn"], "turnserver"),
        _program("unbound", facts, facts.versions["unbound"], "unbound", "unbound-control"),
        _program("squid", facts, facts.versions["squid"], "squid"),
        _dumpcap(facts),
        _nftables(facts),
        _program("iproute2", facts, facts.versions["iproute2"], "ip", "tc"),
        _program("ping", facts, "asks whether a host answers", "ping"),
        _wireguard(facts),
        _nat64(facts),
        _netem(facts),
        _namespaces(facts),
        _used("user", "root" if facts.root else "not root"),
        _processors(facts),
    ]


def look(trials: Collection[str]) -> Facts:
    """Find the facts; ``trials`` are tried in namespaces."""
    root = os.geteuid() == 0
    worked, refused = _try(trials, root)
    return Facts(
        root=root,
        processors=len(os.sched_getaffinity(0)),
        stolen=stolen(_read(Path("/proc/stat"))),
        versions=versions(),
        programs=frozenset(name for name in _PROGRAMS if shutil.which(name)),
        tried=frozenset(trials),
        worked=worked,
        refused=refused,
        mininet=find_spec("mininet") is not None,
        netem_module=kernel_has("sch_netem"),
        tun=os.access(_TUN, os.R_OK | os.W_OK),
        dumpcap_barred=not shutil.which("dumpcap") and Path("/usr/bin/dumpcap").exists(),
        barring=tuple(barring(Path("/proc/sys"))),
        user=os.environ.get("USER", "$USER"),
    )


def stolen(stat: str) -> float:
    """The part of busy time that was stolen, by the text of /proc/stat (proc(5))."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.split()[1:9])
    return steal / max(user + nice + system + irq + softirq + steal, 1)


def packaged(status: bytes, package: str) -> str:
    """The version of an installed Debian package by dpkg's status file, or "unknown"."""
    start = status.find(f"\nPackage: {package}\n".encode())
    paragraph = status[start : status.find(b"\n\n", start)].decode() if start >= 0 else ""
    fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
    if not fields.get("Status", "").endswith(" installed"):
        return "unknown"
    return fields["Version"]


def kernel_has(module: str, root: Path = Path("/")) -> bool:
    """Whether the running kernel has the module, loaded or to be loaded."""
    if (root / "sys/module" / module).exists():
        return True
    folder = root / "lib/modules" / os.uname().release
    lists = ("modules.dep", "modules.builtin")
    return any(f"/{module}.ko" in _read(folder / name) for name in lists)


def barring(settings: Path) -> Iterator[str]:
    """The commands that would admit ordinary users to user namespaces, where they are kept out."""
    for name, (shut, admitting) in _BARRING.items():
        if _read(settings / name.replace(".", "/", 1)).strip() == shut:
            yield f"sudo sysctl -w {name}={admitting}"


def _used(name: str, what: str) -> Check:
    return Check(name, "used", what)


def _program(name: str, facts: Facts, what: str, *programs: str) -> Check:
    """A facility that is there when its programs are."""
    absent = [program for program in programs if program not in facts.programs]
    if absent:
        return Check(name, "missing", f"no {' and no '.join(absent)}", INSTALL)
    return _used(name, what)


def _mininet(facts: Facts) -> Check:
    if not facts.mininet:
        what = f"Python {facts.versions['python']} has no module mininet"
        return Check("mininet", "missing", what, INSTALL)
    return _used("mininet", facts.versions["mininet"])


def _openvswitch(facts: Facts) -> Check:
    version = facts.versions["openvswitch"]
    check = _program("openvswitch", facts, version, "ovs-vswitchd", "ovsdb-server")
    if check.status == "missing":
        return check
    if "datapath" in facts.worked:
        return _used("openvswitch", f"{version}, the kernel's datapath")
    # The userspace datapath makes a device for each bridge.
    if not facts.tun:
        return _no_tun("openvswitch", "its userspace datapath")
    what = f"{version}, userspace datapath: the kernel has none"
    return Check("openvswitch", "fallback", what, OTHER_KERNEL)


def _dumpcap(facts: Facts) -> Check:
    if facts.dumpcap_barred:
        what = "only the group wireshark may run /usr/bin/dumpcap"
        return Check("dumpcap", "missing", what, f"sudo usermod -aG wireshark {facts.user}")
    check = _program("dumpcap", facts, facts.versions["dumpcap"], "dumpcap")
    return _tried(check, "capture", "sudo apt-get install --reinstall wireshark-common", facts)


def _nftables(facts: Facts) -> Check:
    check = _program("nftables", facts, facts.versions["nftables"], "nft")
    return _tried(check, "nftables", OTHER_KERNEL, facts)


def _tried(check: Check, trial: str, mend: str, facts: Facts) -> Check:
    """The check, doubted once more: being installed is not working."""
    if check.status == "missing" or trial in facts.worked or trial not in facts.tried:
        return check
    if "namespace" not in facts.worked:
        return _used(check.name, f"{check.what} (not tried: there is no namespace to try it in)")
    what = f"{check.what} is installed, but this fails in a namespace: {_TRIALS[trial]}"
    return Check(check.name, "missing", what, mend)


def _wireguard(facts: Facts) -> Check:
    if "wg" not in facts.programs:
        return Check("wireguard", "missing", "no wg (wireguard-tools)", INSTALL)
    if "wireguard" in facts.worked:
        return _used("wireguard", "the kernel's")
    if "wireguard-go" not in facts.programs:
        return Check("wireguard", "missing", "neither the kernel's nor wireguard-go", INSTALL)
    if not facts.tun:
        return _no_tun("wireguard", "wireguard-go")
    return Check("wireguard", "fallback", "wireguard-go, in user space", OTHER_KERNEL)


def _nat64(facts: Facts) -> Check:
    """NAT64, for networks with IPv6 alone."""
    if "tayga" in facts.programs and not facts.tun:
        return _no_tun("nat64", "tayga")
    return _program("nat64", facts, f"tayga {facts.versions['tayga']}, in user space", "tayga")


def _no_tun(name: str, who: str) -> Check:
    """A facility that makes network devices in user space, where this user may not."""
    what = f"this user may not open {_TUN}, as needed by {who}"
    return Check(name, "missing", what, f"sudo chmod 666 {_TUN}")


def _netem(facts: Facts) -> Check:
    if "netem" in facts.worked:
        return _used("netem", "the kernel's")
    release = facts.versions["kernel"]
    if facts.netem_module:
        mend = "sudo modprobe sch_netem"
    elif release.endswith(_UBUNTU):
        mend = f"sudo apt-get install linux-modules-extra-{release}"
    else:
        mend = OTHER_KERNEL
    return Check("netem", "fallback", "a delay line in user space, for impaired links", mend)


def _namespaces(facts: Facts) -> Check:
    if "namespace" in facts.worked:
        return _used("namespaces", "as root" if facts.root else "user namespaces, without root")
    if facts.root:
        what = f"root may not make them, as in an unprivileged container: {facts.refused}"
        return Check("namespaces", "missing", what, "docker run --privileged ...")
    what = f"ordinary users may not make them: {facts.refused}"
    return Check("namespaces", "missing", what, " && ".join(facts.barring) or "sudo ./callpath run")


def _processors(facts: Facts) -> Check:
    what = f"{facts.processors}; other machines took {facts.stolen:.0%} of their busy time (steal)"
    return _used("processors", what)


def _try(trials: Collection[str], root: bool) -> tuple[frozenset[str], str]:
    """What works in throw-away namespaces, and what unshare said if there are none."""
    user = () if root else ("--user", "--map-root-user")
    lines = [f"{{ {_TRIALS[name]}; }} >/dev/null 2>&1 && echo {name}" for name in trials]
    done = subprocess.run(
        ["unshare", *user, *_NAMESPACES, "sh", "-c", "\n".join(lines)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return frozenset(done.stdout.split()), done.stderr.strip()


def _dpkg_status() -> bytes:
    try:
        return b"\n" + Path("/var/lib/dpkg/status").read_bytes()
    except FileNotFoundError:
        return b""


def _distribution(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _read(path: Path) -> str:
    """The text of a file; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _table(checks: list[Check], out: TextIO) -> None:
    # Imported here: a run takes the facilities without drawing them.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"used": "green", "fallback": "yellow", "missing": "red"}
    table = Table()
    for title in ("facility", "status", "what is used", "to mend it"):
        table.add_column(title)
    for check in checks:
        status = Text(check.status, style=colours[check.status])
        table.add_row(check.name, status, Text(check.what), Text(check.mend or ""))
    wide = None if out.isatty() else 160
    Console(file=out, width=wide).print(table)
