"""Changing one's mind: as easy as the first answer, and really undone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Route, expect
from wagtail.models import Site

from tests.browser.portal import Stranger, TlsProxy, ask_again
from tests.browser.test_lasting import answered
from tests.browser.visitor import Visitor
from wagtail_cookie_charter.models import CookieCharterPage
from wagtail_cookie_charter.publishing import publish_declarations

pytestmark = pytest.mark.browser

#: A tracker that stores in every way it can. ``_mine`` and ``measuring`` are nobody's rows.
TRACKER = """
{% cookie_consent "statistics" %}
<script>
(window.ran ??= []).push('tracker');
for (const name of ['_measure', '_measure_one', '_measure_two', '_counter', '_mine']) {
    document.cookie = name + '=1; Path=/; Max-Age=9999';
    document.cookie = name + '=2; Path=/written/; Max-Age=9999';
    document.cookie = name + '=3; Path=/written; Max-Age=9999';
    document.cookie = name + '=4; Path=/written/page; Max-Age=9999';
    document.cookie = name + '=5; Max-Age=9999';
}
localStorage['measure.id'] = localStorage.measuring = 1;
sessionStorage.measure_tab = sessionStorage.measuring = 1;
indexedDB.open('measure-db').onsuccess = event => {
    window.database = event.target.result;
    indexedDB.open('measuring').onsuccess = () => ran.push('stored');
};
</script>
<script src="STRANGER/run/stranger.js"></script>
{% endcookie_consent %}
"""

KEPT = """async () => ({
    cookies: document.cookie.split('; ').map(pair => pair.split('=')[0]).sort(),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map(found => found.name),
})"""


def tracked(visitor: Visitor, path: str) -> None:
    """Accept, and wait until the tracker has stored all it wants."""
    visitor.open(path).accept()
    visitor.page.wait_for_function("window.ran?.includes('stored')")
    visitor.page.wait_for_function("window.ran.includes('stranger')")


def withdraw(visitor: Visitor) -> None:
    loads = visitor.loads
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads > loads)
    visitor.expect_delivered()
    assert visitor.grants == set()


def test_withdrawing_deletes_what_was_stored(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """R50: by name and by pattern, on every path, in every storage; nothing else is touched."""
    tracked(visitor, write(TRACKER))
    withdraw(visitor)
    visitor.wait_until(lambda: len(visitor.page.evaluate(KEPT)["databases"]) < 2)
    kept = visitor.page.evaluate(KEPT)
    own = visitor.consent_cookie()["name"]
    assert set(kept["cookies"]) == {own, "_mine"}
    assert kept["local"] == ["measuring"]
    assert kept["session"] == ["measuring"]
    assert kept["databases"] == ["measuring"]


def test_withdrawing_stops_everything(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """R49, R52: one reload, after which nobody is called and nothing runs."""
    path = write(TRACKER)
    tracked(visitor, path)
    stranger.requests.clear()
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads == 2)
    # R73: the reload does not swallow the message, which is there for some seconds.
    expect(visitor.status).to_have_text("Your choices are saved.")
    visitor.expect_grants()
    visitor.expect_quiet()
    assert visitor.loads == 2
    visitor.open(path)
    visitor.expect_quiet()
    assert visitor.page.evaluate("window.ran") is None
    assert stranger.requests == []
    expect(visitor.banner).to_be_hidden()


def test_withdrawing_removes_what_scripts_cannot_see(
    visitor: Visitor, write: Callable[..., str], site: str
) -> None:
    """R50: HttpOnly cookies are expired by the server."""
    tracked(visitor, write(TRACKER))
    visitor.page.context.add_cookies(
        [
            {"name": name, "value": "1", "url": site, "httpOnly": True}
            for name in ("_httponly", "_other")
        ]
    )
    withdraw(visitor)
    assert "_httponly" not in visitor.cookies
    assert "_other" in visitor.cookies


#: The same names in every way that only HTTPS knows. ``_mine`` is nobody's row.
SECURE_TRACKER = """
{% cookie_consent "statistics" %}
<script>
for (const name of ['_measure', '_measure_one', '_counter', '_mine'])
    for (const place of ['Path=/', 'Path=/written', 'Path=/; Domain=city.example'])
        for (const rest of ['', '; SameSite=None', '; SameSite=None; Partitioned'])
            document.cookie = name + '=1; Max-Age=9999; Secure; ' + place + rest;
