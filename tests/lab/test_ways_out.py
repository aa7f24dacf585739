"""Networks that refuse UDP: each scenario, and its opposite."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import relay
from agents.edge.relay_access import credentials
from controllers.policy import find, load
from results.packets import PacketTable, read_interfaces
from results.protocols import stun
from results.wire.kinds import Kind
from tests.lab.support import CHECKOUT, callpath, results_of
from tests.lab.worlds import Done, Inside, up
from topologies.reference import office_and_homes, office_with_proxy
from topologies.spec import Tap

#: Scenario -> what carries the media, by whose allocations.
_EXPECTED = {
    "udp_blocked": ("tcp", ["alice"]),
    "only_443": ("tls", ["alice"]),
    "proxy_only": ("proxy", ["alice"]),
    "proxy_with_login": ("proxy", ["alice"]),
    "relay_only": ("udp", ["alice", "eve"]),
}


def _run(runs: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    process = callpath("run", *arguments, "--json", "--runs", str(runs))
    (result,) = results_of(process)
    return process.returncode, result


@pytest.mark.parametrize("scenario", _EXPECTED)
def test_each_scenario_has_its_flows_and_its_transport(scenario: str, runs: Path) -> None:
    code, result = _run(runs, scenario)
    assert (code, result["verdict"]) == (0, "PASS"), result["reason"]
    assert result["signalling_flows"] == ["2", "3", "4"]
    assert result["media_flows"] == ["3", "4"]
    transport, users = _EXPECTED[scenario]
    paths = [path for call in result["calls"] for path in call["media"]]
    assert {path["transport"] for path in paths} == {transport}
    assert all(sorted(path["allocated_by"]) == users for path in paths)
    assert all(path["packets"] == path["authenticated"] > 90 for path in paths)


@pytest.mark.parametrize(("scenario", "words"), [("udp_blocked", "TCP"), ("only_443", "TLS")])
def test_where_udp_is_let_out_the_call_goes_over_udp_and_fails(
    scenario: str, words: str, runs: Path
) -> None:
    code, result = _run(runs, scenario, "--policy", "office=service_only")
    assert (code, result["verdict"]) == (1, "FAIL")
    said = f"expected media over {words}, but that from alice to eve went over UDP"
    assert said in result["reason"]


def test_where_all_tcp_is_let_out_too_tcp_comes_before_tls(runs: Path) -> None:
    """Both would lead to the relay: it is the order of the offer that decides."""
    code, result = _run(runs, "udp_blocked", "--policy", "office=only_443")
    paths = [path for call in result["calls"] for path in call["media"]]
    assert (code, {path["transport"] for path in paths}) == (0, {"tcp"}), result["reason"]


def test_clients_that_may_go_directly_do_so_and_fail(runs: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "free.py"
    scenario.write_text(
        "from dataclasses import replace\n"
        "from scenarios.relay_only import scenario as told\n"
        "from scenarios.scenario import Call\n"
        'scenario = replace(told, calls=(Call("alice", "eve"),))\n',
        encoding="utf-8",
    )
    code, result = _run(runs, str(scenario))
    assert (code, result["media_flows"]) == (1, ["2"])
    assert "expected media Flow 3 was not seen" in result["reason"]


_UNGUARDED = """
from scenarios.scenario import Call, Scenario
from topologies.reference import office_with_proxy
from topologies.spec import Flow

