"""A browser that looks at a report, and what may be wrong with what it sees.

Every check gives a list of faults, each as one sentence; an empty list is a good page.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from results.schema import Outcome, Result

#: Debian's browser without a window, and the one with it.
_PROGRAMS = ("chromium-headless-shell", "chromium")

#: WCAG 2.2, success criterion 1.4.3: for text, and for large text.
_CONTRAST, _LARGE_CONTRAST = 4.5, 3.0

#: Every visible text as [text, size, weight, its colour, the colour behind it].
_TEXTS = """() => {
  const channels = colour => colour.match(/[\\d.]+/g).map(Number);
  const opaque = colour => { const c = channels(colour); return c.length < 4 || c[3] === 1; };
  const page = one => {
    while (one && !opaque(getComputedStyle(one).backgroundColor)) one = one.parentElement;
    return one ? getComputedStyle(one).backgroundColor : 'rgb(255, 255, 255)';
  };
  const drawing = (x, y) => {
    const filled = document.elementsFromPoint(x, y).find(one =>
      ['rect', 'circle'].includes(one.tagName) && getComputedStyle(one).fill.startsWith('rgb'));
    return filled ? getComputedStyle(filled).fill : page(document.body);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, own = node.parentElement;
    if (!node.data.trim() || !own.checkVisibility() || own.closest('title, desc')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box || own.closest('.hidden, .skip')) continue;
    const style = getComputedStyle(own), drawn = own.namespaceURI.endsWith('svg');
    const ink = drawn ? style.fill : style.color;
    const ground = drawn ? drawing(box.x + box.width / 2, box.y + box.height / 2) : page(own);
    found.push([node.data.trim(), parseFloat(style.fontSize), style.fontWeight,
                channels(ink).slice(0, 3), channels(ground).slice(0, 3)]);
  }
  return found;
}"""


@contextmanager
def launched() -> Iterator[Browser]:
    """Debian's Chromium without a window; the test is skipped where it is not installed."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip(f"{' or '.join(_PROGRAMS)} is not installed")
    # Chromium's own sandbox does not work as root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


class View:
    """A page in a window of some size, with all that it asked for and complained about."""

    def __init__(
        self,
        browser: Browser,
        file: Path,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:
        # High enough for the whole page, so that every text can be pointed at.
        size = {"width": width, "height": 12_000}
        self._context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        self.page: Page = self._context.new_page()
        self.file = file
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> "View":
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def faults(self) -> list[str]:
        """Everything that no page may have."""
        return [
            *(f"the console says: {text}" for text in self.complaints),
            *(f"it asks for {url}" for url in self.requests if url != self.file.as_uri()),
            *self.overflow(),
            *self.broken_links(),
            *self.pale_texts(),
        ]

    def overflow(self) -> list[str]:
        """Whether a reader would have to scroll sideways."""
        needed, there = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        return [f"it is {needed} pixels wide in a window of {there}"] if needed > there else []

    def broken_links(self) -> list[str]:
        """Links that lead nowhere, and references to ids that are not there, or there twice."""
        found = self.page.evaluate(
            "[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"
        )
        ids = Counter(self.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        referred = self.page.evaluate(
            """[...document.querySelectorAll('[aria-labelledby], [marker-end]')].flatMap(e =>
            [...(e.getAttribute('aria-labelledby') || '').split(' ').filter(Boolean),
             ...(e.getAttribute('marker-end') || '').matchAll(/#([^)]+)/g)].map(String))"""
        )
        wanted = {*(link[1:] for link in found if link.startswith("#"))}
        wanted |= {name.rpartition(",")[2] for name in referred}
        files = {link for link in found if not link.startswith("#")}
        return [
            *(
                f"the link {link} leads nowhere"
                for link in sorted(files)
                if not self._is_there(link)
            ),
            *(f"there is no #{name}" for name in sorted(wanted) if name not in ids),
            *(f"there are {count} #{name}" for name, count in ids.items() if count > 1),
        ]

    def _is_there(self, link: str) -> bool:
        return (self.file.parent / link).resolve().exists()

    def pale_texts(self) -> list[str]:
        """Texts that stand out too little from what is behind them."""
        found = []
        for text, size, weight, ink, ground in self.page.evaluate(_TEXTS):
            large = size >= 24 or (size >= 18.66 and int(weight) >= 700)
            ratio = _contrast(ink, ground)
            if ratio < (_LARGE_CONTRAST if large else _CONTRAST):
                found.append(f"{text!r} has a contrast of {ratio:.1f}")
        return found

    def arrows(self) -> Counter[tuple[str, str]]:
        """The kinds and flows of the arrows in the drawing that is seen."""
        return Counter((kind, flow) for kind, flow, _ in self._arrows() if kind != "refused")

    def refused(self) -> set[str]:
        """Who refused something in the drawing that is seen."""
        return {by for kind, _, by in self._arrows() if kind == "refused"}

    def _arrows(self) -> list[Any]:
        found: list[Any] = self.page.evaluate(
            """[...document.querySelectorAll('.arrow')].filter(e => {
              const box = e.getBoundingClientRect();
              return box.width + box.height > 0;
            }).map(e => [e.dataset.kind, e.dataset.flow, e.dataset.by || ''])"""
        )
        return found

    def differences(self, result: Result) -> list[str]:
        """In what the drawing that is seen is not what the result says."""
        wanted = Counter(("signalling", str(flow)) for flow in result.signalling_flows)
        wanted += Counter(("media", str(flow)) for flow in result.media_flows)
        seen = self.arrows()
        by = {
            pair.by
            for call in result.calls
            for pair in call.pairs
            if pair.outcome is Outcome.REFUSED and pair.by
        }
        return [
            *_told("lacks the arrow", (wanted - seen).elements()),
            *_told("has an arrow too many:", (seen - wanted).elements()),
            *(f"lacks what {name} refused" for name in sorted(by - self.refused())),
            *(f"has a refusal by {name}, who refused nothing" for name in self.refused() - by),
        ]


def _told(what: str, arrows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{what} {kind} {flow}" for kind, flow in arrows]


def _contrast(ink: list[float], ground: list[float]) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(ink), _luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: list[float]) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [value / 255 for value in colour]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
