"""A row as JSON: what ``declaration.json`` and Wagtail's API say about a tracker."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from .consent import Cookie, Duration, DurationKind
from .wording import duration_text

#: What a row is to us alone.
INTERNAL = {"row_id", "provider_id", "language"}


def represent_cookie(cookie: Cookie) -> dict[str, Any]:
    """All fields of a row, blanks too: whoever reads it never has to ask for a key.

    Blank is "", or None for ``duration`` and ``retention_months``. ``duration_text`` is the
    duration in the active language.
    """
    row = {
        field.name: getattr(cookie, field.name)
        for field in fields(cookie)
        if field.name not in INTERNAL
    }
    return {
        **row,
        "duration": represent_duration(cookie.duration),
        "duration_text": duration_text(cookie.duration),
    }


def represent_duration(duration: Duration | None) -> dict[str, Any] | None:
    """``{"kind", "value", "unit"}``, as the block keeps it.

    ``value`` and ``unit`` are None unless ``kind`` is ``"fixed"``.
    """
    if duration is None:
        return None
    fixed = duration.kind is DurationKind.FIXED
    return {
        "kind": duration.kind.value,
        "value": duration.value if fixed else None,
        "unit": duration.unit if fixed else None,
    }
