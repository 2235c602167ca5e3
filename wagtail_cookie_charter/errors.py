"""What keeps a charter from being published, as sentences at the fields that can mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.blocks.list_block import ListBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError

from .consent import (
    AUDIENCE_COOKIE_MONTHS,
    AUDIENCE_RETENTION_MONTHS,
    LONGEST,
    PATTERN_MIN_FIXED,
    Cookie,
    Ground,
    Problem,
    row_problems,
)
from .hosts import names_domains

MESSAGES: Mapping[tuple[str, Problem], str | Promise] = {
    ("name", Problem.MISSING): _("Give the name, as the browser shows it."),
    ("name", Problem.STAR_INSIDE): _(
        "The star may only stand at the end: prefix*. Write one row for each name otherwise."
    ),
    ("name", Problem.TOO_WIDE): _(
        "This pattern would take in too much. Put at least %(count)d characters before the star."
    ),
    ("name", Problem.BAD_CHARACTER): _(
        "A cookie's name holds no spaces and none of ( ) < > @ , ; \\ \" / ? = { }. "
        "Write one row for each cookie."
    ),
    ("provider", Problem.MISSING): _(
        "Say who sets or reads it: visitors must know who they allow."
    ),
    ("name", Problem.TOO_LONG): _("No browser keeps a name of more than %(count)d characters."),
    ("provider", Problem.TOO_LONG): _("Shorten the name to %(count)d characters at most."),
    ("purpose", Problem.MISSING): _("Say in plain words what it is for."),
    ("duration", Problem.MISSING): _("Say how long it stays in the browser."),
    ("party", Problem.MISSING): _("Choose whether it belongs to this site or to a third party."),
    ("ground", Problem.NEEDS_CONSENT): _(
        "This category is exempt from consent and cannot hold a row with this ground. "
        "Move the row to a table of another category, or change the ground."
    ),
    ("ground", Problem.NEEDS_NO_CONSENT): _(
        "This category asks for consent; a row that is exempt belongs to a table of an exempt "
        "category. Move the row, or leave the ground empty."
    ),
    ("duration", Problem.AUDIENCE_TOO_LONG): _(
        "Audience measurement is exempt from consent only up to %(months)d months. Shorten the "
        "cookie's life in the tool, or move the row to a category that asks for consent."
    ),
    ("retention_months", Problem.MISSING): _(
        "Say for how many months the measurements are kept: %(months)d at most."
    ),
    ("retention_months", Problem.RETENTION_TOO_LONG): _(
        "Audience measurement is exempt from consent only if its data are kept for %(months)d "
        "months at most. Shorten it in the tool, or move the row to a category that asks for "
        "consent."
    ),
}

MESSAGE_PARAMS: Mapping[tuple[str, Problem], dict[str, int]] = {
    ("name", Problem.TOO_WIDE): {"count": PATTERN_MIN_FIXED},
    **{(name, Problem.TOO_LONG): {"count": limit} for name, limit in LONGEST.items()},
    ("duration", Problem.AUDIENCE_TOO_LONG): {"months": AUDIENCE_COOKIE_MONTHS},
    ("retention_months", Problem.MISSING): {"months": AUDIENCE_RETENTION_MONTHS},
    ("retention_months", Problem.RETENTION_TOO_LONG): {"months": AUDIENCE_RETENTION_MONTHS},
}

DUPLICATE = _(
    "This tracker is declared twice: same name, provider and kind of storage. "
    "Delete one of the rows."
)


NO_DOMAIN = _(
    "Write domains only, for example: youtube.com, .example.org. Put a comma between them."
)


def row_errors(cookie: Cookie, ground: Ground) -> dict[str, ValidationError]:
    """The problems of a row as errors at its fields; a group's at its first field."""
    errors: dict[str, ValidationError] = {}
    for name, problem in row_problems(cookie, ground).items():
        error = ValidationError(
            str(MESSAGES[name, problem]),
            code=problem.value,
            params=MESSAGE_PARAMS.get((name, problem)),
        )
        if name == "duration":
            part = "kind" if problem is Problem.MISSING else "value"
            error = StructBlockValidationError({part: error})
        errors[name] = error
    if not names_domains(cookie.domain):
        errors["domain"] = ValidationError(NO_DOMAIN, code="no_domain")
    return errors


def table_error(errors: Mapping[int, Mapping[str, ValidationError]]) -> ValidationError:
    rows = {index: StructBlockValidationError(dict(fields)) for index, fields in errors.items()}
    return StructBlockValidationError({"cookies": ListBlockValidationError(block_errors=rows)})


def duplicate_errors(tables: Iterable[tuple[int, list[Cookie]]]) -> dict[int, ValidationError]:
    """Place in the stream -> error, for rows that say the same thing again.

    A name alone is not an identity: several providers use ``_s`` (requirements, part B).
    """
    seen: set[tuple[str, str, str]] = set()
    errors: dict[int, dict[int, dict[str, ValidationError]]] = {}
    for index, cookies in tables:
        for place, cookie in enumerate(cookies):
            identity = (cookie.name, cookie.provider.casefold(), cookie.storage)
            if cookie.name and identity in seen:
                error = {"name": ValidationError(DUPLICATE, code="duplicate")}
                errors.setdefault(index, {})[place] = error
            seen.add(identity)
    return {index: table_error(rows) for index, rows in errors.items()}


def clean_once(clean: Callable[[Any], Any], value: Any, error: ValidationError | None) -> Any:
    """Clean ``value``, and raise all that is wrong at once: what its parts say, and ``error``."""
    try:
        value = clean(value)
    except ValidationError as found:
        raise _merged(found, error) from None
    if error is not None:
        raise error
    return value


def _merged(first: Any, second: Any) -> Any:
    """Two errors of a block as one. At the same place, the first has the word."""
    if second is None or type(first) is not type(second) or not hasattr(first, "block_errors"):
        return first
    places = {**second.block_errors, **first.block_errors}
    return type(first)(
        block_errors={
            place: _merged(error, second.block_errors.get(place)) for place, error in places.items()
        },
        non_block_errors=first.non_block_errors.as_data() + second.non_block_errors.as_data(),
    )
