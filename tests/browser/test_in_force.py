"""Pages that a cache kept: they ask nobody anew, run nothing that is gone, and grant nothing.

Each server's word is kept by the browser for a minute; where a test has a route, it keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.portal import MEASURE, OWN, Stranger, ask_again, pages, take_out
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

GATES = """
<p>{% cookie_consent "statistics" %}<b>statistics</b>
<script src="STRANGER/run/statistics.js"></script>{% endcookie_consent %}</p>
<p>{% cookie_consent "audience" %}<b>audience</b>
<script src="STRANGER/run/audience.js"></script>{% endcookie_consent %}</p>
"""
IN_FORCE = "**/cookie-charter/in-force/"
WAITING = "(window.calls = [], cookieCharter.onGrant('statistics', () => calls.push(1)))"

#: Bytes that came over the wire for it; 0 for what the browser had kept.
TRANSFERRED = """performance.getEntriesByType('resource')
    .filter((entry) => entry.name.endsWith('/in-force/')).map((entry) => entry.transferSize)"""


@pytest.fixture
def path(write: Callable[..., str]) -> str:
    return write(GATES)


@pytest.fixture
def keep(visitor: Visitor) -> Callable[[], None]:
    """Have a cache keep the page as it is now; with a query, it is as it is then."""

    def keep() -> None:
        pages["page"].kept = visitor.page.request.get("/written/page/").text()

    return keep


def asked(visitor: Visitor) -> int:
    """How often the server was asked which number is in force, so far."""
    return len(visitor.paths("/in-force/"))


def shown(visitor: Visitor) -> set[str]:
    return set(visitor.page.locator("main b").all_inner_texts())


def a_minute_later(visitor: Visitor) -> None:
    """The browser has forgotten the number, and all else it kept."""
    visitor.page.context.new_cdp_session(visitor.page).send("Network.clearBrowserCache")


def expect_closed(visitor: Visitor, stranger: Stranger, more_than: int = 0) -> None:
    """The server was asked, and then nothing opened."""
    visitor.wait_until(lambda: asked(visitor) > more_than)
    visitor.expect_quiet()
    assert stranger.requests == [] and shown(visitor) == set()


def test_what_was_taken_out_runs_for_nobody_who_allowed_it_before(
    visitor: Visitor, path: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """R48: the answer is as old as the page, so that only the server can tell."""
    keep()
    visitor.open(path).accept()
    visitor.wait_until(lambda: len(stranger.requests) == 2)
    before, answer = asked(visitor), visitor.decision
    take_out(MEASURE)
    a_minute_later(visitor)
    stranger.requests.clear()
    visitor.open(path)
    visitor.page.evaluate(WAITING)
    expect_closed(visitor, stranger, before)
    assert visitor.page.evaluate("calls") == []
    expect(visitor.banner).to_be_hidden()
    # Nobody is asked for it, and the page as it is now runs what is left.
    visitor.open(f"{path}?now")
    visitor.wait_until(lambda: len(stranger.requests) == 2)
    expect(visitor.banner).to_be_hidden()
    assert visitor.decision == answer


def test_nor_for_who_allows_it_in_the_old_page_itself(
    visitor: Visitor, path: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    keep()
    take_out(MEASURE)
    visitor.open(path)
    visitor.accept()
    expect_closed(visitor, stranger)
    assert visitor.decision and visitor.decision.startswith("1.1.")
    visitor.open(f"{path}?now")
    visitor.wait_until(lambda: len(stranger.requests) == 2)
    expect(visitor.banner).to_be_hidden()


def test_what_was_on_without_a_question_and_is_gone_runs_no_more(
    visitor: Visitor, path: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """R31: for those who have not answered, and have nothing to answer."""
    keep()
    take_out(OWN)
    visitor.open(path)
    expect_closed(visitor, stranger)
    expect(visitor.banner).to_be_visible()


def test_an_old_page_grants_nothing_to_who_presses_a_card_there(
    visitor: Visitor, cards: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """R57: not answered, nor asked of since: it leads to the page as it is now."""
    keep()
    ask_again()
    visitor.open(cards)
    card = visitor.page.get_by_role("button", name="Allow Film Host", exact=True)
    card.click()
    visitor.page.wait_for_url(f"**{cards}?wcc=*")
    assert visitor.decision is None and stranger.requests == []
    card.click()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])


@pytest.mark.parametrize("failure", ["unreachable", "missing", "broken", "another"])
def test_where_nobody_says_which_number_is_in_force_nothing_runs(
    visitor: Visitor, path: str, stranger: Stranger, failure: str
) -> None:
    """Fail closed: the answer holds, and what it allows runs once the server is back."""

    def fail(route: Route) -> None:
        if failure == "unreachable":
            return route.abort()
        if failure == "missing":
            return route.fulfill(status=404, json={"error": "There is no such declaration."})
        if failure == "broken":
            return route.fulfill(status=500, body="<h1>Server error</h1>")
        return route.fulfill(body='{"number": "latest"}', content_type="application/json")

    visitor.page.route(IN_FORCE, fail)
    visitor.open(path).accept()
    visitor.page.evaluate(WAITING)
    expect_closed(visitor, stranger)
    assert visitor.page.evaluate("calls") == []
    assert not visitor.errors
    visitor.page.unroute(IN_FORCE)
    visitor.open(path)
    visitor.page.evaluate(WAITING)
    visitor.wait_until(lambda: len(stranger.requests) == 2)
    visitor.wait_until(lambda: visitor.page.evaluate("calls") == [1])


def test_a_card_says_that_nothing_came_of_what_it_allowed(
    visitor: Visitor, cards: str, stranger: Stranger
) -> None:
    visitor.page.route(IN_FORCE, lambda route: route.abort())
    visitor.open(cards)
    card = visitor.page.get_by_role("group", name="Film Host")
    button = card.get_by_role("button", name="Allow Film Host", exact=True)
    expect(card.get_by_role("status")).to_be_empty()
    button.click()
    expect(card.get_by_role("status")).to_have_text(
        "Nothing could be loaded just now. Please try again."
    )
    expect(card.get_by_text("is turned off")).to_be_hidden()
    # The answer holds, and nobody else's card has anything to excuse.
    assert visitor.grants == {"audience", "marketing+8"}
    expect(visitor.page.get_by_text("Nothing could be loaded")).to_have_count(1)
    visitor.expect_quiet()
    assert stranger.requests == []
    visitor.page.unroute(IN_FORCE)
    button.click()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])
    expect(visitor.page.get_by_text("Nothing could be loaded")).to_have_count(0)


def test_a_withdrawal_while_the_server_is_asked_counts(
    visitor: Visitor, path: str, stranger: Stranger
) -> None:
    held: list[Route] = []
    visitor.page.route(IN_FORCE, lambda route: held.append(route))
    visitor.open(path).accept()
    visitor.page.evaluate(WAITING)
    visitor.wait_until(lambda: len(held) > 0)
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.expect_grants()
    for route in held:
        route.continue_()
    expect_closed(visitor, stranger)
    assert visitor.page.evaluate("calls") == []


def test_who_allowed_nothing_asks_nothing(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """Cost is a feature: neither new visitors nor those who refused pay for it."""
    path = write('{% cookie_consent "statistics" %}<b>statistics</b>{% endcookie_consent %}')
    visitor.open(path).refuse()
    visitor.open(path)
    visitor.page.wait_for_load_state("networkidle")
    assert asked(visitor) == 0


def test_who_allowed_something_asks_once_a_minute(
    visitor: Visitor, path: str, stranger: Stranger
) -> None:
    visitor.open(path).accept()
    visitor.wait_until(lambda: len(stranger.requests) == 2)
    for _view in range(3):
        stranger.requests.clear()
        visitor.open(path)
        visitor.wait_until(lambda: len(stranger.requests) == 2)
        [size] = visitor.page.evaluate(TRANSFERRED)
        assert size == 0


# --- An answer to something later ---------------------------------------------------------


def test_an_older_page_does_not_ask(
    visitor: Visitor, path: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """Between an old page and one of today, the banner does not flap (design, 4).

    What the old one holds does not run: it may be what was taken out meanwhile.
    """
    keep()
    number = ask_again()
    visitor.open("/").accept()
    answer = visitor.decision
    assert answer and answer.startswith(f"1.{number}.")
    for _time in range(2):
        stranger.requests.clear()
        visitor.open(path)
        visitor.expect_quiet()
        expect(visitor.banner).to_be_hidden()
        assert shown(visitor) == set() and stranger.requests == []
        visitor.open(f"{path}?now")
        visitor.wait_until(lambda: len(stranger.requests) == 2)
        expect(visitor.banner).to_be_hidden()
        assert visitor.decision == answer
    assert len(visitor.posts) == 1


def test_what_was_taken_out_runs_no_more_for_who_answers_since(
    visitor: Visitor, path: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """R48: though nobody is asked again; nor does the server have to say so."""
    keep()
    take_out(MEASURE)
    visitor.open("/").accept()
    assert visitor.decision and visitor.decision.startswith("1.2.")
    visitor.page.route(IN_FORCE, lambda route: route.fulfill(json={"number": 1}))
    visitor.open(path)
    visitor.expect_quiet()
    expect(visitor.banner).to_be_hidden()
    assert shown(visitor) == set() and stranger.requests == []
    assert visitor.loads == 2


def test_an_older_page_deletes_nothing_that_is_allowed(
    visitor: Visitor, path: str, keep: Callable[[], None]
) -> None:
    """R50: it runs less than the answer allows; that is no refusal."""
    keep()
    ask_again()
    visitor.open("/").accept()
    visitor.page.evaluate("document.cookie = '_measure=1; Path=/'")
    visitor.page.evaluate("localStorage['measure.id'] = 1")
    visitor.open(path)
    visitor.expect_quiet()
    assert "_measure" in visitor.cookies
    assert visitor.page.evaluate("localStorage['measure.id']") == "1"


def test_a_card_in_an_older_page_leads_to_the_page_as_it_is_now(
    visitor: Visitor, cards: str, keep: Callable[[], None], stranger: Stranger
) -> None:
    """R57: one press there would grant by an old list, and put an older answer in place."""
    keep()
    take_out(MEASURE)
    visitor.open("/").refuse()
    answer = visitor.decision
    visitor.open(cards)
    card = visitor.page.get_by_role("button", name="Allow Film Host", exact=True)
    card.click()
    visitor.page.wait_for_url(f"**{cards}?wcc=*")
    assert visitor.decision == answer
    assert stranger.requests == []
    card.click()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])
    visitor.wait_until(lambda: visitor.decision != answer)
    expect(visitor.banner).to_be_hidden()


def test_choices_are_made_on_the_charter_as_it_is_now(
    visitor: Visitor, path: str, keep: Callable[[], None]
) -> None:
    """R28, R66: not in the second layer that an older page has."""
    keep()
    ask_again()
    visitor.open("/").accept()
    visitor.open(path)
    visitor.footer_link.click()
    visitor.page.wait_for_url("**/cookie-charter/?wcc=*#wcc-choices")
    visitor.expect_in_charge()
    visitor.page.get_by_role("button", name="Refuse all", exact=True).last.click()
    visitor.wait_until(lambda: visitor.grants == set())
    visitor.open("/")
    expect(visitor.banner).to_be_hidden()


@pytest.fixture
def charter(visitor: Visitor) -> str:
    """The address of the charter, which a cache keeps as it is now."""
    address = "/cookie-charter/"
    kept = visitor.page.request.get(address).text()
    visitor.page.route(
        f"**{address}", lambda route: route.fulfill(body=kept, content_type="text/html")
    )
    return address


def test_a_refusal_on_an_older_charter_is_not_asked_for_again(
    visitor: Visitor, charter: str
) -> None:
    """R66: while nothing is ticked there, and nothing granted."""
    number = ask_again()
    visitor.open("/").accept()
    visitor.open(charter).expect_in_charge()
    form = visitor.page.locator(".wcc-form").first
    assert form.locator("input:checked:not(:disabled)").count() == 0
    form.get_by_role("button", name="Refuse all", exact=True).click()
    visitor.wait_until(lambda: visitor.grants == set())
    assert visitor.decision and visitor.decision.startswith(f"1.{number}.")
    visitor.open("/")
    expect(visitor.banner).to_be_hidden()
    visitor.open(charter).expect_in_charge()
    visitor.page.locator(".wcc-form").first.get_by_role("button", name="Accept all").click()
    visitor.page.wait_for_url(f"**{charter}?wcc=*")
    assert visitor.grants == set()


def test_nor_is_anything_granted_there_before_the_script_is_in_charge(
    visitor: Visitor, charter: str
) -> None:
    """R57: on a slow line, or without JavaScript, the browser sends the form by itself."""
    ask_again()
    visitor.open("/").refuse()
    visitor.page.route("**/cookie-charter-later.js", lambda route: route.abort())
    visitor.open(charter)
    visitor.page.locator(".wcc-form").first.get_by_role("button", name="Accept all").click()
    visitor.page.wait_for_url(f"**{charter}?wcc=*#wcc-choices")
    assert visitor.grants == set()


# --- An answer that the server knows nothing of ----------------------------------------------


@pytest.fixture
def from_the_future(visitor: Visitor, cards: str) -> Callable[[], None]:
    """Have an answer to a number that was never given: the ledger came back from a backup."""

    def answer() -> None:
        visitor.open(cards).accept()
        visitor.page.evaluate(
            """() => {
                const [one] = document.cookie.match(/cookie-charter-[0-9]+=[^;]*/);
                document.cookie = one.replace(/=1\\.[0-9a-z]+\\./, '=1.z.') + '; Path=/';
            }"""
        )
        assert visitor.decision and visitor.decision.startswith("1.z.")

    return answer


def test_it_keeps_nobody_from_accepting(
    visitor: Visitor, cards: str, from_the_future: Callable[[], None], stranger: Stranger
) -> None:
    from_the_future()
    stranger.requests.clear()
    visitor.open("/cookie-charter/").expect_in_charge()
    form = visitor.page.locator(".wcc-form").first
    form.get_by_role("button", name="Accept all", exact=True).click()
    visitor.wait_until(lambda: bool(visitor.decision and visitor.decision.startswith("1.2.")))
    visitor.open(cards)
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])


def test_nor_from_refusing(visitor: Visitor, from_the_future: Callable[[], None]) -> None:
    from_the_future()
    visitor.open("/")
    visitor.reopen()
    # Nothing that was answered to it is an answer here (R28).
    assert visitor.dialog.locator("input:checked:not(:disabled)").count() == 0
    visitor.press_in_dialog("Refuse all")
    visitor.expect_grants()
    assert visitor.decision and visitor.decision.startswith("1.2.")
    visitor.expect_delivered()


def test_nor_from_allowing_one_thing(
    visitor: Visitor, cards: str, from_the_future: Callable[[], None], stranger: Stranger
) -> None:
    from_the_future()
    stranger.requests.clear()
    visitor.open(cards)
    visitor.expect_quiet()
    assert stranger.requests == []
    visitor.page.get_by_role("button", name="Allow Film Host", exact=True).click()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])
    # What nobody has to ask for stays.
    assert visitor.grants == {"audience", "marketing+8"}
