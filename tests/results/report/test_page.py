"""Pages as text: what is measured is shown, what is not there is not, nothing is asked for."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from results.estimate import estimate
from results.judge import Judged, examine
from results.measured import Hop, Quality
from results.report.content import Beside, content_of
from results.report.page import page
from tests.results.recorded import unpack

QUALITY = Quality(
    expected=120,
    lost=7,
    longest_burst=3,
    reordered=2,
    duplicated=1,
    jitter_ms=0.123,
    jitter_max_ms=4.567,
    delay_ms=0.345,
    delay_p99_ms=6.789,
)
HOP = {
    "from": "alice-eth0",
    "to": "core-eth0",
    "packets": 113,
    "lost": 7,
    "delay_ms": 0.111,
    "delay_p99_ms": 2.222,
    "jitter_ms": 3.333,
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return examine(unpack(tmp_path_factory.mktemp("recorded"), "external_relayed"))


def measured(judged: Judged, hops: tuple[Hop, ...], quality: Quality | None) -> Judged:
    """The same run with another quality of its media."""
    (call,) = judged.evidence.calls
    more = {"hops": hops, "quality": quality}
    media = tuple(path.model_copy(update=more) for path in call.result.media)
    changed = replace(call, result=call.result.model_copy(update={"media": media}))
    return replace(judged, evidence=replace(judged.evidence, calls=(changed,)))


def test_what_was_measured_of_hops_is_shown(judged: Judged) -> None:
    hops = (Hop.model_validate(HOP),)
    text = page(content_of(measured(judged, hops, QUALITY), Beside()))
    assert "7 of 120 lost, longest burst 3, 2 reordered, 1 duplicated" in text
    assert "jitter 0.12 ms, at most 4.57 ms" in text
    row = re.search(r"<tr class=\"bad\">(.*?)</tr>", text)
    assert row
    cells = re.findall(r"<td>(.*?)</td>", row[1])
    assert cells == ["alice-eth0", "core-eth0", "113", "7", "0.111 ms", "2.222 ms", "3.333 ms"]


def test_the_estimate_is_shown_with_what_it_assumes(judged: Judged) -> None:
    found = estimate(150.0, 180.0, [1, 1], 98)
    quality = QUALITY.model_copy(update={"estimate": found})
    text = page(content_of(measured(judged, (), quality), Beside()))
    assert f"Estimate: R {found.r:.1f}, MOS {found.mos:.2f}, 206.5 ms from mouth to ear" in text
    assert "assume opus with Ie 0 and Bpl 10" in text
    assert "Estimate:" not in page(content_of(measured(judged, (), QUALITY), Beside()))


def test_what_was_not_measured_is_not_shown(judged: Judged) -> None:
    text = page(content_of(measured(judged, (), None), Beside()))
    assert "longest burst" not in text
    assert "Delay, median" not in text


def test_only_our_own_style_and_script_may_run(judged: Judged) -> None:
    text = page(content_of(judged, Beside()))
    (security,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    for kind in ("style", "script"):
        (own,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{kind}-src &#39;sha256-{digest}&#39;" in security
    assert security.startswith("default-src &#39;none&#39;")


def test_nothing_leads_elsewhere(judged: Judged) -> None:
    text = page(content_of(judged, Beside()))
    targets = re.findall(r'(?:href|src|action)="(.*?)"', text)
    assert targets
    assert not [
        target for target in targets if re.match(r"\w+:(?!,)", target) and target != "data:,"
    ]
    assert "//" not in "".join(targets)


def test_a_report_of_a_network_without_calls_is_a_page(judged: Judged) -> None:
    bare = replace(
        judged,
        evidence=replace(judged.evidence, calls=(), signalling=(), media=()),
        result=judged.result.model_copy(
            update={"calls": (), "signalling_flows": (), "media_flows": (), "citations": ()}
        ),
        ending=None,
    )
    text = page(content_of(bare, Beside()))
    assert "No flow was seen." in text
    assert "No frame is cited." in text
    assert 'id="steps"' not in text


def test_the_templates_are_installed_with_the_package() -> None:
    setup = (Path(__file__).parents[3] / "setup.cfg").read_text(encoding="utf-8")
    assert "results.report = templates/*" in setup
