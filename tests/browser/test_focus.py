"""Where the focus is, it can be seen; and what it is on can be hit (R69-R71, R79-R81)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.engines import axe
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

#: What one meets while tabbing through a page: the element with the focus, or nothing.
NAME = "document.activeElement.textContent.trim() || document.activeElement.tagName"

#: The mark of the focus, and its contrast with what it is drawn on.
MARK = """() => {
    const element = document.activeElement, style = getComputedStyle(element);
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    let back = element.parentElement;
    while (back && parts(getComputedStyle(back).backgroundColor)[3] === 0)
        back = back.parentElement;
    const light = colour => {
        const [r, g, b] = parts(colour).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = back ? getComputedStyle(back).backgroundColor : 'rgb(255, 255, 255)';
    const [one, other] = [style.outlineColor, behind].map(light);
    return {
        name: element.textContent.trim() || element.value || element.tagName,
        style: style.outlineStyle,
        width: parseFloat(style.outlineWidth),
        outside: parseFloat(style.outlineOffset) >= 0,
        ratio: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05),
    };
}"""


#: The stops of Tab in a part of the page, and which of them has the focus.
STOPS = """where => {
    const stops = [...where.querySelectorAll('a[href], button, input, summary')]
        .filter(element => element.checkVisibility() && element.tabIndex >= 0);
    return [stops.length, stops.indexOf(document.activeElement)];
}"""


def expect_marks(visitor: Visitor, where: Locator) -> None:
    """Tab through all that is in ``where``: each stop has a mark that stands out (3 to 1)."""
    seen = set()
    number = -1
    for _step in range(80):
        visitor.page.keyboard.press("Tab")
        number, index = where.evaluate(STOPS)
        if index < 0:
            continue
        mark = visitor.page.evaluate(MARK)
        # What the browser draws by itself has two colours, for any background.
        if mark["style"] != "auto":
            assert mark["style"] == "solid" and mark["width"] >= 2, mark
            assert mark["outside"] and mark["ratio"] >= 3, mark
        seen.add(index)
        if len(seen) == number:
            return
    raise AssertionError(f"Tab came to {len(seen)} of {number} stops")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_stop_is_marked(new_visitor: Callable[..., Visitor], cards: str, scheme: str) -> None:
    """R69 (WCAG 2.4.7, 1.4.11): in every part of ours, in both schemes."""
    visitor = new_visitor(color_scheme=scheme)
    visitor.open(cards)
    expect(visitor.banner).to_be_visible()
    expect_marks(visitor, visitor.banner)
    for card in visitor.page.locator(".wcc-embed").all():
        expect_marks(visitor, card)
    visitor.customise()
    visitor.unfold()
    expect_marks(visitor, visitor.dialog)
    visitor.press_in_dialog("Refuse all")
    visitor.expect_delivered()
    visitor.open("/cookie-charter/")
    expect_marks(visitor, visitor.page.locator(".wcc-page"))


# --- Not behind the banner ------------------------------------------------------------

LONG = """<h1>Page</h1>
{% for number in "123456789012" %}
<h2>Part {{ forloop.counter }}</h2><p>Words with <a href="#content">a link {{ forloop.counter }}</a>
in them, of some length.</p><p><label>Field {{ forloop.counter }}
<input></label> <button type="button">Button {{ forloop.counter }}</button></p>
<details><summary>More {{ forloop.counter }}</summary><p>Hidden words</p></details>
<p><label>Text {{ forloop.counter }} <textarea rows="3"></textarea></label></p>
{% endfor %}"""

#: How much of what has the focus is in sight: of nine points in it, those where nothing
#: lies over it.
IN_SIGHT = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect();
    const banner = document.getElementById('wcc');
    if (element === document.body || banner.contains(element)) return null;
    const at = [0.1, 0.5, 0.9];
    return at.flatMap(x => at.map(y => document.elementFromPoint(
        box.left + x * box.width, box.top + y * box.height)))
        .filter(top => top && (element.contains(top) || top.contains(element)))
        .length;
}"""


@pytest.mark.parametrize("size", [(1280, 720), (360, 640), (320, 256)])
def test_nothing_with_the_focus_is_behind_the_banner(
    visitor: Visitor, write: Callable[..., str], size: tuple[int, int]
) -> None:
    """R80 (WCAG 2.4.11): through a whole page and back; all of it in sight, not just a part."""
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.open(write(LONG))
    expect(visitor.banner).to_be_visible()
    expect(visitor.page.locator("html")).to_have_class("wcc-asks")
    for key in ("Tab", "Shift+Tab"):
        stops = 0
        for _step in range(70):
            visitor.page.keyboard.press(key)
            points = visitor.page.evaluate(IN_SIGHT)
            if points is None:
                if stops > 40:
                    break
                continue
            stops += 1
            assert points == 9, (key, points, visitor.page.evaluate(NAME))
        assert stops > 48, stops


