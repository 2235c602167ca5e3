"""How long an answer holds, and what happens when things are not as they should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from tests.browser.chromium import executable
from tests.browser.conftest import FLAGS
from tests.browser.portal import PAUSE, Stranger, ask_again
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

GATES = """
<p id="consent">{% cookie_consent "statistics" %}<b>statistics</b>
<script src="STRANGER/run/statistics.js"></script>{% endcookie_consent %}</p>
<p id="opt-out">{% cookie_consent "audience" %}<b>audience</b>
<script>document.cookie = '_own=1'</script>{% endcookie_consent %}</p>
"""
ALL = "statistics.media.audience"


def base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def answered(number: int, grants: str, days_ago: float = 0, end: str = "") -> str:
    """A consent cookie's value, written by hand."""
    at = base36(int(time.time() - days_ago * 86_400))
    return ".".join(["1", base36(number), at, *([grants] if grants else [])]) + end


def shown(visitor: Visitor) -> set[str]:
    return set(visitor.page.locator("main b").all_inner_texts())


@pytest.fixture
def path(write: Callable[..., str]) -> str:
    return write(GATES)


class TestOptOut:
    """R3, R4: exempt audience measurement runs until it is refused, then never."""

    def test_it_is_on_before_an_answer(self, visitor: Visitor, path: str) -> None:
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        visitor.wait_until(lambda: shown(visitor) == {"audience"})
        assert "_own" in visitor.cookies

    def test_refuse_all_switches_it_off(self, visitor: Visitor, path: str) -> None:
        visitor.open(path).refuse()
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.wait_until(lambda: "_own" not in visitor.cookies)
        visitor.open(path)
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set()
        assert "_own" not in visitor.cookies

    def test_it_stays_off_when_visitors_are_asked_anew(self, visitor: Visitor, path: str) -> None:
        """A new question is no reason to forget an objection."""
        visitor.open(path).refuse()
        ask_again()
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        assert shown(visitor) == set()

    def test_it_can_be_refused_alone(self, visitor: Visitor, path: str) -> None:
        visitor.open(path)
        visitor.customise()
        visitor.box("Allow: Statistics").check()
        visitor.save()
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.wait_until(lambda: shown(visitor) == {"statistics"})
        assert visitor.grants == {"statistics"}


class TestAskingAgain:
    """R65, R66: asked again when there is something new or the answer is old; else never."""

    def test_something_new_asks_again_and_nothing_runs_meanwhile(
        self, visitor: Visitor, path: str, stranger: Stranger
    ) -> None:
        visitor.open().accept()
        before = visitor.decision
        ask_again()
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        visitor.page.wait_for_load_state("networkidle")
        assert "statistics" not in shown(visitor)
        assert stranger.requests == []
        assert visitor.decision == before
        # What was ticked in the second layer would be an answer to another question (R28).
        visitor.customise()
        assert visitor.dialog.locator("input:checked").count() == 0
        visitor.press_in_dialog("Accept all")
        visitor.wait_until(lambda: "statistics" in shown(visitor))
        assert "marketing" in (visitor.grants or set())

    @pytest.mark.parametrize("grants", ["", ALL])
    def test_an_old_answer_asks_again(self, visitor: Visitor, path: str, grants: str) -> None:
        """R36: even where a browser kept the cookie longer than it was told to."""
        visitor.keep_decision(answered(1, grants, days_ago=183))
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        assert "statistics" not in shown(visitor)

    @pytest.mark.parametrize("grants", ["", ALL])
    def test_a_younger_one_does_not(self, visitor: Visitor, path: str, grants: str) -> None:
        visitor.keep_decision(answered(1, grants, days_ago=181))
        visitor.open(path)
        visitor.wait_until(
            lambda: shown(visitor) == ({"statistics", "audience"} if grants else set())
        )
        expect(visitor.banner).to_be_hidden()

    def test_a_cookie_that_expired_asks_again(self, visitor: Visitor, path: str) -> None:
        visitor.open(path).accept()
        visitor.page.context.clear_cookies()
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        assert "statistics" not in shown(visitor)

    def test_a_page_from_a_cache_with_an_older_number_does_not_ask(
        self, visitor: Visitor, path: str, write: Callable[..., str]
    ) -> None:
        """Between an old cached page and a fresh one, the banner does not flap (design, 4)."""
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        stale = visitor.page.request.get(path).text()
        number = ask_again()
        visitor.page.route(
            "**/from-a-cache/", lambda route: route.fulfill(body=stale, content_type="text/html")
        )
        visitor.open("/")
        visitor.accept()
        answer = visitor.decision
        assert answer and answer.startswith(f"1.{number}.")
        for address in ("/from-a-cache/", path, "/from-a-cache/", path):
            visitor.open(address)
            visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
            expect(visitor.banner).to_be_hidden()
            assert visitor.decision == answer
        assert len(visitor.posts) == 1

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "garbage",
            "true",
            "1",
            "1.1.",
            "2.1.zzzzzz.statistics",
            "1.1.NOW.statistics.statistics",
            "1.1.NOW.statistics~~",
            "1.1.NOW.statistics%3Bx",
            "%31%2E1",
            "1." + "9" * 300,
        ],
    )
    def test_what_cannot_be_read_grants_nothing(
        self, visitor: Visitor, path: str, stranger: Stranger, value: str
    ) -> None:
        """Promise 2: when in doubt, not granted; the banner asks, and an answer repairs it."""
        visitor.keep_decision(value.replace("NOW", base36(int(time.time()))))
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        assert "statistics" not in shown(visitor)
        assert stranger.requests == []
        assert not visitor.errors
        visitor.refuse()
        assert visitor.grants == set()


