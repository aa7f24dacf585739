"""What a report shows of stored runs: arrows, sentences, candidates, counters, frames."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from results.judge import Judged, examine
from results.report.arrows import Kind, flow_arrows, refusals, tails
from results.report.content import Beside, Content, content_of
from results.report.sentences import headline
from results.schema import Citation, Outcome, Result, RunFolder, Verdict
from results.unsupported import Case
from tests.results.recorded import change_json, unpack
from tests.results.report import cases

NAMES = ("intranet", "external_relayed", "vpn_internal_relayed", "vpn_media_in_tunnel")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recorded")
    return {name: unpack(folder, name) for name in NAMES}


@pytest.fixture(scope="module")
def judged(unpacked: dict[str, Path]) -> dict[str, Judged]:
    return {name: examine(folder) for name, folder in unpacked.items()}


@pytest.fixture
def changed(unpacked: dict[str, Path], tmp_path: Path) -> Callable[..., Content]:
    """The content of a stored run after a change."""

    def content(name: str, change: Callable[[Path], None]) -> Content:
        folder = shutil.copytree(unpacked[name], tmp_path / name)
        change(folder)
        return content_of(examine(folder), Beside())

    return content


def ways(seen: Judged) -> dict[tuple[Kind, str], set[tuple[str, str]]]:
    """Kind and flow -> the ends of the arrows."""
    return {
        (arrow.kind, arrow.flow): {(way.origin, way.target) for way in arrow.ways}
        for arrow in flow_arrows(seen)
    }


def test_arrows_lead_from_the_one_who_opened_the_flow(judged: dict[str, Judged]) -> None:
    service = {"front_end", "telemetry"}
    assert ways(judged["external_relayed"]) == {
        (Kind.SIGNALLING, "2"): {("forwarder", "resolver")},
        (Kind.SIGNALLING, "3"): {("eve", name) for name in service},
        (Kind.SIGNALLING, "4"): {("alice", name) for name in service},
        (Kind.MEDIA, "3"): {("eve", "relay")},
        (Kind.MEDIA, "4"): {("alice", "relay")},
    }


def test_a_flow_into_the_tunnel_ends_at_the_gateway(judged: dict[str, Judged]) -> None:
    seen = ways(judged["vpn_media_in_tunnel"])
    assert seen[Kind.MEDIA, "2'"] == {("vic", "vpn_gw")}
    assert seen[Kind.SIGNALLING, "4"] == {
        (origin, target) for origin in ("vpn_gw", "alice") for target in ("front_end", "telemetry")
    }


def test_media_beyond_the_gateway_is_drawn_without_number(judged: dict[str, Judged]) -> None:
    run, result = judged["vpn_media_in_tunnel"].run, judged["vpn_media_in_tunnel"].result
    paths = [path for call in result.calls for path in call.media]
    assert tails(run.network, paths) == (("vpn_gw", "core", "alice"),)


def test_a_flow_of_two_calls_has_a_line_for_each(judged: dict[str, Judged]) -> None:
    assert ways(judged["intranet"])[Kind.MEDIA, "5"] == {("bob", "alice"), ("bea", "alice")}


def test_refusals_are_told_by_user_and_device(judged: dict[str, Judged]) -> None:
    found = {
        (one.user, one.relay, one.by): one.rules for one in refusals(judged["external_relayed"])
    }
    assert found["alice", None, "office"] == ("no_direct_media",)
    assert found["alice", None, "relay"] == ("403",)
    pairs = sum(len(one.pairs) for one in refusals(judged["external_relayed"]))
    outcomes = [p.outcome for c in judged["external_relayed"].result.calls for p in c.pairs]
    assert pairs == outcomes.count(Outcome.REFUSED)


def test_where_a_box_keeps_users_out_the_verdict_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = examine(unpack(tmp_path_factory.mktemp("recorded"), "packet_inspection"))
    content = content_of(found, Beside())
    assert content.headline == (
        "No call takes place, as expected: the certificate of front-end.service.example that "
        "alice was shown by office_nat is signed by Office inspection CA, not by the run's CA; "
        "alice refused it (unknown_ca)."
    )
    assert content.calls == ()


def test_a_box_that_a_call_passed_is_named(judged: dict[str, Judged]) -> None:
    case = Case("packet shaper", "it shapes", Citation(tap="a", file="a", frame=1, what="x"))
    plain = judged["external_relayed"]
    evidence = replace(plain.evidence, others=(case,))
    result = plain.result.model_copy(update={"unsupported": case.name})
    assert headline(replace(plain, evidence=evidence, result=result)).endswith(
        ", which is not supported (packet shaper), as expected."
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "external_relayed",
            "Media of alice and eve goes through the relay (Flows 3 and 4), since the direct way "
            "is refused by office: no_direct_media, as expected.",
        ),
        (
            "vpn_media_in_tunnel",
            "Media of vic and alice goes through the VPN's tunnel (Flow 2'), which is not "
            "supported, as expected.",
        ),
        (
            "intranet",
            "Media of alice and bob goes directly (Flow 5); media of alice and bea goes directly "
            "(Flow 5), as expected.",
        ),
    ],
)
def test_the_verdict_is_one_sentence(judged: dict[str, Judged], name: str, sentence: str) -> None:
    assert content_of(judged[name], Beside()).headline == sentence


def test_a_failure_says_what_was_expected_and_which_rule_decided(
    changed: Callable[..., Content],
) -> None:
    content = changed("external_relayed", cases.failed)
    assert content.headline == (
        "Media of alice and eve goes through the relay (Flows 3 and 4) where Flow 2 was expected, "
        "since the direct way is refused by office: no_direct_media."
    )
    assert content.because[0].startswith("the direct way of alice and eve was refused by office: ")
    assert content.because[1].startswith("unexpected media Flow 3: ")


def test_a_run_that_was_not_done_says_why(changed: Callable[..., Content]) -> None:
    content = changed("vpn_internal_relayed", cases.interrupted)
    assert content.judged.result.verdict is Verdict.INCONCLUSIVE
    assert content.headline.startswith("Nothing is proved: the run folder is not whole: ")
    told = content_of(content.judged, Beside(failure="the relay did not start"))
    assert told.headline == "Nothing is proved: the run was not done: the relay did not start."


def test_another_verdict_that_was_written_is_told(
    unpacked: dict[str, Path], judged: dict[str, Judged]
) -> None:
    written = RunFolder(unpacked["intranet"]).read_result()
    assert isinstance(written, Result)
    assert content_of(judged["intranet"], Beside(written=written)).written is None
    other = written.model_copy(update={"verdict": Verdict.FAIL})
    assert content_of(judged["intranet"], Beside(written=other)).written is Verdict.FAIL


def test_candidates_of_both_ends(judged: dict[str, Judged]) -> None:
    (call,) = content_of(judged["vpn_internal_relayed"], Beside()).calls
    vic = {row.place: row for row in call.candidates["vic"]}
    tunnel = vic["vic, in the tunnel of VPN office"]
    assert (tunnel.type, tunnel.gathered, tunnel.selected) == ("host", True, False)
    assert ("refused", 3) in tunnel.sent
    selected = [row for rows in call.candidates.values() for row in rows if row.selected]
    assert [row.type for row in selected] == ["srflx", "relay"]


def test_the_eight_steps_have_times_from_the_first(judged: dict[str, Judged]) -> None:
    (call,) = content_of(judged["external_relayed"], Beside()).calls
    times = [rung.time for rung in call.rungs]
    assert [rung.number for rung in call.rungs] == list(range(1, 9))
    assert times[0] == 0
    assert times == sorted(time for time in times if time is not None)


def test_a_step_that_was_not_seen_is_left_open(judged: dict[str, Judged]) -> None:
    from results.report.ladder import rungs

    (call,) = judged["external_relayed"].result.calls
    lacking = call.model_copy(update={"steps": call.steps[:4] + call.steps[5:]})
    assert [rung.number for rung in rungs(lacking) if rung.step is None] == [5]


def test_media_passes_hosts_and_firewalls_in_order(judged: dict[str, Judged]) -> None:
    (call,) = content_of(judged["external_relayed"], Beside()).calls
    stations = [station.name for station in call.media[0].way]
    assert stations == [
        "alice", "core", "office", "office_nat", "inet", "relay", "inet", "eve_nat", "eve",
    ]  # fmt: skip
    assert [s.name for s in call.media[0].way if s.is_wall] == ["office"]


def test_rules_have_their_counters(
    judged: dict[str, Judged], changed: Callable[..., Content]
) -> None:
    (office,) = content_of(judged["external_relayed"], Beside()).policies
    ending = judged["external_relayed"].ending
    assert ending
    assert {row.rule.name: row.count for row in office.rows}["no_direct_media"] == (
        ending.firewalls["office"]["no_direct_media"]
    )
    blind = changed("external_relayed", lambda folder: (folder / "ending.json").unlink())
    assert {row.count for row in blind.policies[0].rows} == {None}


def test_frames_have_filters(judged: dict[str, Judged]) -> None:
    seen = judged["external_relayed"]
    content = content_of(seen, Beside(captures=frozenset({"captures/alice-eth0.pcapng"})))
    parts = {part.file: part for part in content.captures}
    alice = parts["captures/alice-eth0.pcapng"]
    numbers = sorted({c.frame for c in seen.result.citations if c.tap == "alice-eth0"})
    assert alice.wireshark_filter == f"frame.number in {{{', '.join(map(str, numbers))}}}"
    assert (alice.is_there, parts["captures/eve-eth0.pcapng"].is_there) == (True, False)


def test_a_network_of_another_scenario_changes_nothing(changed: Callable[..., Content]) -> None:
    """A policy that names no firewall of the network is shown, not drawn."""

    def change(folder: Path) -> None:
        change_json(folder / "run.json", lambda run: run["policies"].pop("office"))

    content = changed("external_relayed", change)
    assert content.policies == ()
    assert {drawing.name for drawing in content.drawings} == {"wide", "narrow"}


def test_the_ladder_of_a_refused_call_ends_with_its_invite(tmp_path: Path) -> None:
    judged = examine(unpack(tmp_path, "third_party_relay"))
    (call,) = content_of(judged, Beside()).calls
    assert [rung.name for rung in call.rungs] == ["resolve", "allocate", "invite"]
    assert all(rung.step for rung in call.rungs)
