"""What holds for all tests."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.tally import Tally

# A busy machine is no reason to fail: the suite asserts what is done, not how fast.
settings.register_profile("callpath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callpath")

_TALLY = pytest.StashKey[Tally]()
_TOLD = "agreement with tshark"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Where captures of real networks are held against tshark."""
    return request.config.stash[_TALLY]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells its figures to the session; the session judges them all."""
    tally = session.config.stash[_TALLY]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_TOLD] = tally.told()
    elif tally.differs_too_often:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The session takes in what a worker tells; one that died tells nothing."""
    node.config.stash[_TALLY].add(getattr(node, "workeroutput", {}).get(_TOLD, {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[_TALLY].lines():
        terminalreporter.write_line(line)
