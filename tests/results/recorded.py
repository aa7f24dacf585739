"""Runs that took place, stored whole: calls of two seconds each.

``data/SCENARIO.tar.xz`` is a run folder as ``callpath run SCENARIO`` left it. A
newer one takes its place by::

    tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=r -cJf \
        tests/results/data/SCENARIO.tar.xz -C results/runs/RUN --transform 's,^[.],SCENARIO,' .
"""

import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from results.schema import Result, RunFolder
from results.wire.captures import read_capture
from tests.results.story import Frame, pcap

DATA = Path(__file__).with_name("data")


def unpack(into: Path, name: str = "intranet") -> Path:
    """Lay a stored run out in a folder of its own."""
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content:
                path = into / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
    return into / name


def as_stored(result: Result) -> Result:
    """As results were when the first runs were stored: they told nothing of quality, nor of IP."""
    return _with_media(result, hops=(), quality=None, ip=())


def before_ipv6(result: Result) -> Result:
    """As results were before there was IPv6: they told nothing of versions of IP."""
    return _with_media(result, ip=())


def _with_media(result: Result, **changes: object) -> Result:
    """The result with every path of media changed."""
    calls = (
        call.model_copy(
            update={"media": tuple(path.model_copy(update=changes) for path in call.media)}
        )
        for call in result.calls
    )
    return result.model_copy(update={"calls": tuple(calls)})


def reseal(folder: Path) -> None:
    """Seal a folder anew, as if the run had left it so."""
    (folder / "seal.json").unlink(missing_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    RunFolder(folder).seal()


def taps(folder: Path) -> list[str]:
    """The taps of which there are captures."""
    return sorted(path.stem for path in (folder / "captures").iterdir())


def frames(folder: Path, tap: str) -> list[Frame]:
    """The frames of a capture."""
    capture = read_capture(RunFolder(folder).capture(tap))
    return [
        Frame(record.time, capture.data[record.start : record.start + record.size])
        for record in capture.records
    ]


def write(folder: Path, tap: str, kept: Iterable[Frame]) -> None:
    """Store frames as the capture of a tap, and their number as what was counted."""
    found = list(kept)
    path = RunFolder(folder).capture(tap)
    path.write_bytes(pcap(found, read_capture(path).link_type))
    change_json(folder / "ending.json", lambda ending: _count(ending, tap, len(found)))


def _count(ending: dict[str, Any], tap: str, received: int) -> None:
    ending["taps"][tap]["received"] = received


def keep(folder: Path, tap: str, wanted: Callable[[bytes], bool]) -> None:
    """Cut from a capture all frames that are not wanted."""
    write(folder, tap, [frame for frame in frames(folder, tap) if wanted(frame.data)])


def change_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON file in place."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
