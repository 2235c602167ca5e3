"""What a site declares and what a visitor decided.

The pure core: no Django, no Wagtail, no clock, no database. Everything else in the
package leans on these few values, and the browser's ``frontend/decision.js`` speaks the
same cookie format; ``tests/decision_vectors.json`` holds both to it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
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
    #: The language the rows are written in, where the charter has no translation.
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

    @property
    def optional(self) -> tuple[Category, ...]:
        return tuple(category for category in self.categories if category.optional)

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
    AUDIENCE_TOO_LONG = "audience_too_long"
    RETENTION_TOO_LONG = "retention_too_long"


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


# --- What a visitor decided -----------------------------------------------------------


class State(Enum):
    """What a consent cookie says about the page at hand."""

    UNDECIDED = "undecided"
    CURRENT = "current"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Grant:
    """A category that was granted: whole, but for some providers, or for some only.

    Exceptions are provider numbers. ``only`` and ``but`` are never both filled.
    """

    category: str
    but: frozenset[int] = frozenset()
    only: frozenset[int] = frozenset()

    def covers(self, provider: int | None) -> bool:
        """Whether ``provider`` is granted; with None, whether the whole category is."""
        if provider is None:
            return not self.but and not self.only
        return provider in self.only if self.only else provider not in self.but


@dataclass(frozen=True)
class Decision:
    """A visitor's answer to declaration ``number``, given at ``time`` (UTC seconds).

    A category without a grant was refused. ``delivered`` is False in the browser until
    the server has confirmed that it has the answer.
    """

    number: int
    time: int
    grants: tuple[Grant, ...] = ()
    delivered: bool = True

    def allows(self, category: str, provider: int | None = None) -> bool:
        return any(grant.category == category and grant.covers(provider) for grant in self.grants)

    def state(self, number: int, *, now: int, days: int) -> State:
        """CURRENT if it answers declaration ``number`` or a later one and is young enough.

        A higher number is current too: a page from a cache may carry an older number than
        the one the visitor answered (design, section 4).
        """
        if self.time + days * 86_400 < now:
            return State.UNDECIDED
        return State.CURRENT if self.number >= number else State.OUTDATED


#: Version of the cookie format.
FORMAT = "1"
#: Longest value, its mark included: with the longest name (``__Host-cookie-charter-99999=``),
#: the cookie has 120 bytes.
MAX_LENGTH = 92

CATEGORY_KEY = re.compile(r"[a-z][a-z0-9_]{0,15}\Z")

_NUMBER = r"(?:0|[1-9a-z][0-9a-z]{0,6})"
_GRANT = rf"[a-z][a-z0-9_]{{0,15}}(?:(?:-{_NUMBER})+|(?:\+{_NUMBER})+)?"
_DECISION = re.compile(rf"{FORMAT}\.({_NUMBER})\.({_NUMBER})((?:\.{_GRANT})*)(~?)", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits


class TooManyExceptions(ValueError):
    """The choice names more single providers than the cookie can hold."""


def encode(decision: Decision) -> str:
    """The cookie's value: ``1.<number>.<time>.<grant>.<grant>``, numbers in base 36.

    A grant is ``media``, ``media-3-1a`` (but for these) or ``media+4`` (these only); a
    final ``~`` marks an answer that the server has not confirmed. All characters are
    legal in a cookie as they stand (RFC 6265).

    Raises ``TooManyExceptions`` beyond ``MAX_LENGTH``: a truncated choice would be a
    different one.
    """
    parts = [FORMAT, _base36(decision.number), _base36(decision.time)]
    for grant in decision.grants:
        sign, providers = ("+", grant.only) if grant.only else ("-", grant.but)
        parts.append(
            grant.category + "".join(sign + _base36(number) for number in sorted(providers))
        )
    value = ".".join(parts) + ("" if decision.delivered else "~")
    if len(value) > MAX_LENGTH:
        raise TooManyExceptions(value)
    return value


def decode(value: str | None) -> Decision | None:
    """The decision in a cookie's value, or None for whatever cannot be read. Never raises."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    found = _DECISION.fullmatch(value)
    if not found:
        return None
    grants = []
    for token in found[3].split(".")[1:]:
        category, *signed = re.split(r"(?=[-+])", token)
        providers = frozenset(int(item[1:], 36) for item in signed)
        but = providers if "-" in token else frozenset[int]()
        grants.append(Grant(category, but=but, only=providers - but))
    if len({grant.category for grant in grants}) != len(grants):
        return None
    return Decision(int(found[1], 36), int(found[2], 36), tuple(grants), not found[4])


def grants_for(
    declaration: Declaration,
    categories: Collection[str],
    providers: Collection[tuple[str, int]] = (),
) -> tuple[Grant, ...]:
    """The shortest grants that say: these whole ``categories``, and these ``providers``.

    ``providers`` are pairs of category key and provider number. What the declaration does
    not offer is left out, so it is refused.
    """
    grants = []
    for category in declaration.optional:
        offered = declaration.providers_of(category.key)
        chosen = {number for key, number in providers if key == category.key} & offered
        if category.key in categories or (offered and chosen == offered):
            grants.append(Grant(category.key))
        elif chosen:
            refused = offered - chosen
            only_few = len(chosen) <= len(refused)
            grants.append(
                Grant(category.key, only=frozenset(chosen))
                if only_few
                else Grant(category.key, but=refused)
            )
    return tuple(grants)
