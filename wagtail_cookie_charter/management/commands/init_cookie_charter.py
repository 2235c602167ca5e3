"""Start a charter: page, banner and settings, in each language, with words to begin from."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext
from wagtail.models import Locale, Site, get_page_models

from ...compiling import cookie_name, is_secure
from ...conf import NECESSARY
from ...consent import Duration, DurationKind, duration_of_days
from ...models import ConsentBanner, CookieCharterMixin, CookieCharterSettings
from ...publishing import publish_declarations


class Command(BaseCommand):
    help = (
        "Create a cookie charter, a consent banner and their settings for a site, in each "
        "language, with a table of the necessary cookies read from the project's settings. "
        "What is there already is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--site", help="host name or id of the site (default: the default site)"
        )
        parser.add_argument(
            "--locale", action="append", help="language code; may be repeated (default: all active)"
        )
        parser.add_argument("--publish", action="store_true", help="publish what is created")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        site = self._site(options["site"])
        locales = self._locales(site, options["locale"])
        publish = options["publish"]
        responsible = CookieCharterSettings.existing(site)
        banner = responsible.banner if responsible else None
        charter: Any = banner.charter_page if banner else None
        created = 0
        for locale in locales:
            with translation.override(locale.language_code):
                charter, is_new = self._charter(site, locale, charter, publish)
                created += is_new
                banner, is_new = self._banner(locale, banner, charter, publish)
                created += is_new
        if responsible is None or responsible.banner_id is None:
            created += 1
            responsible = responsible or CookieCharterSettings(site=site)
            responsible.banner = banner
            responsible.controller_name = (
                responsible.controller_name
                or site.site_name
                or getattr(settings, "WAGTAIL_SITE_NAME", "")
                or site.hostname
            )
            responsible.save()
            self.stdout.write(f"Created the settings of {site}.")
        if publish:
            # Also where nothing was created: the project's categories may have changed.
            publish_declarations([site])
        if not created:
            drafts = not charter.live or (banner is not None and not banner.live)
            hint = " (drafts; publish them in the admin)" if drafts else ""
            self.stdout.write(f"Nothing to do: charter, banner and settings are there{hint}.")
            return
        state = "published" if publish else "drafts; publish them in the admin"
        self.stdout.write(
            self.style.SUCCESS(
                f"Done: {created} created ({state}). Say who is responsible, and how to reach "
                "the data protection officer, in Settings › Cookie charter."
            )
        )

    def _site(self, wanted: str | None) -> Site:
        if wanted is None:
            site = Site.objects.filter(is_default_site=True).first() or Site.objects.first()
            if site is None:
                raise CommandError("There is no site. Create one in Wagtail's admin first.")
            return site
        lookup = {"pk": int(wanted)} if wanted.isdecimal() else {"hostname": wanted}
        sites = list(Site.objects.filter(**lookup)[:2])
        if len(sites) > 1:
            raise CommandError(f"Several sites are {wanted!r}. Name one by its id.")
        if not sites:
            known = ", ".join(f"{found.hostname} ({found.pk})" for found in Site.objects.all())
            raise CommandError(f"There is no site {wanted!r}. There are: {known}.")
        return sites[0]

    def _locales(self, site: Site, wanted: list[str] | None) -> list[Locale]:
        """The source language first: the one of the site's root page."""
        locales = list(Locale.objects.all())
        if wanted:
            by_code = {locale.language_code: locale for locale in locales}
            unknown = [code for code in wanted if code not in by_code]
            if unknown:
                raise CommandError(
                    f"There is no locale {', '.join(unknown)}. There are: {', '.join(by_code)}. "
                    "Add it in Settings › Locales first."
                )
            locales = [by_code[code] for code in dict.fromkeys(wanted)]
        source = site.root_page.locale_id
        roots = set(
            site.root_page.get_translations(inclusive=True).values_list("locale_id", flat=True)
        )
        for locale in locales:
            if locale.pk not in roots:
                self.stdout.write(
                    f"Left out {locale.language_code}: the site has no home page in this language."
                )
        found = [locale for locale in locales if locale.pk in roots]
        if not found:
            raise CommandError("The site has no home page in any of these languages.")
        return sorted(found, key=lambda locale: locale.pk != source)

    def _page_model(self) -> Any:
        models = [model for model in get_page_models() if issubclass(model, CookieCharterMixin)]
        own = [model for model in models if model._meta.app_label != "wagtail_cookie_charter"]
        if own:
            # A project that made a charter page of its own wants that one.
            return own[0]
        if not models:
            raise CommandError(
                "This project has a base page model of its own. Make a page model from "
                "CookieCharterMixin first; see the documentation."
            )
        return apps.get_model("wagtail_cookie_charter", "CookieCharterPage")

    def _charter(self, site: Site, locale: Locale, known: Any, publish: bool) -> tuple[Any, bool]:
        model = self._page_model()
        if known is not None:
            found = known.get_translation_or_none(locale)
            if found is not None:
                return found, False
        parent = site.root_page.get_translation(locale)
        title = gettext("Cookie charter")
        page = model(
            title=title,
            slug=self._free_slug(parent, slugify(title)),
            locale=locale,
            introduction=gettext(
                "What this site keeps in your browser, what for, and how to choose."
            ),
            body=self._body(site),
        )
        if known is not None:
            page.translation_key = known.translation_key
        page.live = False
        parent.add_child(instance=page)
        revision = page.save_revision()
        if publish:
            revision.publish()
        self.stdout.write(f"Created the charter “{title}” ({locale.language_code}).")
        return page, True

    def _free_slug(self, parent: Any, slug: str) -> str:
        taken = set(parent.get_children().values_list("slug", flat=True))
        number, free = 1, slug
        while free in taken:
            number += 1
            free = f"{slug}-{number}"
        return free

    def _banner(
        self, locale: Locale, known: ConsentBanner | None, charter: Any, publish: bool
    ) -> tuple[ConsentBanner, bool]:
        if known is not None:
            found = known.get_translation_or_none(locale)
            if found is not None:
                return found, self._repaired(found, charter, publish)
        banner = ConsentBanner(
            name=gettext("Consent banner"),
            locale=locale,
            charter_page_id=charter.pk,
            live=False,
        )
        if known is not None:
            banner.translation_key = known.translation_key
        banner.save()
        revision = banner.save_revision()
        if publish:
            revision.publish()
        self.stdout.write(f"Created the banner “{banner.name}” ({locale.language_code}).")
        return known or banner, True

    def _repaired(self, banner: ConsentBanner, charter: Any, publish: bool) -> bool:
        """Give a banner whose charter was deleted the new one."""
        if banner.charter_page_id is not None:
            return False
        banner.charter_page_id = charter.pk
        banner.save(update_fields=["charter_page"])
        revision = banner.save_revision()
        if publish:
            revision.publish()
        self.stdout.write(f"Gave the banner “{banner}” its charter.")
        return True

    def _body(self, site: Site) -> list[tuple[str, Any]]:
        return [
            ("definition", {"heading": "", "text": ""}),
            (
                "kinds",
                {
                    "heading": "",
                    "introduction": "",
                    "kinds": [{"name": name, "text": text} for name, text in self._kinds()],
                },
            ),
            (
                "cookie_table",
                {
                    "category": NECESSARY,
                    "heading": "",
                    "introduction": "",
                    "cookies": necessary_rows(site),
                },
            ),
            ("choices", {"heading": "", "text": ""}),
            ("contacts", {"heading": "", "text": ""}),
        ]

    def _kinds(self) -> list[tuple[str, str]]:
        return [
            (
                gettext("Necessary cookies"),
                gettext(
                    "Without them the site could not do what you ask of it: keep you signed in, "
                    "protect its forms, remember your language. They need no consent."
                ),
            ),
            (
                gettext("Statistical cookies"),
                gettext(
                    "They count visits and show how the site is used. They need your consent, "
                    "unless they only serve to make anonymous counts for this site."
                ),
            ),
            (
                gettext("First-party cookies"),
                gettext(
                    "The site you are visiting sets them. They can be necessary, or serve "
                    "statistics or advertising: what counts is what they are used for."
                ),
            ),
            (
                gettext("Third-party cookies"),
                gettext(
                    "Another site sets them through a video, a map or a button on this one. It "
                    "can then recognise you on all sites that use it."
                ),
            ),
        ]


