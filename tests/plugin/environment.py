"""A virtual environment with pytest, pytest-xdist and the plugin, and projects to test in it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

#: As someone else would have them, whatever we test with.
_TOOLS = ("pytest", "pytest-xdist")

#: Bound on one session of pytest, in seconds; a busy machine may need it.
_PATIENCE = 100.0


@dataclass(frozen=True)
class Environment:
    """Where Python lies that has pytest and the plugin."""

    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    def pytest(
        self, project: Path, *arguments: str, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Test a project."""
        kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        return subprocess.run(
            [self.python, "-m", "pytest", f"--basetemp={project / 'tmp'}", *arguments],
            cwd=project,
            env={**kept, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )


def _is_ours(name: str) -> bool:
    return name.startswith(("PYTEST", "PYTHON", "CALLPATH"))


def make(folder: Path, *, with_plugin: bool = True) -> Environment:
    """Install all into a folder, by the pip that installed what we test with."""
    made = Environment(folder / "environment")
    _run(sys.executable, "-m", "venv", "--without-pip", str(made.folder))
    plugin = [str(shutil.copytree(ROOT / "plugin", folder / "plugin"))] if with_plugin else []
    pip = (sys.executable, "-m", "pip", "--python", made.python, "--quiet")
    _run(*pip, "install", "--disable-pip-version-check", *_TOOLS, *plugin)
    return made


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def installed(environment: Environment) -> set[str]:
    """The modules and packages that the environment has."""
    (site,) = environment.folder.glob("lib/python*/site-packages")
    return {path.stem for path in site.iterdir() if not path.name.endswith(".dist-info")}
