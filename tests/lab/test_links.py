"""A host's links by netlink, in a network of the test's own."""

import json
import subprocess
import sys
from typing import Any

import pytest

from scenarios.doctor import facilities

_USER = ("unshare", "--user", "--map-root-user", "--net")

_INSIDE = """
import json, os
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from topologies.links import LinkError, Links

links = Links("alice", os.getpid())
links.up("lo", mtu=1400)
links.add_address("lo", IPv4Interface("10.10.0.11/24"))
links.route_into(IPv4Network("10.20.0.0/24"), "lo")
said = []
for attempt in ATTEMPTS:
    try:
        attempt()
    except LinkError as error:
        said.append(str(error))
print(json.dumps({"said": said, "dropped": links.dropped()}))
"""


def told(attempts: str) -> dict[str, Any]:
    """What becomes of attempts (lambdas) in a network that has a loopback and nothing else."""
    script = _INSIDE.replace("ATTEMPTS", attempts)
    done = subprocess.run([*_USER, sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        ("links.up('eth0')", "host alice has no interface eth0"),
        ("links.cut_segments('eth0')", "host alice has no interface eth0"),
        (
            "links.route_via(IPv4Network('0.0.0.0/0'), IPv4Address('10.99.0.1'))",
            "host alice could not route 0.0.0.0/0 via 10.99.0.1: Network is unreachable",
        ),
        (
            "links.add_address('lo', IPv4Interface('10.10.0.11/24'))",
            "host alice could not give lo the address 10.10.0.11/24: File exists",
        ),
    ],
)
def test_what_cannot_be_done_is_told_with_host_and_reason(attempt: str, text: str) -> None:
    found = told(f"[lambda: {attempt}]")
    assert found["said"] == [text]
    # Some kernels put interfaces of their own (sit0, tunl0) into every new network.
    assert {"lo": 0}.items() <= found["dropped"].items()


def test_what_can_be_done_says_nothing() -> None:
    attempts = "[lambda: links.route_via(IPv4Network('10.30.0.0/24'), IPv4Address('10.20.0.1'))]"
    assert told(attempts)["said"] == []


def test_a_tunnel_of_the_kernels_neither_gathers_nor_delays_the_cutting_of_packets() -> None:
    if facilities()["wireguard"] != "the kernel's":
        pytest.skip("this kernel has no WireGuard")
    script = """
import os, subprocess
from topologies.links import Links

assert Links("alice", os.getpid()).add_wireguard("wg0")
subprocess.run(["ip", "-details", "link", "show", "wg0"], check=True)
"""
    done = subprocess.run([*_USER, sys.executable, "-c", script], capture_output=True, text=True)
    assert " gso_max_segs 1 " in done.stdout, done.stderr
    assert " gro_max_size 1 " in done.stdout
