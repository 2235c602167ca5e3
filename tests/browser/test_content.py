"""Every kind of content waits, and comes when it may: not before, and yes after (R48)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

#: What a page may hold, and the path that the third party is asked for when it is shown.
KINDS = {
    "script": ('<script src="STRANGER/run/word.js"></script>', "/run/word.js"),
    "async": ('<script src="STRANGER/run/word.js" async></script>', "/run/word.js"),
    "defer": ('<script src="STRANGER/run/word.js" defer></script>', "/run/word.js"),
    "module": ('<script src="STRANGER/run/word.js" type="module"></script>', "/run/word.js"),
    "inline": ("<script>fetch('STRANGER/run/inline.js')</script>", "/run/inline.js"),
    "inline module": (
        "<script type='module'>import 'STRANGER/run/inner.js'</script>",
        "/run/inner.js",
    ),
    "frame": ('<iframe src="STRANGER/frame/film" title="Film"></iframe>', "/frame/film"),
    "image": ('<img src="STRANGER/pixel.gif" alt="">', "/pixel.gif"),
    "source set": ('<img srcset="STRANGER/wide.png 2x" alt="">', "/wide.png"),
    "style sheet": ('<link rel="stylesheet" href="STRANGER/look.css">', "/look.css"),
    "preload": ('<link rel="preload" as="script" href="STRANGER/early.js">', "/early.js"),
    "object": ('<object data="STRANGER/frame/object"></object>', "/frame/object"),
    "film": ('<video src="STRANGER/film.mp4" preload="auto"></video>', "/film.mp4"),
}


def paths(stranger: Stranger) -> set[str]:
    return {path.split("?")[0] for path in stranger.requests}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_loads_before_and_all_of_it_after(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger, kind: str
) -> None:
    html, path = KINDS[kind]
    page = write(f'<p>Words</p>{{% cookie_consent "statistics" %}}{html}{{% endcookie_consent %}}')
    visitor.open(page)
    expect(visitor.banner).to_be_visible()
    visitor.refuse()
    visitor.open(page)
    visitor.expect_quiet()
    assert stranger.requests == []
    visitor.footer_link.click()
    visitor.press_in_dialog("Accept all")
    visitor.wait_until(lambda: path in paths(stranger))
    stranger.requests.clear()
    visitor.open(page)
    visitor.wait_until(lambda: path in paths(stranger))


def test_a_noscript_pixel_stays_quiet(
    new_visitor: Callable[..., Visitor], write: Callable[..., str], stranger: Stranger
) -> None:
    """Without JavaScript nobody can have been asked in time: it is never fetched."""
    page = write(
        """{% cookie_consent "statistics" %}<noscript><img src="STRANGER/pixel.gif" alt="">
        </noscript>{% endcookie_consent %}<p>Words</p>"""
    )
    for options in ({"java_script_enabled": False}, {}):
        visitor = new_visitor(**options)
        visitor.open(page)
        expect(visitor.page.get_by_text("Words")).to_be_visible()
        visitor.expect_quiet()
        assert stranger.requests == []


def test_a_gate_in_the_head(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """A template may stand in the head: what is in it loads from there."""
    page = write(
        """{% load cookie_charter %}<!doctype html><html lang="en"><head><title>Page</title>
        {% cookie_consent "statistics" %}<script src="STRANGER/run/head.js"></script>
        {% endcookie_consent %}</head><body>{% cookie_banner %}<p>Words</p></body></html>""",
        layout="",
    )
    visitor.open(page)
    expect(visitor.banner).to_be_visible()
    visitor.expect_quiet()
    assert stranger.requests == []
    visitor.accept()
    visitor.page.wait_for_function("window.ran?.includes('head')")
    assert visitor.page.evaluate("!!document.head.querySelector('script[src*=run]')")


def test_document_write_is_refused_with_a_message(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """A complete page would be emptied by it. The next script finds the page's own method."""
    said: list[str] = []
    visitor.page.on("console", lambda message: said.append(message.text))
    visitor.open(
        write(
            """<p>Words</p>{% cookie_consent "statistics" %}
            <script>document.write('<p>Written</p>'); document.writeln('x')</script>
            <script>window.ran = String(document.write).includes('native') ? 'own' : 'ours'</script>
            {% endcookie_consent %}"""
        )
    )
    visitor.accept()
    visitor.page.wait_for_function("window.ran")
    expect(visitor.page.get_by_text("Words")).to_be_visible()
    expect(visitor.page.get_by_text("Written")).to_have_count(0)
    visitor.wait_until(lambda: sum("document.write was refused" in text for text in said) == 2)
    assert visitor.page.evaluate("String(document.write).includes('native code')")


