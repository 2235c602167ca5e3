"""Editors see where they are: nothing of ours lies over it (WCAG 2.4.11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from playwright.sync_api import ViewportSize, expect
from wagtail.models import Site

from tests.browser.visitor import Visitor
from tests.factories import row, table
from wagtail_cookie_charter.models import CookieCharterPage

pytestmark = pytest.mark.browser

#: Whether any of five points of what has the focus, as far as it is in the window, can be seen;
#: scrolling may take its time. After the last, nothing has it.
SEEN = """() => {
    const own = document.activeElement;
    if (own == document.body) return true;
    const { left, top, right, bottom } = own.getBoundingClientRect();
    const box = { left: Math.max(left, 0), top: Math.max(top, 0),
        right: Math.min(right, innerWidth), bottom: Math.min(bottom, innerHeight) };
    const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    return [middle, [box.left + 2, box.top + 2], [box.right - 2, box.top + 2],
            [box.left + 2, box.bottom - 2], [box.right - 2, box.bottom - 2]]
        .some(([x, y]) => {
            const over = document.elementFromPoint(x, y);
            return over && !over.closest('.wcc-asking') && !over.closest('footer')
                || own.closest('footer, .wcc-asking');
        });
}"""
#: Two elements that lie over one another.
APART = """([one, other]) => one.right <= other.left || one.bottom <= other.top
    || one.left >= other.right || one.top >= other.bottom"""


@pytest.fixture
def sign_in(new_visitor: Callable[..., Visitor]) -> Callable[..., Visitor]:
    def sign_in(**options: object) -> Visitor:
        visitor = new_visitor(**options)
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("editor"))
        cookie = client.cookies["sessionid"]
        visitor.page.context.add_cookies(
            [{"name": "sessionid", "value": cookie.value, "url": visitor.home}]
        )
        return visitor

    return sign_in


@pytest.mark.parametrize("size", [(1280, 720), (360, 640)])
def test_whether_visitors_are_asked_again_is_said_beside_the_form(
    sign_in: Callable[..., Visitor], size: tuple[int, int]
) -> None:
    """The notice stays in sight on large screens: with much to say, over no field one is in."""
    home = Site.objects.get(is_default_site=True).root_page
    charter = CookieCharterPage.objects.child_of(home).get()
    providers = [f"{number}. Provider of a rather long name" + " and more" * 15 for number in "123"]
    rows = [row(name=f"_new{name[0]}", provider=name) for name in providers]
    charter.body.append(table(*rows, category="marketing"))
    charter.save_revision()
    visitor = sign_in(viewport={"width": size[0], "height": size[1]})
    page = visitor.page
    page.goto(reverse("wagtailadmin_pages:edit", args=[charter.pk]))
    notice = page.locator(".wcc-asking")
    expect(notice).to_contain_text("Provider of a rather long name")
    if size[0] > 800:
        expect(notice).to_be_in_viewport(ratio=1)
        assert notice.evaluate("notice => notice.getBoundingClientRect().height > innerHeight / 5")
    page.locator("#id_title").focus()
    stops = set()
    for _stop in range(60):
        page.keyboard.press("Tab")
        page.wait_for_function(SEEN)
        stops.add(page.evaluate("document.activeElement.id || document.activeElement.outerHTML"))
    assert len(stops) > 30


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("size", [(1280, 720), (320, 640)])
def test_the_button_that_floats_and_the_user_bar(
    sign_in: Callable[..., Visitor],
    write: Callable[..., str],
    size: tuple[int, int],
    direction: str,
) -> None:
    """Each has a corner of its own, whichever way the page is written."""
    viewport: ViewportSize = {"width": size[0], "height": size[1]}
    visitor = sign_in(viewport=viewport)
    page = visitor.page
    visitor.open(write("<h1>Page</h1>{% cookie_settings_button %}"))
    page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    trigger = page.locator("wagtail-userbar button").first
    for button in visitor.banner.locator("button").all():
        expect(button).to_be_visible()
        boxes = [
            one.evaluate("e => e.getBoundingClientRect().toJSON()") for one in (button, trigger)
        ]
        assert page.evaluate(APART, boxes), "the banner's buttons"
    visitor.refuse()
    # The message that the answer is saved goes by itself.
    button = page.locator(".wcc-reopen a")
    expect(button).to_be_visible()
    expect(trigger).to_be_visible()
    boxes = [one.evaluate("e => e.getBoundingClientRect().toJSON()") for one in (button, trigger)]
    assert page.evaluate(APART, boxes)
    start, end = ("left", "right") if direction == "ltr" else ("right", "left")
    assert boxes[0][start] != boxes[1][start] and boxes[0][end] != boxes[1][end]
