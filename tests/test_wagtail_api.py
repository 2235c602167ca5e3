"""Charters in Wagtail's API v2, through its own router, as headless front ends read them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import path
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.models import Locale

from tests.factories import make_charter, make_home, make_settings, row, table
from tests.testapp.models import OurCharterPage
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.blocks import CharterBodyBlock
from wagtail_cookie_charter.models import CookieCharterPage, CookieCharterSettings

router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("pages", PagesAPIViewSet)
urlpatterns = [path("api/", router.urls), *project_urls]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_wagtail_api")]

FIELDS = {"introduction", "body", "last_published_at", "contacts"}


def charter(**values: Any) -> Any:
    return make_charter(
        ("text", {"heading": "Why", "text": "<p>Because.</p>"}),
        table(
            row(last_checked="2026-01-31", controller="Measure Inc."),
            row(name="s", duration={"kind": "session"}),
            row(name="unfinished", duration={"kind": "fixed"}),
            row(name=""),
            introduction="<p>We <b>count</b>.</p>",
        ),
        table(row(name="_v"), category="media", heading="Films"),
        ("kinds", {"kinds": [{"name": "First", "text": "Ours"}]}),
        ("choices", {}),
        **{"introduction": "In short.", **values},
    )


def get(client: Client, page: Any, **query: str) -> dict[str, Any]:
    response = client.get(f"/api/pages/{page.pk}/", query)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [block["value"] for block in found["body"] if block["type"] == "cookie_table"]


@pytest.fixture
def settings_() -> CookieCharterSettings:
    make_home()
    return make_settings(
        controller_address="1 Town Hall Square",
        dpo_name="Data protection officer",
        authority_name="CNIL",
        authority_url="https://www.cnil.fr/",
    )


@pytest.mark.parametrize("model", [CookieCharterPage, OurCharterPage])
def test_a_charter_says_all_that_visitors_read(
    client: Client, settings_: CookieCharterSettings, model: type[Any]
) -> None:
    """R6: who is responsible, and since when the text is as it is. A page of one's own too."""
    page = charter(model=model)
    found = get(client, page)
    assert set(found) >= FIELDS
    assert found["introduction"] == "In short."
    assert datetime.fromisoformat(found["last_published_at"]) == page.last_published_at
    assert found["contacts"] == {
        "controller": {
            "name": "City of Example",
            "address": "1 Town Hall Square",
            "email": "city@example.com",
            "url": "",
        },
        "data_protection_officer": {"name": "Data protection officer", "email": "", "url": ""},
        "authority": {"name": "CNIL", "url": "https://www.cnil.fr/"},
    }
    assert [block["type"] for block in found["body"]] == [
        "text", "cookie_table", "cookie_table", "kinds", "choices"
    ]  # fmt: skip


def test_a_table_says_its_category_and_named_rows(
    client: Client, settings_: CookieCharterSettings
) -> None:
    statistics, media = tables(get(client, charter()))
    assert (statistics["category"], statistics["ground"]) == ("statistics", "consent")
    # An empty heading is the name of the category, as on the page.
    assert not statistics["heading"] and statistics["title"] == "Statistics"
    assert media["heading"] == media["title"] == "Films"
    assert "count" in statistics["introduction"]
    # A row without a name says nothing: on the page it is not shown either.
    assert [one["name"] for one in statistics["cookies"]] == ["_measure", "s", "unfinished"]


def test_a_row_is_fields_and_nothing_of_ours(
    client: Client, settings_: CookieCharterSettings
) -> None:
    statistics, _media = tables(get(client, charter()))
    first, session, unfinished = statistics["cookies"]
    assert first == {
        "name": "_measure",
        "storage": "cookie",
        "provider": "Example Measurement",
        "service": "Statistics (front office)",
        "purpose": "Counts how often each page is read.",
        "duration": {"kind": "fixed", "value": 6, "unit": "month"},
        "duration_text": "6 months",
        "party": "third",
        "domain": "",
        "controller": "Measure Inc.",
        "country": "",
        "policy_url": "",
        "recipients": "",
        "transfer": "",
        "safeguard": "",
        "ground": "",
        "reason": "",
        "retention_months": None,
        "opt_out": "",
        "last_checked": "2026-01-31",
    }
    assert session["duration"] == {"kind": "session", "value": None, "unit": None}
    assert session["duration_text"] == "until the browser is closed"
    assert unfinished["duration"] is None and unfinished["duration_text"] == ""


@pytest.mark.parametrize("asked_in", ["en", "fr"])
def test_a_page_speaks_its_own_language(
    client: Client, settings_: CookieCharterSettings, asked_in: str
) -> None:
    """R79: whatever language the one who asks prefers, and in a list as by itself."""
    page = charter()
    french = Locale.objects.create(language_code="fr")
    page.get_parent().specific.copy_for_translation(french).save_revision().publish()
    charte = page.copy_for_translation(french)
    charte.save_revision().publish()
    expected = {
        page.pk: ("Statistics", "6 months"),
        charte.pk: ("Statistiques", "6 mois"),
    }
    listed = client.get(
        "/api/pages/",
        {"type": "wagtail_cookie_charter.CookieCharterPage", "fields": "body"},
        headers={"accept-language": asked_in},
    ).json()
    alone = [
        client.get(f"/api/pages/{pk}/", headers={"accept-language": asked_in}).json()
        for pk in expected
    ]
    for found in (alone, listed["items"]):
        said = {
            one["id"]: (tables(one)[0]["title"], tables(one)[0]["cookies"][0]["duration_text"])
            for one in found
        }
        assert said == expected


def test_where_nobody_is_named_there_are_no_contacts(client: Client) -> None:
    make_home()
    page = charter()
    assert get(client, page)["contacts"] is None
    assert not CookieCharterSettings.objects.exists()


def test_an_empty_charter_is_an_empty_list(
    client: Client, settings_: CookieCharterSettings
) -> None:
    found = get(client, make_charter())
    assert found["body"] == [] and found["introduction"] == ""


def test_fields_can_be_left_out(client: Client, settings_: CookieCharterSettings) -> None:
    """They are Wagtail's own kind of fields."""
    found = get(client, charter(), fields="-body,-contacts")
    assert not {"body", "contacts"} & set(found)
    assert found["introduction"] == "In short."


def test_a_draft_is_not_there(client: Client, settings_: CookieCharterSettings) -> None:
    page = charter(publish=False)
    assert client.get(f"/api/pages/{page.pk}/").status_code == 404
    page.save_revision().publish()
    assert client.get(f"/api/pages/{page.pk}/").status_code == 200


def test_a_category_that_the_settings_dropped_breaks_nothing() -> None:
    """Promise 2: it has no ground, so it is not said to be exempt."""
    block = CharterBodyBlock()
    value = block.to_python(
        [{"type": "cookie_table", "value": {"category": "gone", "cookies": [row()]}, "id": "1"}]
    )
    (found,) = block.get_api_representation(value)
    assert (found["value"]["ground"], found["value"]["title"]) == ("", "")
    assert json.dumps(found)
