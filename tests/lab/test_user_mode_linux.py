"""Cables impaired by the kernel's netem, on a kernel that has it: User-Mode Linux.

Debian's package user-mode-linux brings one. It boots this machine's own files, read-only,
as an ordinary process: no virtual machine, no root.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from results.impaired import TOLERANCE, is_plausible
from scenarios.lines.cables import CABLES
from tests.lab.support import CHECKOUT

_KERNEL = "linux.uml"
_MODULES = "/usr/lib/uml/modules"

#: What that kernel runs as its first process. Its own words go to the same console.
_INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/run PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
mount --bind {modules} /lib/modules
ip link set lo up
cd {checkout}
TMPDIR=/run {python} -sP -m {command} 2>/mnt/errors | sed 's/^/told: /'
cat /mnt/errors
# What was captured stays.
mkdir /run/kept && mount -t hostfs -o {kept} none /run/kept && cp -r /mnt/runs /run/kept/
poweroff -f
"""

#: How long the machine may be up, in seconds: every process that starts there takes its time.
_PATIENCE = 400


#: The taps at the two ends of the cable of the call.
_WAN = {"core-eth1", "branch_rtr-eth1"}


@pytest.fixture
def kernel(tmp_path: Path) -> list[str]:
    """The command that boots it, with what it is to run in a file ``init``."""
    if not shutil.which(_KERNEL) or not Path(_MODULES).exists():
        pytest.skip(f"there is no {_KERNEL}: apt-get install user-mode-linux")
    files = ("root=/dev/root", "rootfstype=hostfs", "ro", f"init={tmp_path / 'init'}")
    consoles = ("con=null", "con0=null,fd:1", "quiet", f"uml_dir={tmp_path}")
    return [_KERNEL, "mem=1600M", *files, *consoles]


def told(kernel: list[str], folder: Path, command: str) -> list[dict[str, Any]]:
    """What a Python module prints there, one JSON object a line."""
    init = folder / "init"
    settings = {
        "modules": _MODULES,
        "checkout": CHECKOUT,
        "python": sys.executable,
        "kept": folder,
    }
    init.write_text(_INIT.format(command=command, **settings), encoding="utf-8")
    init.chmod(0o755)
    done = subprocess.run(
        kernel,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_PATIENCE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("told: ")]
    assert lines, done.stdout[-2000:]
    return [json.loads(line.removeprefix("told: ")) for line in lines]


@pytest.mark.long
@pytest.mark.timeout(_PATIENCE + 30)
def test_netem_delays_and_loses_as_is_asked(kernel: list[str], tmp_path: Path) -> None:
    facility, canaries, measured = told(kernel, tmp_path, "tests.lab.netem")
    assert facility == {"netem": True}
    assert canaries == {"crossed": ["even_l-eth0", "even_r-eth0", "leaky_l-eth0", "leaky_r-eth0"]}
    assert measured["overflowed"] == 0
    for cable in measured["cables"]:
        asked = CABLES[cable["cable"]]
        assert asked["delay_ms"] <= cable["median_ms"] <= asked["delay_ms"] + TOLERANCE
        lost = cable["sent"] - cable["received"]
        loss = asked.get("loss", 0.0)
        assert lost == 0 if not loss else is_plausible(lost, cable["sent"], loss)


@pytest.mark.long
@pytest.mark.timeout(_PATIENCE + 30)
def test_a_call_over_netem(kernel: list[str], tmp_path: Path) -> None:
    scenario = Path(__file__).with_name("netem_call.py")
    command = f"scenarios.cli run {scenario} --json --runs /mnt/runs"
    (result,) = told(kernel, tmp_path, command)
    assert result["verdict"] == "PASS", result["reason"]
    # They are held against tshark, as those of all tests are.
    assert (tmp_path / "runs" / result["run"] / "captures").is_dir()
    for path in result["calls"][0]["media"]:
        (over,) = (hop for hop in path["hops"] if {hop["from"], hop["to"]} == _WAN)
        assert over["delay_ms"] >= 18
        assert path["quality"]["lost"] == over["lost"]
        assert path["quality"]["reordered"] == 0
    # Of more than 400 packets, one run in a hundred thousand loses fewer than 3.
    assert sum(path["quality"]["lost"] for path in result["calls"][0]["media"]) >= 3
