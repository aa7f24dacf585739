"""The page of a report: templates filled with its content, style and script inside."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from results.estimate import assumptions, in_words
from results.report.content import Content
from results.words import direction_in_words

_TEMPLATES = files("results.report") / "templates"

#: Where the ladder's rails stand: caller, servers, callee.
_RAILS = ("12%", "50%", "88%")


#: By this a page of ours is known.
GENERATOR = '<meta name="generator" content="Callpath">'


def page(content: Content) -> str:
    """A report as one HTML file that needs no other, and asks for none."""
    return _render("report.html", script=_text("copy.js"), content=content, rails=_RAILS)


def index_page(rows: Sequence[object]) -> str:
    """The page that leads to the reports of many runs (files.IndexRow)."""
    return _render("index.html", rows=rows)


def prepare() -> None:
    """Compile the templates ahead of time, where somebody waits for the page later."""
    for name in _environment().list_templates(extensions=["html", "svg"]):
        _environment().get_template(name)


def _render(name: str, script: str = "", **values: object) -> str:
    """A template with our style and script; nothing else may run or load (CSP level 3)."""
    style = _text("style.css")
    allowed = [f"style-src {_digest(style)}", "img-src data:"]
    if script:
        allowed.append(f"script-src {_digest(script)}")
    security = "; ".join(("default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"))
    template = _environment().get_template(name)
    return template.render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        security=security,
        generator=Markup(GENERATOR),  # noqa: S704 - our own text
        **values,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("results.report"),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"rated": in_words, "assumptions": assumptions}
    environment.filters |= {"px": _pixels, "ms": _milliseconds, "slug": _slug, "urlpath": quote}
    environment.filters["direction"] = direction_in_words
    return environment


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a security policy names an inline style or script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _pixels(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _milliseconds(value: float) -> str:
    return f"+{value / 1000:.3f} s" if value >= 1000 else f"+{value:.1f} ms"


def _slug(text: str) -> str:
    """A word that may name a CSS class."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
