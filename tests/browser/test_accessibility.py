"""Engines find nothing on any of our screens, however they are looked at (R69-R83).

What they cannot find is in test_keyboard.py, test_screens.py, test_spoken.py; and what no
machine can, in docs/accessibility.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.engines import axe, codesniffer
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

#: What the author of a page may set, and nothing may be lost (WCAG 1.4.12).
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
word-spacing: 0.16em !important } p { margin-block-end: 2em !important }"""

#: A page with a dark side of its own; axe takes what has no background for white.
DARK_PAGE = ":root { color-scheme: light dark; background: canvas }"


@dataclass(frozen=True)
class Mode:
    """A way to look at a page: the browser's options, a style, the writing's direction."""

    context: dict[str, Any] = field(default_factory=dict)
    style: str = ""
    rtl: bool = False


def screen(width: int, height: int, scale: int = 1) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": height}, "device_scale_factor": scale}


MODES = {
    "light": Mode(),
    "dark": Mode(
        {"color_scheme": "dark"}, ":root { color-scheme: light dark; background: canvas }"
    ),
    "forced colours": Mode({"forced_colors": "active"}),
    "320 pixels": Mode(screen(320, 640)),
    "phone on its side": Mode(screen(640, 360)),
    "zoom of 400 %": Mode(screen(320, 256, 4)),
    "spaced text": Mode(screen(360, 640), SPACING),
    "text of 200 %": Mode(style=":root { font-size: 200% }"),
    "right to left": Mode(rtl=True),
}


#: What of ours is wider than its box, and controls that are higher than theirs; but for what
#: only screen readers get, which is clipped to nothing.
CUT = """() => {
const unseen = element => !!element && (
    getComputedStyle(element).clipPath != 'none' || unseen(element.parentElement));
return [...document.querySelectorAll('.wcc, .wcc-dialog, .wcc-page, .wcc-embed')]
    .flatMap(part => [part, ...part.querySelectorAll('*')])
    .filter(element => element.checkVisibility() && element.clientWidth && !unseen(element))
    .filter(element => element.scrollWidth > element.clientWidth + 1
        || element.matches('button, label, summary')
            && element.scrollHeight > element.clientHeight + 1)
    .map(element => `cut: ${element.scrollWidth} > ${element.clientWidth} `
        + element.outerHTML.slice(0, 90))
    .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : []);
}"""


class Audit:
    """One visitor and all that the engines found on the way."""

    def __init__(self, visitor: Visitor, mode: Mode) -> None:
        self.visitor = visitor
        self.mode = mode
        self.found: list[str] = []

    def open(self, path: str) -> Page:
        page = self.visitor.open(path).page
        if self.mode.rtl:
            page.evaluate("Object.assign(document.documentElement, {dir: 'rtl', lang: 'ar'})")
        if self.mode.style:
            page.add_style_tag(content=self.mode.style)
        return page

    def look(self, name: str) -> None:
        page = self.visitor.page
        for engine in (axe, codesniffer):
            self.found += [f"{name}: {line}" for line in engine(page)]
        self.found += [f"{name}: {line}" for line in page.evaluate(CUT)]


def test_the_engines_do_find_what_is_wrong(visitor: Visitor) -> None:
    """Zero findings say nothing about an engine that is not running."""
    page = visitor.open("/plain/").page
    page.evaluate(
        """() => {
            const image = new Image(9, 9);
            const words = document.createElement('p');
            words.textContent = 'Hard to read';
            Object.assign(words.style, {color: '#ddd', background: '#fff'});
            document.body.append(image, document.createElement('input'), words);
        }"""
    )
    findings = "\n".join(axe(page))
    for rule in ("color-contrast", "image-alt", "label", "region"):
        assert f"axe {rule}: " in findings, rule
    findings = "\n".join(codesniffer(page))
    for rule in ("1_1_1.H37", "1_4_3.G18", "1_3_1.F68"):
        assert rule in findings, rule


@pytest.mark.parametrize("name", MODES)
def test_engines_find_nothing(name: str, new_visitor: Callable[..., Visitor], cards: str) -> None:
    mode = MODES[name]
    visitor = new_visitor(**mode.context)
    audit = Audit(visitor, mode)
    audit.open(cards)
    expect(visitor.banner).to_be_visible()
    audit.look("banner and cards")
    visitor.customise()
    visitor.unfold()
    audit.look("dialog")
    visitor.press_in_dialog("Refuse all")
    expect(visitor.status).not_to_be_empty()
    audit.look("answered")
    audit.open("/cookie-charter/")
    for details in visitor.page.locator("main details").all():
        details.locator("summary").click()
    audit.look("charter")
    assert not audit.found, "\n".join(audit.found)


def test_engines_find_nothing_without_our_scripts(visitor: Visitor) -> None:
    """R61: the charter's form and its message. (The engines are scripts, so some must run.)"""
    visitor.page.route("**/*.js", lambda route: route.abort())
    audit = Audit(visitor, Mode())
    audit.open("/cookie-charter/")
    form = visitor.page.locator(".wcc-form")
    form.get_by_role("button", name="Refuse all").click()
    expect(visitor.page.locator("#wcc-saved")).to_be_visible()
    audit.look("answered")
    assert not audit.found, "\n".join(audit.found)
