"""The charter on paper (R82)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.factories import make_charter, row, table

pytestmark = pytest.mark.browser

ADDRESS = "https://portal.example/a/long/address"


def test_each_address_once_and_no_row_cut(visitor: Visitor) -> None:
    """A link that is its own address says it by itself; six columns have room for their words."""
    make_charter(
        ("platform", {"name": "Portal", "url": ADDRESS, "text": "<p>Words</p>"}),
        table(
            row(name="_a_rather_long_name_of_one", policy_url="https://other.example/privacy"),
            platform_url=ADDRESS,
        ),
        slug="on-paper",
        title="On paper",
    )
    page = visitor.open("/on-paper/").page
    expect(visitor.banner).to_be_visible()
    page.emulate_media(media="print")
    # A sheet of A4, without its margins.
    page.set_viewport_size({"width": 718, "height": 1000})
    after = "a => getComputedStyle(a, '::after').content"
    own = page.locator(f".wcc-page a[href='{ADDRESS}']")
    assert [link.evaluate(after) for link in own.all()] == ["none", "none"]
    other = page.locator(".wcc-page a[href='https://other.example/privacy']")
    assert "https://other.example/privacy" in other.evaluate(after)
    tables = page.locator(".wcc-page table")
    for one in tables.all():
        assert one.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    cells = page.locator(".wcc-page tbody tr").first
    assert cells.evaluate("row => getComputedStyle(row).breakInside") == "avoid"
    narrow = cells.locator("td").evaluate_all("cells => Math.min(...cells.map(c => c.clientWidth))")
    assert narrow >= 50
    assert page.pdf().startswith(b"%PDF")
