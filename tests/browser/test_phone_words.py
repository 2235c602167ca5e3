"""The first layer's words on a phone: where they go on, it shows; the buttons leave them room."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import expect

from tests.browser.test_equal_treatment import HOME, RELABEL
from tests.browser.visitor import Visitor
from wagtail_cookie_charter.conf import PRESETS

pytestmark = pytest.mark.browser

#: How far the words fade, in pixels at usual text size; and where their last line ends above.
FADES = """words => {
    const found = getComputedStyle(words).maskImage.match(/rgb\\(0, 0, 0\\) ([\\d.]+)px/);
    words.scrollTo(0, words.scrollHeight);
    const last = [...words.lastElementChild.getClientRects()].at(-1);
    return [found && parseFloat(found[1]), words.getBoundingClientRect().bottom - last.bottom];
}"""


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> Iterator[str]:
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": request.param}):
        yield request.param


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_what_goes_on_below_fades(
    new_visitor: Callable[..., Visitor], preset: str, look: dict[str, str]
) -> None:
    """R18, R20: and the last line, when it is reached, does not."""
    visitor = new_visitor(viewport={"width": 360, "height": 640}, **look)
    visitor.open(f"/sites/{HOME[preset]}/?words=fr")
    expect(visitor.banner).to_be_visible()
    words = visitor.banner.locator(".wcc-words")
    assert words.evaluate("words => words.scrollHeight > words.clientHeight")
    fades, above = words.evaluate(FADES)
    assert fades == 12
    # Letters begin above the end of their line.
    assert above >= 8


@pytest.mark.parametrize("words", ["en", "pl", "ar"])
def test_a_long_answer_makes_no_other_button_high(
    visitor: Visitor, preset: str, words: str
) -> None:
    """R15, R18: both answers are as high as the longer one; what is no answer is not."""
    visitor.page.set_viewport_size({"width": 360, "height": 640})
    visitor.open(f"/sites/{HOME[preset]}/?words={words}")
    expect(visitor.banner).to_be_visible()
    visitor.page.evaluate(RELABEL, ["Tout accepter", "Continuer sans accepter les cookies"])
    accept, refuse, more = visitor.banner.locator("button").all()
    high = [one.evaluate("button => button.offsetHeight") for one in (accept, refuse, more)]
    assert high[0] == high[1] > high[2]
    assert 44 <= high[2] < 47
    expect(more).to_be_in_viewport(ratio=1)
