"""What a visitor decided, and how the consent cookie says it.

Pure, like ``consent.py``. The browser's ``frontend/decision.js`` speaks the same format;
``tests/decision_vectors.json`` holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from .consent import Declaration


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

_NUMBER = r"(?:0|[1-9a-z][0-9a-z]{0,6})"
_GRANT = rf"[a-z][a-z0-9_]{{0,15}}(?:(?:-{_NUMBER})+|(?:\+{_NUMBER})+)?"
_DECISION = re.compile(rf"{FORMAT}\.({_NUMBER})\.({_NUMBER})((?:\.{_GRANT})*)(~?)", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A number as the cookie writes it."""
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
    parts = [FORMAT, base36(decision.number), base36(decision.time)]
    for grant in decision.grants:
        sign, providers = ("+", grant.only) if grant.only else ("-", grant.but)
        parts.append(
            grant.category + "".join(sign + base36(number) for number in sorted(providers))
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
