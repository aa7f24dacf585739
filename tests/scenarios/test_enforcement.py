"""A firewall that took only a part of its table enforces another policy."""

from typing import Any

import pytest

from scenarios.enforcement import expect_none_refused
from topologies.processes import ProcessError


def test_a_refused_entry_is_an_error() -> None:
    events: list[dict[str, Any]] = [
        {"event": "refused", "firewall": "office", "type": 4, "code": 9},
        {"event": "installed", "firewall": "office"},
    ]
    with pytest.raises(ProcessError, match=r"office refused .* type 4, code 9"):
        expect_none_refused(events)


def test_whole_tables_are_fine() -> None:
    expect_none_refused([{"event": "installed", "firewall": "office"}])
