"""With a keyboard alone: everything can be reached, done and left (R69-R71)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

#: What the element with the focus is called.
FOCUSED = """(element => (element.getAttribute('aria-label')
    ?? element.closest('label')?.textContent
    ?? element.textContent).trim())(document.activeElement)"""


def focused(visitor: Visitor) -> str:
    return str(visitor.page.evaluate(FOCUSED))


def tab_to(visitor: Visitor, name: str, key: str = "Tab") -> None:
    """Press Tab until ``name`` has the focus; nobody presses it more than 40 times."""
    for _step in range(40):
        visitor.page.keyboard.press(key)
        if focused(visitor) == name:
            return
    raise AssertionError(f"{name} cannot be reached")


@pytest.mark.parametrize(
    ("label", "key", "grants"),
    [
        ("Accept all", "Enter", {"statistics", "media", "audience"}),
        ("Refuse all", "Enter", set()),
        ("Refuse all", "Space", set()),
    ],
)
def test_answering(visitor: Visitor, label: str, key: str, grants: set[str]) -> None:
    visitor.open()
    expect(visitor.banner).to_be_visible()
    tab_to(visitor, label)
    visitor.page.keyboard.press(key)
    visitor.expect_delivered()
    expect(visitor.banner).to_be_hidden()
    assert visitor.grants == grants
    # Focus is not lost in what is hidden: Tab goes on into the page.
    visitor.page.keyboard.press("Tab")
    assert focused(visitor) == "Skip to content"


def test_customising_from_end_to_end(visitor: Visitor) -> None:
    """Open, unfold a purpose, choose a provider, save: not one pointer event."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    tab_to(visitor, "Customise")
    visitor.page.keyboard.press("Enter")
    expect(visitor.dialog).to_be_visible()
    tab_to(visitor, "2 providers: Statistics")
    visitor.page.keyboard.press("Enter")
    tab_to(visitor, "Second Counter")
    visitor.page.keyboard.press("Space")
    tab_to(visitor, "Save my choices")
    visitor.page.keyboard.press("Enter")
    visitor.expect_delivered()
    expect(visitor.dialog).to_be_hidden()
    [grant] = visitor.grants or []
    assert grant.startswith("statistics+")


def test_the_layer_holds_the_focus_and_lets_it_go(visitor: Visitor) -> None:
    """R70: Tab stays in the open layer, forwards and backwards; Escape leaves it."""
    visitor.open()
    visitor.button("Customise").press("Enter")
    expect(visitor.dialog).to_be_visible()
    for key in ("Tab", "Shift+Tab"):
        names = []
        for _step in range(24):
            visitor.page.keyboard.press(key)
            # Between the last and the first, focus passes through the browser's own bar.
            inside = visitor.page.evaluate(
                """document.activeElement === document.body
                    || !!document.activeElement.closest('dialog')"""
            )
            assert inside, focused(visitor)
            names.append(focused(visitor))
        assert {"Close without changing anything", "Accept all", "Save my choices"} <= set(names)
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog).to_be_hidden()
    expect(visitor.button("Customise")).to_be_focused()


def test_no_trap_in_the_banner(visitor: Visitor) -> None:
    """R70: one tabs through the banner and out of it, and back."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    tab_to(visitor, "Manage cookies")
    tab_to(visitor, "Refuse all", "Shift+Tab")


def test_opening_and_leaving_from_the_footer(visitor: Visitor) -> None:
    visitor.open().refuse()
    tab_to(visitor, "Manage cookies")
    visitor.page.keyboard.press("Enter")
    expect(visitor.dialog).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.footer_link).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.dialog).to_be_visible()
    tab_to(visitor, "Accept all")
    visitor.page.keyboard.press("Enter")
    visitor.expect_grants("statistics", "media", "audience")


def test_focus_can_be_seen(visitor: Visitor) -> None:
    """R69: what has the focus has an outline, in both layers."""
    visitor.open()
    expect(visitor.banner).to_be_visible()

    def outline() -> str:
        return str(visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))

    for name in ("Cookie charter", "Accept all", "Refuse all", "Customise"):
        tab_to(visitor, name)
        assert outline() != "none", name
    visitor.page.keyboard.press("Enter")
    expect(visitor.dialog).to_be_visible()
    for name in ("Allow: Statistics", "2 providers: Statistics", "Save my choices"):
        tab_to(visitor, name)
        assert outline() != "none", name


def test_the_charter_by_keyboard(visitor: Visitor, write: Callable[..., str]) -> None:
    """R5: the form on the charter, no pointer either."""
    visitor.open().refuse()
    visitor.open("/cookie-charter/").expect_in_charge()
    tab_to(visitor, "Allow: Statistics")
    visitor.page.keyboard.press("Space")
    tab_to(visitor, "Save my choices")
    visitor.page.keyboard.press("Enter")
    visitor.expect_grants("statistics")
