"""What makes tampering show: a seal over each snapshot, and over the seal before it (R43).

Pure, like ``consent.py``: an auditor needs nothing but this file and ``consent.digest`` to
check an export. A seal is the SHA-256, in hex, of the canonical JSON (UTF-8, keys sorted, no
spaces) of what ``sealed`` returns, with the seal before it as ``previous``.

One chain runs through the whole table, in the order of its keys, and each key is under the
seal, since answers point to it. So a snapshot that was changed, taken out, put in or moved is
found. That the last ones were cut off is seen only by who kept a later seal elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from enum import Enum
from typing import Any

from .consent import digest

#: What a seal covers. The name of the site is in ``content``: the site itself may go.
FIELDS = (
    "id",
    "number",
    "digest",
    "content",
    "asked",
    "added",
    "reason",
    "shown",
    "version",
    "assets",
    "created_at",
)


class Flaw(str, Enum):
    """What does not fit."""

    UNSEALED = "unsealed"
    """It was stored without a seal."""
    CONTENT = "content"
    """The content is not what its digest was made of."""
    SITE = "site"
    """It is not filed under the site that it belongs to."""
    SEAL = "seal"
    """Another of its fields was changed, or something before it was taken out or put in."""


@dataclass(frozen=True)
class Link:
    """A snapshot as it is stored: its key, what its seal covers, its seal."""

    pk: int
    fields: Mapping[str, Any]
    seal: str
    #: The site it is filed under; None where that site is gone.
    site_id: int | None = None

    @property
    def site(self) -> str:
        content = self.fields["content"]
        return str(content.get("site", "")) if isinstance(content, Mapping) else ""


@dataclass(frozen=True)
class Chain:
    """How far a chain holds: so many links, up to this seal, and what broke it if it broke."""

    length: int
    seal: str
    broken: Link | None = None
    flaw: Flaw | None = None


def sealed(row: Any, zone: tzinfo) -> dict[str, Any]:
    """What the seal of ``row``, anything with the attributes in ``FIELDS``, covers.

    ``zone`` is that of a time which names none.
    """
    return {**{name: getattr(row, name) for name in FIELDS}, "created_at": moment(row, zone)}


def moment(row: Any, zone: tzinfo) -> str:
    """When ``row`` was made, in UTC to the microsecond: the same in every database."""
    at = row.created_at
    if not isinstance(at, datetime):
        return ""
    # Databases do not keep which of an hour that comes twice was meant.
    aware = at.replace(tzinfo=zone, fold=0) if at.tzinfo is None else at
    return aware.astimezone(timezone.utc).isoformat(timespec="microseconds")


def seal(previous: str, fields: Mapping[str, Any]) -> str:
    """The seal of ``fields`` after one whose seal is ``previous``; "" if it is the first."""
    return digest({**fields, "previous": previous})


def verify(links: Iterable[Link], sites: Collection[int] = ()) -> Chain:
    """Follow the chain to its end or to the first link that does not fit. Keeps none of it.

    ``sites`` are the keys of those that still exist: what they declared must be filed there.
    """
    there = {str(site) for site in sites}
    previous, length = "", 0
    for link in links:
        flaw = _flaw(previous, link, there)
        if flaw is not None:
            return Chain(length, previous, link, flaw)
        previous, length = link.seal, length + 1
    return Chain(length, previous)


def _flaw(previous: str, link: Link, there: Collection[str]) -> Flaw | None:
    if not link.seal:
        return Flaw.UNSEALED
    content = link.fields["content"]
    try:
        if not isinstance(content, Mapping) or link.fields["digest"] != digest(content):
            return Flaw.CONTENT
        if link.seal != seal(previous, link.fields):
            return Flaw.SEAL
    except (RecursionError, TypeError, ValueError):
        # No JSON that was ever sealed: bytes, half a character, deeper than can be written.
        return Flaw.SEAL
    # The name of a site's cookie carries the site's key, and is under the seal.
    named = str(content.get("cookie_name", "")).rpartition("-")[2]
    if named in there if link.site_id is None else named != str(link.site_id):
        return Flaw.SITE
    return None
