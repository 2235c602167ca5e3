"""System checks, each with a stable id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError, router, transaction
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from .conf import (
    DEFAULT_CATEGORIES,
    GROUNDS,
    NECESSARY,
    ORIGIN,
    PRESETS,
    PROOF_DAYS,
    UNDECLARED,
    conf,
)
from .consent import CATEGORY_KEY, Declaration, Ground
from .decision import ROOM
from .models import PublishedDeclaration
from .retention import longest_validity

#: What the consent cookie needs beside the categories: format, number and time.
ROOM_FOR_THE_REST = 17


def connect() -> None:
    register(check_categories)
    register(check_signals)
    register(check_undeclared_cookies)
    register(check_middleware)
    register(check_urls)
    register(check_upload_fields)
    register(check_cors_origins)
    register(check_csp_nonce)
    register(check_gpc)
    register(check_recorder)
    register(check_retention_days)
    register(check_proof)
    register(check_preset)
    register(check_embed_template)


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
    if sum(len(key) + 1 for key in optional) + ROOM_FOR_THE_REST > ROOM:
        found.append(
            Error(
                "WAGTAIL_COOKIE_CHARTER: the keys of the optional categories are too long together "
                "for the consent cookie.",
                hint="Use fewer categories or shorter keys; titles may be as long as you like.",
                id="wagtail_cookie_charter.E004",
            )
        )
    return found


def check_signals(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E005: the ``SIGNALS`` setting."""
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: SIGNALS: {problem}",
            hint="Until then, what it concerns is not granted.",
            id="wagtail_cookie_charter.E005",
        )
        for problem in conf.signal_problems
    ]


def check_undeclared_cookies(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E006: ``UNDECLARED_COOKIES`` is none of the words that mean something."""
    value = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("UNDECLARED_COOKIES", "log")
    if value in UNDECLARED:
        return []
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: UNDECLARED_COOKIES cannot be {value!r}.",
            hint=f"Give one of: {', '.join(UNDECLARED)}. Until then, such cookies are dropped.",
            id="wagtail_cookie_charter.E006",
        )
    ]


OURS = "wagtail_cookie_charter.middleware.CookieCharterMiddleware"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"


def check_middleware(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """W004: Django's cache would store optional cookies before our middleware sees them."""
    order = list(settings.MIDDLEWARE)
    if OURS not in order or UPDATE_CACHE not in order[order.index(OURS) :]:
        return []
    return [
        Warning(
            "CookieCharterMiddleware stands above UpdateCacheMiddleware, which stores responses "
            "with their optional cookies.",
            hint="Put CookieCharterMiddleware right below UpdateCacheMiddleware.",
            id="wagtail_cookie_charter.W004",
        )
    ]


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


def check_cors_origins(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E007: who may read ``declaration.json`` from elsewhere."""
    origins = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("CORS_ORIGINS", ())
    if origins == "*":
        return []
    listed = isinstance(origins, (list, tuple, set, frozenset))
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: {wrong!r} in CORS_ORIGINS is no origin.",
            hint=(
                'Give a list such as ["https://www.example.org"]: scheme, host in small letters '
                'and port if there is one, without a slash at the end. Or "*" for all.'
            ),
            id="wagtail_cookie_charter.E007",
        )
        for wrong in (origins if listed else [origins])
        if not (listed and isinstance(wrong, str) and ORIGIN.match(wrong))
    ]


def check_csp_nonce(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E008: whether our tags make a nonce."""
    wanted = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("CSP_NONCE", False)
    if isinstance(wanted, bool):
        return []
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: CSP_NONCE is {wanted!r}.",
            hint="Give True to make a nonce for our tags on every page; else leave it out.",
            id="wagtail_cookie_charter.E008",
        )
    ]


