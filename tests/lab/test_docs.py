"""The commands of the documentation that build networks, each run for real.

Few at a time: most of a run is waiting for its media.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from subprocess import CompletedProcess
from typing import TypeAlias

import pytest

from tests.documented import Command, Scratch, titles
from tests.tally import Tally
from tests.test_docs import BUILDING

#: The last one also waits until tshark has read what all of them captured; seconds.
pytestmark = pytest.mark.timeout(600)

_AT_A_TIME = 3

Running: TypeAlias = "dict[str, Future[CompletedProcess[str]]]"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, tally: Tally) -> Iterator[Running]:
    """All of them, under way; at the end tshark must agree with us on what they captured."""
    scratch = Scratch(tmp_path_factory.mktemp("docs"))
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        # The long ones first, so that none of them is left for the end.
        order = sorted(BUILDING, key=lambda command: "bench" not in command.text)
        yield {command.text: pool.submit(scratch.run, command.text) for command in order}
    tally.check(scratch.folder)


@pytest.mark.parametrize("command", BUILDING, ids=str)
def test_a_command_of_the_docs_works(command: Command, running: Running) -> None:
    done = running[command.text].result()
    assert done.returncode == command.exits, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert titles(done.stdout) == titles(command.shown) or not titles(command.shown)