def necessary_rows(site: Site) -> list[dict[str, Any]]:
    """The project's own cookies, as its settings name and keep them, in the active language."""

    def row(name: str, service: str, purpose: str, seconds: float | None) -> dict[str, Any]:
        return {
            "name": name,
            "storage": "cookie",
            "provider": site.site_name or site.hostname,
            "service": service,
            "purpose": purpose,
            "duration": duration_data(seconds),
            "party": "first",
        }

    session_age = None if settings.SESSION_EXPIRE_AT_BROWSER_CLOSE else settings.SESSION_COOKIE_AGE
    rows = []
    if apps.is_installed("django.contrib.sessions"):
        rows.append(
            row(
                settings.SESSION_COOKIE_NAME,
                gettext("Signing in and forms in several steps"),
                gettext("Recognises you from one page to the next."),
                session_age,
            )
        )
    if not settings.CSRF_USE_SESSIONS:
        rows.append(
            row(
                settings.CSRF_COOKIE_NAME,
                gettext("Security of forms"),
                gettext("Makes sure that a form was sent by you and from this site."),
                settings.CSRF_COOKIE_AGE,
            )
        )
    if settings.USE_I18N and len(settings.LANGUAGES) > 1:
        rows.append(
            row(
                settings.LANGUAGE_COOKIE_NAME,
                gettext("Choice of language"),
                gettext("Remembers the language you chose."),
                settings.LANGUAGE_COOKIE_AGE,
            )
        )
    storage = getattr(settings, "MESSAGE_STORAGE", "")
    if apps.is_installed("django.contrib.messages") and not storage.endswith("SessionStorage"):
        rows.append(
            row(
                "messages",
                gettext("Short notices"),
                gettext("Shows you a notice, once, after something you did."),
                None,
            )
        )
    rows.append(
        row(
            cookie_name(site, secure=is_secure(site)),
            gettext("Your choice about cookies"),
            gettext("Remembers what you accepted and refused, so that you are not asked again."),
            182 * 86_400,
        )
    )
    return rows


def duration_data(seconds: float | None) -> dict[str, Any]:
    """A cookie's age in seconds (None: the session) as the block keeps it."""
    if not seconds:
        return {"kind": "session", "value": None, "unit": ""}
    if seconds % 86_400 == 0:
        duration = duration_of_days(int(seconds // 86_400))
        if duration.unit == "day" and duration.value % 7 == 0:
            duration = Duration(DurationKind.FIXED, duration.value // 7, "week")
    else:
        size, unit = next(
            (size, unit)
            for size, unit in ((3600, "hour"), (60, "minute"), (1, "second"))
            if size == 1 or seconds % size == 0
        )
        duration = Duration(DurationKind.FIXED, int(seconds // size), unit)
    return {"kind": "fixed", "value": duration.value, "unit": duration.unit}
