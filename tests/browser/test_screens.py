"""Small screens, zoom, print, and what a screen reader is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def overflow(page: Page) -> list[str]:
    """What makes the page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? []
            : [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
                .map(e => e.tagName + '.' + e.className)"""
    )
    return found


@pytest.mark.parametrize("path", ["/", "/cookie-charter/", "/fr/charte-cookies/"])
def test_nothing_scrolls_sideways_at_320_pixels(visitor: Visitor, path: str) -> None:
    """R10, R75 (WCAG 1.4.10): at 400 % zoom everything can be read in one direction."""
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.open(path)
    expect(visitor.banner).to_be_visible()
    assert overflow(visitor.page) == []
    visitor.page.locator("[data-cookie-charter-open]").first.click()
    expect(visitor.dialog).to_be_visible()
    visitor.unfold()
    assert overflow(visitor.page) == []
    assert visitor.dialog.evaluate("d => d.scrollWidth <= d.clientWidth")


@pytest.mark.parametrize("size", [(320, 256), (320, 640), (640, 320), (360, 740), (1280, 720)])
def test_the_banner_leaves_room_and_all_its_buttons_can_be_pressed(
    visitor: Visitor, size: tuple[int, int]
) -> None:
    """R75, R23: even at 320 by 256 the page shows, and each button is in sight."""
    visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
    visitor.open()
    expect(visitor.banner).to_be_visible()
    box = visitor.banner.bounding_box()
    assert box
    assert box["height"] <= 0.75 * size[1]
    for name in ("Accept all", "Refuse all", "Customise"):
        button = visitor.button(name)
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport(ratio=1)
        button.click(trial=True)
    # R18, R20: the words can be scrolled to, and are not squeezed to nothing.
    words = visitor.banner.locator(".wcc-words")
    words.get_by_role("link").last.scroll_into_view_if_needed()
    expect(words.get_by_role("link").last).to_be_in_viewport()
    expect(words.get_by_role("heading")).to_be_attached()


def test_text_at_double_size_is_not_cut(visitor: Visitor) -> None:
    """R75: 200 % text in the same window."""
    visitor.open()
    visitor.page.evaluate("document.documentElement.style.fontSize = '200%'")
    expect(visitor.banner).to_be_visible()
    for name in ("Accept all", "Refuse all", "Customise"):
        button = visitor.button(name)
        expect(button).to_be_in_viewport(ratio=1)
        assert button.evaluate("b => b.scrollWidth <= b.clientWidth")


@pytest.mark.parametrize("width", [320, 1280])
def test_the_table_is_a_table_at_any_width(visitor: Visitor, width: int) -> None:
    """R9, R10: cards to the eye at 320 pixels, still rows and headers to a screen reader."""
    visitor.page.set_viewport_size({"width": width, "height": 700})
    visitor.open().refuse()
    visitor.open("/cookie-charter/")
    table = visitor.page.get_by_role("table", name="Statistics")
    expect(table).to_match_aria_snapshot(
        """
        - table "Statistics":
          - caption: Statistics
          - rowgroup:
            - row:
              - columnheader "Name"
              - columnheader "Provider"
              - columnheader "Service and place"
              - columnheader "Purpose"
              - columnheader "Duration"
              - columnheader "Party"
          - rowgroup:
            - row:
              - rowheader "_measure":
                - code: _measure
              - cell /Example Measurement/
              - cell /Statistics \\(front office\\)/
              - cell /Counts how often each page is read/
              - cell /6 months/
              - cell /Third party/
        """
    )
    # What Chromium hands to assistive technology, not what we hope it makes of the tags.
    session = visitor.page.context.new_cdp_session(visitor.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if "role" in node and not node["ignored"]]
    rows = table.locator("tr").count()
    tables = visitor.page.locator("main table").count()
    assert roles.count("table") == tables
    assert roles.count("row") >= rows
    assert roles.count("columnheader") == 6 * tables
    assert roles.count("rowheader") == visitor.page.locator("main tbody tr").count()


def test_cards_say_what_each_line_is(visitor: Visitor) -> None:
    """R10: where the column's header is out of sight, its name stands on the card."""
    visitor.page.set_viewport_size({"width": 320, "height": 700})
    visitor.open("/cookie-charter/")
    cell = visitor.page.locator("main tbody td").first
    assert cell.evaluate("td => getComputedStyle(td).display") == "block"
    assert cell.evaluate("td => getComputedStyle(td, '::before').content") == '"Provider"'


def contrast(page: Page, selector: str, canvas: str = "rgb(255, 255, 255)") -> float:
    """The ratio of an element's text to what is behind it, the ``canvas`` if nothing is."""
    ratio: float = page.locator(selector).first.evaluate(
        """(element, canvas) => {
            const parts = colour => colour.match(/[\\d.]+/g).map(Number);
            let back = element;
            while (back && parts(getComputedStyle(back).backgroundColor)[3] === 0)
                back = back.parentElement;
            const light = colour => {
                const [r, g, b] = parts(colour).map(v => v / 255)
                    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const [a, b] = [getComputedStyle(element).color,
                back ? getComputedStyle(back).backgroundColor : canvas].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }""",
        canvas,
    )
    return ratio


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(new_visitor: Callable[..., Visitor], scheme: str) -> None:
    """R74: every word of both layers at 4.5 to 1, in both schemes."""
    visitor = new_visitor(color_scheme=scheme)
    visitor.open()
    expect(visitor.banner).to_be_visible()
    for selector in (
        ".wcc h2",
        ".wcc p",
        ".wcc-facts",
        ".wcc a",
        ".wcc [data-wcc=accept]",
        ".wcc .wcc-plain",
    ):
        assert contrast(visitor.page, selector) >= 4.5, selector
    visitor.customise()
    visitor.unfold()
    for selector in (
        "h2",
        "legend",
        "em",
        "summary",
        "label",
        "td",
        "thead th",
        "small",
        ".wcc-note",
        ".wcc-close",
    ):
        assert contrast(visitor.page, f".wcc-dialog {selector}") >= 4.5, selector


@pytest.mark.parametrize("site_scheme", ["light", "light dark"])
def test_the_charter_can_be_read_on_a_site_of_either_kind(
    new_visitor: Callable[..., Visitor], site_scheme: str
) -> None:
    """R74: the charter follows the page it stands on, with a dark theme or without one."""
    visitor = new_visitor(color_scheme="dark")
    visitor.open().refuse()
    visitor.open("/cookie-charter/")
    visitor.page.add_style_tag(content=f":root {{ color-scheme: {site_scheme} }}")
    back = "rgb(255, 255, 255)" if site_scheme == "light" else "rgb(18, 18, 18)"
    for selector in (
        "th",
        "td",
        "td small",
        "legend",
        "em",
        "summary",
        "label",
        ".wcc-plain",
        ".wcc-changed",
    ):
        assert contrast(visitor.page, f"main {selector}", back) >= 4.5, selector


def test_print_shows_the_charter_and_not_the_banner(visitor: Visitor) -> None:
    """R82."""
    visitor.open("/cookie-charter/")
    expect(visitor.banner).to_be_visible()
    visitor.page.emulate_media(media="print")
    expect(visitor.banner).to_be_hidden()
    expect(visitor.page.get_by_role("table", name="Statistics")).to_be_visible()


def test_nothing_moves(visitor: Visitor) -> None:
    """R82, budgets: no entry animation, so nothing to reduce."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    visitor.customise()
    assert visitor.page.evaluate("document.getAnimations().length") == 0


def test_the_whole_in_words(visitor: Visitor) -> None:
    """R72, R79: the first layer as it is heard."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    expect(visitor.page.get_by_role("region", name="Your privacy")).to_match_aria_snapshot(
        """
        - region "Your privacy, your choice":
          - heading "Your privacy, your choice" [level=2]
          - paragraph: /With your consent.+/
          - list:
            - listitem:
              - strong: Anonymous audience measurement
            - listitem:
              - strong: Statistics
            - listitem:
              - strong: Videos, maps and other content from elsewhere
          - paragraph:
            - text: /City of Example is responsible.+/
            - link "Cookie charter"
          - button "Accept all"
          - button "Refuse all"
          - button "Customise"
        """
    )