def test_what_is_seen_does_not_wait_for_a_slow_script(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    held: list[Route] = []
    visitor.page.route("**/run/slow.js", lambda route: held.append(route))
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}<script src="STRANGER/run/slow.js">
            </script>{% endcookie_consent %}{% cookie_consent "media" %}
            <b>Shown at once</b>{% endcookie_consent %}"""
        )
    )
    visitor.button("Accept all").click()
    visitor.wait_until(lambda: bool(held))
    # It is asked for, and what can be seen is there already.
    assert visitor.page.get_by_text("Shown at once").is_visible()
    assert visitor.page.evaluate("window.ran ?? null") is None
    held[0].continue_()
    visitor.page.wait_for_function("window.ran?.includes('slow')")


@pytest.mark.parametrize(
    "attributes",
    ["type='text/vbscript'", "language='vbscript'", "for='x' event='y'", "nomodule", "type='x'"],
)
def test_a_script_that_no_browser_runs_holds_up_nothing(
    visitor: Visitor, write: Callable[..., str], attributes: str
) -> None:
    """Neither of its events ever comes."""
    visitor.open(
        write(
            f"""<p>Words</p>{{% cookie_consent "statistics" %}}
            <script>window.began = performance.now()</script>
            <script src="STRANGER/run/never.js" {attributes}></script>
            <script>(window.ran ??= []).push('after', performance.now() - began)</script>
            {{% endcookie_consent %}}"""
        )
    )
    visitor.accept()
    visitor.page.wait_for_function("window.ran?.includes('after')")
    word, took = visitor.page.evaluate("window.ran")
    # By the page's clock: 5 s is what it takes where something is waited for that never comes.
    assert word == "after" and took < 5_000


@pytest.mark.parametrize(
    "attributes",
    ["type=''", "language=''", "language='JavaScript1.5'", "for='window' event='onload()'"]
    + ["type=' Text/JScript '", "type='MODULE'", "for='x'"],
)
def test_a_script_that_is_written_as_of_old_is_waited_for(
    visitor: Visitor, write: Callable[..., str], attributes: str
) -> None:
    visitor.open(
        write(
            f"""<p>Words</p>{{% cookie_consent "statistics" %}}
            <script src="STRANGER/run/old.js?wait=300" {attributes}></script>
            <script>(window.ran ??= []).push('after')</script>{{% endcookie_consent %}}"""
        )
    )
    visitor.accept()
    visitor.page.wait_for_function("window.ran?.includes('after')")
    assert visitor.page.evaluate("window.ran") == ["old", "after"]


def test_a_host_that_hangs_holds_up_the_others_for_a_while_only(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    """One provider's trouble is not another's. What is late runs all the same."""
    held: list[Route] = []
    visitor.page.route("**/run/late.js", lambda route: held.append(route))
    visitor.page.clock.install()
    visitor.open(
        write(
            """<p>Words</p>{% cookie_consent "statistics" %}
            <script src="STRANGER/run/late.js"></script>{% endcookie_consent %}
            {% cookie_consent "media" %}
            <script>(window.ran ??= []).push('after')</script>{% endcookie_consent %}"""
        )
    )
    expect(visitor.banner).to_be_visible()
    # The page's clock goes on from here only as we say: the machine may be busy.
    visitor.page.clock.pause_at(datetime.now() + timedelta(minutes=2))
    visitor.button("Accept all").click()
    visitor.page.clock.run_for(1_000)
    visitor.wait_until(lambda: bool(held))
    assert visitor.page.evaluate("window.ran ?? null") is None
    visitor.page.clock.run_for(6_500)
    visitor.page.wait_for_function("window.ran?.includes('after')")
    assert visitor.page.evaluate("window.ran") == ["after"]
    visitor.page.clock.resume()
    held[0].continue_()
    visitor.page.wait_for_function("window.ran.includes('late')")


BRING = """([way, word]) => {
    const html = `<template data-cookie-charter="statistics">
        <script src="STRANGER/run/${word}.js"></${'script'}></template>`;
    if (way == 'insert') document.body.insertAdjacentHTML('beforeend', html);
    if (way == 'fragment')
        document.body.append(document.createRange().createContextualFragment(html));
    if (way == 'parser')
        document.body.append(
            ...new DOMParser().parseFromString('<body>' + html, 'text/html').body.childNodes);
    cookieCharter.update();
}"""


def test_what_is_brought_later_runs_but_for_what_no_browser_runs(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """As the guide says: and what never runs does not stop the others for good."""
    visitor.open(write("<p>Words</p>"))
    visitor.accept()
    bring = BRING.replace("STRANGER", stranger.origin)
    visitor.page.evaluate(bring, ["fragment", "one"])
    visitor.page.evaluate(bring, ["parser", "two"])
    visitor.page.wait_for_function("window.ran?.length == 2")
    visitor.page.evaluate(bring, ["insert", "never"])
    visitor.page.evaluate(bring, ["fragment", "three"])
    visitor.page.wait_for_function("window.ran.length == 3")
    assert visitor.page.evaluate("window.ran") == ["one", "two", "three"]


# --- For the site's own scripts ---------------------------------------------------------

LATER = """
const gate = document.createElement('template');
gate.dataset.cookieCharter = 'statistics';
gate.innerHTML = '<b>Late news</b>';
document.querySelector('main, body').append(gate);
"""


def test_content_that_comes_later(visitor: Visitor, write: Callable[..., str]) -> None:
    """As htmx or Turbo frames bring it, with the one line of code that the guide gives."""
    page = write("<p>Words</p>")
    swap = LATER + "document.dispatchEvent(new Event('htmx:afterSettle'))"
    visitor.page.add_init_script(
        "document.addEventListener('htmx:afterSettle', () => cookieCharter.update())"
    )
    visitor.open(page)
    visitor.refuse()
    visitor.page.evaluate(swap)
    visitor.expect_quiet()
    expect(visitor.page.get_by_text("Late news")).to_have_count(0)
    visitor.page.context.clear_cookies()
    visitor.open(page)
    visitor.accept()
    visitor.page.evaluate(swap)
    expect(visitor.page.get_by_text("Late news")).to_be_visible()


def test_allows_and_on_grant(visitor: Visitor, write: Callable[..., str]) -> None:
    visitor.open(write("<p>Words</p>"))
    expect(visitor.banner).to_be_visible()
    page = visitor.page
    page.evaluate("cookieCharter.onGrant('statistics', () => (window.calls ??= []).push(1))")
    assert page.evaluate("cookieCharter.allows('statistics')") is False
    assert page.evaluate("cookieCharter.allows('unheard')") is False
    assert page.evaluate("cookieCharter.allows('')") is False
    visitor.expect_quiet()
    assert page.evaluate("window.calls ?? null") is None
    visitor.accept()
    page.wait_for_function("window.calls")
    assert page.evaluate("cookieCharter.allows('statistics')") is True
    page.evaluate("cookieCharter.onGrant('statistics', () => calls.push(2))")
    page.wait_for_function("calls.length == 2")
    # What was run because of it cannot be taken back but by a reload.
    loads = visitor.loads
    page.evaluate("cookieCharter.open()")
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads > loads)
    assert page.evaluate("cookieCharter.allows('statistics')") is False


@pytest.mark.parametrize("element", ["p", "form"])
def test_an_element_of_that_name_takes_nothing_away(
    visitor: Visitor, write: Callable[..., str], element: str
) -> None:
    """Browsers show elements with an id as variables; an editor's heading may have any."""
    visitor.open(
        write(
            f"""{{% load cookie_charter %}}<!doctype html><html lang="en"><head><title>Page</title>
            </head><body><{element} id="cookieCharter">Words</{element}>{{% cookie_banner %}}
            {{% cookie_consent "statistics" %}}<b>Counted</b>{{% endcookie_consent %}}
            </body></html>""",
            layout="",
        )
    )
    visitor.accept()
    expect(visitor.page.get_by_text("Counted")).to_be_visible()
    assert visitor.page.evaluate("cookieCharter.allows('statistics')")
    assert not visitor.errors


