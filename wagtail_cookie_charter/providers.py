"""Who is behind a tracker: when two names mean one provider. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping

from django.utils.text import slugify

from .consent import Cookie, Declaration

#: What companies are, at the end of their names.
LEGAL_FORMS = frozenset(
    [
        *("ag", "gmbh", "kg", "se"),
        *("sa", "sarl", "sas", "sasu", "eurl"),
        *("bv", "nv", "sl", "spa", "srl"),
        *("ab", "aps", "asa", "oy", "oyj"),
        *("co", "company", "corp", "corporation", "inc", "incorporated", "llc"),
        *("limited", "ltd", "plc", "pty"),
    ]
)

#: Letters in a word of which one may be a slip. Shorter words are too near to each other.
LONG_ENOUGH = 5


def provider_slug(name: str) -> str:
    """What makes two spellings of a provider one: ``"Google LLC"`` and ``"google llc"``."""
    return slugify(name, allow_unicode=True) or name.strip().casefold()


def respelled(before: str, now: str) -> bool:
    """Whether a row whose provider was ``before`` means the same one by ``now`` (R65).

    Correcting a name asks nobody: spaces, a legal form that was missing or is, one slip of the
    pen in a word of some length. Whatever goes further may be somebody else, whom nobody was
    asked about: another legal form, a figure, a letter of a short word.
    """
    words, others = _words(before), _words(now)
    if "".join(words) == "".join(others):
        return True
    (name, form), (other_name, other_form) = _without_form(words), _without_form(others)
    if form != other_form:
        return not (form and other_form) and name == other_name
    return _one_slip(name, other_name)


def _words(name: str) -> list[str]:
    # "S.A.S." is one word, and "Booking.com" two.
    name = re.sub(r"\b(\w)\.(?=\w\b)", r"\1", name)
    return [word for word in provider_slug(name).split("-") if word]


def _without_form(words: list[str]) -> tuple[list[str], str]:
    if len(words) > 1 and words[-1] in LEGAL_FORMS:
        return words[:-1], words[-1]
    return words, ""


def _one_slip(words: list[str], others: list[str]) -> bool:
    """A letter too many, too few, wrong, or two that changed places, in one long word."""
    different = [pair for pair in zip(words, others, strict=False) if pair[0] != pair[1]]
    if len(words) != len(others) or len(different) != 1:
        return False
    one, other = different[0]
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == 2 and one == other[::-1]
    return (
        min(map(len, different[0])) >= LONG_ENOUGH
        and (one + other).isalpha()
        and (swapped or max(len(one), len(other)) == 1)
    )


def identity(cookie: Cookie) -> Hashable:
    """What a row has in common with its translations: its id, or where it has none its name."""
    return cookie.row_id or _tracker(cookie)


def _tracker(cookie: Cookie) -> Hashable:
    return (cookie.category, cookie.storage, cookie.name)


def names_another(cookie: Cookie, known: Mapping[str, int]) -> bool:
    """Whether a row, by the name of its provider, is of another than its translations are now.

    ``known`` has the number of each slug. Such a row was left as it was when its translations
    got another provider: visitors would be asked about one under the name of the other (R65).
    """
    return known.get(provider_slug(cookie.provider), cookie.provider_id) != cookie.provider_id


def numbers_of_respelled(before: Declaration, rows: Iterable[Cookie]) -> dict[str, int]:
    """New slug -> number of the provider that the row had ``before`` under another spelling.

    A row is the one it was by its id or, since an import makes new ones, by its tracker.
    """
    known: dict[Hashable, set[tuple[str, int]]] = {}
    for wording in before.languages.values():
        for cookie in wording.cookies:
            for key in filter(None, (cookie.row_id, _tracker(cookie))):
                known.setdefault(key, set()).add((cookie.provider, cookie.provider_id))
    found = {}
    for cookie in rows:
        slug = provider_slug(cookie.provider)
        if slug in before.providers:
            continue
        likely = known.get(cookie.row_id if cookie.row_id in known else _tracker(cookie), ())
        for name, number in sorted(likely):
            if respelled(name, cookie.provider):
                found[slug] = number
    return found
