"""Changing one's mind: as easy as the first answer, and really undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

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
    withdraw(visitor)
    assert visitor.loads == 2
    # R73: the reload does not swallow the message.
    expect(visitor.status).to_have_text("Your choices are saved.")
    visitor.open(path)
    visitor.page.wait_for_load_state("networkidle")
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
    visitor.wait_until(lambda: "_measure" not in visitor.cookies, patience=3000)
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
    assert visitor.loads == 1


def test_refusing_what_did_not_run_here_reloads_nothing(visitor: Visitor) -> None:
    """A page on which nothing ran has nothing to stop; a half-filled form on it is kept."""
    visitor.open().accept()
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.expect_grants()
    expect(visitor.status).to_have_text("Your choices are saved.")
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
