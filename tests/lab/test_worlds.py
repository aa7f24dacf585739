"""The harness of lab tests itself: what it tells, and that nothing of it stays."""

from pathlib import Path

import pytest

from controllers.policy import load
from tests.lab.support import CHECKOUT, Grown, grown_world, wait_until
from tests.lab.worlds import Inside, InsideError, up, world
from topologies.reference import office

_SERVICE_ONLY = load(CHECKOUT / "controllers" / "policies" / "service_only.yaml")

offices = up(office(), {"office": _SERVICE_ONLY})


def test_a_command_is_told_as_it_ended(offices: Inside) -> None:
    done = offices.run("alice", "sh", "-c", "hostname -I; echo complaint >&2; exit 3")
    assert (done.code, done.stdout.split(), done.stderr) == (3, ["10.10.0.11"], "complaint")


def test_commands_go_side_by_side(offices: Inside) -> None:
    """Each waits for the other to open its end of a fifo."""
    fifo = "/run/callpath/rendezvous"
    offices.run("alice", "mkfifo", fifo)
    reader, _ = offices.run_all(
        [("alice", ("cat", fifo)), ("bob", ("sh", "-c", f"echo here > {fifo}"))]
    )
    assert reader.stdout == "here\n"


def test_a_command_that_does_not_end_is_given_up(offices: Inside) -> None:
    with pytest.raises(InsideError, match=r"waited 0\.1 s for sleep 1000, in vain"):
        offices.run("alice", "sleep", "1000", timeout=0.1)
    assert offices.run("alice", "true").code == 0


def test_counters_of_firewalls_and_nats_are_read(offices: Inside) -> None:
    before = offices.firewall_counters()["office"]["no_direct_media"]
    with offices.udp("alice") as alice:
        alice.sendto(b"refused", ("198.51.100.53", 9))
    wait_until(
        lambda: offices.firewall_counters()["office"]["no_direct_media"] == before + 1,
        "the firewall to count the refused packet",
    )
    assert offices.nat_counters()["office_nat"]["unsolicited"] == 0


def test_a_failing_test_leaves_nothing_of_its_world(tmp_path: Path) -> None:
    grown: list[Grown] = []

    def failing_test() -> None:
        with world(office(), tmp_path) as made:
            grown.append(grown_world(made.pid))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_test()
    assert len(grown[0].processes) > 5
    wait_until(lambda: not grown[0].remains(), "the world's end")


def test_a_network_that_does_not_come_up_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(InsideError, match="nowhere"),
        world(office(), tmp_path, {"nowhere": _SERVICE_ONLY}),
    ):
        pytest.fail("it came up")
