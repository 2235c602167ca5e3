"""What a request meets: which declaration is in force, what is asked, what was answered.

Nothing here reads a cookie while a page is rendered, so every visitor gets the same HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import DisallowedHost
from django.dispatch import Signal
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import get_random_string
from django.utils.translation import get_language
from wagtail.models import Site

from . import __version__
from .answers import Answer
from .conf import conf
from .consent import Category, Cookie, Declaration, Ground, Wording
from .decision import base36
from .models import ConsentBanner, PublishedDeclaration
from .models.ledger import load_declaration
from .publishing import GENERATION, compile_declaration, provider_slug

# --- Which declaration ----------------------------------------------------------------


@dataclass(frozen=True)
class Current:
    """The declaration in force for a request's site."""

    site_id: int
    number: int
    digest: str
    declaration: Declaration

    @cached_property
    def version(self) -> str:
        """What the second layer is made of, as an address part: declaration and release."""
        return version_of(self.digest)

    def notice(self) -> Notice:
        """It, in the active language."""
        return Notice(self.declaration, self.site_id, self.number, self.version)


def version_of(digest: str) -> str:
    return f"{digest[:16]}-{__version__}"


def current(request: HttpRequest | None) -> Current | None:
    """The declaration in force, or None where there is no site or nothing was declared.

    No query when warm: the shared cache knows which declaration a host has, and the process
    has it in memory. Publishing makes all processes that share the cache look again.
    """
    if request is None:
        return None
    # As Wagtail does with the site: one look a request, however many tags.
    if "_cookie_charter" not in vars(request):
        vars(request)["_cookie_charter"] = _current(request)
    found: Current | None = vars(request)["_cookie_charter"]
    return found


def _current(request: HttpRequest) -> Current | None:
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    cache = caches[conf.cache]
    key = f"cookie-charter:host:{host}"
    known = cache.get_many([GENERATION, key])
    generation, entry = known.get(GENERATION), known.get(key)
    if generation is None or entry is None or entry[0] != generation:
        if generation is None:
            generation = get_random_string(12)
            cache.set(GENERATION, generation, None)
        entry = (generation, _look_up(request))
        cache.set(key, entry, conf.cache_seconds)
    if entry[1] is None:
        return None
    site_id, pk, digest, number = entry[1]
    try:
        return Current(site_id, number, digest, load_declaration(pk, digest))
    except PublishedDeclaration.DoesNotExist:
        return None


def _look_up(request: HttpRequest) -> tuple[int, int, str, int] | None:
    site = Site.find_for_request(request)
    if site is None:
        return None
    found = PublishedDeclaration.objects.of_site(site).values_list("pk", "digest", "number")
    row = found.first()
    return (site.pk, *row) if row else None


def endpoint(name: str, *args: Any) -> str:
    """The address of one of our views, "" where the project left our URLs out."""
    try:
        return reverse(f"cookie_charter:{name}", args=args)
    except NoReverseMatch:
        return ""


# --- What is asked --------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A category as visitors meet it in one language."""

    key: str
    ground: Ground
    title: str
    summary: str
    providers: tuple[AskedProvider, ...]

    @property
    def optional(self) -> bool:
        return self.ground is not Ground.EXEMPT


@dataclass(frozen=True)
class AskedProvider:
    number: int
    name: str
    cookies: tuple[Cookie, ...]

    @property
    def code(self) -> str:
        """The number as it stands in the consent cookie."""
        return base36(self.number)


