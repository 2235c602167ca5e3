"""A language that the package does not ship, brought along by a site: Arabic, right to left.

The words that visitors read are in ``tests/locale``, as a project's own are in a folder of its
``LOCALE_PATHS``; ``publish`` translates a site's charter and banner.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test.utils import override_settings
from wagtail.models import Locale, Site

from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations

LOCALE = Path(__file__).resolve().parent / "locale"
LANGUAGE = ("ar", "العربية")

#: Category -> the service of its rows, and what they are for.
ROWS: Mapping[str, tuple[str, str]] = {
    "necessary": ("تسجيل الدخول (الموقع العام)", "يبقيك مسجّل الدخول ويحمي النماذج."),
    "audience": ("عدّ الزيارات (الموقع العام)", "يعدّ قراءات كل صفحة دون التعرف عليك."),
    "statistics": ("الإحصاءات (الموقع العام)", "يعدّ قراءات كل صفحة."),
    "media": ("مقاطع الفيديو والخرائط", "يحفظ إعدادات المشغّل ويقيس استخدامه."),
    "marketing": ("الإعلانات", "يقيس أثر الإعلانات."),
    "preferences": ("التفضيلات", "يحفظ إعداداتك."),
}


def spoken(languages: list[tuple[str, str]]) -> override_settings:
    """The settings of a project in ``languages`` and Arabic."""
    more = [*languages, LANGUAGE]
    return override_settings(LANGUAGES=more, WAGTAIL_CONTENT_LANGUAGES=more, LOCALE_PATHS=[LOCALE])


def publish(site: Site) -> Any:
    """Give ``site`` a home page, a charter and a banner in Arabic, as our command words them.

    The cookie tables follow those of the charter that is there. Gives the charter.
    """
    locale, _created = Locale.objects.get_or_create(language_code=LANGUAGE[0])
    home = site.root_page.specific.copy_for_translation(locale)
    home.title, home.slug = "مدينة المثال", f"{home.slug}-ar"
    home.save_revision().publish()
    call_command("init_cookie_charter", locale=["ar"], stdout=StringIO())
    settings = CookieCharterSettings.existing(site)
    assert settings is not None and settings.banner is not None
    original = settings.banner.charter_page
    charter = original.get_translation(locale).specific
    tables = [
        table_in_arabic(one) for one in original.specific.body if one.block_type == "cookie_table"
    ]
    body: list[Any] = []
    for one in charter.body:
        # In the place of the one table that the command makes.
        body += tables if one.block_type == "cookie_table" else [(one.block_type, one.value)]
    charter.body = body
    charter.save_revision().publish()
    settings.banner.get_translation(locale).latest_revision.publish()
    publish_declarations()
    return charter


def table_in_arabic(block: Any) -> tuple[str, dict[str, Any]]:
    """A cookie table with its own rows in our words; names and hosts stay what they are."""
    value = block.value
    service, purpose = ROWS[value["category"]]
    rows = []
    for row in value["cookies"]:
        words: dict[str, Any] = {
            "service": service,
            "purpose": purpose,
            "opt_out": "",
            "reason": "",
        }
        if row["transfer"]:
            words |= {"transfer": "الولايات المتحدة", "safeguard": "بنود تعاقدية نموذجية"}
        if row["recipients"]:
            words["recipients"] = row["provider"]
        rows.append({**row, **words})
    return "cookie_table", {"category": value["category"], "cookies": rows}