def test_ready_is_told(visitor: Visitor, write: Callable[..., str]) -> None:
    visitor.page.add_init_script(
        "document.addEventListener('cookie-charter:ready', () => (window.api = cookieCharter))"
    )
    visitor.open(write("<p>Words</p>"))
    visitor.page.wait_for_function("!!window.api?.allows")


def hear(page: Page, cancel: bool) -> None:
    page.evaluate(
        """(cancel) => {
            window.heard = [];
            for (const name of ['change', 'changed'])
                document.addEventListener('cookie-charter:' + name, (event) => {
                    heard.push([name, event.detail.grants, event.cancelable]);
                    if (cancel) event.preventDefault();
                });
        }""",
        cancel,
    )


def test_the_events_of_an_answer(visitor: Visitor, write: Callable[..., str]) -> None:
    visitor.open(write("<p>Words</p>"))
    hear(visitor.page, cancel=False)
    visitor.accept()
    visitor.page.wait_for_function("heard.length == 2")
    everything = ["statistics", "media", "audience"]
    assert visitor.page.evaluate("heard") == [
        ["change", everything, True],
        ["changed", everything, False],
    ]


def test_a_cancelled_grant_does_not_happen(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    visitor.open(
        write(
            '{% cookie_consent "statistics" %}<script src="STRANGER/run/x.js"></script>'
            "{% endcookie_consent %}"
        )
    )
    hear(visitor.page, cancel=True)
    visitor.button("Accept all").click()
    visitor.page.wait_for_function("heard.length")
    expect(visitor.banner).to_be_visible()
    visitor.expect_quiet()
    assert visitor.decision is None
    assert stranger.requests == []


def test_nobody_can_be_kept_from_refusing(visitor: Visitor, write: Callable[..., str]) -> None:
    """Promise 3: refusing is as easy as accepting."""
    visitor.open(write("<p>Words</p>"))
    hear(visitor.page, cancel=True)
    visitor.refuse()
    visitor.page.wait_for_function("heard.length == 2")
    assert visitor.grants == set()
    assert visitor.page.evaluate("heard.map(([name, , cancelable]) => [name, cancelable])") == [
        ["change", False],
        ["changed", False],
    ]


def test_nor_from_withdrawing_a_part(visitor: Visitor, write: Callable[..., str]) -> None:
    """R48: what is left is written as another grant, and is nothing new."""
    visitor.open(write("<p>Words</p>")).accept()
    visitor.reopen()
    visitor.unfold()
    visitor.dialog.get_by_role("checkbox", name="Video Host").uncheck()
    hear(visitor.page, cancel=True)
    visitor.save()
    visitor.wait_until(lambda: "media" not in (visitor.grants or set()))
    assert visitor.page.evaluate("heard[0][2]") is False


# --- One thing more ---------------------------------------------------------------------

PLACE = """
<p data-cookie-charter-placeholder>
  <button type="button" data-cookie-charter-allow="{one}">Allow Video Host</button>
  <button type="button" data-cookie-charter-allow="media">Always allow media</button>
</p>{% cookie_consent "media" provider="Video Host" %}
<iframe src="STRANGER/frame/video" title="Video"></iframe>{% endcookie_consent %}
{% cookie_consent "media" provider="Map Host" %}
<iframe src="STRANGER/frame/map" title="Map"></iframe>{% endcookie_consent %}
"""


def placed(page: Page) -> str:
    """The page with the provider's own code in the button."""
    return str(page.locator("template").first.get_attribute("data-cookie-charter"))


@pytest.fixture
def place(visitor: Visitor, write: Callable[..., str]) -> str:
    visitor.open(write(PLACE))
    return write(PLACE.replace("{one}", placed(visitor.page)))


def test_allowing_one_provider_grants_no_other(
    visitor: Visitor, place: str, stranger: Stranger
) -> None:
    visitor.open(place)
    visitor.refuse()
    visitor.page.get_by_role("button", name="Allow Video Host").click()
    expect(visitor.page.get_by_title("Video")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Allow Video Host")).to_have_count(0)
    # Whoever pressed the button goes on from the content.
    visitor.expect_on(visitor.page.get_by_title("Video"))
    visitor.expect_delivered()
    assert visitor.grants is not None
    [grant] = visitor.grants
    assert grant.startswith("media+")
    visitor.wait_until(lambda: paths(stranger) == {"/frame/video"})
    visitor.expect_quiet()
    expect(visitor.page.get_by_title("Map")).to_have_count(0)
    assert paths(stranger) == {"/frame/video"}


def test_always_allowing_a_category(visitor: Visitor, place: str, stranger: Stranger) -> None:
    visitor.open(place)
    visitor.refuse()
    visitor.page.get_by_role("button", name="Always allow media").click()
    expect(visitor.page.get_by_title("Map")).to_be_visible()
    visitor.expect_grants("media")
    visitor.wait_until(lambda: paths(stranger) == {"/frame/video", "/frame/map"})


def test_allowing_before_any_answer_keeps_what_is_on_by_law(visitor: Visitor, place: str) -> None:
    """It is an answer: nothing else is granted by it, and exempt measurement goes on."""
    visitor.open(place)
    visitor.page.get_by_role("button", name="Always allow media").click()
    visitor.expect_delivered()
    visitor.wait_until(lambda: visitor.grants == {"media", "audience"})
    expect(visitor.banner).to_be_hidden()


def test_a_scripts_own_handlers_are_called(visitor: Visitor, write: Callable[..., str]) -> None:
    """`<script src="map.js" onload="start()">` is how many services begin."""
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}
            <script src="STRANGER/run/a.js" onload="ran.push('loaded')"></script>
            <script src="STRANGER/none.js" onerror="ran.push('failed')"></script>
            <script>ran.push('after')</script>{% endcookie_consent %}"""
        )
    )
    visitor.accept()
    visitor.page.wait_for_function("window.ran?.includes('after')")
    assert visitor.page.evaluate("ran") == ["a", "loaded", "failed", "after"]
