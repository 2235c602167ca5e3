"""The register of trackers, for the records of processing that GDPR article 30 asks for (R84).

What a published declaration says of each tracker, a row each, and who is responsible. Data for
spreadsheets: names of columns are stable and English, what is in them is in the language asked
for.
"""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.translation import gettext
from wagtail.models import Site

from ..consent import Cookie, Ground, Wording
from ..models import CookieCharterSettings, PublishedDeclaration
from ..wording import duration_text, ground_text

#: What a spreadsheet may take for the beginning of a formula (CWE-1236).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain(value: object) -> object:
    """A cell that no spreadsheet runs: what looks like a formula begins with an apostrophe."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


#: In this order: where and who (article 30(1)(a)), what for (b), whose data (c), to whom (d),
#: where to (e), how long (f), and what else is declared.
COLUMNS = (
    "site",
    "declaration",
    "published_at",
    "controller",
    "controller_contact",
    "data_protection_officer",
    "name",
    "storage",
    "category",
    "category_title",
    "service",
    "purpose",
    "legal_ground",
    "ground",
    "reason",
    "data_subjects",
    "provider",
    "party",
    "provider_controller",
    "recipients",
    "country",
    "transfer",
    "safeguard",
    "duration",
    "retention_months",
    "domain",
    "policy_url",
    "opt_out",
    "last_checked",
    "language",
)


def in_force(site: Site) -> PublishedDeclaration | None:
    """What ``site`` declares now; None if it never did."""
    return PublishedDeclaration.objects.of_site(site).first()


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def register(published: PublishedDeclaration, language: str) -> dict[str, Any]:
    """All trackers of a declaration in the closest language there is, ready for JSON."""
    declaration = published.declaration
    code, wording = declaration.wording(language) or (language, Wording({}, {}))
    site = published.site
    responsible = CookieCharterSettings.existing(site) if site else None
    contacts = responsible.contacts if responsible else {}
    grounds = {category.key: category.ground for category in declaration.categories}
    with translation.override(code):
        trackers = [
            _tracker(
                cookie,
                cookie.language or wording.cookies_language,
                wording.categories.get(cookie.category, (cookie.category, ""))[0],
                grounds.get(cookie.category),
            )
            for cookie in wording.cookies
        ]
    return {
        "site": declaration.site,
        "declaration": published.number,
        "digest": published.digest,
        "published_at": published.published_at.isoformat(),
        "language": code,
        "contacts": contacts,
        "trackers": trackers,
    }


def _tracker(cookie: Cookie, language: str, title: str, ground: Ground | None) -> dict[str, Any]:
    return {
        "name": cookie.name,
        "storage": cookie.storage,
        "category": cookie.category,
        "category_title": title,
        "service": cookie.service,
        "purpose": cookie.purpose,
        "legal_ground": ground_text(ground) if ground else "",
        "ground": cookie.ground or (ground.value if ground else ""),
        "reason": cookie.reason,
        "data_subjects": gettext("Visitors of the site"),
        "provider": cookie.provider,
        "party": cookie.party,
        "provider_controller": cookie.controller,
        "recipients": cookie.recipients,
        "country": cookie.country,
        "transfer": cookie.transfer,
        "safeguard": cookie.safeguard,
        "duration": duration_text(cookie.duration),
        "retention_months": cookie.retention_months,
        "domain": cookie.domain,
        "policy_url": cookie.policy_url,
        "opt_out": cookie.opt_out,
        "last_checked": cookie.last_checked,
        "language": language,
    }


def register_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The register as lines of a spreadsheet, each complete in itself, no cell a formula."""
    controller = found["contacts"].get("controller", {})
    officer = found["contacts"].get("data_protection_officer", {})
    shared = {
        "site": found["site"],
        "declaration": found["declaration"],
        "published_at": found["published_at"],
        "controller": controller.get("name", ""),
        "controller_contact": _joined(
            " ".join(controller.get("address", "").split()),
            controller.get("email", ""),
            controller.get("url", ""),
        ),
        "data_protection_officer": _joined(
            officer.get("name", ""), officer.get("email", ""), officer.get("url", "")
        ),
    }
    return [
        {name: plain(value) for name, value in {**shared, **tracker}.items()}
        for tracker in found["trackers"]
    ]
