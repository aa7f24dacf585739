"""Stored runs in every state in which a report may find them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results.judge import examine
from results.report.files import write_index, write_report
from results.schema import RunFolder
from tests.results.recorded import change_json, reseal, unpack

#: What a name may not do to a page.
HOSTILE = "</title></style><script>window.taken = true</script><img src=x onerror=alert(1)>\"'&"


def failed(folder: Path) -> None:
    """Media went another way than expected."""
    change_json(folder / "run.json", lambda run: run["expect"].update({"media": ["2"]}))
    reseal(folder)


def damaged(folder: Path) -> None:
    """A capture was cut after the run."""
    capture = RunFolder(folder).capture("inet-eth0")
    capture.write_bytes(capture.read_bytes()[:-20_000])


def interrupted(folder: Path) -> None:
    """The run ended before its calls."""
    for name in ("seal.json", "ending.json", "result.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "captures")
    RunFolder(folder).log("failed").write_text("interrupted\n")


def hostile(folder: Path) -> None:
    """Whatever text of a run may be chosen by others is a trap."""

    def change(run: dict[str, Any]) -> None:
        run["scenario"] = HOSTILE
        for policy in run["policies"].values():
            policy["because"] = HOSTILE
            for rule in policy["rules"]:
                rule["because"] = HOSTILE
        run["versions"][HOSTILE] = HOSTILE
        run["facilities"][HOSTILE] = HOSTILE

    change_json(folder / "run.json", change)
    reseal(folder)
    RunFolder(folder).log("failed").write_text(HOSTILE)


def _as_it_was(folder: Path) -> None:
    del folder


#: Case -> the stored run, and what is done to it.
CASES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "intranet": ("intranet", _as_it_was),
    "relayed": ("external_relayed", _as_it_was),
    "around the tunnel": ("vpn_internal_relayed", _as_it_was),
    "in the tunnel": ("vpn_media_in_tunnel", _as_it_was),
    "three streams": ("one_to_one_video_relayed", _as_it_was),
    "refused": ("third_party_relay", _as_it_was),
    "failed": ("external_relayed", failed),
    "damaged": ("external_relayed", damaged),
    "interrupted": ("vpn_internal_relayed", interrupted),
    "hostile": ("external_relayed", hostile),
}


def laid_out(case: str, into: Path) -> Path:
    """The folder of a case, with its report and an index beside it."""
    name, change = CASES[case]
    folder = unpack(into, name)
    change(folder)
    write_report(examine(folder), folder)
    write_index(folder.parent)
    return folder
