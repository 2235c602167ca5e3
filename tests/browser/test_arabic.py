"""A whole site in Arabic, with its own words, from the right to the left, in every look."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Page, expect
from wagtail.models import Site

from tests import arabic
from tests.browser.engines import axe
from tests.browser.test_accessibility import CUT
from tests.browser.test_equal_treatment import HOME
from tests.browser.visitor import Visitor
from wagtail_cookie_charter.conf import PRESETS

pytestmark = pytest.mark.browser

ACCEPT, REFUSE, CUSTOMISE = "قبول الكل", "رفض الكل", "تخصيص"

#: What should begin at the right edge of what it is in, and how far it is from there.
STARTS = """([start, around]) => [...document.querySelectorAll(start)]
    .filter(element => element.checkVisibility())
    .map(element => Math.round(element.closest(around).getBoundingClientRect().right
        - element.getBoundingClientRect().right))"""


@pytest.fixture
def charter(site: str) -> Iterator[str]:
    """The charter's address, in Arabic."""
    with arabic.spoken([("en", "English"), ("fr", "French")]):
        page = arabic.publish(Site.objects.get(is_default_site=True))
        cache.clear()
        yield page.get_url_parts()[2]
    cache.clear()


def second_layer(visitor: Visitor) -> None:
    visitor.button(CUSTOMISE).click()
    expect(visitor.dialog).to_be_visible()
    visitor.unfold()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [(360, 640), (1280, 720)])
def test_both_layers_in_every_look(
    visitor: Visitor, charter: str, preset: str, size: tuple[int, int]
) -> None:
    page = visitor.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": preset}):
        visitor.open(f"/sites/{HOME[preset]}/?words=ar")
        expect(visitor.button(REFUSE)).to_be_visible()
        found = page.evaluate(CUT)
        second_layer(visitor)
        found += page.evaluate(CUT)
        assert not found, "\n".join(found)
        # Boxes, legends and names stand where the writing starts.
        box = ".wcc-dialog .fr-checkbox-group label" if preset == "dsfr" else ".wcc-choice input"
        distances = page.evaluate(STARTS, [box, "fieldset"])
        assert len(distances) > 4 and max(distances) < 64, distances
        accept, refuse = (
            visitor.dialog.get_by_role("button", name=name, exact=True).bounding_box()
            for name in (ACCEPT, REFUSE)
        )
        assert accept and refuse
        assert (accept["width"], accept["height"]) == (refuse["width"], refuse["height"])
        assert accept["x"] > refuse["x"], "the first one is at the right"


def test_the_boxes_of_the_dsfr_are_drawn_where_the_writing_starts(
    visitor: Visitor, charter: str
) -> None:
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": "dsfr"}):
        for words, side in (("ar", "right"), ("en", "left")):
            visitor.open(f"/sites/dsfr/?words={words}")
            expect(visitor.banner).to_be_visible()
            label = visitor.page.locator(".wcc-page .fr-checkbox-group label").first
            drawn = label.evaluate(
                "(label, side) => getComputedStyle(label, '::before')[side]", side
            )
            assert drawn == "-32px", words


def test_a_whole_visit(visitor: Visitor, charter: str) -> None:
    """First layer, second layer, answer, charter and record; engines find nothing."""
    page = visitor.page
    visitor.open(charter)
    assert page.locator("html").get_attribute("dir") == "rtl"
    expect(visitor.button(ACCEPT)).to_be_visible()
    found = [*axe(page), *page.evaluate(CUT)]
    second_layer(visitor)
    found += [*axe(page), *page.evaluate(CUT)]
    visitor.box("السماح: \u2068الإحصاءات\u2069").check()
    visitor.press_in_dialog("حفظ اختياراتي")
    visitor.expect_grants("statistics")
    expect(visitor.status).to_contain_text("حُفظت اختياراتك.")
    # The charter's link has given way to the record; it has a page of its own too.
    expect(page.locator(".wcc-record").get_by_text("سُمح به", exact=True)).to_be_visible()
    visitor.open("/cookie-charter/record/?language=ar")
    expect(page.get_by_role("heading", level=1)).to_have_text("ما اخترتُه")
    expect(page.get_by_text("سُمح به", exact=True)).to_be_visible()
    found += [*axe(page), *page.evaluate(CUT)]
    assert not found, "\n".join(found)
    assert not visitor.errors


#: The order in which the letters of a name stand, by where each is drawn.
ORDER = """element => {
    const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode();
    return [...text.data].map((letter, at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return [range.getBoundingClientRect().left, letter];
    }).sort((one, other) => one[0] - other[0]).map(([, letter]) => letter).join('');
}"""


def drawn(page: Page, name: str) -> str:
    order: str = page.locator(".wcc-page code bdi", has_text=name).first.evaluate(ORDER)
    return order


def test_a_name_is_read_as_it_is_written(visitor: Visitor, charter: str) -> None:
    """Not with its underscore at the other end, where nobody would find it."""
    visitor.open(charter)
    assert drawn(visitor.page, "_measure_*") == "_measure_*"
    assert drawn(visitor.page, "measure.*") == "measure.*"
    outside = "document.querySelector('.wcc-page code bdi').replaceWith('_measure_*')"
    visitor.page.evaluate(outside)
    code = visitor.page.locator(".wcc-page code").first
    assert code.evaluate(ORDER) != "_measure_*", "the measure itself: this is what bdi is for"


@pytest.fixture
def answered(visitor: Visitor, charter: str) -> Callable[[], Visitor]:
    def answered() -> Visitor:
        visitor.open(charter)
        visitor.button(REFUSE).click()
        expect(visitor.banner).to_be_hidden()
        visitor.expect_delivered()
        return visitor

    return answered


def test_the_charter_and_its_form(answered: Callable[[], Visitor]) -> None:
    page = answered().page
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert not page.evaluate(CUT)
    distances = page.evaluate(STARTS, [".wcc-page .wcc-choice input", "fieldset"])
    assert distances and max(distances) < 64