scenario = Scenario(
    name="unguarded",
    title="As proxy_with_login, without a firewall, for which ordinary users may lack a right",
    network=office_with_proxy(login=True),
    calls=(Call("alice", "eve"),),
    expect_signalling=frozenset({Flow.F2, Flow.F3, Flow.F4}),
    expect_media=frozenset({Flow.F3, Flow.F4}),
    expect_transport="proxy",
)
"""


def test_proxies_of_two_worlds_stand_side_by_side_and_leave_nothing(
    rootless: bool, runs: Path
) -> None:
    scenario = runs / "unguarded.py"
    scenario.write_text(_UNGUARDED, encoding="utf-8")
    before = sorted(_SHARED_MEMORY.iterdir())
    command = ("run", str(scenario), "--json", "--runs", str(runs))
    both = [callpath(*command, rootless=rootless) for _ in range(2)]
    for process in both:
        (result,) = results_of(process)
        assert result["verdict"] == "PASS", result["reason"]
    assert sorted(_SHARED_MEMORY.iterdir()) == before


_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - squid would leave segments there

guarded = up(office_with_proxy(login=True), {"office": load(find("proxy_only"))})


def _asks_proxy(inside: Inside, user: str | None, password: str) -> Done:
    """What the client makes of the proxy when it asks for the relay."""
    network = inside.network
    (proxy,) = network.proxies
    where = (str(network.host(proxy.host).address), proxy.port)
    code = (
        "import asyncio; from agents.ice import proxy; from agents.ice.servers import Proxy\n"
        f"own = Proxy(*{where!r}, {user!r}, {password!r})\n"
        "asyncio.run(proxy.connect(own, 'relay.service.example', 443))\n"
    )
    return inside.run("alice", "env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-c", code)


def test_the_proxy_refuses_a_wrong_login_and_the_client_says_so(guarded: Inside) -> None:
    refused = _asks_proxy(guarded, "alice", "guessed")
    assert refused.code == 1
    assert refused.stderr.splitlines()[-1] == (
        "agents.ice.proxy.ProxyError: the proxy http://10.10.0.80:3128 refused the login of "
        "alice: wrong name or password (407)"
    )
    assert "asks for a login, and none is set (407)" in _asks_proxy(guarded, None, "").stderr


homes = up(office_and_homes())


@pytest.fixture
def losing_every_other(homes: Inside) -> Iterator[None]:
    """Of what the office sends the relay with credentials, which is long, every other is lost."""
    rules = (
        "add table ip test; add chain ip test out { type filter hook forward priority 0; }; "
        "add rule ip test out udp dport 3478 udp length > 100 numgen inc mod 2 == 0 drop"
    )
    assert homes.run("core", "nft", rules).code == 0
    yield
    assert homes.run("core", "nft", "delete table ip test").code == 0


def test_what_loses_the_race_is_given_back(
    homes: Inside, losing_every_other: None, tmp_path: Path
) -> None:
    """UDP gets the relay's challenge, TCP the allocation; then UDP's comes, and goes back."""
    authority = homes.serve().authority
    name, word = credentials(homes.relay_secret, "alice", 2**31 - 1)
    config = {
        "urls": relay.uris("relay.service.example"),
        "username": name,
        "credential": word,
        "authority": authority,
        "key_log": str(tmp_path / "keys"),
    }
    client = ("env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "agents.gatherer")
    capture = tmp_path / "relay.pcapng"
    seen, gathered = homes.run_all(
        [
            (
                "relay",
                ("dumpcap", "-q", "-i", "relay-eth0", "-a", "duration:8", "-w", str(capture)),
            ),
            ("alice", (*client, json.dumps(config))),
        ]
    )
    assert seen.code == 0, seen.stderr
    assert gathered.code == 0, gathered.stderr
    assert json.loads(gathered.stdout)["transport"] == "tcp"
    table = read_interfaces([capture], lambda *_: [_TAP])
    assert _lifetimes(table, stun.Class.SUCCESS, stun.Method.ALLOCATE) == [600]
    assert 0 in _lifetimes(table, stun.Class.REQUEST, stun.Method.REFRESH)


_TAP = Tap(name="relay-eth0", host="relay", interface="relay-eth0", link="service", mac=None)


def _lifetimes(table: PacketTable, kind: stun.Class, method: stun.Method) -> list[int | None]:
    """LIFETIME of all such messages over UDP (RFC 8656, section 18.2)."""
    messages = [
        stun.parse(table.payload(row)) for row in range(len(table)) if table.kind[row] == Kind.STUN
    ]
    return [one.lifetime for one in messages if (one.message_class, one.method) == (kind, method)]
