"""How long an answer holds, and what happens when things are not as they should be."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Route, expect

from tests.browser.chromium import executable
from tests.browser.conftest import FLAGS
from tests.browser.portal import PAUSE, Stranger, ask_again
from tests.browser.visitor import PATIENCE, Visitor
from tests.ledger import backdate
from wagtail_cookie_charter.models import ConsentEvent, PublishedDeclaration

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
        self.expect_it_runs(visitor)

    def expect_it_runs(self, visitor: Visitor) -> None:
        visitor.wait_until(lambda: shown(visitor) == {"audience"})
        visitor.wait_until(lambda: "_own" in visitor.cookies)

    def test_refuse_all_switches_it_off(self, visitor: Visitor, path: str) -> None:
        self.expect_it_runs(visitor.open(path))
        visitor.refuse()
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.wait_until(lambda: "_own" not in visitor.cookies)
        visitor.open(path)
        visitor.expect_quiet()
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set()
        assert "_own" not in visitor.cookies

    def test_it_stays_off_when_visitors_are_asked_anew(self, visitor: Visitor, path: str) -> None:
        """A new question is no reason to forget an objection."""
        self.expect_it_runs(visitor.open(path))
        visitor.refuse()
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.expect_quiet()
        ask_again()
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        visitor.expect_quiet()
        assert shown(visitor) == set()

    def test_it_can_be_refused_alone(self, visitor: Visitor, path: str) -> None:
        self.expect_it_runs(visitor.open(path))
        visitor.customise()
        visitor.box("Allow: Statistics").check()
        visitor.save()
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.wait_until(lambda: shown(visitor) == {"statistics"})
        visitor.expect_grants("statistics")


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
        visitor.expect_quiet()
        assert "statistics" not in shown(visitor)
        assert stranger.requests == []
        assert visitor.decision == before
        # What was ticked in the second layer would be an answer to another question (R28).
        visitor.customise()
        assert visitor.dialog.locator("input:checked").count() == 0
        visitor.press_in_dialog("Accept all")
        visitor.wait_until(lambda: "statistics" in shown(visitor))
        visitor.wait_until(lambda: "marketing" in (visitor.grants or set()))

    @pytest.mark.parametrize("grants", ["", ALL])
    def test_an_old_answer_asks_again(self, visitor: Visitor, path: str, grants: str) -> None:
        """R36: even where a browser kept the cookie longer than it was told to."""
        visitor.keep_decision(answered(1, grants, days_ago=183))
        visitor.open(path)
        expect(visitor.banner).to_be_visible()
        visitor.expect_quiet()
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
        visitor.expect_quiet()
        assert "statistics" not in shown(visitor)

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
        visitor.expect_quiet()
        assert "statistics" not in shown(visitor)
        assert stranger.requests == []
        assert not visitor.errors
        visitor.refuse()
        # The banner goes first, the answer is stored after it.
        visitor.wait_until(lambda: visitor.grants == set())


class TestServerAway:
    """Design, 4: the answer holds, says that it was not delivered, and is sent again."""

    @pytest.mark.parametrize("failure", ["unreachable", 403, 404, 429, 503])
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
        visitor.expect_decision(r"1\..*~\*[0-9a-z]{12}")
        visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
        # A page that is left does not send any more.
        visitor.wait_until(lambda: len(visitor.posts) == 1)
        for view in (2, 3):
            visitor.open(path)
            visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})
            visitor.wait_until(lambda view=view: len(visitor.posts) == view)
            expect(visitor.banner).to_be_hidden()
            assert "~" in (visitor.decision or "")
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
        visitor.wait_until(lambda: shown(visitor) == {"audience"})
        visitor.button("Refuse all").click()
        visitor.expect_decision(r"1\.1\.[0-9a-z]+~(\*[0-9a-z]{12})?")
        visitor.wait_until(lambda: visitor.loads == 2)
        visitor.expect_quiet()
        visitor.open(path)
        visitor.expect_quiet()
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set()
        assert stranger.requests == []

    @pytest.mark.parametrize("status", [400, 413, 415])
    def test_what_the_server_will_never_take_is_not_sent_again(
        self, visitor: Visitor, path: str, status: int
    ) -> None:
        """What cannot be read today cannot tomorrow: no request with each view for a month."""
        visitor.page.route(
            "**/cookie-charter/decide/**", lambda route: route.fulfill(status=status, body="no")
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

    def test_a_number_that_is_taken_is_replaced(self, visitor: Visitor, path: str) -> None:
        """R47: the answer would be on record nowhere."""
        taken = "c" + "0" * 11
        visitor.keep_decision(answered(1, "media", end=f"~*{taken}"))
        visitor.open(path).expect_delivered()
        visitor.page.context.clear_cookies()
        given = answered(1, "statistics")
        visitor.keep_decision(f"{given}~*{taken}")
        visitor.open(path)
        visitor.expect_decision(rf"{re.escape(given)}~\*c[0-9a-z]{{11}}")
        visitor.wait_until(lambda: taken not in (visitor.decision or ""))
        visitor.open(path).expect_delivered()
        event = ConsentEvent.objects.get(receipt=(visitor.decision or "").partition("*")[2])
        assert (event.grants, event.method) == ("statistics", "choice")

    def test_what_is_sent_from_another_page_is_in_no_language(
        self, visitor: Visitor, path: str
    ) -> None:
        """R44: on record is the language that the question was read in, or none."""
        visitor.page.route("**/cookie-charter/decide/**", lambda route: route.abort())
        visitor.open(path)
        visitor.button("Accept all").click()
        visitor.wait_until(lambda: len(visitor.posts) == 1)
        visitor.page.unroute("**/cookie-charter/decide/**")
        visitor.open(f"/fr{path}").expect_delivered()
        assert [urlsplit(post.url).query for post in visitor.posts] == ["language=en", ""]
        receipt = (visitor.decision or "").partition("*")[2]
        assert ConsentEvent.objects.get(receipt=receipt).language == ""

    def test_the_answer_keeps_its_first_time(self, visitor: Visitor, path: str) -> None:
        """R67: sent late, it counts from when it was given."""
        for published in PublishedDeclaration.objects.all():
            backdate(published, 21 * 86_400)
        given = answered(1, "statistics", days_ago=20, end="~")
        visitor.keep_decision(given)
        visitor.open(path)
        visitor.expect_delivered()
        assert (visitor.decision or "").partition("*")[0] == given[:-1]
        assert len(visitor.posts) == 1
        life = visitor.consent_cookie()["expires"] - time.time()
        assert abs(life - 162 * 86_400) < 60

    def test_after_a_month_it_is_not_sent_any_more(self, visitor: Visitor, path: str) -> None:
        """It holds all the same, for as long as any other."""
        given = answered(1, "statistics", days_ago=100, end="~")
        visitor.keep_decision(given)
        visitor.open(path)
        visitor.expect_delivered()
        visitor.wait_until(lambda: shown(visitor) == {"statistics"})
        assert visitor.posts == []
        life = visitor.consent_cookie()["expires"] - time.time()
        assert abs(life - 82 * 86_400) < 60

    @pytest.mark.parametrize("number", ["", "*rb2c3d4e5f67"])
    def test_a_refusal_is_not_sent_any_more_after_a_day(
        self, visitor: Visitor, path: str, number: str
    ) -> None:
        """R37: its number must not stay with anybody. It holds as long as any other."""
        given = answered(1, "", days_ago=1.1, end="~")
        visitor.keep_decision(given + number)
        visitor.open(path)
        visitor.expect_decision(re.escape(given[:-1]))
        assert visitor.posts == []
        life = visitor.consent_cookie()["expires"] - time.time()
        assert abs(life - 180.9 * 86_400) < 60

    def test_a_refusal_is_sent_again_within_a_day(self, visitor: Visitor, path: str) -> None:
        for published in PublishedDeclaration.objects.all():
            backdate(published, 2 * 86_400)
        given = answered(1, "", days_ago=0.9, end="~")
        visitor.keep_decision(f"{given}*rb2c3d4e5f67")
        visitor.open(path)
        visitor.expect_decision(re.escape(given[:-1]))
        assert len(visitor.posts) == 1

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
        # Not while it is being loaded again, because the other one told it to.
        with suppress(Error):
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
        one.wait_until(lambda: len(stranger.requests) == len(tabs))
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

    def test_a_window_in_sight_need_not_be_left_first(
        self, tabs: list[Visitor], stranger: Stranger
    ) -> None:
        """R49, R52: side by side, what is withdrawn in one stops in both."""
        one, other = tabs
        one.accept()
        other.wait_until(lambda: shown(other) == {"statistics", "audience"})
        # The script comes after what is shown, in either.
        one.wait_until(lambda: len(stranger.requests) == len(tabs))
        expect(other.banner).to_be_hidden()
        # As trackers do: also a last word on leaving, after the first window has deleted.
        other.page.evaluate(
            """() => addEventListener('pagehide', () => {
                document.cookie = '_measure=1; Path=/';
                localStorage['measure.id'] = 1;
            })"""
        )
        stranger.requests.clear()
        one.reopen()
        one.press_in_dialog("Refuse all")
        other.wait_until(lambda: other.loads == 2)
        one.wait_until(lambda: one.loads == 2)
        one.wait_until(lambda: shown(one) == shown(other) == set())
        other.expect_delivered()
        other.wait_until(lambda: other.page.evaluate("Object.keys(localStorage)") == [])
        other.wait_until(lambda: "_measure" not in other.cookies)
        other.page.wait_for_timeout(300)
        assert [tab.loads for tab in tabs] == [2, 2]
        assert stranger.requests == []


def test_gates_in_a_page_that_arrives_slowly_open_too(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """The script may be there, from the browser's cache, long before the end of the page."""
    visitor.open().accept()
    visitor.open(write("<p>First words</p>" + "<p>More</p>" * 500 + PAUSE + GATES))
    visitor.wait_until(lambda: shown(visitor) == {"statistics", "audience"})


@pytest.fixture
def cached(playwright: Playwright, site: str) -> Iterator[Browser]:
    """A browser with its back/forward cache, which Playwright switches off."""
    browser = playwright.chromium.launch(
        executable_path=executable(),
        args=FLAGS,
        timeout=PATIENCE,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_a_page_that_comes_back_from_the_cache_knows_the_answer(
    cached: Browser, site: str, path: str, answer: str
) -> None:
    """R66: going back to a page that was left asking shows no question already answered."""
    context = cached.new_context(base_url=site)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page(), site)
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