window.ran = ['stored', 'stranger'];
</script>
{% endcookie_consent %}
"""


def test_over_https_secure_and_partitioned_cookies_go_too(
    new_visitor: Callable[..., Visitor], write: Callable[..., str], site: str
) -> None:
    """R50: a cookie of each kind and place is one of its own, and a plain page can set none."""
    visitor = new_visitor(base_url="https://www.city.example")
    visitor.page.route("https://www.city.example/**", TlsProxy(site))
    visitor.open(write(SECURE_TRACKER))
    visitor.button("Accept all").click()
    visitor.page.wait_for_function("window.ran")
    visitor.expect_delivered()
    visitor.page.context.add_cookies(
        [
            {
                "name": "_httponly",
                "value": "1",
                "url": "https://www.city.example/",
                "httpOnly": True,
                "secure": True,
            }
        ]
    )
    before = visitor.page.context.cookies()
    assert sum(cookie["name"] == "_measure" for cookie in before) == 6
    assert any(cookie.get("partitionKey") for cookie in before)
    assert all(cookie["secure"] for cookie in before)
    withdraw(visitor)
    own = visitor.consent_cookie()["name"]
    names = {cookie["name"] for cookie in visitor.page.context.cookies()}
    assert names == {own, "_mine"}


def test_a_cookie_that_only_a_path_of_the_server_sees_stays(
    visitor: Visitor, write: Callable[..., str], site: str
) -> None:
    """R50, where it ends: no script reads it, and the browser sends it nowhere else."""
    tracked(visitor, write(TRACKER))
    visitor.page.context.add_cookies(
        [
            {
                "name": "_httponly",
                "value": "1",
                "domain": urlsplit(site).hostname,
                "path": path,
                "httpOnly": True,
            }
            for path in ("/", "/elsewhere/")
        ]
    )
    withdraw(visitor)
    kept = [cookie for cookie in visitor.page.context.cookies() if cookie["name"] == "_httponly"]
    assert [cookie["path"] for cookie in kept] == ["/elsewhere/"]


def test_a_tracker_that_keeps_writing_is_undone_too(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R49, R50: heartbeats and last words on leaving the page do not outlive a withdrawal."""
    stubborn = """{% cookie_consent "statistics" %}<script>
        (window.ran ??= []).push('stored', 'stranger');
        const write = () => {
            document.cookie = '_measure=1; Path=/';
            localStorage['measure.id'] = 1;
        };
        write();
        setInterval(write, 5);
        addEventListener('pagehide', write);
        addEventListener('beforeunload', write);
    </script>{% endcookie_consent %}"""
    tracked(visitor, write(stubborn))
    assert "_measure" in visitor.cookies
    withdraw(visitor)
    visitor.wait_until(lambda: "_measure" not in visitor.cookies)
    assert visitor.page.evaluate("Object.keys(localStorage)") == []


def test_withdrawing_from_one_provider_leaves_the_other(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R57: only what is withdrawn is deleted, and only it stops."""
    tracked(visitor, write(TRACKER))
    visitor.reopen()
    visitor.unfold()
    visitor.box("Example Measurement").uncheck()
    visitor.save()
    visitor.wait_until(lambda: visitor.loads == 2)
    visitor.expect_delivered()
    visitor.expect_quiet()
    kept = visitor.page.evaluate(KEPT)
    assert not {name for name in kept["cookies"] if name.startswith("_measure")}
    assert "_counter" in kept["cookies"]
    assert kept["local"] == ["measuring"]


def test_cookies_on_a_parent_domain_are_deleted(
    new_visitor: Callable[..., Visitor], write: Callable[..., str], site: str
) -> None:
    """R50: trackers put their cookies as high as they can; withdrawal reaches there."""
    port = site.rpartition(":")[2]
    visitor = new_visitor(base_url=f"http://www.city.localhost:{port}")
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}<script>
            (window.ran ??= []).push('stored', 'stranger');
            document.cookie = '_measure=1; Domain=city.localhost; Path=/';
            document.cookie = '_measure_one=1; Domain=www.city.localhost; Path=/';
            </script>{% endcookie_consent %}"""
        )
    )
    visitor.accept()
    visitor.wait_until(lambda: {"_measure", "_measure_one"} <= set(visitor.cookies))
    withdraw(visitor)
    assert set(visitor.cookies) == {visitor.consent_cookie()["name"]}


