"""How much of a screen the first layer takes, and what is left to the page (R18-R20, R23)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import override_settings
from playwright.sync_api import ViewportSize, expect

from tests.browser.portal import ask_again
from tests.browser.test_equal_treatment import HOME
from tests.browser.visitor import Visitor
from tests.factories import row
from wagtail_cookie_charter.conf import PRESETS

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 360, "height": 640}


@pytest.mark.parametrize("path", ["/", "/fr/"])
@pytest.mark.parametrize("size", [(360, 640), (390, 844), (412, 915), (320, 640)])
def test_a_third_of_a_phone_at_most(visitor: Visitor, path: str, size: tuple[int, int]) -> None:
    """With our words and four purposes; nothing is cut, and what does not fit scrolls."""
    ask_again(row(name="_ad", provider="Ad Network"))
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.open(path)
    expect(visitor.banner).to_be_visible()
    assert visitor.banner.locator("li").count() == 4
    box = visitor.banner.bounding_box()
    assert box and box["height"] <= size[1] / 3
    accept, refuse, more = (
        button.bounding_box() for button in visitor.banner.locator("button").all()
    )
    assert accept and refuse and more
    # Side by side, and the third below.
    assert accept["y"] == refuse["y"] < more["y"]
    for button in visitor.banner.locator("button").all():
        expect(button).to_be_in_viewport(ratio=1)
        assert button.evaluate("b => b.scrollWidth <= b.clientWidth")
    # The first line of what is asked is there without scrolling (R20).
    words = visitor.banner.locator(".wcc-words")
    assert words.evaluate("w => w.clientHeight >= 3 * parseFloat(getComputedStyle(w).lineHeight)")
    assert words.evaluate("w => w.scrollWidth <= w.clientWidth")


def test_the_words_scroll_by_keyboard(visitor: Visitor) -> None:
    """R69, R18: whoever has no pointer reads all of them before the buttons."""
    visitor.page.set_viewport_size(PHONE)
    visitor.open()
    expect(visitor.banner).to_be_visible()
    words = visitor.banner.locator(".wcc-words")
    assert words.evaluate("w => w.scrollHeight > w.clientHeight")
    # The first stop of Tab is the link that ends them.
    visitor.page.keyboard.press("Tab")
    expect(words.get_by_role("link")).to_be_focused()
    expect(words.get_by_role("link")).to_be_in_viewport(ratio=1)
    at = words.evaluate("w => w.scrollTop")
    assert at > 0
    visitor.page.keyboard.press("ArrowUp")
    visitor.wait_until(lambda: words.evaluate("w => w.scrollTop") < at)
    visitor.page.keyboard.press("Home")
    visitor.wait_until(lambda: words.evaluate("w => w.scrollTop") == 0)
    assert visitor.page.evaluate("scrollY") == 0


def test_with_large_text_it_may_take_more(new_visitor: Callable[..., Visitor]) -> None:
    """R75: then three lines and the buttons matter more than the third."""
    visitor = new_visitor(viewport=PHONE)
    visitor.open()
    visitor.page.add_style_tag(content=":root { font-size: 200% }")
    expect(visitor.banner).to_be_visible()
    box = visitor.banner.bounding_box()
    assert box and PHONE["height"] / 3 < box["height"] <= 0.7 * PHONE["height"]
    words = visitor.banner.locator(".wcc-words")
    assert words.evaluate("w => w.clientHeight >= 2 * parseFloat(getComputedStyle(w).lineHeight)")
    # The answers are in sight without scrolling.
    for name in ("Accept all", "Refuse all"):
        expect(visitor.button(name)).to_be_in_viewport(ratio=1)


#: The words that a button breaks: those whose letters stand on more than one line.
BROKEN = """button => {
    const text = document.createTreeWalker(button, NodeFilter.SHOW_TEXT).nextNode();
    return [...text.data.matchAll(/\\S+/g)].filter(word => {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
    }).map(String);
}"""

#: Lines of the words that nothing hides.
LINES = """words => {
    const own = words.getBoundingClientRect();
    const around = words.parentElement.getBoundingClientRect();
    const shown = Math.min(own.bottom, around.bottom) - Math.max(own.top, around.top);
    return shown / parseFloat(getComputedStyle(words).lineHeight);
}"""


@pytest.mark.parametrize("path", ["/", "/fr/"])
@pytest.mark.parametrize("width", [320, 360])
def test_large_text_breaks_no_word_of_a_button(
    new_visitor: Callable[..., Visitor], path: str, width: int
) -> None:
    """R75, WCAG 1.4.4: at 200 %, two lines to read, whole words, and what does not fit scrolls."""
    visitor = new_visitor(viewport={"width": width, "height": 640})
    visitor.open(path)
    visitor.page.add_style_tag(content=":root { font-size: 200% }")
    expect(visitor.banner).to_be_visible()
    assert visitor.banner.locator(".wcc-words").evaluate(LINES) >= 2
    buttons = visitor.banner.locator("button").all()
    assert [button.evaluate(BROKEN) for button in buttons] == [[], [], []]
    for button in buttons[:2]:
        expect(button).to_be_in_viewport(ratio=1)
    buttons[2].focus()
    expect(buttons[2]).to_be_in_viewport(ratio=1)
    assert visitor.banner.evaluate("banner => banner.scrollWidth <= banner.clientWidth")


@pytest.mark.parametrize("placement", ["bottom", "corner", "center"])
@pytest.mark.parametrize("path", ["en", "fr", "de"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_phone_on_its_side(visitor: Visitor, placement: str, path: str, preset: str) -> None:
    """R18: at most half of it; the words scroll, the answers stand still and in sight."""
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": preset}):
        for width, height in ((640, 360), (667, 375), (844, 390)):
            visitor.page.set_viewport_size({"width": width, "height": height})
            visitor.open(f"/sites/{HOME[preset]}/?words={path}&placement={placement}")
            expect(visitor.banner).to_be_visible()
            box = visitor.banner.bounding_box()
            assert box and box["height"] <= height / 2
            assert visitor.banner.locator(".wcc-words").evaluate(LINES) >= 2
            for button in visitor.banner.locator("button").all():
                expect(button).to_be_in_viewport(ratio=1)
            assert visitor.banner.evaluate("one => one.scrollHeight <= one.clientHeight")


@pytest.mark.parametrize("preset", PRESETS)
def test_an_edge_in_forced_colours(new_visitor: Callable[..., Visitor], preset: str) -> None:
    """R74: where shadows and backgrounds are gone, a line tells the banner from the page."""
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": preset}):
        visitor = new_visitor(forced_colors="active")
        visitor.open(f"/sites/{HOME[preset]}/")
        expect(visitor.banner).to_be_visible()
        for one in ("#wcc", ".wcc-embed"):
            seen = visitor.page.locator(one).evaluate(EDGE)
            assert seen, one
        visitor.banner.locator("[data-cookie-charter-open]").click()
        expect(visitor.dialog).to_be_visible()
        assert visitor.dialog.evaluate(EDGE)


#: Whether a line, in a colour that is not the page's, is around an element.
EDGE = """element => {
    const style = getComputedStyle(element);
    const page = getComputedStyle(document.body).backgroundColor;
    return ['outline', 'border-top'].some(line => {
        const [kind, width, colour] = ['style', 'width', 'color'].map(
            part => style.getPropertyValue(`${line}-${part}`));
        return kind != 'none' && parseFloat(width) >= 1
            && colour != page && !/^rgba.* 0\\)$/.test(colour);
    });
}"""
