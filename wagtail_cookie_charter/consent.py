"""What a site declares: cookies, categories, grounds, and all of it as one declaration.

The pure core, with ``decision.py``: no Django, no Wagtail, no clock, no database. Everything
else in the package leans on these few values.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

# --- What is declared -----------------------------------------------------------------


class Ground(str, Enum):
    """Why the trackers of a category may be read or written (R33: there is no other)."""

    EXEMPT = "exempt"
    """Strictly necessary, or carries the communication: no choice is offered."""
    OPT_OUT = "opt_out"
    """Exempt audience measurement: on, and can be switched off (R3, R4)."""
    CONSENT = "consent"
    """Off until the visitor grants it."""


class DurationKind(str, Enum):
    FIXED = "fixed"
    SESSION = "session"
    PERSISTENT = "persistent"


#: Seconds in a unit. Months and years are mean calendar ones, so that 12 months equal a
#: year and durations given in different units can be compared.
UNIT_SECONDS: Mapping[str, float] = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 365.25 * 86_400 / 12,
    "year": 365.25 * 86_400,
}

#: Longest life of an exempt audience cookie, and of what it collects (R3).
AUDIENCE_COOKIE_MONTHS = 13
AUDIENCE_RETENTION_MONTHS = 25


@dataclass(frozen=True)
class Duration:
    """How long a tracker stays on the device.

    ``value`` and ``unit`` (a key of ``UNIT_SECONDS``) count for ``FIXED`` only.
    """

    kind: DurationKind
    value: int = 0
    unit: str = ""

    @property
    def seconds(self) -> float:
        """Life in seconds: 0 for a session, infinity for "until deleted"."""
        if self.kind is DurationKind.SESSION:
            return 0
        if self.kind is DurationKind.PERSISTENT:
            return float("inf")
        return self.value * UNIT_SECONDS[self.unit]

    def outlasts(self, months: int) -> bool:
        return self.seconds > months * UNIT_SECONDS["month"]


def duration_of_days(days: int) -> Duration:
    """``days`` as whole months where it comes to that: 182 days are 6 months."""
    months = round(days / 365.25 * 12)
    if months and abs(days - months * 365.25 / 12) < 1:
        return Duration(DurationKind.FIXED, months, "month")
    return Duration(DurationKind.FIXED, days, "day")


@dataclass(frozen=True)
class Cookie:
    """One row of a charter: one tracker, for one purpose (requirements, part B).

    ``name`` is exact or a pattern, ``prefix*``. Every field but ``name`` may be blank: a
    published page can predate a rule, and readers never fail on a hole.
    """

    name: str
    category: str = ""
    storage: str = "cookie"
    provider: str = ""
    service: str = ""
    purpose: str = ""
    duration: Duration | None = None
    party: str = ""
    domain: str = ""
    controller: str = ""
    country: str = ""
    policy_url: str = ""
    recipients: str = ""
    transfer: str = ""
    safeguard: str = ""
    ground: str = ""
    reason: str = ""
    retention_months: int | None = None
    opt_out: str = ""
    last_checked: str = ""
    #: The row's own identity in the page, equal in all translations; "" if it has none.
    row_id: str = ""
    #: The provider's number in this site's ledger; 0 until a declaration gives it one.
    provider_id: int = 0
    #: The language it is written in, where its wording is in another; "" where it is not.
    language: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cookie:
        values = {key: data[key] for key in data if key in cls.__dataclass_fields__}
        if values.get("duration") is not None:
            duration = values["duration"]
            values["duration"] = Duration(
                DurationKind(duration["kind"]), duration["value"], duration["unit"]
            )
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The row without its blanks, ready for JSON."""
        row = {key: value for key, value in vars(self).items() if value not in ("", None, 0)}
        if self.duration:
            row["duration"] = {**vars(self.duration), "kind": self.duration.kind.value}
        return row


#: What a category may be called in templates, settings and the consent cookie.
CATEGORY_KEY = re.compile(r"[a-z][a-z0-9_]{0,15}\Z")


