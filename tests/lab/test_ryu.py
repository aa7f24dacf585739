"""The firewalls' app runs, unchanged, on Ryu itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.support import callpath, results_of


@pytest.fixture(scope="session")
def ryu_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with Ryu 4.34, whose build needs an old setuptools."""
    folder = tmp_path_factory.mktemp("ryu")
    constraint = folder / "build-constraint.txt"
    constraint.write_text("setuptools<58\n", encoding="utf-8")
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    for command in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        # Debian's own pip is too old for build constraints.
        [*pip, "pip>=25.3"],
        [*pip, "--build-constraint", str(constraint), "ryu==4.34"],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return python


@pytest.mark.timeout(400)
def test_a_firewall_scenario_on_ryu(ryu_python: Path, runs: Path) -> None:
    has_os_ken = subprocess.run(
        [ryu_python, "-c", "import os_ken"], capture_output=True, check=False
    )
    assert has_os_ken.returncode != 0
    arguments = ("--json", "--runs", str(runs), "--controller-python", str(ryu_python))
    (result,) = results_of(callpath("run", "external_relayed", *arguments))
    assert result["verdict"] == "PASS", result["reason"]
    assert result["media_flows"] == ["3", "4"]
