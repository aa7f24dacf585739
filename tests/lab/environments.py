"""Python environments of their own, for programs that are not to meet our packages."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Bound on making one, in seconds: packages come over the network.
PATIENCE = 300


def new_environment(folder: Path, packages: Sequence[str]) -> Path:
    """Make an environment with these packages; its interpreter."""
    python = folder / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *packages],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return python
