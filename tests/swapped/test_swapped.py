"""A project whose base page model is its own: nothing of Wagtail's `Page` may be assumed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
import swapper
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from wagtail.models import Site

from tests.swapped.models import OurCharterPage, OurPage
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterSettings,
    PublishedDeclaration,
)

pytestmark = pytest.mark.django_db

ROW = {
    "name": "_measure",
    "storage": "cookie",
    "provider": "Example Measurement",
    "purpose": "Counts how often each page is read.",
    "duration": {"kind": "fixed", "value": 13, "unit": "month"},
    "party": "first",
}
TABLE = {"category": "statistics", "heading": "Statistics", "cookies": [ROW]}


@pytest.fixture
def charter(django_capture_on_commit_callbacks: Any) -> OurCharterPage:
    """A published charter and its banner, with what happens once they are in the database."""
    with django_capture_on_commit_callbacks(execute=True):
        return published_charter()


def published_charter() -> OurCharterPage:
    site = Site.objects.get(is_default_site=True)
    body = json.dumps([{"type": "cookie_table", "value": TABLE}])
    page = OurCharterPage(title="Our cookies", keywords="cookies", body=body)
    site.root_page.add_child(instance=page)
    banner = ConsentBanner(name="Ours", charter_page=page, locale=page.locale)
    banner.save()
    banner.save_revision().publish()
    CookieCharterSettings.objects.create(site=site, banner=banner, controller_name="The city")
    page.save_revision().publish()
    return page


def test_the_base_is_swapped() -> None:
    assert swapper.load_model("wagtailcore", "Page") is OurPage


def test_our_concrete_page_steps_aside() -> None:
    with pytest.raises(LookupError):
        apps.get_model("wagtail_cookie_charter", "CookieCharterPage")


def test_checks_are_silent() -> None:
    errors = StringIO()
    call_command("check", fail_level="INFO", stderr=errors)
    assert errors.getvalue() == ""


def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_links_to_pages_are_links_to_the_projects_pages() -> None:
    field = ConsentBanner._meta.get_field("charter_page")
    assert field.related_model is OurPage


def test_a_charter_is_served_and_the_banner_asks(charter: OurCharterPage) -> None:
    response = Client().get(charter.get_url())
    assert response.status_code == 200
    page = response.content.decode()
    assert "_measure" in page
    assert "Accept all" in page
    assert "The city" in page


def test_publishing_declares(charter: OurCharterPage) -> None:
    declaration = PublishedDeclaration.objects.latest("pk").declaration
    assert "_measure" in json.dumps(declaration.as_dict())