@dataclass(frozen=True)
class Category:
    key: str
    ground: Ground

    @property
    def optional(self) -> bool:
        return self.ground is not Ground.EXEMPT


@dataclass(frozen=True)
class Wording:
    """All that visitors read in one language."""

    texts: Mapping[str, str]
    #: Category key -> (title, one-line description).
    categories: Mapping[str, tuple[str, str]]
    cookies: tuple[Cookie, ...] = ()
    #: The language the rows are written in, unless they say another themselves.
    cookies_language: str = ""


@dataclass(frozen=True)
class Declaration:
    """Charter and banner of one site as published at one moment, in all languages."""

    site: str
    cookie_name: str
    days: int = 182
    placement: str = "bottom"
    #: Only categories that a published row uses (R26), in the order shown.
    categories: tuple[Category, ...] = ()
    #: Provider slug -> number. Numbers are given once and never used again, so that a
    #: choice made years ago can never come to mean somebody else.
    providers: Mapping[str, int] = field(default_factory=dict)
    #: Language code -> wording; the first is the source language.
    languages: Mapping[str, Wording] = field(default_factory=dict)
    #: The last times that everybody was asked again: the number since when, and the pairs of
    #: category key and provider number that were new; none where an editor asked for it.
    news: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] = ()
    #: Storage and name of optional trackers that were declared once and are no more: browsers
    #: may still hold them, and a refusal deletes them too (R50).
    former: tuple[tuple[str, str], ...] = ()

    @cached_property
    def optional(self) -> tuple[Category, ...]:
        return tuple(category for category in self.categories if category.optional)

    @cached_property
    def optional_keys(self) -> frozenset[str]:
        return frozenset(category.key for category in self.optional)

    def providers_of(self, category: str) -> frozenset[int]:
        """Numbers of the providers that have a row in ``category``, in any language."""
        return self._providers_by_category.get(category, frozenset())

    @cached_property
    def _providers_by_category(self) -> Mapping[str, frozenset[int]]:
        found: dict[str, set[int]] = {}
        for wording in self.languages.values():
            for cookie in wording.cookies:
                if cookie.provider_id:
                    found.setdefault(cookie.category, set()).add(cookie.provider_id)
        return {key: frozenset(numbers) for key, numbers in found.items()}

    def ground_of(self, category: str) -> Ground | None:
        """Why the trackers of ``category`` may run; None if no published row uses it."""
        return next((known.ground for known in self.categories if known.key == category), None)

    def declaring(self, name: str) -> frozenset[tuple[str, int]]:
        """Category and provider of each row that declares an HTTP cookie called ``name``."""
        patterns = {name, *(known for known in self._http_cookies if known.endswith("*"))}
        return frozenset(
            pair
            for pattern in patterns & self._http_cookies.keys()
            if matches(pattern, name)
            for pair in self._http_cookies[pattern]
        )

    @cached_property
    def _http_cookies(self) -> Mapping[str, frozenset[tuple[str, int]]]:
        found: dict[str, set[tuple[str, int]]] = {}
        for wording in self.languages.values():
            for cookie in wording.cookies:
                if cookie.storage == "cookie":
                    found.setdefault(cookie.name, set()).add((cookie.category, cookie.provider_id))
        return {pattern: frozenset(pairs) for pattern, pairs in found.items()}

    def trackers(self, *, optional: bool = False) -> frozenset[tuple[str, str]]:
        """Storage and name of all that is declared, or of what is optional."""
        keys = {category.key for category in (self.optional if optional else self.categories)}
        return frozenset(
            (cookie.storage, cookie.name)
            for wording in self.languages.values()
            for cookie in wording.cookies
            if cookie.category in keys
        )

    @property
    def offered(self) -> frozenset[tuple[str, int]]:
        """What can be refused: pairs of category key and provider number."""
        return frozenset(
            (category.key, provider)
            for category in self.optional
            for provider in self.providers_of(category.key)
        )

    @property
    def asked_since(self) -> int:
        """The number under which everybody was asked last: answers to it, or later, still hold.

        The number in force can be higher, for what was taken out since.
        """
        return self.news[-1][0] if self.news else 1

    @property
    def scope(self) -> frozenset[tuple[str, int]]:
        """What consent is asked for: pairs of category key and provider number.

        This, and nothing else, is material (R65): words, order, durations and removed
        rows leave every earlier consent as good as it was.
        """
        return frozenset(
            (category.key, provider)
            for category in self.categories
            if category.ground is Ground.CONSENT
            for provider in self.providers_of(category.key)
        )

    def wording(self, language: str) -> tuple[str, Wording] | None:
        """The closest language there is, and its wording: exact, then base, then source."""
        for code in (language, language.split("-")[0]):
            if code in self.languages:
                return code, self.languages[code]
        return next(iter(self.languages.items()), None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "cookie_name": self.cookie_name,
            "days": self.days,
            "placement": self.placement,
            "categories": [[category.key, category.ground.value] for category in self.categories],
            "providers": dict(self.providers),
            # A list: the order (source first) must survive canonical JSON.
            "languages": [
                {
                    "language": language,
                    "texts": dict(wording.texts),
                    "categories": {key: list(words) for key, words in wording.categories.items()},
                    "cookies": [cookie.as_dict() for cookie in wording.cookies],
                    "cookies_language": wording.cookies_language,
                }
                for language, wording in self.languages.items()
            ],
            "news": [[number, [list(pair) for pair in pairs]] for number, pairs in self.news],
            "former": [list(pair) for pair in self.former],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Declaration:
        return cls(
            site=data["site"],
            cookie_name=data["cookie_name"],
            days=data["days"],
            placement=data["placement"],
            categories=tuple(Category(key, Ground(ground)) for key, ground in data["categories"]),
            providers=data["providers"],
            languages={
                entry["language"]: Wording(
                    texts=entry["texts"],
                    categories={
                        key: (title, summary)
                        for key, (title, summary) in entry["categories"].items()
                    },
                    cookies=tuple(Cookie.from_dict(cookie) for cookie in entry["cookies"]),
                    cookies_language=entry["cookies_language"],
                )
                for entry in data["languages"]
            },
            news=tuple(
                (number, tuple((key, provider) for key, provider in pairs))
                for number, pairs in data.get("news", ())
            ),
            former=tuple((storage, name) for storage, name in data.get("former", ())),
        )

    @property
    def digest(self) -> str:
        return digest(self.as_dict())


def digest(data: Any) -> str:
    """SHA-256, in hex, of the canonical JSON of ``data``: the order of keys is nothing."""
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def number_providers(known: Mapping[str, int], slugs: Iterable[str]) -> dict[str, int]:
    """``known`` with the next free number for each new slug, in the order they come."""
    numbered = dict(known)
    following = max(numbered.values(), default=0) + 1
    for slug in slugs:
        if slug not in numbered:
            numbered[slug] = following
            following += 1
    return numbered


def completed(
    rows: Mapping[str, tuple[Cookie, ...]], optional: Collection[str]
) -> dict[str, tuple[Cookie, ...]]:
    """The numbered ``rows`` of each language and, marked with theirs, what only others have.

    Consent is one for all languages: so visitors of each must see all that is asked (R65). A
    row has a counterpart of the same category and provider with its id, or with its storage
    and name. Outside the ``optional`` categories nobody is asked about providers, and a
    translated name makes no second row.
    """

    def likenesses(cookie: Cookie) -> set[Hashable]:
        asked = (cookie.category, cookie.provider_id if cookie.category in optional else 0)
        found: set[Hashable] = {(asked, cookie.storage, cookie.name)}
        return {*found, (asked, cookie.row_id)} if cookie.row_id else found

    complete = {}
    for language, own in rows.items():
        seen = {likeness for cookie in own for likeness in likenesses(cookie)}
        borrowed: list[Cookie] = []
        for other, cookies in rows.items():
            missing = [cookie for cookie in cookies if not likenesses(cookie) & seen]
            borrowed += [replace(cookie, language=other) for cookie in missing]
            seen |= {likeness for cookie in missing for likeness in likenesses(cookie)}
        complete[language] = (*own, *borrowed)
    return complete


# --- Names and patterns ---------------------------------------------------------------

#: Fewer fixed characters than this, and a pattern takes cookies it never meant.
PATTERN_MIN_FIXED = 3


class Problem(str, Enum):
    """What keeps a row from being published; ``errors.py`` has the sentences."""

    MISSING = "missing"
    STAR_INSIDE = "star_inside"
    TOO_WIDE = "too_wide"
    BAD_CHARACTER = "bad_character"
    NEEDS_CONSENT = "needs_consent"
    NEEDS_NO_CONSENT = "needs_no_consent"
    TOO_LONG = "too_long"
    AUDIENCE_TOO_LONG = "audience_too_long"
    RETENTION_TOO_LONG = "retention_too_long"


#: Characters that a field may have: no browser keeps a longer name, nobody reads a longer one.
LONGEST: Mapping[str, int] = {"name": 255, "provider": 255}


def pattern_problem(name: str, storage: str = "cookie") -> Problem | None:
    """What makes ``name`` unusable as an exact name or ``prefix*`` pattern, if anything.

    Cookie names are RFC 6265 tokens; names in other storage are free text.
    """
    fixed = name[:-1] if name.endswith("*") else name
    if not name.strip():
        return Problem.MISSING
    if "*" in fixed:
        return Problem.STAR_INSIDE
    if name.endswith("*") and len(fixed.strip()) < PATTERN_MIN_FIXED:
        return Problem.TOO_WIDE
    if storage == "cookie" and re.search(r"[\x00-\x20\x7f()<>@,;\\\"/?={}]", fixed):
        return Problem.BAD_CHARACTER
    return None


#: Grounds a row may name, by the ground of its category (R32, R33). "" is "as its category".
ROW_GROUNDS: Mapping[Ground, tuple[str, ...]] = {
    Ground.EXEMPT: ("", "necessary", "transmission"),
    Ground.OPT_OUT: ("", "audience"),
    Ground.CONSENT: ("", "consent"),
}


def row_problems(cookie: Cookie, ground: Ground) -> dict[str, Problem]:
    """Field name -> why ``cookie`` may not be published in a category of this ground.

    What an optional row must say is R1; what audience measurement must keep to in order
    to stay exempt, R3; that "necessary" hides nothing optional, R32.
    """
    problems: dict[str, Problem] = {}
    if problem := pattern_problem(cookie.name, cookie.storage):
        problems["name"] = problem
    if ground is not Ground.EXEMPT:
        for name in ("provider", "purpose", "duration", "party"):
            if not getattr(cookie, name):
                problems[name] = Problem.MISSING
    for name in ("provider", "purpose"):
        # What nobody can see, or read.
        if (said := getattr(cookie, name)) and not any(map(str.isalnum, said)):
            problems[name] = Problem.MISSING
    for name, limit in LONGEST.items():
        if len(getattr(cookie, name)) > limit:
            problems[name] = Problem.TOO_LONG
    if cookie.ground not in ROW_GROUNDS[ground]:
        problems["ground"] = (
            Problem.NEEDS_NO_CONSENT if ground is Ground.CONSENT else Problem.NEEDS_CONSENT
        )
    if ground is Ground.OPT_OUT:
        if cookie.duration and cookie.duration.outlasts(AUDIENCE_COOKIE_MONTHS):
            problems["duration"] = Problem.AUDIENCE_TOO_LONG
        if cookie.retention_months is None:
            problems["retention_months"] = Problem.MISSING
        elif cookie.retention_months > AUDIENCE_RETENTION_MONTHS:
            problems["retention_months"] = Problem.RETENTION_TOO_LONG
    return problems


def matches(pattern: str, name: str) -> bool:
    """Whether a tracker called ``name`` is the one that ``pattern`` declares."""
    if pattern_problem(pattern, "other"):
        return False
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
