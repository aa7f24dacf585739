"""Markdown for the summary of a CI job."""

import re

import pytest

from results.handover.entry import Entry
from results.handover.markdown import code, markdown, text
from results.schema import Verdict
from tests.results.handover.entries import ALL, HOSTILE, NOT_DONE, PASSED, a_run

SUMMARY = r"""## Callpath: 1 PASS, 1 FAIL, 1 INCONCLUSIVE, 1 NOT DONE

| scenario | verdict | signalling | media | reason | run folder |
| --- | --- | --- | --- | --- | --- |
| `intranet` | **PASS** | 2, 2', unlisted | 5 | because | `runs/intranet` |
| `external_direct` | **FAIL** | 2, 2', unlisted | 5 | Flow 3 appeared; … | `runs/external_direct` |
| `nomadic_direct` | **INCONCLUSIVE** | 2, 2', unlisted | 5 | not whole | `runs/nomadic_direct` |
| `vpn_to_vpn` | **NOT DONE** | - | - | office: the firewall did not start | `runs/vpn` |

### `external_direct`: FAIL

- Flow 3 appeared
- expected media Flow 2 was not seen

Frames that show it, in `runs/external_direct`:

- `captures/alice-eth0.pcapng` frame 61: media, Flow 3: eve opens the way to relay

### `nomadic_direct`: INCONCLUSIVE

- not whole

Frames that show it, in `runs/nomadic_direct`:

- `captures/alice-eth0.pcapng` frame 61: media, Flow 3: eve opens the way to relay

### `vpn_to_vpn`: NOT DONE

- office: the firewall did not start
"""


def test_a_summary_has_a_table_and_then_what_did_not_pass() -> None:
    assert markdown(ALL) == SUMMARY


def test_nothing_run_is_said_so() -> None:
    assert markdown([]).startswith("## Callpath: no runs\n")


def test_a_run_without_a_folder_has_none_in_the_table() -> None:
    (row,) = (
        line for line in markdown([Entry("x", "", None, "no")]).splitlines() if "`x` |" in line
    )
    assert row == "| `x` | **NOT DONE** | - | - | no | - |"


@pytest.mark.parametrize("entry", [PASSED, NOT_DONE])
def test_hostile_text_stays_text(entry: Entry) -> None:
    verdict = Verdict.PASS if entry.passed else Verdict.FAIL
    lines = markdown([a_run(verdict, HOSTILE)]).splitlines()
    (row,) = (line for line in lines if line.startswith("| `intranet`"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert not re.search(r"(?<!\\)[<*_]", text(HOSTILE))
    assert not any(ord(letter) < 32 for line in lines for letter in line)
    assert "\n".join(lines).encode()


def test_a_code_span_cannot_be_left() -> None:
    assert code("a`b|c\n") == r"`a'b\|c`"
