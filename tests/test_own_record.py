"""A visitor's own record (R47): what their cookie says, and whether it still holds."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from tests.answers import ask_instead, value
from tests.factories import row, table
from wagtail_cookie_charter.models import CookieCharterSettings

RECEIPT = "c1b2c3d4e5f6"
MEDIA = table(row(name="_one", provider="Video One"), category="media")
MORE = table(row(name="_ad", provider="Ads"), category="marketing")


def keep(client: Client, asking: CookieCharterSettings, cookie: str) -> None:
    client.cookies[f"cookie-charter-{asking.site_id}"] = cookie


def page(client: Client) -> BeautifulSoup:
    response = client.get(reverse("cookie_charter:record"), {"language": "en"})
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def read(client: Client) -> dict[str, str]:
    """Term -> definition."""
    soup = page(client)
    pairs = zip(soup.select(".wcc-record dt"), soup.select(".wcc-record dd"), strict=True)
    return {term.get_text(): " ".join(said.get_text().split()) for term, said in pairs}


def data(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(
        reverse("cookie_charter:record"), {"format": "json", "language": "en"}
    ).json()
    return found


def test_an_answer_holds_until_its_end(client: Client, asking: CookieCharterSettings) -> None:
    keep(client, asking, f"{value('media')}*{RECEIPT}")
    assert "20" in read(client)["Valid until"]
    assert read(client)["Receipt number"] == RECEIPT
    found = data(client)
    assert found["holds"] is True and found["recorded"] is True
    assert found["ends_at"] > found["answered_at"]


def test_an_answer_to_another_question_holds_no_longer(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R65: while the banner asks again, nothing says that the answer is valid."""
    keep(client, asking, f"{value('media')}*{RECEIPT}")
    assert ask_instead(asking, MEDIA, MORE) == 2
    assert read(client)["Valid until"] == (
        "No longer valid: the question has changed since, so you are asked again."
    )
    found = data(client)
    assert (found["holds"], found["ends_at"]) == (False, None)
    # It is on record, and stays so.
    assert found["receipt"] == RECEIPT


def test_an_answer_from_before_a_removal_still_holds(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R66: the number goes up, and asks nobody."""
    keep(client, asking, f"{value('media')}*{RECEIPT}")
    assert ask_instead(asking, MEDIA) == 2
    assert "No longer" not in read(client)["Valid until"]
    assert data(client)["holds"] is True


def test_an_answer_that_ended_holds_no_longer(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Some browsers keep a cookie for longer than they were told."""
    keep(client, asking, value("media", at=time.time() - 183 * 86_400))
    assert read(client)["Valid until"].startswith("No longer valid: it has ended")


def test_an_undelivered_answer_says_why_it_has_no_receipt(
    client: Client, asking: CookieCharterSettings
) -> None:
    keep(client, asking, f"{value('media')}~*{RECEIPT}")
    said = read(client)["Receipt number"]
    assert said.startswith("None yet: your answer holds") and RECEIPT not in said
    found = data(client)
    assert (found["recorded"], found["receipt"]) == (False, None)


def test_an_answer_that_was_given_up_is_not_said_to_be_on_record(
    client: Client, asking: CookieCharterSettings
) -> None:
    keep(client, asking, value("media"))
    assert read(client)["Receipt number"].startswith("None: your answer holds")
    found = data(client)
    assert (found["recorded"], found["receipt"]) == (False, None)


@pytest.mark.parametrize("mark", ["", "~", f"~*{RECEIPT}"])
def test_a_refusal_has_no_receipt_to_wait_for(
    client: Client, asking: CookieCharterSettings, mark: str
) -> None:
    """R37."""
    keep(client, asking, value() + mark)
    assert "Receipt number" not in read(client)
    assert data(client)["recorded"] is (False if mark else None)


@pytest.mark.parametrize("answered", [True, False])
def test_the_page_says_whose_it_is_and_leads_back(
    client: Client, asking: CookieCharterSettings, answered: bool
) -> None:
    """Without JavaScript it is a page of its own."""
    Site.objects.filter(pk=asking.site_id).update(site_name="City <of> Example")
    assert asking.banner is not None
    if answered:
        keep(client, asking, value("media"))
    found = page(client)
    header = found.header
    assert header is not None and "City <of> Example" in header.get_text()
    assert found.title is not None and "City <of> Example" in found.title.get_text()
    link = header.a
    charter = asking.banner.charter_page
    assert link is not None and link["href"] == charter.specific.url
    assert link.get_text() == charter.title


@pytest.mark.parametrize("zones", [True, False])
def test_times_for_programs_name_their_zone(
    client: Client, asking: CookieCharterSettings, settings: Any, zones: bool
) -> None:
    settings.USE_TZ = zones
    keep(client, asking, value("media"))
    found = data(client)
    for at in (found["answered_at"], found["ends_at"], found["declaration"]["published_at"]):
        assert datetime.fromisoformat(at).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("zone", "name"), [("Europe/Paris", "CE"), ("UTC", "UTC"), ("Asia/Tokyo", "JST")]
)
def test_a_clock_time_has_its_zone(
    client: Client, asking: CookieCharterSettings, settings: Any, zone: str, name: str
) -> None:
    settings.TIME_ZONE = zone
    keep(client, asking, value("media"))
    assert f"({name}" in read(client)["Answered"]


def test_what_is_not_found_is_no_file(client: Client, asking: CookieCharterSettings) -> None:
    url = reverse("cookie_charter:record")
    missing = client.get(url, {"format": "json"})
    assert missing.status_code == 404 and "Content-Disposition" not in missing
    keep(client, asking, value("media"))
    assert "attachment" in client.get(url, {"format": "json"})["Content-Disposition"]


def test_where_nothing_was_published_the_page_is_there_too(client: Client, db: None) -> None:
    found = page(client)
    assert "You have not answered yet" in found.get_text()