class TestServerAway:
    """Design, 4: the answer holds, says that it was not delivered, and is sent again."""

    @pytest.mark.parametrize("failure", ["unreachable", 500, 503])
    def test_it_is_sent_again_once_a_view_until_it_arrives(
        self, visitor: Visitor, path: str, failure: str | int
    ) -> None:
        def fail(route: Route) -> None:
            if isinstance(failure, int):
                route.fulfill(status=failure, body="no")
            else:
                route.abort()

        visitor.page.route("**/cookie-charter/decide/**", fail)
        visitor.open(path)
        visitor.button("Accept all").click()
        visitor.expect_decision(r"1\..*~")
        visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
        for view in (2, 3):
            visitor.open(path)
            visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
            visitor.wait_until(lambda view=view: len(visitor.posts) == view)
            expect(visitor.banner).to_be_hidden()
            assert (visitor.decision or "").endswith("~")
        visitor.page.unroute("**/cookie-charter/decide/**")
        visitor.open(path)
        visitor.expect_delivered()
        assert len(visitor.posts) == 4
        assert len({post.post_data for post in visitor.posts}) == 1
        visitor.open(path)
        visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
        assert len(visitor.posts) == 4

    def test_a_refusal_holds_as_well(self, visitor: Visitor, path: str, stranger: Stranger) -> None:
        visitor.page.route("**/cookie-charter/decide/**", lambda route: route.abort())
        visitor.open(path)
        visitor.button("Refuse all").click()
        visitor.expect_decision(r"1\.1\.[0-9a-z]+~")
        visitor.open(path)
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set()
        assert stranger.requests == []

    def test_what_the_server_will_never_take_is_not_sent_again(
        self, visitor: Visitor, path: str
    ) -> None:
        """A 4xx ends it: no request with each view for six months."""
        visitor.page.route(
            "**/cookie-charter/decide/**", lambda route: route.fulfill(status=400, body="no")
        )
        visitor.open(path)
        visitor.button("Accept all").click()
        visitor.expect_delivered()
        life = visitor.consent_cookie()["expires"] - time.time()
        assert abs(life - 182 * 86_400) < 60
        for _view in range(2):
            visitor.open(path)
            visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
        assert len(visitor.posts) == 1

    def test_the_answer_keeps_its_first_time(self, visitor: Visitor, path: str) -> None:
        """R67: sent late, it counts from when it was given."""
        given = answered(1, "statistics", days_ago=100, end="~")
        visitor.keep_decision(given)
        visitor.open(path)
        visitor.expect_delivered()
        assert visitor.decision == given[:-1]
        life = visitor.consent_cookie()["expires"] - time.time()
        assert abs(life - 82 * 86_400) < 60

    def test_without_its_script_the_page_still_works(
        self, visitor: Visitor, path: str, stranger: Stranger
    ) -> None:
        """A blocker that hides or blocks the banner grants nothing and breaks nothing."""
        visitor.page.route("**/wagtail_cookie_charter/**", lambda route: route.abort())
        visitor.open(path)
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set()
        assert stranger.requests == []
        visitor.footer_link.click()
        visitor.page.wait_for_url("**/cookie-charter/#wcc-choices")

    def test_without_its_stylesheet_the_banner_still_asks(self, visitor: Visitor) -> None:
        visitor.page.route("**/*.css", lambda route: route.abort())
        visitor.open().refuse()


