"""What a visitor decided, and how the consent cookie says it.

Pure, like ``consent.py``. The browser's ``frontend/decision.js`` speaks the same format,
and ``runs`` in ``frontend/cookie-charter.js`` decides alike: ``tests/decision_vectors.json``
and ``tests/decision_rules.json`` hold both to it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum

from .consent import Declaration, Ground


class State(Enum):
    """What a consent cookie says about the page at hand."""

    UNDECIDED = "undecided"
    CURRENT = "current"
    OUTDATED = "outdated"


class Method(str, Enum):
    """How an answer was given (R44)."""

    ACCEPT = "accept"
    """All of it, in one go."""
    REFUSE = "refuse"
    """All of it, in one go."""
    CHOICE = "choice"
    """Some of it, in the second layer or the charter's form."""
    PLACEHOLDER = "placeholder"
    """One thing more, where it is missing in a page."""
    WITHDRAWAL = "withdrawal"
    """Less than before."""
    SIGNAL = "signal"
    """The browser refused all that is asked (Global Privacy Control, R63)."""


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

    def __str__(self) -> str:
        """As the consent cookie writes it."""
        sign, providers = ("+", self.only) if self.only else ("-", self.but)
        return self.category + "".join(sign + base36(number) for number in sorted(providers))


@dataclass(frozen=True)
class Decision:
    """A visitor's answer to declaration ``number``, given at ``time`` (UTC seconds).

    A category without a grant was refused. ``delivered`` is False in the browser until
    the server has confirmed that it has the answer. ``despite_signal`` is True for one that
    was given while the browser sent the Global Privacy Control signal: it is the later and
    more special word, and wins over the signal; any other does not. ``receipt`` is the random
    number that the answer is delivered under, "" if it has none; only an answer that granted
    something keeps it once it has arrived (R37, R47).
    """

    number: int
    time: int
    grants: tuple[Grant, ...] = ()
    delivered: bool = True
    despite_signal: bool = False
    receipt: str = ""

    def allows(self, category: str, provider: int | None = None) -> bool:
        return any(grant.category == category and grant.covers(provider) for grant in self.grants)

    def state(self, declaration: Declaration, *, now: int) -> State:
        """CURRENT if it answers what everybody was asked last, or later, and is young enough.

        An answer is over in the second in which the browser drops its cookie.
        """
        if self.time + declaration.days * 86_400 <= now:
            return State.UNDECIDED
        return State.CURRENT if self.number >= declaration.asked_since else State.OUTDATED


#: Version of the cookie format.
FORMAT = "1"
#: Longest value, its mark included: with the longest name (``__Host-cookie-charter-99999=``),
#: the cookie has 120 bytes.
MAX_LENGTH = 92
#: Characters (0-9, a-z) of the number that an answer is delivered and receipted under: one for how
#: it was given, and eleven of chance (56.9 bits).
RECEIPT_LENGTH = 12
#: Characters for all but the marks ``!``, ``~`` and ``*<receipt>``, which come and go.
ROOM = MAX_LENGTH - 3 - RECEIPT_LENGTH

