"""Our parts in other people's sites: nothing lies over, is cut, or cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect

from tests.browser.engines import axe
from tests.browser.portal import ask_again
from tests.browser.test_accessibility import CUT
from tests.browser.test_focus import IN_SIGHT, LONG, NAME
from tests.browser.visitor import Visitor
from tests.factories import row
from wagtail_cookie_charter.models import ConsentBanner
from wagtail_cookie_charter.publishing import publish_declarations

pytestmark = pytest.mark.browser

#: A kind of site, the preset that it uses, and its theme.
CASES = [
    ("plain", "default", "light"),
    ("bootstrap", "default", "light"),
    ("bootstrap", "bootstrap", "light"),
    ("bootstrap", "bootstrap", "dark"),
    ("tailwind", "default", "light"),
    ("tailwind", "unstyled", "light"),
    ("dsfr", "dsfr", "light"),
    ("dsfr", "dsfr", "dark"),
    ("reset", "default", "light"),
    ("fixed", "default", "light"),
]

#: Elements of ours that lie over one another, by the middles of all that has words or is pressed.
OVERLAP = """where => [...where.querySelectorAll('h2, p, li, button, summary, label, legend, a')]
    .filter(element => element.checkVisibility() && element.textContent.trim())
    .map(element => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.top >= 0 && box.bottom <= innerHeight)
    .filter(([element, box]) => {
        // What is scrolled out of sight is not there.
        for (let part = element.parentElement; part && part != where; part = part.parentElement) {
            const around = part.getBoundingClientRect();
            if (getComputedStyle(part).overflowY != 'visible'
                && (box.bottom > around.bottom || box.top < around.top)) return false;
        }
        const top = document.elementFromPoint(
            box.left + box.width / 2, box.top + box.height / 2);
        return !(top && (element.contains(top) || top.contains(element)));
    })
    .map(([element]) => `covered: ${element.outerHTML.slice(0, 120)}`)"""


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def case(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    kind, preset, theme = request.param
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": preset}):
        yield kind, theme


def ours(page: Page, part: str) -> list[str]:
    """What axe finds in a part of ours; what it finds in the site around is not ours to mend."""
    return [line for line in axe(page) if "wcc" in line and "region" not in line.split(":")[0]]


@pytest.mark.parametrize("size", [(360, 640), (1280, 720)])
def test_banner_card_and_second_layer_fit(
    new_visitor: Callable[..., Visitor], case: tuple[str, str], size: tuple[int, int]
) -> None:
    kind, theme = case
    visitor = new_visitor(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page = visitor.page
    found: list[str] = []
    for words in ("fr", "ar", "en"):
        visitor.open(f"/sites/{kind}/?words={words}&theme={theme}")
        expect(visitor.banner).to_be_visible()
        found += [f"{words}: {line}" for line in visitor.banner.evaluate(OVERLAP)]
        found += [f"{words}: {line}" for line in page.evaluate(CUT)]
        card = page.locator(".wcc-embed")
        card.evaluate("element => element.scrollIntoView({block: 'start'})")
        page.evaluate("scrollBy(0, -100)")
        found += [f"{words}: {line}" for line in ours(page, "banner")]
    assert page.locator(".wcc-embed").get_by_role("button").count() == 2
    page.locator("#wcc [data-cookie-charter-open]").click()
    expect(visitor.dialog).to_be_visible()
    visitor.unfold()
    visitor.dialog.evaluate("dialog => dialog.scrollTo(0, 0)")
    found += visitor.dialog.evaluate(OVERLAP)
    found += page.evaluate(CUT)
    found += ours(page, "dialog")
    visitor.press_in_dialog("Refuse all")
    visitor.expect_delivered()
    # Not under the site's own bars, nor under the message that the answer is saved.
    between = OVERLAP.replace("box.top >= 0", "box.top >= 80").replace(
        "innerHeight", "innerHeight - 120"
    )
    found += page.locator(".wcc-page").evaluate(between)
    found += ours(page, "form")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("kind", ["reset", "tailwind"])
def test_a_reset_makes_no_words_of_links(visitor: Visitor, kind: str) -> None:
    """WCAG 1.4.1: told by more than colour; and what opens bears its mark."""
    page = visitor.page
    visitor.open(f"/sites/{kind}/")
    expect(visitor.banner).to_be_visible()
    links = [visitor.banner.get_by_role("link"), page.locator(".wcc-embed a").first]
    page.locator("#wcc [data-cookie-charter-open]").click()
    expect(visitor.dialog).to_be_visible()
    links.append(visitor.dialog.locator("a").last)
    for link in links:
        line, own, around = link.evaluate(
            "a => [getComputedStyle(a).textDecorationLine, getComputedStyle(a).color,"
            " getComputedStyle(a.parentElement).color]"
        )
        assert line == "underline" and own != around
    for form in (visitor.dialog, page.locator(".wcc-page")):
        closed = form.locator("details:not([open]) > summary").first
        assert closed.evaluate("s => getComputedStyle(s).listStyleType") == "disclosure-closed"
        assert closed.evaluate("s => getComputedStyle(s).display") == "list-item"
        closed.evaluate("s => s.click()")
        opened = form.locator("details[open] > summary").first
        assert opened.evaluate("s => getComputedStyle(s).listStyleType") == "disclosure-open"


# --- In the middle --------------------------------------------------------------------


def in_the_middle(visitor: Visitor, path: str) -> None:
    for banner in ConsentBanner.objects.exclude(placement="corner"):
        banner.placement = "center"
        banner.save_revision().publish()
    publish_declarations()
    visitor.open(path)
    expect(visitor.banner).to_be_visible()


def test_a_card_in_the_middle_is_no_wall(visitor: Visitor, write: Callable[..., str]) -> None:
    """R23, R80: one can read, scroll and tab through the page with the question open."""
    in_the_middle(visitor, write(LONG))
    page = visitor.page
    box = visitor.banner.bounding_box()
    assert box
    assert abs(box["x"] + box["width"] / 2 - 640) < 10
    assert abs(box["y"] + box["height"] / 2 - 360) < 2
    assert visitor.page.get_by_role("dialog").count() == 0
    # Beside it and above it, clicks reach the page.
    assert page.evaluate("document.elementFromPoint(20, 360).closest('#wcc') === null")
    page.keyboard.press("End")
    visitor.wait_until(lambda: page.evaluate("scrollY") > 300)
    page.keyboard.press("Home")
    visitor.wait_until(lambda: page.evaluate("scrollY") == 0)
    expect(page.locator("html")).to_have_class("wcc-asks")
    for key in ("Tab", "Shift+Tab"):
        stops = 0
        for _step in range(70):
            page.keyboard.press(key)
            points = page.evaluate(IN_SIGHT)
            if points is None:
                if stops > 40:
                    break
                continue
            stops += 1
            assert points == 9, (key, points, page.evaluate(NAME))
        assert stops > 48, stops


@pytest.mark.parametrize("size", [(360, 640), (1280, 400)])
def test_on_small_screens_it_is_the_sheet(
    visitor: Visitor, write: Callable[..., str], size: tuple[int, int]
) -> None:
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    in_the_middle(visitor, write("<h1>Page</h1>"))
    box = visitor.banner.bounding_box()
    assert box and box["y"] + box["height"] == size[1] and box["width"] == size[0]


# --- The button that floats -----------------------------------------------------------


def test_nothing_of_the_button_where_nobody_asked_for_it(visitor: Visitor) -> None:
    visitor.open().refuse()
    assert visitor.page.locator(".wcc-reopen").count() == 0
    assert visitor.paths("button") == []


@pytest.mark.parametrize("size", [(360, 640), (1280, 720)])
def test_the_button_leads_back_and_lies_over_nothing(
    visitor: Visitor, write: Callable[..., str], size: tuple[int, int]
) -> None:
    """R48, R80, R81: hidden while we ask; never over what has the focus; back where one was."""
    page = visitor.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.open(write(LONG + "{% cookie_settings_button %}"))
    button = page.locator(".wcc-reopen a")
    expect(visitor.banner).to_be_visible()
    expect(button).to_be_hidden()
    visitor.refuse()
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box and box["width"] >= 44 and box["height"] >= 44 and box["x"] < 20
    assert not axe(page)
    for _step in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.wcc-reopen, body > nav') !== null"):
            continue
        if page.evaluate("document.activeElement === document.body"):
            break
        assert page.evaluate(
            """() => {
                const own = document.activeElement.getBoundingClientRect();
                const over = document.querySelector('.wcc-reopen').getBoundingClientRect();
                return own.right <= over.left || own.bottom <= over.top
                    || own.left >= over.right || own.top >= over.bottom;
            }"""
        ), page.evaluate(NAME)
    button.focus()
    page.keyboard.press("Enter")
    expect(visitor.dialog).to_be_visible()
    expect(button).to_be_hidden()
    page.keyboard.press("Escape")
    expect(button).to_be_visible()
    expect(button).to_be_focused()
    page.emulate_media(media="print")
    expect(button).to_be_hidden()


# --- Paper ----------------------------------------------------------------------------


def test_the_charter_prints_with_addresses_and_without_the_banner(visitor: Visitor) -> None:
    """R82: on paper, one cannot follow a link."""
    ask_again(row(name="_ad", provider="Ad Network", policy_url="https://ads.example/privacy"))
    visitor.open("/cookie-charter/")
    expect(visitor.banner).to_be_visible()
    assert visitor.page.pdf().startswith(b"%PDF")
    visitor.page.emulate_media(media="print")
    expect(visitor.banner).to_be_hidden()
    link = visitor.page.locator(".wcc-page a[href^='https://ads.example']")
    shown = link.evaluate("a => getComputedStyle(a, '::after').content")
    assert "https://ads.example/privacy" in shown
    expect(visitor.page.get_by_role("table").first).to_be_visible()
    expect(visitor.page.locator("main .wcc-form")).to_be_hidden()
