"""A declaration in one language, as the templates of both layers tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from . import __version__
from .changes import provider_name
from .conf import conf
from .consent import Category, Cookie, Declaration, Ground, Wording
from .decision import base36


def version_of(digest: str, number: int) -> str:
    """What the second layer is made of, as an address part: declaration, number, release, look."""
    look = "" if conf.preset == "default" else f"-{conf.preset}"
    return f"{digest[:16]}-{number}-{__version__}{look}"


def endpoint(name: str, *args: Any) -> str:
    """The address of one of our views, "" where the project left our URLs out."""
    try:
        return reverse(f"cookie_charter:{name}", args=args)
    except NoReverseMatch:
        return ""


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
    def since(self) -> int | None:
        """The lowest number whose answers still hold, where it is not the notice's own."""
        since = self.declaration.asked_since
        return since if since < self.number else None

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

    @property
    def gpc_keys(self) -> str:
        """What the browser's Global Privacy Control signal refuses, of what is asked here."""
        return " ".join(
            category.key for category in self.declaration.optional if category.key in conf.gpc
        )

    @property
    def gpc_titles(self) -> list[str]:
        return [asked.title for asked in self.purposes if asked.key in conf.gpc]

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

    @property
    def third_party_cookies(self) -> list[str]:
        """Names of optional cookies on others' sites, which only the browser removes (R51)."""
        optional = self.declaration.optional_keys
        cookies = self.wording.cookies if self.wording else ()
        return sorted(
            {one.name for one in cookies if one.party == "third" and one.category in optional}
        )

    def _asked(self, category: Category, providers: tuple[AskedProvider, ...]) -> Asked:
        title, summary = self.wording.categories[category.key] if self.wording else ("", "")
        return Asked(category.key, category.ground, title, summary, providers)

    @property
    def news(self) -> list[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]]]:
        """Since which number what is asked: for those who are asked again (R65).

        Nothing new means that the site asks all again. What was new and is gone is left out.
        """
        told = ((number, pairs, self.in_words(pairs)) for number, pairs in self.declaration.news)
        return [(number, words) for number, pairs, words in told if words or not pairs]

    @property
    def outdated(self) -> int:
        """The number all were asked under last, if for what is gone; 0 if there is more to say.

        Numbers never go down, for pages in caches: so there is no other reason to give.
        """
        last = self.declaration.news[-1][0] if self.declaration.news else 0
        return last if last not in [number for number, _words in self.news] else 0

    def in_words(self, pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Pairs of category key and provider number as visitors read them: title, names.

        What is not declared any more is left out. What is declared in another language only is
        called what it is called there.
        """
        pairs = set(pairs)
        found = []
        for asked in self.categories:
            here = [provider.number for provider in asked.providers]
            elsewhere = sorted(self.declaration.providers_of(asked.key).difference(here))
            names = tuple(
                provider_name(self.declaration, number, self.language)
                for number in (*here, *elsewhere)
                if (asked.key, number) in pairs
            )
            if names:
                found.append((asked.title, names))
        return tuple(found)

    @property
    def decide_url(self) -> str:
        """Where answers go; the language is noted with them, since it is part of the question."""
        return f"{endpoint('decide')}?language={self.language}"

    @property
    def record_url(self) -> str:
        return f"{endpoint('record')}?language={self.language}"

    @property
    def preferences_url(self) -> str:
        return endpoint("preferences", self.version, self.language)