_NUMBER = r"(?:0|[1-9a-z][0-9a-z]{0,6})"
_GRANT = rf"[a-z][a-z0-9_]{{0,15}}(?:(?:-{_NUMBER})+|(?:\+{_NUMBER})+)?"
_DECISION = re.compile(
    rf"{FORMAT}\.({_NUMBER})\.({_NUMBER})((?:\.{_GRANT})*)"
    rf"(!?)(~?)(?:\*([0-9a-z]{{{RECEIPT_LENGTH}}}))?",
    re.ASCII,
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A number as the cookie writes it."""
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits


def new_receipt(method: Method | None = None) -> str:
    """A random number to deliver an answer under. It says nothing about anybody.

    Its first letter is that of ``method``, or an x; what follows is chance, each character
    equally likely. The same as in ``frontend/receipt.js``.
    """
    letter = method.value[0] if method else "x"
    return letter + "".join(secrets.choice(_DIGITS) for _place in range(RECEIPT_LENGTH - 1))


class TooManyExceptions(ValueError):
    """The choice names more single providers than the cookie can hold."""


def encode(decision: Decision) -> str:
    """The cookie's value: ``1.<number>.<time>.<grant>.<grant>``, numbers in base 36.

    A grant is ``media``, ``media-3-1a`` (but for these) or ``media+4`` (these only). A ``!``
    marks an answer given despite the browser's privacy signal, a ``~`` one that the server has
    not confirmed; ``*`` and 12 characters are its receipt. All characters are legal in a cookie
    as they stand (RFC 6265).

    Raises ``TooManyExceptions`` beyond ``ROOM``, so that every answer can bear every mark: a
    truncated choice would be a different one.
    """
    start = [FORMAT, base36(decision.number), base36(decision.time)]
    value = ".".join([*start, *map(str, decision.grants)])
    if len(value) > ROOM:
        raise TooManyExceptions(value)
    return (
        value
        + ("!" if decision.despite_signal else "")
        + ("" if decision.delivered else "~")
        + (f"*{decision.receipt}" if decision.receipt else "")
    )


def decode(value: str | None) -> Decision | None:
    """The decision in a cookie's value, or None for whatever cannot be read. Never raises."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    found = _DECISION.fullmatch(value)
    if not found or found.end(3) > ROOM:
        return None
    grants = []
    for token in found[3].split(".")[1:]:
        sign = "+" if "+" in token else "-"
        category, *exceptions = token.split(sign)
        providers = frozenset(int(number, 36) for number in exceptions)
        grants.append(
            Grant(category, only=providers) if sign == "+" else Grant(category, but=providers)
        )
    if len({grant.category for grant in grants}) != len(grants):
        return None
    return Decision(
        int(found[1], 36),
        int(found[2], 36),
        tuple(grants),
        delivered=not found[5],
        despite_signal=bool(found[4]),
        receipt=found[6] or "",
    )


def permits(
    value: str | None,
    declaration: Declaration,
    number: int,
    category: str,
    provider: int | None = None,
    *,
    now: int,
    objected: bool = False,
) -> bool:
    """Whether the consent cookie's ``value`` lets an optional category, or a provider, run.

    The same rule as ``runs`` in ``frontend/cookie-charter.js``, and
    ``tests/decision_rules.json`` is the table of it. What needs consent waits for an answer that
    is young enough, to declaration ``number`` or one since which nobody had to be asked again.
    What is exempt but can be refused (R4) is on until there is an answer, and stays refused
    whatever is asked later. An answer to a later declaration than ``number`` permits nothing:
    it may have been given when what is known here was taken out. An exempt or unknown category
    is not asked about, so no answer permits it here.
    ``objected`` says that the browser's privacy signal refuses the category: then only an
    answer given despite the signal counts (R63, R64).
    """
    ground = declaration.ground_of(category)
    decision = decode(value)
    if decision is not None and decision.number > number:
        return False
    granted = decision is not None and decision.allows(category, provider)
    if objected and not (decision and decision.despite_signal):
        return False
    if ground is Ground.OPT_OUT:
        return not value or granted
    if ground is not Ground.CONSENT or decision is None:
        return False
    return granted and decision.state(declaration, now=now) is State.CURRENT


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


def _granted(declaration: Declaration, decision: Decision) -> set[tuple[str, int | None]]:
    """All that ``decision`` grants of what is offered; None stands for a whole category."""
    return {
        (category.key, provider)
        for category in declaration.optional
        for provider in (None, *declaration.providers_of(category.key))
        if decision.allows(category.key, provider)
    }


def narrows(declaration: Declaration, before: Decision, now: Decision) -> bool:
    """Whether ``now`` takes back something that ``before`` granted, and grants nothing more."""
    return _granted(declaration, now) < _granted(declaration, before)


def offered(declaration: Declaration, grants: Collection[Grant]) -> tuple[Grant, ...]:
    """What of ``grants`` the ``declaration`` offers; who gets nothing is left out.

    A provider is granted only in the categories in which it is declared. What was refused
    stays refused, whether it is declared or not.
    """
    found = []
    for grant in grants:
        providers = declaration.providers_of(grant.category)
        only = grant.only & providers
        nobody = bool(grant.only and not only) or bool(grant.but and providers <= grant.but)
        if grant.category in declaration.optional_keys and not nobody:
            found.append(grant if only == grant.only else replace(grant, only=only))
    return tuple(found)


def grants_all(declaration: Declaration, decision: Decision) -> bool:
    """Whether ``decision`` refuses nothing of what the ``declaration`` offers."""
    return all(
        decision.allows(category.key)
        or (
            bool(providers := declaration.providers_of(category.key))
            and all(decision.allows(category.key, provider) for provider in providers)
        )
        for category in declaration.optional
    )


def method_of(
    declaration: Declaration, decision: Decision, claimed: Method | None = None
) -> Method:
    """How ``decision`` was given (R44): as ``claimed``, unless what it grants says otherwise.

    To accept is to grant all that is offered, to withdraw is to grant less than that.
    """
    keys = {grant.category for grant in decision.grants}
    consent = {one.key for one in declaration.categories if one.ground is Ground.CONSENT}
    everything = bool(keys) and grants_all(declaration, decision)
    contradicted = {
        Method.ACCEPT: not everything,
        Method.PLACEHOLDER: not keys,
        Method.REFUSE: bool(keys),
        Method.SIGNAL: bool(keys & consent),
        Method.WITHDRAWAL: everything,
    }
    if claimed is not None and not contradicted.get(claimed, False):
        return claimed
    if not keys:
        return Method.REFUSE
    return Method.ACCEPT if everything else Method.CHOICE