def check_gpc(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E009: the ``GPC`` setting names categories that can be refused (R63)."""
    wanted = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("GPC", ())
    listed = isinstance(wanted, list | tuple)
    optional = [key for key, value in conf.categories.items() if value.ground is not Ground.EXEMPT]
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: {wrong!r} in GPC is no category that can be refused.",
            hint=f"Give a list of some of: {', '.join(optional)}.",
            id="wagtail_cookie_charter.E009",
        )
        for wrong in (wanted if listed else [wanted])
        if not (listed and wrong in optional)
    ]


def check_recorder(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E010: ``RECORDER`` names nothing that could record answers."""
    if not conf.recorder:
        return []
    try:
        wrong = "" if callable(import_string(conf.recorder)) else "it cannot be called"
    except Exception as problem:
        # Whatever an import of the project's own code, or of a tasks framework, may raise.
        wrong = str(problem)
    if not wrong:
        return []
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: RECORDER cannot be {conf.recorder!r}: {wrong}.",
            hint=(
                'Give "database", "tasks" (Django 6.0 or newer, or django-tasks), "off", or the '
                "dotted path of a function. Until then, no answer is recorded, and every page "
                "view sends it again."
            ),
            id="wagtail_cookie_charter.E010",
        )
    ]


def check_retention_days(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E011: ``RETENTION_DAYS`` is no number of days (R45)."""
    value = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("RETENTION_DAYS")
    if value is None or conf.retention_days(0) == value:
        return []
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: RETENTION_DAYS is {value!r}.",
            hint=(
                "Give the days for which answers are kept, 1 or more; or leave it out, and they "
                f"are kept for {PROOF_DAYS} days longer than they are valid."
            ),
            id="wagtail_cookie_charter.E011",
        )
    ]


def check_proof(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Sequence[CheckMessage]:
    """W005: ``RETENTION_DAYS`` is shorter than consent holds, so that it cannot be proved (R45).

    What is declared is known only where the check may ask the database, as in ``migrate`` and
    ``check --database default``; elsewhere, what holds unless a banner says otherwise.
    """
    valid = Declaration.days
    if router.db_for_read(PublishedDeclaration) in (databases or ()):
        with suppress(DatabaseError), transaction.atomic(router.db_for_read(PublishedDeclaration)):
            # Before the first migration there is nothing to ask.
            valid = longest_validity()
    kept = conf.retention_days(valid)
    if kept >= valid:
        return []
    return [
        Warning(
            f"WAGTAIL_COOKIE_CHARTER: RETENTION_DAYS is {kept}, and an answer holds for {valid} "
            "days: consent would hold without proof.",
            hint=(
                f"Give {valid} or more; or leave it out, and answers are kept for {PROOF_DAYS} "
                "days longer than they are valid. Silence this warning if all banners ask again "
                "sooner."
            ),
            id="wagtail_cookie_charter.W005",
        )
    ]


def check_preset(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """E012: ``PRESET`` is none of the looks that there are."""
    value = getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}).get("PRESET", "default")
    if value in PRESETS:
        return []
    return [
        Error(
            f"WAGTAIL_COOKIE_CHARTER: PRESET cannot be {value!r}.",
            hint=f"Give one of: {', '.join(PRESETS)}. Until then, the default look is used.",
            id="wagtail_cookie_charter.E012",
        )
    ]


EMBED_TEMPLATE = "wagtailembeds/embed_frontend.html"


def check_embed_template(app_configs: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """W003: another template stands before ours, so that embeds would not wait (R55)."""
    if not apps.is_installed("wagtail.embeds"):
        return []
    ours = Path(__file__).parent / "templates" / EMBED_TEMPLATE
    try:
        # Not every engine's templates say where they come from.
        found = str(getattr(get_template(EMBED_TEMPLATE), "origin", ""))
    except TemplateDoesNotExist:
        found = ""
    if found and Path(found) == ours:
        return []
    return [
        Warning(
            f"Embeds in rich text and in EmbedBlock load without consent: {EMBED_TEMPLATE} is "
            f"taken from {found or 'nowhere'}.",
            hint=(
                'Put "wagtail_cookie_charter" before "wagtail.embeds" in INSTALLED_APPS. If the '
                "template is your own, start it with {% load cookie_charter %} and show the embed "
                "with {% cookie_embed embed %}; then silence this warning."
            ),
            id="wagtail_cookie_charter.W003",
        )
    ]
