"""From counts of equal answers to the figures of the report (R86).

Pure, like ``decision.py``. What an answer comes to is read from what it granted, not from the
button: somebody who ticks every box has accepted all. What is unreadable, or was not offered,
is not granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import TypeVar

from ..consent import Declaration
from ..decision import FORMAT, Grant, decode

#: Optional category -> number of each provider offered in it -> its name in figures, which is
#: the same on all sites.
Offer = Mapping[str, Mapping[int, str]]


def offer_of(declaration: Declaration) -> Offer:
    """What visitors could grant or refuse in ``declaration``."""
    slugs = {number: slug for slug, number in declaration.providers.items()}
    return {
        category.key: {
            number: slugs.get(number, str(number))
            for number in sorted(declaration.providers_of(category.key))
        }
        for category in declaration.optional
    }


class Level(str, Enum):
    """How much of a category an answer granted."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


class Kind(str, Enum):
    """What an answer comes to."""

    ACCEPTED = "accepted"
    """All that was offered."""
    CHOSEN = "chosen"
    """Some of it."""
    REFUSED = "refused"
    """Nothing."""


@dataclass(frozen=True)
class Reading:
    """What one answer granted, of what was offered.

    ``providers`` has a truth value for each (category, provider) that was offered.
    """

    kind: Kind
    categories: Mapping[str, Level]
    providers: Mapping[tuple[str, str], bool]


@lru_cache(maxsize=4096)
def grants_in(text: str) -> tuple[Grant, ...]:
    """The grants in ``media.statistics-3``, as the cookie writes them; none if unreadable."""
    decision = decode(f"{FORMAT}.0.0.{text}") if text else None
    return decision.grants if decision else ()


def read(text: str, offer: Offer) -> Reading:
    """What the grants in ``text`` say about each category and provider in ``offer``."""
    grants = {grant.category: grant for grant in grants_in(text)}
    categories: dict[str, Level] = {}
    providers: dict[tuple[str, str], bool] = {}
    for key, offered in offer.items():
        grant = grants.get(key)
        covered = {number: grant is not None and grant.covers(number) for number in offered}
        for number, slug in offered.items():
            providers[key, slug] = providers.get((key, slug), False) or covered[number]
        everything = grant is not None and (
            all(covered.values()) if offered else grant.covers(None)
        )
        if everything:
            categories[key] = Level.GRANTED
        else:
            categories[key] = Level.PARTLY if any(covered.values()) else Level.REFUSED
    levels = set(categories.values())
    if levels <= {Level.REFUSED}:
        kind = Kind.REFUSED
    else:
        kind = Kind.ACCEPTED if levels == {Level.GRANTED} else Kind.CHOSEN
    return Reading(kind, categories, providers)


@dataclass(frozen=True)
class Kinds:
    """Answers by what they come to."""

    accepted: int = 0
    chosen: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        return self.accepted + self.chosen + self.refused

    def __add__(self, other: Kinds) -> Kinds:
        return Kinds(
            self.accepted + other.accepted,
            self.chosen + other.chosen,
            self.refused + other.refused,
        )


@dataclass(frozen=True)
class Split:
    """The answers that were asked about one thing, by how much of it they granted."""

    granted: int = 0
    partly: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        return self.granted + self.partly + self.refused

    def __add__(self, other: Split) -> Split:
        return Split(
            self.granted + other.granted, self.partly + other.partly, self.refused + other.refused
        )


@dataclass(frozen=True)
class Count:
    """So many answers to one declaration that were given in the same way and granted the same.

    ``declaration`` is a key of the offers that the figures are made with.
    """

    declaration: int
    method: str
    grants: str
    answers: int
    day: date | None = None


@dataclass(frozen=True)
class Tally:
    """All figures of the report. Two of them add up to those of both."""

    #: Method (``decision.Method``'s values) -> answers.
    methods: Mapping[str, Kinds] = field(default_factory=dict)
    #: Category -> the answers to declarations that offered it.
    categories: Mapping[str, Split] = field(default_factory=dict)
    #: (category, provider) -> the same; a provider is never granted partly.
    providers: Mapping[tuple[str, str], Split] = field(default_factory=dict)
    #: First day of a day, week or month -> answers.
    days: Mapping[date, Kinds] = field(default_factory=dict)

    @property
    def kinds(self) -> Kinds:
        return sum(self.methods.values(), Kinds())

    @property
    def total(self) -> int:
        return self.kinds.total

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            _merged(self.methods, other.methods, Kinds()),
            _merged(self.categories, other.categories, Split()),
            _merged(self.providers, other.providers, Split()),
            _merged(self.days, other.days, Kinds()),
        )


Key = TypeVar("Key")
Sum = TypeVar("Sum", Kinds, Split)


def _merged(first: Mapping[Key, Sum], second: Mapping[Key, Sum], nothing: Sum) -> dict[Key, Sum]:
    """Key by key, the sum of both."""
    keys = [*first, *(key for key in second if key not in first)]
    return {key: first.get(key, nothing) + second.get(key, nothing) for key in keys}


def _shape(offer: Offer) -> str:
    """Equal for equal offers, in whichever order; a string, since it is hashed but once."""
    return repr(sorted((key, sorted(providers.items())) for key, providers in offer.items()))


#: Places in ``Kinds`` and ``Split``.
_KINDS = {kind: place for place, kind in enumerate(Kind)}
_LEVELS = {level: place for place, level in enumerate(Level)}


def tally(counts: Iterable[Count], offers: Mapping[int, Offer]) -> Tally:
    """The figures of ``counts``.

    ``offers`` has what each declaration offered; answers to one it does not have granted
    nothing that is known.
    """
    # Each different answer is read once, and only then spread over what was offered: there are
    # many days and few kinds of answers. Most declarations offer what the one before did.
    shapes = {pk: _shape(offer) for pk, offer in offers.items()}
    alike: dict[tuple[str | None, str], int] = {}
    kinds: dict[tuple[str | None, str], int] = {}
    methods: dict[str, list[int]] = {}
    days: dict[date, list[int]] = {}
    readings: dict[tuple[str | None, str], Reading] = {}
    for count in counts:
        key = shapes.get(count.declaration), count.grants
        if key not in kinds:
            readings[key] = read(count.grants, offers.get(count.declaration, {}))
            kinds[key] = _KINDS[readings[key].kind]
        alike[key] = alike.get(key, 0) + count.answers
        methods.setdefault(count.method, [0, 0, 0])[kinds[key]] += count.answers
        if count.day is not None:
            days.setdefault(count.day, [0, 0, 0])[kinds[key]] += count.answers
    categories: dict[str, list[int]] = {}
    providers: dict[tuple[str, str], list[int]] = {}
    for key, answers in alike.items():
        for category, level in readings[key].categories.items():
            categories.setdefault(category, [0, 0, 0])[_LEVELS[level]] += answers
        for name, granted in readings[key].providers.items():
            providers.setdefault(name, [0, 0, 0])[0 if granted else 2] += answers
    return Tally(
        {method: Kinds(*numbers) for method, numbers in methods.items()},
        {category: Split(*numbers) for category, numbers in categories.items()},
        {name: Split(*numbers) for name, numbers in providers.items()},
        {day: Kinds(*numbers) for day, numbers in days.items()},
    )
