"""What a visitor chose, to read and keep (R47); and what of it the server keeps (R44)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Route, expect

from tests.browser.visitor import Visitor
from wagtail_cookie_charter.models import ConsentEvent, DailyCount, Delivery

pytestmark = pytest.mark.browser

CHARTER = "/cookie-charter/"


def answers() -> list[tuple[str, str]]:
    events = ConsentEvent.objects.order_by("pk")
    return [(event.method, event.grants) for event in events]


def test_the_charter_says_what_was_chosen_when_and_under_which_receipt(visitor: Visitor) -> None:
    visitor.open().accept()
    visitor.open(CHARTER)
    record = visitor.page.locator(".wcc-record")
    event = ConsentEvent.objects.get()
    assert event.receipt
    expect(record.get_by_text(event.receipt)).to_be_visible()
    expect(record.get_by_role("definition").filter(has_text="Granted")).to_have_count(3)
    with visitor.page.expect_download() as download:
        record.get_by_role("link", name="Download as JSON").click()
    path = download.value.path()
    kept = json.loads(Path(path).read_text())
    assert kept["receipt"] == event.receipt
    assert kept["declaration"]["number"] == event.declaration.number
    assert {choice["category"] for choice in kept["choices"]} == {"audience", "statistics", "media"}


def test_a_change_of_mind_is_shown_at_once(visitor: Visitor) -> None:
    visitor.open().accept()
    visitor.open(CHARTER).expect_in_charge()
    record = visitor.page.locator(".wcc-record")
    expect(record.get_by_text("Receipt number")).to_be_visible()
    visitor.page.locator("main form").get_by_role("button", name="Refuse all").click()
    expect(record.get_by_role("definition").filter(has_text="Refused")).to_have_count(3)
    expect(record.get_by_text("Receipt number")).to_have_count(0)


def test_who_has_not_answered_reads_so_without_javascript(
    new_visitor: Callable[..., Visitor],
) -> None:
    visitor = new_visitor(java_script_enabled=False)
    visitor.open(CHARTER)
    visitor.page.get_by_role("link", name="What I chose").click()
    expect(visitor.page.get_by_text("You have not answered yet")).to_be_visible()


def test_while_an_answer_is_not_on_record_the_charter_says_so(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.route("**/decide/**", lambda route: route.abort())
    visitor.button("Accept all").click()
    visitor.expect_decision(r"1\..*~\*[0-9a-z]{12}")
    visitor.open(CHARTER)
    record = visitor.page.locator(".wcc-record")
    expect(record.get_by_text("None yet: your answer holds")).to_be_visible()
    visitor.page.unroute("**/decide/**")
    visitor.open(CHARTER)
    visitor.expect_delivered()
    expect(record.get_by_text(ConsentEvent.objects.get().receipt or "?")).to_be_visible()


def test_each_way_of_answering_is_recorded_as_such(visitor: Visitor) -> None:
    visitor.open().accept()
    assert answers() == [("accept", "audience.media.statistics")]
    visitor.reopen()
    visitor.dialog.get_by_role("button", name="Refuse all").click()
    visitor.expect_grants()
    assert answers()[1:] == [("withdrawal", "")]
    visitor.reopen()
    visitor.box("Second Counter").evaluate("box => box.click()")
    visitor.dialog.get_by_role("button", name="Save my choices").click()
    visitor.expect_decision(r"1\.\w+\.\w+\.statistics\+\w+\*\w+")
    [(method, grants)] = answers()[2:]
    assert (method, grants[:11]) == ("choice", "statistics+")
    assert ConsentEvent.objects.get(grants="").receipt is None
    assert Delivery.objects.count() == 1
    assert sum(DailyCount.objects.values_list("count", flat=True)) == 3


def test_a_refusal_that_arrives_twice_is_one(visitor: Visitor) -> None:
    """The first confirmation is lost on its way, so the next page sends it again."""
    visitor.open()

    def lose(route: Route) -> None:
        headers = {**route.request.headers, "sec-fetch-site": "same-origin"}
        body = (route.request.post_data or "").encode()
        # Only the test server's own address gets here.
        with urlopen(Request(route.request.url, body, headers)) as response:  # noqa: S310
            assert response.status == 200
        route.abort()

    visitor.page.route("**/decide/**", lose)
    with visitor.page.expect_event("requestfailed"):
        visitor.button("Refuse all").click()
    assert answers() == [("refuse", "")]
    assert "~*" in visitor.consent_cookie()["value"]
    visitor.page.unroute("**/decide/**")
    visitor.open()
    visitor.expect_delivered()
    assert answers() == [("refuse", "")]
    assert "*" not in visitor.consent_cookie()["value"]
    assert sum(DailyCount.objects.values_list("count", flat=True)) == 1
