"""evidence.pcapng of runs that took place, as tshark and editcap read it."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from results.handover.evidence_pcapng import write_evidence
from results.judge import judge
from results.schema import EVIDENCE, Result, Verdict
from tests.results.recorded import frames, reseal, taps, unpack
from tests.tshark import Shown, fields, needs_tshark, run, shown

pytestmark = needs_tshark

_RUNS = ("external_relayed", "vpn_internal_relayed")

INVITE = 'http.request.method == "POST" && http.request.uri == "/v1/calls"'
FINISHED = "dtls.handshake.type == 20"


@pytest.fixture(scope="module", params=_RUNS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that took place, with its evidence."""
    return _with_evidence(tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def relayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The relayed call of an office user and one at home."""
    return _with_evidence(tmp_path_factory, "external_relayed")


def _with_evidence(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    folder = unpack(tmp_path_factory.mktemp("evidence"), name)
    write_evidence(folder)
    return folder


@pytest.fixture(scope="module")
def story(folder: Path) -> list[Shown]:
    return shown(folder / EVIDENCE)


@pytest.fixture(scope="module")
def relayed_story(relayed: Path) -> list[Shown]:
    return shown(relayed / EVIDENCE)


def at(story: list[Shown], tap: str, number: int) -> tuple[str, ...]:
    """The comments of a frame by its tap and its number there."""
    return next(frame.comments for frame in story if (frame.tap, frame.of_tap) == (tap, number))


def said(story: list[Shown], words: str) -> Iterator[Shown]:
    """Frames with a comment that has some words."""
    return (frame for frame in story if any(words in comment for comment in frame.comments))


def test_it_holds_every_frame_of_every_tap_in_order_of_time(
    folder: Path, story: list[Shown]
) -> None:
    held = {
        tap: [(frame.time, len(frame.data)) for frame in frames(folder, tap)]
        for tap in taps(folder)
    }
    told: dict[str, list[tuple[int, int]]] = {tap: [] for tap in held}
    for frame in story:
        told[frame.tap].append((frame.time, frame.size))
    assert told == held
    assert [frame.time for frame in story] == sorted(frame.time for frame in story)


def test_each_step_stands_at_its_frame_with_its_flow(folder: Path, story: list[Shown]) -> None:
    for call in judge(folder).calls:
        assert len(call.steps) == 8
        for step in call.steps:
            meaning, *_ = at(story, step.tap, step.frame)
            assert f"step {step.step} · " in meaning
            if step.step != 1:
                flows = meaning.partition(" · ")[0]
                assert set(flows.replace("Flows ", "").replace("Flow ", "").split(" and ")) <= {
                    *step.flows
                }


def test_every_frame_that_the_verdict_cites_says_so(folder: Path, story: list[Shown]) -> None:
    citations = judge(folder).citations
    assert citations
    for cited in citations:
        where = f"frame {cited.frame} of {cited.tap}"
        assert f"cited · {cited.what} · {where}" in at(story, cited.tap, cited.frame)


def test_every_pair_that_was_not_selected_says_what_became_of_it(
    folder: Path, story: list[Shown]
) -> None:
    seen = [pair for call in judge(folder).calls for pair in call.pairs if pair.frame and pair.tap]
    assert seen
    for pair in seen:
        comments = at(story, pair.tap or "", pair.frame or 0)
        told = [comment for comment in comments if comment.startswith(f"pair of {pair.from_}, ")]
        assert any(str(pair.outcome) in comment for comment in told)
        assert not pair.rule or any(comment.endswith(pair.rule) for comment in told)


def test_the_words_are_those_of_the_documents(relayed_story: list[Shown]) -> None:
    allocates = next(said(relayed_story, "Allocate request"))
    assert allocates.tap == "alice-eth0"
    assert allocates.comments[0] == "Flow 4 · step 2 · Allocate request to the relay"


def test_media_is_told_by_flow_and_direction_at_every_tap(relayed_story: list[Shown]) -> None:
    found = Counter(
        (frame.tap, comment)
        for frame in relayed_story
        for comment in frame.comments
        if " · media " in comment
    )
    assert found["alice-eth0", "Flow 4 · media alice → eve, audio · through the relay"] > 90
    assert found["eve-eth0", "Flow 3 · media alice → eve, audio · through the relay"] > 90
    assert found["eve-eth0", "Flow 3 · media eve → alice, audio · through the relay"] > 90
    # Relays take media out of one wrapping, and put it into another, at the same interface.
    assert {
        comment[:6] for tap, comment in found if tap == "relay-eth0" and "alice → eve" in comment
    } == {"Flow 3", "Flow 4"}
    assert not any(tap == "office_nat-eth1" and "Flow 3" in comment for tap, comment in found)


def test_a_refused_check_names_the_rule_and_is_not_seen_beyond(relayed_story: list[Shown]) -> None:
    refused = list(said(relayed_story, "refused by office: no_direct_media (media leaves"))
    assert {frame.tap for frame in refused} == {"alice-eth0", "core-eth0", "core-eth2"}
    assert not any(comment.startswith("Flow") for f in refused for comment in f.comments[:1])


def test_every_tap_has_its_canaries(story: list[Shown], folder: Path) -> None:
    for moment in ("before", "after"):
        blind = set(taps(folder)) - {f.tap for f in said(story, f"canary {moment} the calls")}
        assert not blind


def test_signalling_is_decrypted_without_any_option(relayed: Path, tmp_path: Path) -> None:
    evidence = relayed / EVIDENCE
    tapped = fields(evidence, INVITE, "frame.interface_name", "frame.comment")
    assert tapped[0][0] == "alice-eth0"
    assert all("Flow 4 · step 3 · alice invites eve" in comment for _, comment in tapped)
    assert fields(evidence, FINISHED, "frame.number")
    bare = tmp_path / "bare.pcapng"
    run("editcap", "--discard-all-secrets", str(evidence), str(bare))
    assert fields(bare, INVITE, "frame.number") == []
    assert fields(bare, FINISHED, "frame.number") == []


def test_one_tap_alone_is_decrypted_as_well(relayed: Path, tmp_path: Path) -> None:
    told = tmp_path / "eve.pcapng"
    own = 'frame.interface_name == "eve-eth0"'
    run("tshark", "-r", str(relayed / EVIDENCE), "-Y", own, "-w", str(told))
    comments = fields(told, "http.response.code == 200", "frame.comment")
    assert any("step 4 · the service notifies eve" in comment for (comment,) in comments)


def test_the_capture_says_the_verdict(relayed: Path) -> None:
    assert "external_relayed: PASS: alice and eve: " in run("capinfos", str(relayed / EVIDENCE))


def test_it_is_a_function_of_the_run_and_no_part_of_what_is_sealed(
    relayed: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(relayed, tmp_path / "run")
    before = (copy / EVIDENCE).read_bytes()
    assert judge(copy).verdict is Verdict.PASS
    write_evidence(copy)
    assert (copy / EVIDENCE).read_bytes() == before
    reseal(copy)
    assert EVIDENCE not in json.loads((copy / "seal.json").read_text())["files"]


def test_an_interrupted_run_is_told_as_far_as_it_is_known(relayed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(relayed, tmp_path / "run")
    for name in ("seal.json", "ending.json", "keys/eve.tls", "captures/inet-eth0.pcapng"):
        (copy / name).unlink()
    (copy / "captures" / "core-eth0.pcapng").write_bytes(b"damaged")
    story = shown(write_evidence(copy, to=tmp_path / "part.pcapng"))
    there = {frame.tap for frame in story}
    assert {"alice-eth0", "relay-eth0"} <= there
    assert not there & {"inet-eth0", "core-eth0"}
    assert next(said(story, "step 2 · Allocate request to the relay")).tap == "alice-eth0"
    assert "INCONCLUSIVE: the run folder is not whole" in run(
        "capinfos", str(tmp_path / "part.pcapng")
    )


def test_what_fails_is_told_with_what_the_verdict_cites(relayed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(relayed, tmp_path / "run")
    run_json = json.loads((copy / "run.json").read_text())
    run_json["expect"]["media"] = ["2"]
    (copy / "run.json").write_text(json.dumps(run_json))
    reseal(copy)
    result: Result = judge(copy)
    assert result.verdict is Verdict.FAIL
    story = shown(write_evidence(copy))
    first = result.citations[0]
    assert any("cited · media, Flow" in text for text in at(story, first.tap, first.frame))
