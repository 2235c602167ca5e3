"""Pages whose body is replaced, as Turbo does and htmx with ``hx-boost``: no load, one document."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.portal import Stranger
from tests.browser.test_lasting import GATES, answered, shown
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

#: What Turbo 8 does for a visit: what is temporary goes, the body is kept as it then is, the
#: new one takes its place, and its scripts run again. Without an address, back to what was kept.
VISIT = """async (path) => {
    for (const found of document.querySelectorAll('[data-turbo-temporary]')) found.remove();
    const kept = document.body.cloneNode(true);
    let body = window.kept;
    if (path) {
        const html = await (await fetch(path)).text();
        body = document.adoptNode(new DOMParser().parseFromString(html, 'text/html').body);
    }
    window.kept = kept;
    history.pushState({}, '', path ?? '/back/');
    for (const old of body.querySelectorAll('script')) {
        const script = document.createElement('script');
        script.textContent = old.textContent;
        script.async = false;
        for (const { name, value } of old.attributes) script.setAttribute(name, value);
        old.replaceWith(script);
    }
    document.body.replaceWith(body);
}"""


def visit(visitor: Visitor, path: str | None) -> None:
    visitor.page.evaluate(VISIT, path)


def test_the_new_banner_asks_and_its_buttons_answer_once(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    path = write(GATES)
    visitor.open()
    expect(visitor.banner).to_be_visible()
    visit(visitor, path)
    visitor.page.evaluate(
        """() => {
            window.changes = 0;
            document.addEventListener('cookie-charter:changed', () => changes++);
        }"""
    )
    expect(visitor.banner).to_be_visible()
    visitor.accept()
    visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
    visitor.expect_quiet()
    assert visitor.page.evaluate("changes") == 1
    assert visitor.loads == 1
    assert not visitor.errors


@pytest.mark.parametrize("arrival", ["a visit", "the site's own call", "no banner"])
def test_what_was_withdrawn_meanwhile_stops(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger, arrival: str
) -> None:
    """R49, R52: the document goes on, and with it what ran in it; nobody told it otherwise."""
    path = write(GATES)
    visitor.open(path).accept()
    visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
    visit(visitor, "/")
    visitor.expect_quiet()
    assert visitor.loads == 1
    visitor.keep_decision(answered(1, ""))
    stranger.requests.clear()
    if arrival == "a visit":
        visit(visitor, path)
    else:
        if arrival == "no banner":
            visitor.page.evaluate("document.body.replaceChildren('Words')")
        visitor.page.evaluate("() => { cookieCharter.update() }")
    visitor.wait_until(lambda: visitor.loads == 2)
    visitor.expect_quiet()
    assert visitor.loads == 2
    assert shown(visitor) == set()
    assert stranger.requests == []


def test_the_form_on_a_body_that_came_later_answers(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R48: the charter's form shows the present choice, and saves without leaving the page."""
    visitor.open(write(GATES)).accept()
    visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
    visit(visitor, "/cookie-charter/")
    form = visitor.page.locator("main .wcc-form")
    expect(form.get_by_role("checkbox", name="Allow: Statistics")).to_be_checked()
    form.get_by_role("button", name="Refuse all").click()
    visitor.wait_until(lambda: visitor.loads == 2)
    visitor.expect_delivered()
    assert visitor.grants == set()
    # By the script, not by the way without it.
    assert {post.resource_type for post in visitor.posts} == {"fetch"}


@pytest.mark.parametrize("back", [False, True], ids=["on", "back"])
def test_the_dialog_outlives_the_body(
    visitor: Visitor, write: Callable[..., str], back: bool
) -> None:
    """Left open by a link in it, or kept with the page one goes back to: it opens, and once."""
    path = write("<p>Words</p>")
    visitor.open()
    expect(visitor.banner).to_be_visible()
    visitor.reopen()
    visit(visitor, path)
    expect(visitor.dialog).to_have_count(0)
    if back:
        visitor.reopen()
        visit(visitor, None)
    visitor.reopen()
    expect(visitor.page.locator("dialog")).to_have_count(1)
    assert visitor.page.evaluate("document.querySelector('dialog').matches(':modal')")
    visitor.press_in_dialog("Accept all")
    visitor.expect_delivered()
    expect(visitor.banner).to_be_hidden()
    assert visitor.grants == {"statistics", "media", "audience"}
    assert visitor.loads == 1
    assert not visitor.errors
