"""Reports as a browser shows them: Debian's Chromium, without a window and without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from results.judge import judge
from tests.results.report.browser import View, launched
from tests.results.report.cases import CASES, laid_out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all: it takes a second to start, and must not outlive these tests."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Case -> its report."""
    return {
        case: laid_out(case, tmp_path_factory.mktemp("reports")) / "report.html" for case in CASES
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [375, 1280])
def test_a_report_is_a_good_page(
    browser: Browser, reports: dict[str, Path], case: str, width: int
) -> None:
    with View(browser, reports[case], width) as view:
        assert view.faults() == []
        view.page.emulate_media(color_scheme="dark")
        ground = view.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(16, 21, 27)"
        assert view.pale_texts() == []


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [375, 1280])
def test_the_arrows_are_those_of_the_result(
    browser: Browser, reports: dict[str, Path], case: str, width: int
) -> None:
    result = judge(reports[case].parent)
    with View(browser, reports[case], width) as view:
        assert view.differences(result) == []
        expected = len(result.signalling_flows) + len(result.media_flows)
        assert view.arrows().total() == expected
        assert expected or case == "interrupted"


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("arrow('media', '4').remove()", "lacks the arrow media 4"),
        ("arrow('media', '4').dataset.flow = '2'", "has an arrow too many: media 2"),
        ("arrow('media', '4').after(arrow('media', '4').cloneNode(true))", "too many: media 4"),
        ("arrow('media', '3').dataset.kind = 'signalling'", "lacks the arrow media 3"),
        ("arrow('media', '3').style.display = 'none'", "lacks the arrow media 3"),
        ("arrow('refused', 'none').remove()", "lacks what office refused"),
        ("arrow('refused', 'none').dataset.by = 'core'", "by core, who refused nothing"),
    ],
)
def test_a_wrong_arrow_is_told(
    browser: Browser, reports: dict[str, Path], change: str, difference: str
) -> None:
    with View(browser, reports["relayed"]) as view:
        view.page.evaluate(
            """() => {
              const arrow = (kind, flow) => document.querySelector(
                `.wide .arrow[data-kind="${kind}"][data-flow="${flow}"]`);
              CHANGE;
            }""".replace("CHANGE", change)
        )
        assert difference in "; ".join(view.differences(judge(reports["relayed"].parent)))


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ('<img src="https://service.example/x.png">', "the console says"),
        ('<p style="width: 3000px">wide</p>', "pixels wide in a window of 1280"),
        ('<a href="captures/none.pcapng">x</a>', "captures/none.pcapng leads nowhere"),
        ('<a href="#nobody">x</a>', "there is no #nobody"),
        ('<p id="network">x</p>', "there are 2 #network"),
        ('<font color="#cccccc">pale</font>', "'pale' has a contrast of 1.6"),
    ],
)
def test_a_bad_page_is_told(
    browser: Browser, reports: dict[str, Path], markup: str, fault: str
) -> None:
    with View(browser, reports["relayed"]) as view:
        view.page.evaluate(
            """markup => {
              document.querySelector('main').insertAdjacentHTML('beforeend', markup);
              for (const one of document.querySelectorAll('[style]'))
                one.style.cssText = one.getAttribute('style');
            }""",
            markup,
        )
        assert any(fault in one for one in view.faults()), view.faults()


def test_text_of_a_run_stays_text(browser: Browser, reports: dict[str, Path]) -> None:
    with View(browser, reports["hostile"]) as view:
        assert view.page.evaluate("window.taken") is None
        assert view.page.locator("img").count() == 0
        assert view.page.locator("script").count() == 1
        assert "<script>window.taken" in view.page.locator("h1").inner_text()


@pytest.mark.parametrize(
    ("case", "verdict", "why"),
    [
        ("failed", "FAIL", "where Flow 2 was expected"),
        ("damaged", "INCONCLUSIVE", "inet-eth0.pcapng was changed after the run"),
        ("interrupted", "INCONCLUSIVE", "the run was not done: interrupted"),
        ("relayed", "PASS", "through the relay (Flows 3 and 4)"),
    ],
)
def test_the_first_thing_seen_is_the_verdict_and_why(
    browser: Browser, reports: dict[str, Path], case: str, verdict: str, why: str
) -> None:
    with View(browser, reports[case]) as view:
        heading = view.page.get_by_role("heading", level=1)
        box = heading.bounding_box()
        assert view.page.locator(".answer .verdict").inner_text() == verdict
        assert why in heading.inner_text()
        assert box is not None
        assert box["y"] + box["height"] < 400


def test_keys_lead_to_the_answer(browser: Browser, reports: dict[str, Path]) -> None:
    with View(browser, reports["relayed"]) as view:
        view.page.keyboard.press("Tab")
        assert view.page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        view.page.keyboard.press("Enter")
        assert view.page.evaluate("document.activeElement.id") == "answer"


def test_all_that_can_be_used_can_be_reached_by_keys(
    browser: Browser, reports: dict[str, Path]
) -> None:
    with View(browser, reports["relayed"]) as view:
        every = view.page.locator("a:visible, button:visible, summary:visible").count()
        reached = set()
        for _ in range(2 * every):
            view.page.keyboard.press("Tab")
            reached.add(
                view.page.evaluate(
                    """[...document.querySelectorAll('a, button, summary')]
                    .indexOf(document.activeElement)"""
                )
            )
        assert len(reached - {-1}) == every


def test_a_screen_reader_is_told_what_is_drawn(browser: Browser, reports: dict[str, Path]) -> None:
    with View(browser, reports["relayed"]) as view:
        drawing = view.page.get_by_role("img", name="The network of external_relayed")
        assert drawing.count() == 1
        table = view.page.get_by_role("table", name="The arrows of the drawing")
        rows = table.get_by_role("row").all_inner_texts()
        assert any("media" in row and "alice" in row and "relay" in row for row in rows)
        assert any("refused" in row and "no_direct_media" in row for row in rows)
        assert view.page.get_by_role("list", name="The eight steps, in order").count() == 1


def test_a_filter_is_copied(browser: Browser, reports: dict[str, Path]) -> None:
    with View(browser, reports["relayed"]) as view:
        view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = view.page.locator("#frames button.copy").nth(1)
        button.click()
        view.page.get_by_text("copied").wait_for()
        copied = view.page.evaluate("navigator.clipboard.readText()")
        assert copied == button.get_attribute("data-copy")
        assert copied.startswith("frame.number == ")


def test_a_printed_report_is_light_and_whole(browser: Browser, reports: dict[str, Path]) -> None:
    with View(browser, reports["relayed"], 750, "dark") as view:
        view.page.emulate_media(media="print")
        ground = view.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert view.page.locator("svg.wide").is_visible()
        assert not view.page.locator("nav").is_visible()
        assert not view.page.locator("button.copy").first.is_visible()
        assert view.page.locator(".pairs td").first.is_visible()
        assert view.page.pdf().startswith(b"%PDF")


def test_the_index_leads_to_the_reports(browser: Browser, reports: dict[str, Path]) -> None:
    for case in ("relayed", "interrupted"):
        folder = reports[case].parent
        for width in (375, 1280):
            with View(browser, folder.parent / "index.html", width) as view:
                assert view.faults() == []
                view.page.get_by_role("link", name=folder.name).click()
                assert view.page.url == reports[case].as_uri()
