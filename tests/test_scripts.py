"""The scripts that make machines say what they need before they make anything."""

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


def _run(script: str, path: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/bash", SCRIPTS / script], env={"PATH": path}, capture_output=True, text=True
    )


def _programs(folder: Path, **scripts: str) -> str:
    """A PATH with these programs and what bash needs to find the script's folder."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    for name in ("dirname", "basename"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    return str(folder)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("fresh_machine.sh", "fresh machine: debootstrap and mounting need root"),
        ("vagrant_box.sh", "vagrant box: debootstrap and namespaces need root"),
    ],
)
def test_an_ordinary_user_is_told_to_be_root(script: str, why: str, tmp_path: Path) -> None:
    done = _run(script, _programs(tmp_path, id="echo 1000"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{why}; run: sudo {SCRIPTS / script}\n"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("fresh_machine.sh", "needs debootstrap; run: apt-get install debootstrap"),
        (
            "vagrant_box.sh",
            "run: apt-get install --no-install-recommends debootstrap vagrant-libvirt "
            "libvirt-daemon-system git rsync qemu-system-x86 qemu-utils dnsmasq-base iptables "
            "iproute2 slirp4netns extlinux openssh-client procps",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_command(script: str, told: str, tmp_path: Path) -> None:
    done = _run(script, _programs(tmp_path, id="echo 0"))
    assert done.returncode == 2
    assert done.stderr.partition(": ")[2] == told + "\n"