# --- Order ----------------------------------------------------------------------------

SKIP_FIRST = """{% load cookie_charter %}<!doctype html>
<html lang="en"><head><title>Page</title><meta name="viewport" content="width=device-width"></head>
<body><a href="#content">Skip</a>{% cookie_banner %}
<main id="content" tabindex="-1"><h1>Page</h1><p>Words with <a href="/plain/">A link</a></p></main>
<footer>{% cookie_settings_link %}</footer></body></html>"""


def stops(page: Page, number: int) -> list[Any]:
    found = []
    for _step in range(number):
        page.keyboard.press("Tab")
        found.append(page.evaluate(NAME))
    return found


def test_a_skip_link_stays_first_where_the_page_has_it_first(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R79: the banner takes the place that the page gives it, and the engines agree."""
    visitor.open(write(SKIP_FIRST, layout=""))
    expect(visitor.banner).to_be_visible()
    assert not axe(visitor.page)
    assert stops(visitor.page, 6) == [
        "Skip",
        "Cookie charter",
        "Accept all",
        "Refuse all",
        "Customise",
        "A link",
    ]
    # It skips, with the question open.
    visitor.page.get_by_role("link", name="Skip").press("Enter")
    assert stops(visitor.page, 1) == ["A link"]


def test_after_the_second_layer_one_goes_on_where_one_was(visitor: Visitor) -> None:
    """R71: from the footer back to its link; from the banner, which is gone, into the page."""
    visitor.open()
    visitor.button("Customise").press("Enter")
    expect(visitor.dialog).to_be_visible()
    visitor.dialog.get_by_role("button", name="Save my choices").press("Enter")
    visitor.expect_delivered()
    assert stops(visitor.page, 1) == ["Skip to content"]
    visitor.footer_link.press("Enter")
    expect(visitor.dialog).to_be_visible()
    visitor.dialog.get_by_role("button", name="Save my choices").press("Enter")
    expect(visitor.dialog).to_be_hidden()
    expect(visitor.footer_link).to_be_focused()


def test_who_allows_content_by_keyboard_is_on_it(visitor: Visitor, cards: str) -> None:
    """R71: the button is gone; the focus is on what came in its place."""
    visitor.open(cards).refuse()
    visitor.page.get_by_role("button", name="Allow Film Host", exact=True).press("Enter")
    film = visitor.page.get_by_title("Film")
    expect(film).to_be_visible()
    visitor.expect_on(film)


# --- Targets --------------------------------------------------------------------------

#: Each control's size; a box's label is part of it. Links within a sentence may be as small
#: as its words (WCAG 2.5.8, "inline").
SMALL = """(where) => [...where.querySelectorAll('a[href], button, input, summary')]
    .filter(element => element.checkVisibility() && element.tabIndex >= 0)
    .map(element => [element, element.closest('label') ?? element])
    .filter(([element]) => !(element.tagName == 'A'
        && element.parentElement.textContent.trim() != element.textContent.trim()))
    .map(([element, target]) => [element, target.getBoundingClientRect()])
    .filter(([element, {width, height}]) => {
        const least = element.tagName == 'A' ? 24 : 44;
        return width < least || height < least;
    })
    .map(([element, {width, height}]) => `${element.outerHTML.slice(0, 90)} ${width}x${height}`)"""


@pytest.mark.parametrize("width", [320, 1280])
def test_targets_are_large(visitor: Visitor, cards: str, width: int) -> None:
    """R81 (WCAG 2.5.8): 44 pixels for what one presses, 24 for links that stand alone."""
    visitor.page.set_viewport_size({"width": width, "height": 720})
    visitor.open(cards)
    expect(visitor.banner).to_be_visible()
    small = visitor.banner.evaluate(SMALL)
    for card in visitor.page.locator(".wcc-embed").all():
        small += card.evaluate(SMALL)
    visitor.customise()
    visitor.unfold()
    small += visitor.dialog.evaluate(SMALL)
    visitor.press_in_dialog("Refuse all")
    visitor.expect_delivered()
    visitor.open("/cookie-charter/")
    small += visitor.page.locator(".wcc-page .wcc-form").evaluate(SMALL)
    assert not small, "\\n".join(small)