class TestTwoTabs:
    def look_at(self, page: Page) -> None:
        """Come back to a tab. Headless, all tabs count as in front: say it to the page."""
        page.bring_to_front()
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    @pytest.fixture
    def tabs(
        self, new_context: Callable[..., BrowserContext], site: str, path: str
    ) -> list[Visitor]:
        context = new_context()
        tabs = [Visitor(context.new_page(), site) for _tab in range(2)]
        for tab in tabs:
            tab.open(path)
            expect(tab.banner).to_be_visible()
        return tabs

    def test_accepting_in_one_is_seen_in_the_other(self, tabs: list[Visitor]) -> None:
        """R24, R66: nobody is asked twice."""
        one, other = tabs
        one.accept()
        self.look_at(other.page)
        expect(other.banner).to_be_hidden()
        other.wait_until(lambda: shown(other) == {"statistics", "audience"})
        assert other.loads == 1
        assert not other.posts

    def test_withdrawing_in_one_stops_the_other(
        self, tabs: list[Visitor], stranger: Stranger
    ) -> None:
        """R49: what still runs in a forgotten tab stops when one comes back to it."""
        one, other = tabs
        one.accept()
        self.look_at(other.page)
        other.wait_until(lambda: shown(other) == {"statistics", "audience"})
        one.reopen()
        one.press_in_dialog("Refuse all")
        one.wait_until(lambda: one.loads == 2)
        one.expect_delivered()
        stranger.requests.clear()
        self.look_at(other.page)
        other.wait_until(lambda: other.loads == 2)
        other.wait_until(lambda: shown(other) == set())
        expect(other.banner).to_be_hidden()
        assert stranger.requests == []


def test_gates_in_a_page_that_arrives_slowly_open_too(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """The script may be there, from the browser's cache, long before the end of the page."""
    visitor.open().accept()
    visitor.open(write("<p>First words</p>" + "<p>More</p>" * 500 + PAUSE + GATES))
    visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"}, patience=3000)


@pytest.fixture
def cached(playwright: Playwright) -> Iterator[Browser]:
    """A browser with its back/forward cache, which Playwright switches off."""
    browser = playwright.chromium.launch(
        executable_path=executable(),
        args=FLAGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_a_page_that_comes_back_from_the_cache_knows_the_answer(
    cached: Browser, site: str, path: str, answer: str
) -> None:
    """R66: going back to a page that was left asking shows no question already answered."""
    visitor = Visitor(cached.new_context(base_url=site).new_page(), site)
    visitor.page.add_init_script(
        "addEventListener('pageshow', event => { window.cameBack = event.persisted })"
    )
    visitor.open("/")
    expect(visitor.banner).to_be_visible()
    visitor.open(path)
    getattr(visitor, answer)()
    visitor.page.evaluate("history.back()")
    # A page from the cache does not load again.
    visitor.page.wait_for_url(site + "/", wait_until="commit")
    visitor.page.wait_for_function("window.cameBack === true")
    expect(visitor.banner).to_be_hidden()
