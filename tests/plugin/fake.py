"""A command that answers as callpath does, from a result that a run left; it builds nothing.

The name of the scenario says what comes of it. Every call is noted in ``asked``.
"""

import json
import stat
import sys
from pathlib import Path
from typing import Any

_SCRIPT = """\
#!{python}
import json, pathlib, sys

here = pathlib.Path(__file__).parent
with (here / "asked").open("a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads((here / "answers").read_text())
name = pathlib.Path(sys.argv[2]).stem
answer = answers.get(name, answers["relayed"])
if "--runs" in sys.argv:
    number = len((here / "asked").read_text().splitlines())
    run = "20261120-115227-%s-%04d" % (name, number)
    folder = pathlib.Path(sys.argv[sys.argv.index("--runs") + 1]) / run
    folder.mkdir()
    (folder / "evidence.pcapng").touch()
    answer["result"] = answer["result"] and dict(answer["result"], run=run)
print(answer["said"], file=sys.stderr)
if answer["result"]:
    print(json.dumps(answer["result"]))
sys.exit(answer["code"])
"""


def write(folder: Path, result: dict[str, Any]) -> Path:
    """Write the command; ``result`` is what a run of ``relayed`` gives."""
    answers = {
        "relayed": _answer(0, result),
        "fails": _answer(1, result | {"verdict": "FAIL", "reason": "unexpected Flow 3"}),
        "undecided": _answer(2, result | {"verdict": "INCONCLUSIVE", "reason": "a hole"}),
        "foreign": _answer(0, result | {"schema": 2}),
        "broken": _answer(2, None, "callpath: the relay did not start"),
        "silent": _answer(2, None),
        "wrong": _answer(64, None, "callpath run: unrecognized arguments"),
    }
    folder.mkdir()
    (folder / "answers").write_text(json.dumps(answers))
    command = folder / "callpath"
    command.write_text(_SCRIPT.format(python=sys.executable))
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return command


def _answer(code: int, result: dict[str, Any] | None, said: str = "") -> dict[str, Any]:
    return {"code": code, "result": result, "said": said}


def asked(command: Path) -> list[list[str]]:
    """The arguments of each call so far."""
    return [json.loads(line) for line in command.with_name("asked").read_text().splitlines()]
