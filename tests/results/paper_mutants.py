"""Changes of what a run folder says besides its captures: claims, plan, counters."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results.schema import RunFolder
from tests.results.frame_kinds import ALICE, BEA
from tests.results.recorded import change_json

#: A JSON object.
Content = dict[str, Any]


def claims(edit: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    """Edit what alice says that she selected in her first call."""

    def change(folder: Path) -> None:
        path = RunFolder(folder).events("alice")
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        edit(next(event for event in events if event["event"] == "selected"))
        path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")

    return change


def another_port(event: dict[str, object]) -> None:
    """Sent from another port."""
    event["local"] = {"type": "host", "address": ALICE, "port": 9, "protocol": "udp"}


def another_peer(event: dict[str, object]) -> None:
    """With another peer."""
    event["remote"] = {"type": "host", "address": BEA, "port": 9, "protocol": "udp"}


def through_the_relay(event: dict[str, object]) -> None:
    """Relayed."""
    local = event["local"]
    assert isinstance(local, dict)
    event["local"] = local | {"type": "relay"}


def removed(*names: str) -> Callable[[Path], None]:
    """Delete files of the folder."""

    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def run_json(edit: Callable[[Content], None]) -> Callable[[Path], None]:
    """Edit what was planned and expected."""
    return lambda folder: change_json(folder / "run.json", edit)


def longer(run: Content) -> None:
    """The first call was to last longer."""
    run["calls"][0]["seconds"] = 30


def one_call_more(run: Content) -> None:
    """A call of bob and bea was planned."""
    run["calls"].append({"id": "3-bob-bea", "caller": "bob", "callee": "bea", "seconds": 2})


def one_call_less(run: Content) -> None:
    """The last call was not planned."""
    run["calls"].pop()


def flow_3_expected(run: Content) -> None:
    """Somebody outside was to signal."""
    run["expect"]["signalling"].append("3")


def flow_2_not_expected(run: Content) -> None:
    """Nobody was to ask the internet."""
    run["expect"]["signalling"].remove("2")


def media_at_the_relay_expected(run: Content) -> None:
    """Media was to go to the service."""
    run["expect"]["media"] = ["4"]


def dropped(folder: Path) -> None:
    """The capture program says that it dropped packets."""
    change_json(
        folder / "ending.json", lambda ending: ending["taps"]["core-eth1"].update(dropped=3)
    )


def uncounted(folder: Path) -> None:
    """No counters of a tap are known."""
    change_json(folder / "ending.json", lambda ending: ending["taps"].pop("core-eth1"))


def miscounted(folder: Path) -> None:
    """The capture program counted other than the capture holds."""
    change_json(
        folder / "ending.json", lambda ending: ending["taps"]["core-eth1"].update(received=9)
    )
