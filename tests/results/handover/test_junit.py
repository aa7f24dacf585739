"""JUnit XML: what each verdict becomes, and that every CI system can read it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from results.handover.entry import Entry
from results.handover.junit import junit
from results.schema import Verdict
from tests.results.handover.entries import ALL, FAILED, HOSTILE, NOT_DONE, PASSED, UNDECIDED, a_run

BEGAN = datetime(2026, 11, 20, 10, 44, 28, tzinfo=UTC)

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def suite_of(entries: Sequence[Entry], host: str = "machine") -> Element:
    """The one suite, of a document that is valid."""
    text = junit(entries, BEGAN, host)
    SCHEMA.validate(text.encode())
    (suite,) = fromstring(text.encode())  # noqa: S314 - our own
    return suite


def test_a_suite_counts_its_cases() -> None:
    suite = suite_of(ALL)
    wanted = {"tests": "4", "failures": "1", "errors": "2", "skipped": "0", "time": "21.750"}
    assert wanted.items() <= suite.attrib.items()
    assert suite.attrib["timestamp"] == "2026-11-20T10:44:28"
    assert [case.attrib["name"] for case in suite.iter("testcase")] == [
        "intranet", "external_direct", "nomadic_direct", "vpn_to_vpn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "kind", "outcome"),
    [
        (FAILED, "failure", "FAIL"),
        (UNDECIDED, "error", "INCONCLUSIVE"),
        (NOT_DONE, "error", "NOT DONE"),
    ],
)
def test_what_does_not_pass_says_why_and_where(entry: Entry, kind: str, outcome: str) -> None:
    (case,) = suite_of([entry]).iter("testcase")
    (problem,) = case
    assert problem.tag == kind
    assert problem.attrib == {"type": outcome, "message": entry.reasons[0]}
    assert all(reason in (problem.text or "") for reason in entry.reasons)
    assert f"run folder: {entry.folder}" in (problem.text or "")
    shown = "captures/alice-eth0.pcapng frame 61: media, Flow 3: eve opens" in (problem.text or "")
    assert shown is (entry.result is not None)


def test_what_passes_has_its_flows_and_folder_as_properties() -> None:
    suite = suite_of([PASSED])
    (case,) = suite.iter("testcase")
    assert list(case) == []
    assert case.attrib == {"name": "intranet", "classname": "callpath", "time": "7.250"}
    assert {item.attrib["name"]: item.attrib["value"] for item in suite.iter("property")} == {
        "intranet.verdict": "PASS",
        "intranet.signalling_flows": "2, 2', unlisted",
        "intranet.media_flows": "5",
        "intranet.run_folder": "runs/intranet",
    }


def test_runs_of_one_scenario_are_told_apart() -> None:
    names = [case.attrib["name"] for case in suite_of([PASSED, PASSED, FAILED]).iter("testcase")]
    assert names == ["intranet runs/intranet"] * 2 + ["external_direct"]


def test_nothing_run_is_a_suite_without_cases() -> None:
    assert suite_of([], host="").attrib["hostname"] == "localhost"


def test_what_xml_cannot_hold_is_escaped() -> None:
    (case,) = suite_of([a_run(Verdict.FAIL, HOSTILE)]).iter("testcase")
    (problem,) = case
    text = problem.text or ""
    assert "<script>x</script> &amp;**d**" in text
    assert r"\x1b[31m\x00" in text
    assert r"\ud800 ]]>" in text


@given(text=st.text(st.characters(), min_size=1))
def test_whatever_a_reason_holds_the_document_is_valid(text: str) -> None:
    suite_of([a_run(Verdict.FAIL, text), Entry("x", text, None, text)], host=text)
