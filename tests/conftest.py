"""What holds for all tests."""

import pytest
from hypothesis import HealthCheck, settings

from tests.tally import Tally

# A busy machine is no reason to fail: the suite asserts what is done, not how fast.
settings.register_profile("callpath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callpath")

_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Where captures of real networks are held against tshark."""
    return request.config.stash[_TALLY]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.stash[_TALLY].differs_too_often:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[_TALLY].lines():
        terminalreporter.write_line(line)
