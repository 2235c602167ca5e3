"""What somebody meets who was never here: a question, and nothing done behind it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

GATED = """
<p>Free content</p>
{% cookie_consent "statistics" %}
<script>document.cookie = '_measure=1'</script>
<script src="STRANGER/run/statistics.js"></script>
{% endcookie_consent %}
{% cookie_consent "media" provider="Video Host" %}
<link rel="preconnect" href="STRANGER">
<link rel="preload" as="script" href="STRANGER/run/preload.js">
<iframe src="STRANGER/frame/video" title="Video"></iframe>
<img src="STRANGER/frame/thumbnail" alt="">
<noscript><img src="STRANGER/frame/pixel" alt=""></noscript>
{% endcookie_consent %}
"""


def everything_stored(page: Page) -> object:
    return page.evaluate(
        """async () => ({
            cookie: document.cookie,
            local: Object.keys(localStorage),
            session: Object.keys(sessionStorage),
            databases: await indexedDB.databases(),
            caches: await caches.keys(),
        })"""
    )


def test_nothing_happens_before_an_answer(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """R55, R21: no request, no cookie, no storage; neither scrolling nor waiting is an answer."""
    path = write(GATED + "<div style='height: 300vh'></div>")
    for _view in range(2):
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
    visitor.page.mouse.wheel(0, 2000)
    visitor.page.mouse.click(200, 20)
    visitor.page.keyboard.press("Escape")
    visitor.expect_quiet()
    expect(visitor.banner).to_be_visible()
    assert stranger.requests == []
    assert everything_stored(visitor.page) == {
        "cookie": "",
        "local": [],
        "session": [],
        "databases": [],
        "caches": [],
    }
    assert visitor.page.context.cookies() == []
    assert not visitor.posts


def test_the_banner_is_a_labelled_region_and_first_in_reading_order(visitor: Visitor) -> None:
    """R71, R79: whoever listens to the page meets the question first, by its name."""
    visitor.open()
    region = visitor.page.get_by_role("region", name="Your privacy, your choice")
    expect(region).to_be_visible()
    expect(region.get_by_role("heading", level=2)).to_have_text("Your privacy, your choice")
    first = visitor.page.evaluate("document.querySelector('body > :not(link, script, style)').id")
    assert first == "wcc"


def test_focus_goes_through_the_banner_first(visitor: Visitor) -> None:
    """R71: Tab comes to the links and buttons of the banner, then to the page's skip link."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    names = []
    for _step in range(5):
        visitor.page.keyboard.press("Tab")
        names.append(visitor.page.evaluate("document.activeElement.textContent.trim()"))
    assert names == ["Cookie charter", "Accept all", "Refuse all", "Customise", "Skip to content"]


def test_purposes_and_facts_stand_before_the_buttons(visitor: Visitor) -> None:
    """R18, R19, R7: who asks, what for, how many third parties, for how long, before one clicks."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    text = visitor.banner.inner_text()
    before, _buttons = text.split("Accept all")
    for fact in (
        "Anonymous audience measurement",
        "Statistics",
        "Videos, maps and other content",
        "City of Example is responsible",
        "4 third parties",
        "leave the European Union",
        "6 months",
        "withdraw your consent at any time",
    ):
        assert fact in before, fact
    charter = visitor.banner.get_by_role("link", name="Cookie charter")
    expect(charter).to_have_attribute("href", "/cookie-charter/")


def test_accepting_and_refusing_look_the_same(visitor: Visitor) -> None:
    """R14-R16: same element, same style, same size, side by side, each offered once."""
    properties = """button => {
        const style = getComputedStyle(button);
        const own = Object.fromEntries([...style].map(name => [name, style[name]]));
        // Where it stands follows from the order, not from the look.
        for (const name of Object.keys(own))
            if (/^(inset|top|right|bottom|left|perspective-origin|transform-origin)/.test(name))
                delete own[name];
        const {width, height} = button.getBoundingClientRect();
        return {own, width, height, tag: button.tagName, parent: button.parentElement.className};
    }"""
    for width in (1280, 800, 360, 320):
        visitor.page.set_viewport_size({"width": width, "height": 720})
        visitor.open()
        expect(visitor.banner).to_be_visible()
        accept, refuse = visitor.button("Accept all"), visitor.button("Refuse all")
        looks = [button.evaluate(properties) for button in (accept, refuse)]
        assert looks[0] == looks[1], width
        assert looks[0]["tag"] == "BUTTON"
        assert looks[0]["height"] >= 44  # R81
        assert accept.count() == refuse.count() == 1


def test_nothing_in_the_banner_is_ticked(visitor: Visitor) -> None:
    """R28: no control that says yes before the visitor does, hidden ones included."""
    visitor.open()
    visitor.button("Customise").click()
    expect(visitor.dialog).to_be_visible()
    assert visitor.page.locator("input:checked").count() == 0
    assert (
        visitor.page.evaluate("[...document.querySelectorAll('input')].some(i => i.indeterminate)")
        is False
    )


def test_the_page_can_be_read_and_used_while_the_banner_asks(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R23: no wall. Links work, the page scrolls, and its last lines can be reached."""
    path = write("<div style='height: 200vh'></div><p id='last'>The last line</p>")
    visitor.open(path)
    expect(visitor.banner).to_be_visible()
    visitor.page.keyboard.press("End")
    visitor.wait_until(lambda: visitor.page.evaluate("scrollY") > 300)
    visitor.page.get_by_role("link", name="Skip to content").focus()
    visitor.page.keyboard.press("Enter")
    visitor.wait_until(lambda: visitor.page.url.endswith("#content"))


