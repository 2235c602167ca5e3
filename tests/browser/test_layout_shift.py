"""Nothing moves under the reader's eyes: CLS 0.000, and not only as browsers count it.

Browsers forgive what moves within half a second of a click. We do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.portal import Stranger, ask_again
from tests.browser.visitor import Visitor
from tests.factories import make_embed, row

pytestmark = pytest.mark.browser

PHONE, DESKTOP = (320, 640), (1280, 720)
LONG = "<h1>Page</h1>" + "<p>Words of a page that people came to read.</p>" * 60

#: What moved, named at once: it may be gone when somebody asks.
WATCH = """window.shifts = [];
new PerformanceObserver(list => {
    for (const {value, startTime, sources} of list.getEntries())
        shifts.push([value, startTime, ...sources.map(({node, previousRect, currentRect}) => [
            (node?.outerHTML ?? node?.nodeValue ?? 'gone').slice(0, 80),
            previousRect.y, previousRect.height, currentRect.y, currentRect.height])]);
}).observe({ type: 'layout-shift', buffered: true });"""

#: All that moved so far, as the browser would say it of a page that nobody touched.
MOVED = """async () => {
    const painted = () => new Promise(end => requestAnimationFrame(() => setTimeout(end)));
    for (let frame = 0; frame < 3; frame++) await painted();
    return shifts;
}"""


def watched(visitor: Visitor, size: tuple[int, int]) -> Visitor:
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.page.add_init_script(WATCH)
    return visitor


def moved(visitor: Visitor) -> list[object]:
    found: list[object] = visitor.page.evaluate(MOVED)
    return found


def test_the_watch_does_see_what_moves(visitor: Visitor, write: Callable[..., str]) -> None:
    watched(visitor, DESKTOP).open(write(LONG))
    expect(visitor.banner).to_be_visible()
    visitor.page.evaluate("document.querySelector('h1').style.paddingBottom = '9rem'")
    visitor.wait_until(lambda: bool(moved(visitor)))


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("answer", ["Accept all", "Refuse all"])
def test_on_first_view_and_on_answer(
    visitor: Visitor, write: Callable[..., str], size: tuple[int, int], answer: str
) -> None:
    watched(visitor, size).open(write(LONG))
    expect(visitor.banner).to_be_visible()
    assert moved(visitor) == []
    visitor.button(answer).click()
    expect(visitor.status).not_to_be_empty()
    visitor.expect_delivered()
    assert moved(visitor) == []


def test_on_answer_at_the_foot_of_the_page(visitor: Visitor, write: Callable[..., str]) -> None:
    """Where the room that was made for the banner goes with it."""
    watched(visitor, PHONE).open(write(LONG))
    expect(visitor.banner).to_be_visible()
    visitor.page.keyboard.press("End")
    visitor.wait_until(lambda: visitor.page.evaluate("scrollY") > 300)
    visitor.refuse()
    assert moved(visitor) == []


#: A site's style for what keeps its shape, as Wagtail's guide has it; and two usual resets.
RESPONSIVE = """.responsive-object { position: relative } .responsive-object iframe {
    position: absolute; inset: 0; width: 100%; height: 100% }"""
RESETS = {
    "none": "",
    "block": "img, svg, video, iframe { display: block }",
    "middle": "img, svg { vertical-align: middle } body { font: 1.25rem/2 serif }",
}


@pytest.fixture
def film(stranger: Stranger, site: str) -> Callable[..., str]:
    """A film of a size that its provider told us."""
    ask_again(row(name="_film", provider="Film Host", domain="localhost"))

    def film(width: int, height: int) -> str:
        url = f"https://film.example/{width}"
        make_embed(
            url,
            f'<iframe src="{stranger.origin}/frame/film" title="Film" style="border: 0; '
            f'max-width: 100%" width="{width}" height="{height}"></iframe>',
            width=width,
            height=height,
        )
        return url

    return film


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("responsive", [True, False])
@pytest.mark.parametrize("reset", RESETS)
def test_when_content_that_waited_comes(
    visitor: Visitor,
    write: Callable[..., str],
    film: Callable[..., str],
    settings: Any,
    size: tuple[int, int],
    responsive: bool,
    reset: str,
) -> None:
    """The card has the size of what it holds back, however many its words are."""
    settings.WAGTAILEMBEDS_RESPONSIVE_HTML = responsive
    embed = f'<p>Before</p><embed embedtype="media" url="{film(560, 315)}"/><p>After</p>'
    path = write(
        f"<style>{RESPONSIVE}{RESETS[reset]}</style>"
        "{% load wagtailcore_tags %}<div>{{ '" + embed + "'|richtext }}</div>"
    )
    watched(visitor, size).open(path).refuse()
    assert moved(visitor) == []
    visitor.page.get_by_role("button", name="Allow Film Host", exact=True).click()
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    assert moved(visitor) == []


def test_when_the_cards_style_comes_late(
    visitor: Visitor, write: Callable[..., str], film: Callable[..., str], settings: Any
) -> None:
    """On a slow line the page is painted without it: the card has its size all the same."""
    settings.WAGTAILEMBEDS_RESPONSIVE_HTML = True
    embed = f'<p>Before</p><embed embedtype="media" url="{film(560, 315)}"/><p>After</p>'
    path = write("{% load wagtailcore_tags %}<div>{{ '" + embed + "'|richtext }}</div>")

    def late(route: Route) -> None:
        visitor.page.wait_for_timeout(500)
        route.continue_()

    visitor.page.route("**/cookie-charter-embed.css", late)
    watched(visitor, PHONE).open(path)
    expect(visitor.page.get_by_role("button", name="Allow Film Host", exact=True)).to_be_visible()
    assert moved(visitor) == []
