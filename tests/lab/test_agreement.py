"""tshark and the packet table say the same of what runs of every scenario capture."""

from pathlib import Path

import pytest

from scenarios.scenario import all_scenarios
from tests.lab.support import callpath, results_of
from tests.results.wire.agreement import check_folder
from tests.tshark import needs_tshark

pytestmark = needs_tshark

#: The scenario whose captures are always compared.
SAMPLE = "external_relayed"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(scenario.name, marks=[] if scenario.name == SAMPLE else pytest.mark.long)
        for scenario in all_scenarios()
    ],
)
def test_a_run(runs: Path, name: str) -> None:
    (result,) = results_of(callpath("run", name, "--json", "--runs", str(runs)))
    check_folder(runs / result["run"])