def test_a_focused_element_is_never_hidden_by_the_banner(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R80 (WCAG 2.4.11): tabbing down a long page, each link stays in sight."""
    links = "".join(f"<p><a href='#{number}'>Link {number}</a></p>" for number in range(40))
    visitor.page.set_viewport_size({"width": 360, "height": 640})
    visitor.open(write(links))
    expect(visitor.banner).to_be_visible()
    expect(visitor.page.locator("html")).to_have_class("wcc-asks")
    visitor.page.get_by_role("link", name="Link 0", exact=True).focus()
    for _step in range(38):
        visitor.page.keyboard.press("Tab")
        hidden = visitor.page.evaluate(
            """() => {
                const link = document.activeElement.getBoundingClientRect();
                const banner = document.getElementById('wcc').getBoundingClientRect();
                return link.top >= banner.top || link.bottom <= 0;
            }"""
        )
        assert not hidden, visitor.page.evaluate("document.activeElement.textContent")


def test_two_requests_of_ours_and_none_holds_up_the_page(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """The budget of a first view: one script, one stylesheet, both out of the way."""
    path = write("<h1>Page</h1>")
    visitor.open(path)
    expect(visitor.banner).to_be_visible()
    visitor.expect_quiet()
    ours = [found for found in visitor.paths() if found != path]
    assert sorted(ours) == [
        "/static/wagtail_cookie_charter/cookie-charter.css",
        "/static/wagtail_cookie_charter/cookie-charter.js",
    ]
    blocking = visitor.page.evaluate(
        """performance.getEntriesByType('resource')
            .filter(entry => entry.renderBlockingStatus != 'non-blocking')
            .map(entry => entry.name)"""
    )
    assert blocking == []


def test_those_who_answered_see_no_banner_at_any_moment(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R66: no question, not even a flash of one, on the next pages."""
    visitor.open().refuse()
    visitor.page.add_init_script(
        """window.seen = 0;
        (function look() {
            if (document.getElementById('wcc')?.checkVisibility()) seen++;
            requestAnimationFrame(look);
        })();"""
    )
    path = write("<h1>Page</h1>")
    for _view in range(5):
        visitor.open(path)
        visitor.expect_quiet()
        assert visitor.page.evaluate("seen") == 0
    assert len(visitor.posts) == 1


def test_a_page_without_a_site_that_asks_has_nothing_of_ours(visitor: Visitor, site: str) -> None:
    """R26: nothing optional declared, no banner and no bytes; the page works."""
    from wagtail_cookie_charter.models import CookieCharterSettings
    from wagtail_cookie_charter.publishing import publish_declarations

    CookieCharterSettings.objects.update(banner=None)
    publish_declarations()
    visitor.open()
    expect(visitor.page.get_by_role("heading", name="Home")).to_be_visible()
    assert visitor.banner.count() == 0
    assert visitor.paths("cookie-charter") == []
