"""Lab tests need namespaces: as root, or in a user namespace."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.support import CHECKOUT, NOBODY
from tests.tally import Tally


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.lab)


@pytest.fixture(params=["root", "rootless"])
def rootless(request: pytest.FixtureRequest) -> bool:
    """Both ways to run; each is skipped, with the reason, where this machine cannot do it."""
    if request.param == "root":
        if os.geteuid() != 0:
            pytest.skip("the suite does not run as root")
        return False
    if os.geteuid() == 0 and not _nobody_can_read():
        pytest.skip(f"an ordinary user cannot read {CHECKOUT}")
    if not _user_namespaces_work():
        pytest.skip("this machine allows ordinary users no user namespaces")
    return True


@pytest.fixture
def tmp_path(tmp_path: Path, tally: Tally) -> Iterator[Path]:
    """A folder of the test's own; tshark must agree with us on the captures that are made there."""
    yield tmp_path
    tally.check(tmp_path)


@pytest.fixture
def runs(tally: Tally) -> Iterator[Path]:
    """A folder for runs that an ordinary user may write to; tshark must agree on the captures.

    It is not below pytest's own: another session of pytest takes that from others.
    """
    with tempfile.TemporaryDirectory(prefix="callpath-test-") as made:
        folder = Path(made)
        if os.geteuid() == 0:
            shutil.chown(folder, NOBODY, NOBODY)
        yield folder
        tally.check(folder)


def _as_nobody(*command: str) -> bool:
    user = []
    if os.geteuid() == 0:
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return subprocess.run([*user, *command], capture_output=True, check=False).returncode == 0


def _nobody_can_read() -> bool:
    return _as_nobody("test", "-r", str(CHECKOUT / "setup.cfg"))


def _user_namespaces_work() -> bool:
    return _as_nobody("unshare", "--user", "--map-root-user", "--net", "true")
