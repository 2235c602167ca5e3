"""The settings of each site: who answers for it, and which banner asks there."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import TestCase
from django.urls import reverse
from wagtail.models import Site
from wagtail.test.utils import WagtailTestUtils

from tests.factories import (
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    make_site,
    table,
)
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration

FORM = {
    "banner": "",
    "controller_name": "City of Example",
    "controller_address": "1 Town Square",
    "contact_email": "town@example.org",
    "contact_url": "",
    "dpo_name": "",
    "dpo_email": "dpo@example.org",
    "dpo_url": "",
    "authority_name": "CNIL",
    "authority_url": "https://www.cnil.fr/plaintes",
}


def edit_url(site: Site) -> str:
    return reverse(
        "wagtailsettings:edit", args=["wagtail_cookie_charter", "cookiechartersettings", site.pk]
    )


class SiteSettings(WagtailTestUtils, TestCase):
    def setUp(self) -> None:
        self.user = self.login()
        self.home = make_home()
        self.site = Site.objects.get(is_default_site=True)

    def save(self, site: Site, **values: Any) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(edit_url(site), {**FORM, **values})

    def test_an_administrator_says_who_is_responsible(self) -> None:
        """R6: and visitors read it at once."""
        page = make_charter()
        self.assertEqual(self.client.get(edit_url(self.site)).status_code, 200)
        self.save(self.site)
        self.assertContains(self.client.get(page.get_url()), "1 Town Square")
        self.save(self.site, controller_address="2 New Street")
        response = self.client.get(page.get_url())
        self.assertContains(response, "2 New Street")
        self.assertContains(response, "mailto:dpo@example.org")

    def test_a_controller_is_required(self) -> None:
        """R6: a site without one could not publish its charter."""
        self.save(self.site, controller_name="")
        saved = CookieCharterSettings.existing(self.site)
        self.assertFalse(saved and saved.controller_name)

    def test_choosing_the_banner_starts_asking(self) -> None:
        """The last click of an editor's journey: no deployment, no restart."""
        page = make_charter(table())
        banner = make_banner(page)
        self.assertNotContains(self.client.get(self.home.get_url()), "Accept all")
        self.save(self.site, banner=banner.pk)
        self.assertContains(self.client.get(self.home.get_url()), "Accept all")
        self.save(self.site, banner="")
        self.assertNotContains(self.client.get(self.home.get_url()), "Accept all")

    def test_without_permission_the_settings_are_out_of_reach(self) -> None:
        make_settings()
        self.user.is_superuser = False
        self.user.save()
        self.user.user_permissions.add(
            Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin")
        )
        response = self.client.get(edit_url(self.site))
        self.assertRedirects(response, reverse("wagtailadmin_home"))
        self.save(self.site, controller_name="Somebody else")
        self.assertEqual(CookieCharterSettings.objects.get().controller_name, "City of Example")

    def test_with_the_permission_alone_they_can_be_changed(self) -> None:
        """Whoever looks after the charter need not be an administrator."""
        self.user.is_superuser = False
        self.user.save()
        for app, codename in (
            ("wagtailadmin", "access_admin"),
            ("wagtail_cookie_charter", "change_cookiechartersettings"),
        ):
            self.user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        self.save(self.site)
        self.assertEqual(CookieCharterSettings.objects.get().controller_name, "City of Example")

    def test_two_sites_have_nothing_in_common(self) -> None:
        """R40: another site of the project never asks in this one's name, nor shares its cookie."""
        other = make_site("other.example", port=80)
        with self.captureOnCommitCallbacks(execute=True):
            make_asking_site(table(), site=self.site)
            theirs = make_asking_site(table(category="media"), site=other)
            theirs.controller_name = "The library"
            theirs.save()
        here = self.client.get("/")
        there = self.client.get("/", headers={"host": "other.example"})
        self.assertContains(here, "City of Example")
        self.assertNotContains(here, "The library")
        self.assertContains(there, "The library")
        self.assertNotContains(there, "City of Example")
        self.assertContains(here, f'data-cookie="cookie-charter-{self.site.pk}"')
        self.assertContains(there, f'data-cookie="cookie-charter-{other.pk}"')
        published = PublishedDeclaration.objects.all()
        self.assertEqual({found.site_id for found in published}, {self.site.pk, other.pk})

    def test_looking_never_writes(self) -> None:
        """A visitor's page view must not create rows: Wagtail's `for_site` would."""
        page = make_charter(table())
        self.client.get(page.get_url())
        self.client.get(self.home.get_url())
        self.assertFalse(CookieCharterSettings.objects.exists())
        self.assertIsNone(CookieCharterSettings.existing(self.site))

    def test_addresses_are_checked(self) -> None:
        settings = CookieCharterSettings(
            site=self.site, controller_name="City", dpo_email="nobody", authority_url="javascript:1"
        )
        with self.assertRaises(ValidationError) as refused:
            settings.full_clean()
        self.assertEqual(set(refused.exception.message_dict), {"dpo_email", "authority_url"})

    def test_the_day_of_the_last_audit(self) -> None:
        """R85: none is needed; one that is still to come is refused, at its field."""
        self.save(self.site)
        self.assertIsNone(CookieCharterSettings.objects.get().last_audit)
        self.save(self.site, last_audit="2026-03-03")
        self.assertEqual(CookieCharterSettings.objects.get().last_audit, date(2026, 3, 3))
        tomorrow = datetime.now(timezone.utc).date() + timedelta(2)
        for wrong, sentence in ((str(tomorrow), "still to come"), ("yesterday", "valid date")):
            response = self.client.post(edit_url(self.site), {**FORM, "last_audit": wrong})
            self.assertContains(response, sentence)
        self.assertEqual(CookieCharterSettings.objects.get().last_audit, date(2026, 3, 3))

    def test_an_audit_today_is_none_of_the_future(self) -> None:
        """Nor where it is already tomorrow."""
        for hours in (-12, 0, 14):
            day = (datetime.now(timezone.utc) + timedelta(hours=hours)).date()
            CookieCharterSettings(site=self.site, controller_name="City", last_audit=day).clean()
