"""One environment for all tests of the plugin: making it takes seconds."""

import pytest

from tests.plugin.environment import Environment, make


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Pytest, pytest-xdist and the plugin; nothing else."""
    return make(tmp_path_factory.mktemp("plugin"))
