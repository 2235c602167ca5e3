"""What differs between two declarations, and what of it visitors must be asked about again.

Pure, like ``consent.py``. The words for it are in ``narrative.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from .consent import Category, Cookie, Declaration, Ground, Wording


class Kind(str, Enum):
    """What happened, in the order in which changes are told."""

    CATEGORY_ADDED = "category_added"
    CATEGORY_REMOVED = "category_removed"
    GROUND_CHANGED = "ground_changed"
    PROVIDER_ADDED = "provider_added"
    PROVIDER_REMOVED = "provider_removed"
    ROW_ADDED = "row_added"
    ROW_REMOVED = "row_removed"
    ROW_CHANGED = "row_changed"
    LANGUAGE_ADDED = "language_added"
    LANGUAGE_REMOVED = "language_removed"
    TEXT_CHANGED = "text_changed"
    CATEGORY_WORDS_CHANGED = "category_words_changed"
    DAYS_CHANGED = "days_changed"
    PLACEMENT_CHANGED = "placement_changed"
    SITE_CHANGED = "site_changed"


@dataclass(frozen=True)
class Change:
    """One difference. What a kind does not need is blank.

    ``material`` is whether visitors must be asked again because of it (R65).
    """

    kind: Kind
    material: bool = False
    #: A category's key.
    category: str = ""
    #: A provider's number in the site's ledger.
    provider: int = 0
    #: A row's name, the new one if it has been renamed.
    row: str = ""
    #: Language code of the words, or of the rows in which the difference is found.
    language: str = ""
    #: Names of what differs: fields of ``Cookie``, keys of ``Wording.texts``, ``title``,
    #: ``summary``, ``site`` or ``cookie_name``.
    fields: tuple[str, ...] = ()
    #: The values where there is one of each: words, days, a placement, a ground.
    before: str | int | None = None
    after: str | int | None = None
    #: Of a row, the value of each of ``fields`` before and after, as ``Cookie`` has it.
    values: tuple[tuple[Any, Any], ...] = ()


NOTHING = Declaration(site="", cookie_name="")

#: A row's own number and its provider's are bookkeeping: nobody reads them.
ROW_FIELDS = tuple(
    field.name for field in fields(Cookie) if field.name not in ("row_id", "provider_id")
)


def changes(before: Declaration | None, after: Declaration) -> tuple[Change, ...]:
    """All that differs from ``before`` (None: there was nothing) to ``after``.

    Both must be of one site, whose ledger numbers its providers. The order of categories,
    languages, rows and keys is no difference. Something is material exactly if ``after`` asks
    consent for what ``before`` did not (``Declaration.scope``, R65).
    """
    earlier = before or NOTHING
    return (
        *_categories(earlier, after),
        *_providers(earlier, after),
        *_rows(earlier, after),
        *_languages(earlier, after),
        *_words(earlier, after),
        *(_settings(before, after) if before is not None else ()),
    )


def provider_name(declaration: Declaration, number: int, language: str = "") -> str:
    """What ``declaration`` calls the provider of this number, in ``language`` if it can.

    Falls back on the other languages, then on the slug that the number was given to; "" if
    the number was never given to anybody.
    """
    closest = declaration.wording(language)
    wordings = [closest[1]] if closest else []
    for wording in (*wordings, *declaration.languages.values()):
        for cookie in wording.cookies:
            if number and cookie.provider_id == number:
                return cookie.provider or cookie.name
    return next((slug for slug, known in declaration.providers.items() if known == number), "")


# --- What is asked --------------------------------------------------------------------


def _both(before: Declaration, after: Declaration) -> tuple[Category, ...]:
    """The categories of ``after``, then those that only ``before`` has."""
    keys = {category.key for category in after.categories}
    return (*after.categories, *(known for known in before.categories if known.key not in keys))


def _categories(before: Declaration, after: Declaration) -> Iterator[Change]:
    asked = {category for category, _provider in after.scope - before.scope}
    grounds: list[Change] = []
    removed: list[Change] = []
    for key in (category.key for category in _both(before, after)):
        old, new = before.ground_of(key), after.ground_of(key)
        if old is None:
            yield Change(Kind.CATEGORY_ADDED, key in asked, key, after=_value(new))
        elif new is None:
            removed.append(Change(Kind.CATEGORY_REMOVED, category=key, before=_value(old)))
        elif old is not new:
            grounds.append(
                Change(
                    Kind.GROUND_CHANGED, key in asked, key, before=_value(old), after=_value(new)
                )
            )
    yield from removed
    yield from grounds


def _value(ground: Ground | None) -> str | None:
    return ground.value if ground else None


def _providers(before: Declaration, after: Declaration) -> Iterator[Change]:
    asked = after.scope - before.scope
    keys = [category.key for category in _both(before, after)]
    for key in keys:
        for number in sorted(after.providers_of(key) - before.providers_of(key)):
            yield Change(Kind.PROVIDER_ADDED, (key, number) in asked, key, number)
    for key in keys:
        for number in sorted(before.providers_of(key) - after.providers_of(key)):
            yield Change(Kind.PROVIDER_REMOVED, category=key, provider=number)


# --- Rows -----------------------------------------------------------------------------


def _rows(before: Declaration, after: Declaration) -> list[Change]:
    """A row is found again by its content, its id or its name, and told of once.

    What happened to it in one language is not told again of its translations.
    """
    found: dict[Hashable, Change] = {}
    common = after.languages.keys() & before.languages.keys()
    for language in dict.fromkeys((*after.languages, *before.languages)):
        for old, new in _pairs(_cookies(before, language), _cookies(after, language)):
            change, identity = _row_change(old, new, language)
            # That a row is now translated is no change of the row.
            if change is not None and (language in common or old is None or new is None):
                found.setdefault(identity, change)
    order = list(Kind)
    return sorted(
        found.values(),
        key=lambda change: (order.index(change.kind), change.category, change.row, change.language),
    )


def _cookies(declaration: Declaration, language: str) -> tuple[Cookie, ...]:
    """The rows in ``language``; where it is not spoken, those that visitors got instead."""
    found = declaration.wording(language)
    return found[1].cookies if found else ()


def _row_change(
    old: Cookie | None, new: Cookie | None, language: str
) -> tuple[Change | None, Hashable]:
    """What happened to a row, and what tells it from all that happened to others."""
    if old is None or new is None:
        row = new or old
        if row is None:
            return None, None
        kind = Kind.ROW_REMOVED if new is None else Kind.ROW_ADDED
        change = Change(kind, category=row.category, row=row.name, language=language)
        return change, (kind, row.row_id or (row.category, row.storage, row.name, row.provider_id))
    differing = tuple(name for name in ROW_FIELDS if getattr(old, name) != getattr(new, name))
    if not differing:
        return None, None
    # A new duration is one change in all languages, two new translations are two.
    values = tuple((name, getattr(old, name), getattr(new, name)) for name in differing)
    identity = (Kind.ROW_CHANGED, new.row_id or (new.category, new.storage, new.name), values)
    return (
        Change(
            Kind.ROW_CHANGED,
            category=new.category,
            row=new.name,
            language=language,
            fields=differing,
            values=tuple((one, other) for _name, one, other in values),
        ),
        identity,
    )


def _content(cookie: Cookie) -> Hashable:
    return tuple(getattr(cookie, name) for name in ROW_FIELDS)


#: By which a row is known again, the surest first.
_LIKENESS: tuple[Callable[[Cookie], Hashable], ...] = (
    lambda cookie: (cookie.row_id, _content(cookie)),
    lambda cookie: cookie.row_id or None,
    _content,
    lambda cookie: (cookie.category, cookie.storage, cookie.name, cookie.provider_id),
    lambda cookie: (cookie.category, cookie.storage, cookie.name),
)


def _pairs(
    old: Iterable[Cookie], new: Iterable[Cookie]
) -> Iterator[tuple[Cookie | None, Cookie | None]]:
    """Each row with what it has become; None where it was not there, or is no more."""
    # Sorted, so that of several alike, the same two are paired whatever their order.
    remaining_old = sorted(old, key=repr)
    remaining_new = sorted(new, key=repr)
    for likeness in _LIKENESS:
        waiting: dict[Hashable, list[Cookie]] = defaultdict(list)
        for cookie in reversed(remaining_old):
            waiting[likeness(cookie)].append(cookie)
        waiting.pop(None, None)
        unmatched = []
        for cookie in remaining_new:
            if alike := waiting.get(likeness(cookie)):
                yield alike.pop(), cookie
            else:
                unmatched.append(cookie)
        matched_left = {id(cookie) for group in waiting.values() for cookie in group}
        remaining_old = [
            cookie
            for cookie in remaining_old
            if id(cookie) in matched_left or likeness(cookie) is None
        ]
        remaining_new = unmatched
    yield from ((cookie, None) for cookie in remaining_old)
    yield from ((None, cookie) for cookie in remaining_new)


# --- Words ----------------------------------------------------------------------------


def _languages(before: Declaration, after: Declaration) -> Iterator[Change]:
    for language in sorted(after.languages.keys() - before.languages.keys()):
        yield Change(Kind.LANGUAGE_ADDED, language=language)
    for language in sorted(before.languages.keys() - after.languages.keys()):
        yield Change(Kind.LANGUAGE_REMOVED, language=language)


def _words(before: Declaration, after: Declaration) -> Iterator[Change]:
    common = sorted(after.languages.keys() & before.languages.keys())
    for language in common:
        old, new = _texts(before.languages[language]), _texts(after.languages[language])
        for name in sorted({*old, *new}):
            if (one := old.get(name, "")) != (other := new.get(name, "")):
                yield Change(
                    Kind.TEXT_CHANGED, language=language, fields=(name,), before=one, after=other
                )
    for language in common:
        old_words = before.languages[language].categories
        new_words = after.languages[language].categories
        for key in sorted(old_words.keys() & new_words.keys()):
            for place, name in enumerate(("title", "summary")):
                if (one := old_words[key][place]) != (other := new_words[key][place]):
                    yield Change(
                        Kind.CATEGORY_WORDS_CHANGED,
                        category=key,
                        language=language,
                        fields=(name,),
                        before=one,
                        after=other,
                    )


def _texts(wording: Wording) -> Mapping[str, str]:
    return {**wording.texts, "cookies_language": wording.cookies_language}


def _settings(before: Declaration, after: Declaration) -> Iterator[Change]:
    named: Iterable[tuple[Kind, str]] = (
        (Kind.DAYS_CHANGED, "days"),
        (Kind.PLACEMENT_CHANGED, "placement"),
        (Kind.SITE_CHANGED, "site"),
        (Kind.SITE_CHANGED, "cookie_name"),
    )
    for kind, name in named:
        old: Any = getattr(before, name)
        new: Any = getattr(after, name)
        if old != new:
            yield Change(kind, fields=(name,), before=old, after=new)
