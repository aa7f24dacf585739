"""Results as JUnit XML, which every CI system reads.

There is no one schema, so this keeps to what all take: Jenkins (the xUnit plugin's
junit-10.xsd), Ant's (whose test cases hold nothing but a failure or an error, which is
why properties are those of the suite, and whose suites must have every attribute
and element that is here) and GitLab (which tells test cases apart by name and class).
FAIL is a failure; INCONCLUSIVE and what could not be done are errors.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from results.handover.entry import Entry, names
from results.schema import Verdict

_CLASS = "callpath"

#: What XML 1.0 cannot hold, not even as a reference (section 2.2, "Characters").
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(entries: Sequence[Entry], began: datetime, host: str) -> str:
    """One test suite with a test case a run; ``began`` and ``host`` are those of the command."""
    failures = sum(_kind(entry) == "failure" for entry in entries)
    errors = sum(_kind(entry) == "error" for entry in entries)
    root = Element("testsuites")
    suite = SubElement(
        root,
        "testsuite",
        name="callpath",
        package="callpath",
        id="0",
        timestamp=began.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=_clean(host).strip() or "localhost",
        tests=str(len(entries)),
        failures=str(failures),
        errors=str(errors),
        skipped="0",
        time=f"{sum(map(_seconds, entries)):.3f}",
    )
    _fill(suite, entries)
    indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + tostring(root, encoding="unicode") + "\n"


def _fill(suite: Element, entries: Sequence[Entry]) -> None:
    named = [(_clean(name), entry) for name, entry in zip(names(entries), entries, strict=True)]
    properties = SubElement(suite, "properties")
    for name, entry in named:
        for key, value in _properties(entry):
            SubElement(properties, "property", name=f"{name}.{key}", value=_clean(value))
    for name, entry in named:
        case = SubElement(
            suite, "testcase", name=name, classname=_CLASS, time=f"{_seconds(entry):.3f}"
        )
        kind = _kind(entry)
        if kind:
            message = _clean(entry.reasons[0])
            found = SubElement(case, kind, type=entry.outcome, message=message)
            found.text = _clean("\n".join(_told(entry)))
    SubElement(suite, "system-out")
    SubElement(suite, "system-err")


def _kind(entry: Entry) -> str | None:
    if entry.passed:
        return None
    return "failure" if entry.outcome == Verdict.FAIL else "error"


def _seconds(entry: Entry) -> float:
    return (entry.result.seconds.total if entry.result else None) or 0.0


def _properties(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "verdict", entry.outcome
    if entry.result:
        yield "signalling_flows", ", ".join(entry.result.signalling_flows)
        yield "media_flows", ", ".join(entry.result.media_flows)
    if entry.folder:
        yield "run_folder", entry.folder


def _told(entry: Entry) -> Iterator[str]:
    """The reason in full, where the run is, and the frames that show it."""
    yield from entry.reasons
    if entry.folder:
        yield f"run folder: {entry.folder}"
    for cited in entry.result.citations if entry.result else ():
        yield f"{cited.file} frame {cited.frame}: {cited.what}"


def _clean(said: str) -> str:
    """Text that XML can hold: any other character as its escape."""
    return _NO_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), said)
