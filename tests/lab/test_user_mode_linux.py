"""Cables impaired by the kernel's netem, on a kernel that has it: User-Mode Linux.

Debian's package user-mode-linux brings one. It boots this machine's own files, read-only,
as an ordinary process: no virtual machine, no root.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
mount --bind {modules} /lib/modules
ip link set lo up
cd {checkout}
{python} -sP -m tests.lab.netem 2>&1 | sed 's/^/told: /'
poweroff -f
"""

#: How long the machine may be up, in seconds: every process that starts there takes its time.
_PATIENCE = 240


@pytest.fixture
def boot(tmp_path: Path) -> list[str]:
    """The command that boots it."""
    if not shutil.which(_KERNEL) or not Path(_MODULES).exists():
        pytest.skip(f"there is no {_KERNEL}: apt-get install user-mode-linux")
    init = tmp_path / "init"
    settings = {"modules": _MODULES, "checkout": CHECKOUT, "python": sys.executable}
    init.write_text(_INIT.format(**settings), encoding="utf-8")
    init.chmod(0o755)
    files = ("root=/dev/root", "rootfstype=hostfs", "ro", f"init={init}", f"uml_dir={tmp_path}")
    return [_KERNEL, "mem=512M", *files, "con=null", "con0=null,fd:1", "quiet"]


def told(boot: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """What our programs said there, one JSON object a line."""
    done = subprocess.run(
        boot,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_PATIENCE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    for line in done.stdout.splitlines():
        if line.startswith("told: "):
            yield json.loads(line.removeprefix("told: "))


@pytest.mark.long
@pytest.mark.timeout(_PATIENCE + 30)
def test_netem_delays_and_loses_as_is_asked(boot: list[str], tmp_path: Path) -> None:
    kernel, canaries, measured = told(boot, tmp_path)
    assert kernel == {"netem": True}
    assert canaries == {"crossed": ["even_l-eth0", "even_r-eth0", "leaky_l-eth0", "leaky_r-eth0"]}
    assert measured["overflowed"] == 0
    for cable in measured["cables"]:
        asked = CABLES[cable["cable"]]
        assert asked["delay_ms"] <= cable["median_ms"] <= asked["delay_ms"] + TOLERANCE
        lost = cable["sent"] - cable["received"]
        loss = asked.get("loss", 0.0)
        assert lost == 0 if not loss else is_plausible(lost, cable["sent"], loss)