class Notice:
    """All that the templates say about a declaration in the page's language."""

    def __init__(self, declaration: Declaration, site_id: int, number: int, version: str) -> None:
        self.declaration = declaration
        self.site_id = site_id
        self.number = number
        self.version = version
        found = declaration.wording(get_language() or settings.LANGUAGE_CODE)
        self.language: str = found[0] if found else ""
        self.wording: Wording | None = found[1] if found else None
        self.texts = self.wording.texts if self.wording else {}

    @property
    def foreign_language(self) -> str:
        """The notice's language where it is not the page's (R79)."""
        return "" if self.language == get_language() else self.language

    @property
    def cookies_language(self) -> str:
        """The rows' language where it is not the page's."""
        language = self.wording.cookies_language if self.wording else ""
        return "" if language == get_language() else language

    @property
    def asks(self) -> bool:
        """Whether anything needs consent: only then is there a banner (R26)."""
        return any(category.ground is Ground.CONSENT for category in self.declaration.categories)

    @property
    def consent_keys(self) -> str:
        return self._keys(Ground.CONSENT)

    @property
    def opt_out_keys(self) -> str:
        return self._keys(Ground.OPT_OUT)

    def _keys(self, ground: Ground) -> str:
        return " ".join(
            category.key for category in self.declaration.categories if category.ground is ground
        )

    @property
    def purposes(self) -> list[Asked]:
        """The optional categories without their rows: what the first layer names (R18)."""
        return [
            self._asked(category, ())
            for category in self.declaration.categories
            if category.optional
        ]

    @cached_property
    def categories(self) -> list[Asked]:
        """All categories with providers and rows: what the second layer shows."""
        grouped: dict[str, dict[int, list[Cookie]]] = {}
        for cookie in self.wording.cookies if self.wording else ():
            grouped.setdefault(cookie.category, {}).setdefault(cookie.provider_id, []).append(
                cookie
            )
        return [
            self._asked(
                category,
                tuple(
                    AskedProvider(number, cookies[0].provider or cookies[0].name, tuple(cookies))
                    for number, cookies in grouped.get(category.key, {}).items()
                ),
            )
            for category in self.declaration.categories
        ]

    def _asked(self, category: Category, providers: tuple[AskedProvider, ...]) -> Asked:
        title, summary = self.wording.categories[category.key] if self.wording else ("", "")
        return Asked(category.key, category.ground, title, summary, providers)

    @property
    def decide_url(self) -> str:
        """Where answers go; the language is noted with them, since it is part of the question."""
        return f"{endpoint('decide')}?language={self.language}"

    @property
    def preferences_url(self) -> str:
        return endpoint("preferences", self.version, self.language)


def notice(request: HttpRequest | None) -> Notice | None:
    """What there is to say and ask on this page; None where nothing is optional (R26)."""
    found = current(request)
    if found is None or not found.declaration.optional or not endpoint("decide"):
        return None
    return found.notice()


def draft_notice(
    request: HttpRequest, *, banner: ConsentBanner | None = None, charter: Any = None
) -> Notice | None:
    """The same for a draft in Wagtail's preview, as if it were live."""
    site = Site.find_for_request(request)
    if site is None:
        return None
    declaration = compile_declaration(site, banner=banner, charter=charter)
    return Notice(declaration, site.pk, 0, f"draft-{__version__}")


def charter_url(request: HttpRequest | None) -> str:
    """Where the charter is, in the page's language; "" where there is none."""
    found = current(request)
    wording = found.declaration.wording(get_language() or "") if found else None
    return wording[1].texts["charter_url"] if wording else ""


def gate(request: HttpRequest | None, category: str, provider: str = "") -> str | None:
    """What a gate waits for: ``"media"``, ``"media 1a"``, or "" if it can never open.

    None means that no gate is needed: the category is exempt. What no published row
    declares stays shut (promise 2).
    """
    setting = conf.categories.get(category)
    if setting is not None and setting.ground is Ground.EXEMPT:
        return None
    found = current(request)
    if found is None or category not in {known.key for known in found.declaration.categories}:
        return ""
    if not provider:
        return category
    number = found.declaration.providers.get(provider_slug(provider), 0)
    declared = number in found.declaration.providers_of(category)
    return f"{category} {base36(number)}" if declared else ""


# --- What was answered ----------------------------------------------------------------

#: Sent with ``site_id``, ``declaration`` (PublishedDeclaration), ``decision``, ``language``
#: for each answer that was accepted. Never with a request: receivers cannot track anybody.
decided = Signal()


def record(answer: Answer) -> None:
    """Hand an accepted answer on. Nothing is stored yet; a failing receiver harms nobody."""
    decided.send_robust(
        sender=PublishedDeclaration,
        site_id=answer.site.pk,
        declaration=answer.published,
        decision=answer.decision,
        language=answer.language,
    )
