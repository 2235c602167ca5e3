"""System checks, each with a stable id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.urls import NoReverseMatch, reverse

from .conf import DEFAULT_CATEGORIES, GROUNDS, NECESSARY, conf
from .consent import CATEGORY_KEY, Ground
from .decision import MAX_LENGTH

#: What the consent cookie needs beside the categories: format, number, time, exceptions.
ROOM_FOR_THE_REST = 30


def connect() -> None:
    register(check_categories)
    register(check_urls)
    register(check_upload_fields)


def check_categories(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E001 to E004: the ``CATEGORIES`` setting."""
    found: list[CheckMessage] = []
    own = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("CATEGORIES", {})
    for key, value in own.items():
        if not CATEGORY_KEY.match(str(key)):
            found.append(
                Error(
                    f"WAGTAIL_COOKIE_CHARTER: {key!r} cannot be the key of a category.",
                    hint="Use 1 to 16 small letters, digits and underscores, a letter first.",
                    id="wagtail_cookie_charter.E001",
                )
            )
        if value is None:
            continue
        wanted = value if isinstance(value, Mapping) else {"ground": None}
        ground = {**DEFAULT_CATEGORIES.get(key, {}), **wanted}.get("ground")
        if str(ground) not in GROUNDS:
            found.append(
                Error(
                    f"WAGTAIL_COOKIE_CHARTER: the category {key!r} has no valid ground.",
                    hint=f'Give "ground" as one of: {", ".join(sorted(GROUNDS))}.',
                    id="wagtail_cookie_charter.E002",
                )
            )
    necessary = conf.categories.get(NECESSARY)
    if necessary is None or necessary.ground is not Ground.EXEMPT:
        found.append(
            Error(
                f"WAGTAIL_COOKIE_CHARTER: the category {NECESSARY!r} must stay, and stay exempt.",
                hint="Give the category another key if it needs consent.",
                id="wagtail_cookie_charter.E003",
            )
        )
    optional = [key for key, value in conf.categories.items() if value.ground is not Ground.EXEMPT]
    if sum(len(key) + 1 for key in optional) + ROOM_FOR_THE_REST > MAX_LENGTH:
        found.append(
            Error(
                "WAGTAIL_COOKIE_CHARTER: the keys of the optional categories are too long together "
                "for the consent cookie.",
                hint="Use fewer categories or shorter keys; titles may be as long as you like.",
                id="wagtail_cookie_charter.E004",
            )
        )
    return found


def check_urls(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """W001: our URLs are missing, so that no banner can be shown."""
    try:
        reverse("cookie_charter:decide")
    except NoReverseMatch:
        return [
            Warning(
                "The URLs of wagtail_cookie_charter are not included; no banner is shown.",
                hint=(
                    'Add path("cookie-charter/", include("wagtail_cookie_charter.urls")) to the '
                    "urlpatterns, before those of Wagtail."
                ),
                id="wagtail_cookie_charter.W001",
            )
        ]
    return []


#: A row of the cookie table posts 27 fields, and a charter has dozens of rows.
ENOUGH_FIELDS = 10_000


def check_upload_fields(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """W002: Django would refuse to save a charter with some forty rows."""
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    if limit is None or limit >= ENOUGH_FIELDS:
        return []
    return [
        Warning(
            f"DATA_UPLOAD_MAX_NUMBER_FIELDS is {limit}: a charter with more than about "
            f"{limit // 27} rows cannot be saved.",
            hint=f"Set it to {ENOUGH_FIELDS:_}, as new Wagtail projects do.",
            id="wagtail_cookie_charter.W002",
        )
    ]
