"""``/.well-known/gpc.json``: the statement that Global Privacy Control is honoured (R63)."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from django.db.models import QuerySet
from django.test import Client, override_settings
from django.urls import include, path
from wagtail.models import Site

from tests.answers import ask
from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.models import PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations

URL = "/.well-known/gpc.json"
urlpatterns = [path("", include("wagtail_cookie_charter.well_known")), *project_urls]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_well_known")]


def published_at(site: Site, moment: datetime) -> None:
    """A declaration's time cannot be changed, except past its own manager."""
    latest = PublishedDeclaration.objects.of_site(site).first()
    assert latest is not None
    QuerySet(PublishedDeclaration).filter(pk=latest.pk).update(created_at=moment)


def test_it_says_yes_and_since_when(client: Client) -> None:
    """The standard: a JSON object with just these two; the date as ISO 8601."""
    settings = ask()
    published_at(settings.site, datetime(2026, 3, 10, 12, tzinfo=timezone.utc))
    response = client.get(URL)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"gpc": True, "lastUpdate": "2026-03-10"}
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies and "Cookie" not in response.get("Vary", "")


def test_the_date_is_the_sites_own(client: Client) -> None:
    """Half past eleven in the evening, universal time, is the next day in Paris."""
    settings = ask()
    published_at(settings.site, datetime(2026, 3, 10, 23, 30, tzinfo=timezone.utc))
    assert client.get(URL).json()["lastUpdate"] == "2026-03-11"


@override_settings(USE_TZ=False)
def test_a_project_without_time_zones_has_a_date_too(client: Client) -> None:
    settings = ask()
    published_at(settings.site, datetime(2026, 3, 10, 23, 30))
    assert client.get(URL).json()["lastUpdate"] == "2026-03-10"


def test_each_site_speaks_for_itself(client: Client) -> None:
    settings = ask()
    second = make_site("second.example")
    # Its own host does not borrow the default site's declaration.
    assert client.get(URL, headers={"host": "second.example"}).status_code == 404
    make_asking_site(table(row(name="_ad", provider="Ads"), category="marketing"), site=second)
    publish_declarations()
    published_at(settings.site, datetime(2026, 1, 1, 12, tzinfo=timezone.utc))
    published_at(second, datetime(2026, 2, 2, 12, tzinfo=timezone.utc))
    assert client.get(URL).json()["lastUpdate"] == "2026-01-01"
    found = client.get(URL, headers={"host": "second.example"}).json()
    assert found["lastUpdate"] == "2026-02-02"


def test_who_declared_nothing_promises_nothing(client: Client) -> None:
    make_home()
    response = client.get(URL)
    assert response.status_code == 404
    assert set(response.json()) == {"error"}


def test_a_charter_that_was_withdrawn_promises_nothing_any_more(client: Client) -> None:
    settings = ask()
    assert client.get(URL).status_code == 200
    assert settings.banner is not None
    settings.banner.charter_page.unpublish()
    publish_declarations()
    assert client.get(URL).status_code == 404


def test_where_there_is_no_site_there_is_no_promise(client: Client) -> None:
    ask()
    Site.objects.update(is_default_site=False, hostname="elsewhere.example")
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(client: Client, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405


def test_a_project_that_does_not_include_it_does_not_say_it(client: Client) -> None:
    """It is a statement with legal weight: nobody makes it by accident."""
    ask()
    with override_settings(ROOT_URLCONF="tests.urls"):
        assert client.get(URL).status_code == 404
