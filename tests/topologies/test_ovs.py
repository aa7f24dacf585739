"""Open vSwitch: what has to be known of the machine before it starts."""

import itertools

import pytest

from topologies import ovs
from topologies.processes import Processes


def test_it_waits_where_the_machine_has_just_booted(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes()
    uptime = itertools.count(3)  # a clock of our own, a second further at each look
    with monkeypatch.context() as patched:
        patched.setattr("topologies.ovs.time.monotonic", lambda: float(next(uptime)))
        ovs.await_uptime(processes)
    assert next(uptime) > 10
    processes.close()