def test_changing_from_no_to_yes_needs_no_reload(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R48: in two clicks, either way."""
    visitor.open(write(TRACKER)).refuse()
    visitor.reopen()
    visitor.press_in_dialog("Accept all")
    visitor.page.wait_for_function("window.ran?.includes('stored')")
    visitor.expect_quiet()
    assert visitor.loads == 1


def test_refusing_what_did_not_run_here_reloads_nothing(visitor: Visitor) -> None:
    """A page on which nothing ran has nothing to stop; a half-filled form on it is kept."""
    visitor.open().accept()
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    expect(visitor.status).to_have_text("Your choices are saved.")
    visitor.expect_grants()
    visitor.expect_quiet()
    assert visitor.loads == 1


@pytest.mark.parametrize("path", ["/", "/cookie-charter/", "/fr/", "/no/such/page/"])
def test_the_way_back_is_on_every_page(visitor: Visitor, path: str) -> None:
    """R48: the footer link opens the layer in one click, on the 404 page too."""
    visitor.open(path)
    expect(visitor.banner).to_be_visible()
    visitor.reopen()
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog).to_be_hidden()


def test_third_parties_own_cookies_are_explained(visitor: Visitor) -> None:
    """R51: what only the browser can remove, the visitor is told how to remove."""
    visitor.open()
    visitor.customise()
    expect(visitor.dialog).to_contain_text("can only be removed by your browser")


def test_third_parties_cookies_are_named(visitor: Visitor) -> None:
    """R51: and which they are, of those declared here."""
    visitor.open()
    visitor.customise()
    note = visitor.dialog.locator(".wcc-note")
    expect(note).to_contain_text("Declared here:")
    expect(note.get_by_text("_video", exact=True)).to_be_visible()
    # This site's own are deleted, and need no word.
    expect(note.get_by_text("_own", exact=True)).to_have_count(0)


ELSEWHERE = """<a href="/archive/2026/report/">Report</a>
{% cookie_consent "statistics" %}<script>
document.cookie = '_counter=1; Path=/archive/2026; Max-Age=9999';
document.cookie = '_measure=1; Path=/archive/; Max-Age=9999';
document.cookie = '_measure_p=1; Path=/; Secure; SameSite=None; Partitioned; Max-Age=9999';
document.cookie = '_mine=1; Path=/archive/; Max-Age=9999';
(window.ran ??= []).push('stored');
</script>{% endcookie_consent %}"""


def test_cookies_of_other_paths_and_partitions_are_deleted_too(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R50: those that this page cannot see, by name, where it links to; Partitioned ones."""

    visitor.open(write(ELSEWHERE)).accept()
    visitor.page.wait_for_function("window.ran")
    visitor.expect_delivered()
    assert names(visitor) == {"_counter", "_measure", "_measure_p", "_mine"}
    withdraw(visitor)
    visitor.wait_until(lambda: names(visitor) == {"_mine"})


def names(visitor: Visitor) -> set[str]:
    """Cookies on any path but our own."""
    return {
        str(cookie["name"])
        for cookie in visitor.page.context.cookies()
        if not str(cookie["name"]).startswith("cookie-charter")
    }


#: A path that no link leads to.
HIDDEN_PATH = """{% cookie_consent "statistics" %}<script>
document.cookie = '_counter=1; Path=/written/shop; Max-Age=9999';
document.cookie = '_measure_one=1; Path=/written/shop/; Max-Age=9999';
document.cookie = '_mine=1; Path=/written/shop/; Max-Age=9999';
(window.ran ??= []).push('stored');
</script>{% endcookie_consent %}"""


@pytest.fixture
def hidden(visitor: Visitor, write: Callable[..., str]) -> str:
    """Cookies were stored under a path, which is returned, and the answer was yes."""
    visitor.open(write(HIDDEN_PATH)).accept()
    visitor.page.wait_for_function("window.ran")
    visitor.expect_delivered()
    return write("<p>Words</p>", name="shop")


def test_a_cookie_that_shows_itself_only_later_is_deleted_then(
    visitor: Visitor, hidden: str
) -> None:
    """R50: by pattern, and on a path that withdrawal did not know of."""
    withdraw(visitor)
    assert names(visitor) == {"_counter", "_measure_one", "_mine"}
    visitor.open(hidden)
    visitor.wait_until(lambda: names(visitor) == {"_mine"})
    assert visitor.posts[2:] == []
    assert visitor.consent_cookie()["value"] == visitor.decision


def test_what_may_stay_is_let_be(visitor: Visitor, hidden: str) -> None:
    """Who allowed it, or has not yet answered a new question, loses nothing."""
    visitor.open(hidden)
    visitor.expect_quiet()
    ask_again()
    visitor.open(hidden)
    expect(visitor.banner).to_be_visible()
    visitor.expect_quiet()
    assert names(visitor) == {"_counter", "_measure_one", "_mine"}


def test_looking_for_them_costs_nothing_where_there_is_no_cookie(
    visitor: Visitor, write: Callable[..., str], site: str
) -> None:
    """A later view by somebody who refused asks for the page, the script and the style."""
    path = write("<p>Words</p>")
    visitor.open(path).refuse()
    # By hand: that the answer is some minutes old.
    old = answered(1, "", days_ago=1)
    visitor.keep_decision(old)
    visitor.expect_quiet()
    visitor.requests.clear()
    visitor.open(path)
    visitor.expect_quiet()
    assert visitor.paths("later") == visitor.paths("preferences") == []
    # With a cookie that is none of ours, the names are looked up, and nothing else is done.
    visitor.page.context.add_cookies([{"name": "theme", "value": "1", "url": site}])
    visitor.open(path)
    visitor.wait_until(lambda: bool(visitor.paths("preferences")))
    visitor.expect_quiet()
    assert visitor.posts == []
    assert visitor.cookies["theme"] == "1"
    assert visitor.decision == old


def test_pages_that_htmx_kept_are_forgotten(
    visitor: Visitor, write: Callable[..., str], site: str
) -> None:
    """R49: it would show again, from its own store, what was open before."""
    path = write(TRACKER)
    tracked(visitor, path)
    other = Visitor(visitor.page.context.new_page(), site).open(path)
    other.page.wait_for_function("window.ran?.includes('stranger')")
    for tab in (visitor, other):
        tab.page.evaluate(
            """() => {
                for (const storage of [localStorage, sessionStorage])
                    for (const key of ['htmx-history-cache', 'htmx-history-1', 'htmx-own'])
                        storage[key] = '[]';
            }"""
        )
    # An answer that takes nothing back leaves them.
    before = visitor.decision
    visitor.reopen()
    visitor.press_in_dialog("Accept all")
    visitor.wait_until(lambda: visitor.decision != before)
    visitor.expect_delivered()
    visitor.expect_quiet()
    assert "htmx-history-cache" in visitor.page.evaluate("Object.keys(localStorage)")
    withdraw(visitor)
    keys = (
        "[...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter(/htmx/.test, /htmx/)"
    )
    visitor.wait_until(lambda: visitor.page.evaluate(keys) == ["htmx-own"] * 2)
    visitor.wait_until(lambda: other.page.evaluate(keys) == ["htmx-own"] * 2)


def test_a_refusal_deletes_what_an_expired_answer_left(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R50: the answer is gone after six months, what was stored under it may not be."""
    visitor.open(write("<p>Words</p>"))
    visitor.page.evaluate("localStorage['measure.id'] = 1; document.cookie = '_measure=1; Path=/'")
    visitor.refuse()
    visitor.wait_until(lambda: visitor.page.evaluate("Object.keys(localStorage).length") == 0)
    visitor.wait_until(lambda: "_measure" not in visitor.cookies)


def test_another_tabs_late_confirmation_brings_nothing_back(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """Accepted here while the server is slow, refused there: the refusal stays."""
    path = write("<p>Words</p>")
    visitor.open(path)
    held: list[Route] = []
    visitor.page.route("**/decide/**", lambda route: held.append(route))
    visitor.button("Accept all").click()
    visitor.wait_until(lambda: bool(held))
    other = Visitor(visitor.page.context.new_page(), visitor.home)
    other.open(path)
    other.reopen()
    other.press_in_dialog("Refuse all")
    other.wait_until(lambda: other.grants == set())
    other.expect_delivered()
    for route in held:
        with contextlib.suppress(Error):
            route.continue_()
    visitor.page.wait_for_timeout(700)
    assert other.grants == set()
    visitor.page.unroute_all(behavior="ignoreErrors")


def test_a_refusal_deletes_what_is_declared_no_more(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """R50: an editor removed the rows; browsers still hold what they named."""
    path = write("<p>Words</p>")
    visitor.open(path)
    visitor.accept()
    visitor.page.evaluate("localStorage['measure.id'] = 1; document.cookie = '_measure=1; Path=/'")
    charter = CookieCharterPage.objects.child_of(Site.objects.get(is_default_site=True).root_page)
    page = charter.get()
    page.body = [block for block in page.body.raw_data if "_measure" not in str(block)]
    page.save_revision().publish()
    french = page.get_translations().get()
    french.body = [block for block in french.body.raw_data if "_measure" not in str(block)]
    french.save_revision().publish()
    publish_declarations()
    visitor.open(path)
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.page.evaluate("Object.keys(localStorage).length") == 0)
    visitor.wait_until(lambda: "_measure" not in visitor.cookies)
