"""The stage of the scenarios, with commands on hosts once the network is up.

Run as ``python -m tests.lab.impaired JSON`` where the JSON is a list of [HOST, ARGV]:
what makes links lose or delay packets, as a line in the real world would.
"""

import json
import sys
from typing import Any

from scenarios import stage


def _impaired(commands: list[tuple[str, list[str]]]) -> type[stage.Stage]:
    class ImpairedStage(stage.Stage):
        """Does what the command line asks for, then is a stage as any other."""

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            for host, argv in commands:
                self._lab.output_of(host, *argv)

    return ImpairedStage


if __name__ == "__main__":
    stage.Stage = _impaired(json.loads(sys.argv[1]))  # type: ignore[misc]
    stage._serve()
