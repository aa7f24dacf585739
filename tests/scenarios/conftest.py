"""What tests of commands begin with."""

from pathlib import Path

import pytest

from tests.results.recorded import unpack


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that took place."""
    return unpack(tmp_path_factory.mktemp("recorded"))
