"""Content that waits: inert until the visitor allows it, with a card in its place.

Used alike by the tags of both template languages, by embeds and by editors' own HTML.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import visitor
from .conf import conf
from .enclosure import stays_inside

logger = logging.getLogger(__name__)

NOTHING = SafeString()


class BadGate(ValueError):
    """A gate that a developer got wrong: no such category, or content that breaks out."""


# --- Gates ----------------------------------------------------------------------------


def wrap(
    content: SafeString, waits_for: str | None, placeholder: SafeString = NOTHING
) -> SafeString:
    """``content`` behind one gate, after the card that stands in for it.

    ``waits_for`` is what ``visitor.gate`` says; None needs no gate. Gates in gates open when
    all of them may. Raises ``BadGate`` for content that would break out (promise 2).
    """
    if waits_for is None:
        return content
    if not stays_inside(content):
        raise BadGate("the content opens or closes a <template> or a tag it does not own.")
    # What is in a template is inert: nothing in it loads, runs or shows (HTML standard).
    return format_html(
        '{}<template data-cookie-charter="{}">{}</template>',
        placeholder,
        waits_for,
        content,
    )


def require_category(key: str) -> None:
    """Raise ``BadGate``, with the keys there are, if the settings know no such category."""
    if key not in conf.categories:
        raise BadGate(f"there is no category {key!r}. There are: {', '.join(conf.categories)}.")


def gated(
    request: HttpRequest | None, category: str, provider: str | None, content: SafeString
) -> SafeString:
    """What ``{% cookie_consent %}`` makes of its content.

    ``provider`` is None for the whole category. Raises ``BadGate``: for an unknown category
    always; for a provider that was named and is "", and for content that would break out, only
    under ``DEBUG``. Elsewhere an error is logged: the one gate stays shut, the other is empty.
    """
    require_category(category)
    waits_for = visitor.gate(request, category, provider or "")
    if provider is not None and not provider.strip():
        _report("the provider is empty. Leave it out if the whole category must be allowed.")
        waits_for = waits_for and ""
    try:
        return wrap(content, waits_for)
    except BadGate as problem:
        _report(str(problem))
        return wrap(NOTHING, waits_for)


def named(provider: Any) -> str:
    """The provider that a template names by a variable; "" if there is none in it."""
    return str(provider or "")


def _report(problem: str) -> None:
    if settings.DEBUG:
        raise BadGate(problem)
    logger.error("cookie_consent: %s", problem)


# --- The card -------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """What visitors read where content waits, and whom they can allow there (R57, R58).

    ``service`` names it; ``url`` leads to the content where it comes from, "" if there is no
    such page. ``width`` and ``height`` are the room it will take, 0 where nobody knows;
    ``fluid`` makes it as wide as there is room.
    """

    service: str
    url: str = ""
    host: str = ""
    width: int = 0
    height: int = 0
    fluid: bool = False

    def asking(self, request: HttpRequest | None, waits_for: str) -> SafeString:
        """Why it waits, with the buttons that allow it: the provider, or all of the category."""
        category, _space, number = waits_for.partition(" ")
        found = visitor.current(request)
        notice = found.notice() if found else None
        asked = {one.key: one for one in notice.categories}.get(category) if notice else None
        names = {one.code: one.name for one in asked.providers} if asked else {}
        return self._rendered(
            waits_for=waits_for,
            category=asked,
            provider=names.get(number, "") if number else "",
            charter_url=visitor.charter_url(request),
        )

    def shut(self, request: HttpRequest | None, missing: str) -> SafeString:
        """That it is not shown. ``missing`` is what editors, and only they, are told to mend.

        It is in everybody's page, and revealed where Wagtail's user bar is: so that the page
        does not depend on who asks for it.
        """
        preview = bool(getattr(request, "is_preview", False))
        return self._rendered(missing=missing, revealed=preview)

    def _rendered(self, **context: Any) -> SafeString:
        return render_to_string(
            "wagtail_cookie_charter/placeholder.html", {"card": self, **context}
        )


def nested(content: SafeString, gates: list[str], card: Callable[[str], SafeString]) -> SafeString:
    """``content`` behind each of ``gates``, the first outermost, each with its own card."""
    for waits_for in reversed(gates):
        content = wrap(content, waits_for, card(waits_for))
    return content
