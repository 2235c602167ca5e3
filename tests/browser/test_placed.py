"""Where a page can stand: in a frame, prerendered, in a browser that knows less of CSS."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Route, expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

GATE = """<p>{% cookie_consent "statistics" %}<b>statistics</b>
<script src="STRANGER/run/statistics.js"></script>{% endcookie_consent %}</p>"""


class TestInAFrame:
    """A portal that shows the site's pages inside its own."""

    @pytest.fixture
    def framed(self, write: Callable[..., str]) -> str:
        # Not one of the two values that browsers know: any page may frame this one.
        return write(GATE, {"X-Frame-Options": "ANY"}, name="framed")

    def open(self, visitor: Visitor, host: str, framed: str) -> FrameLocator:
        visitor.open(host)
        visitor.page.evaluate(
            """address => document.body.append(Object.assign(
                document.createElement('iframe'),
                { src: address, title: 'Framed', width: 1000, height: 600 },
            ))""",
            framed,
        )
        return visitor.page.frame_locator("iframe[title=Framed]")

    def test_of_the_same_site_it_is_the_site(
        self, visitor: Visitor, framed: str, stranger: Stranger
    ) -> None:
        frame = self.open(visitor, "/plain/", framed)
        frame.locator("#wcc").get_by_role("button", name="Accept all", exact=True).click()
        visitor.wait_until(lambda: stranger.requests == ["/run/statistics.js"])
        visitor.expect_delivered()
        # The answer is the site's: outside the frame, nobody is asked again.
        visitor.open("/")
        expect(visitor.banner).to_be_hidden()
        frame = self.open(visitor, "/plain/", framed)
        expect(frame.locator("b")).to_be_visible()
        visitor.expect_quiet()
        expect(frame.locator("#wcc")).to_be_hidden()

    @pytest.mark.parametrize("answer", ["Accept all", "Refuse all"])
    def test_of_another_site_no_answer_is_kept_and_nothing_runs(
        self, visitor: Visitor, framed: str, stranger: Stranger, site: str, answer: str
    ) -> None:
        """R39: the cookie is ``SameSite=Lax``: another site's page neither sets nor sees it."""
        frame = self.open(visitor, f"{stranger.origin}/frame/host", site + framed)
        frame.locator("#wcc").get_by_role("button", name=answer, exact=True).click()
        expect(frame.locator("#wcc")).to_be_hidden()
        visitor.expect_quiet()
        expect(frame.locator("b")).to_have_count(0)
        # Its own page and icon are the host's to ask for.
        assert "/run/statistics.js" not in stranger.requests
        assert set(visitor.cookies) <= {"stranger"}


#: A page that nobody has opened yet, as the script finds it.
PRERENDERING = """
    let waiting = true;
    Object.defineProperty(document, 'prerendering', { get: () => waiting });
    window.activate = () => {
        waiting = false;
        document.dispatchEvent(new Event('prerenderingchange'));
    };
"""


class TestPrerendered:
    """Speculation rules load pages that nobody may ever see."""

    def test_nothing_is_shown_before_it_is_opened(
        self, visitor: Visitor, write: Callable[..., str]
    ) -> None:
        visitor.page.add_init_script(PRERENDERING)
        visitor.open(write(GATE))
        visitor.expect_quiet()
        expect(visitor.banner).to_be_hidden()
        visitor.page.evaluate("activate()")
        expect(visitor.banner).to_be_visible()
        visitor.refuse()

    def test_nothing_runs_before_it_is_opened(
        self, visitor: Visitor, write: Callable[..., str], stranger: Stranger
    ) -> None:
        """R48: whoever accepted did so for pages that they read."""
        path = write(GATE)
        visitor.open("/").accept()
        visitor.expect_delivered()
        visitor.page.add_init_script(PRERENDERING)
        visitor.open(path)
        visitor.expect_quiet()
        assert stranger.requests == []
        visitor.page.evaluate("activate()")
        visitor.wait_until(lambda: stranger.requests == ["/run/statistics.js"])

    def test_an_answer_given_meanwhile_counts(
        self, visitor: Visitor, write: Callable[..., str], stranger: Stranger
    ) -> None:
        path = write(GATE)
        other = Visitor(visitor.page.context.new_page(), visitor.home)
        visitor.page.add_init_script(PRERENDERING)
        visitor.open(path)
        visitor.expect_quiet()
        other.open("/").accept()
        visitor.page.evaluate("activate()")
        visitor.wait_until(lambda: stranger.requests == ["/run/statistics.js"])
        expect(visitor.banner).to_be_hidden()


@pytest.mark.parametrize("size", [(360, 640), (1280, 720)])
def test_a_browser_without_has_shows_and_answers(
    visitor: Visitor, cards: str, size: tuple[int, int]
) -> None:
    """Such a rule is dropped whole; what it says is fine detail."""
    seen = []

    def older(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        kept = re.sub(r"[^{}]*:has\([^{}]*\{[^{}]*\}", "", text)
        seen.append((text != kept, ":has(" in kept))
        route.fulfill(response=response, body=kept)

    visitor.page.route("**/*.css", older)
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.open(cards)
    expect(visitor.banner).to_be_in_viewport(ratio=1)
    visitor.refuse()
    expect(visitor.banner).to_be_hidden()
    allow = visitor.page.get_by_role("button", name="Allow Film Host", exact=True)
    expect(allow).to_be_visible()
    allow.click()
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    visitor.expect_delivered()
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads == 2)
    visitor.expect_grants()
    expect(allow).to_be_visible()
    assert any(changed for changed, _left in seen)
    assert not any(left for _changed, left in seen)
