"""Editors' own HTML, behind a gate: ``wagtail_cookie_charter.consent_gate.ConsentGateBlock``."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError

from . import visitor
from .blocks import Opaque
from .conf import conf
from .consent import Ground
from .enclosure import stays_inside
from .errors import clean_once
from .gating import Card, wrap

logger = logging.getLogger(__name__)

#: As Wagtail marks what editors wrote as HTML, wherever it was stored.
RAW = blocks.RawHTMLBlock()


def waiting_choices() -> list[tuple[str, str | Promise]]:
    """The categories that can be refused: in an exempt one, nothing would wait."""
    return [
        (category.key, category.title)
        for category in conf.categories.values()
        if category.ground is not Ground.EXEMPT
    ]


class ConsentGateBlock(Opaque, blocks.StructBlock):
    """Raw HTML that waits for the visitor, for any ``StreamField``.

    It stays shut as long as no published row declares the provider in the category, which may
    come later than the page (promise 2). So only what could never work is refused.
    """

    category = blocks.ChoiceBlock(
        choices=waiting_choices,
        label=_("Category"),
        help_text=_("What the visitor must allow before it is shown."),
    )
    provider = blocks.CharBlock(
        required=False,
        label=_("Provider"),
        help_text=_(
            "The name as it stands in the cookie charter’s table. Empty: the visitor must allow "
            "the whole category."
        ),
    )
    name = blocks.CharBlock(
        required=False,
        label=_("Name for visitors"),
        help_text=_("What it is, for example: map of the town. Empty: the provider."),
    )
    html = blocks.RawHTMLBlock(label=_("HTML"))

    class Meta:
        label = _("HTML that needs consent")
        icon = "code"
        template = "wagtail_cookie_charter/blocks/consent_gate.html"
        label_format = "{name} {provider}"
        description = _("Code from elsewhere, shown once the visitor has allowed it.")

    def clean(self, value: Any) -> Any:
        error = None
        if not self.is_deferred_validation and not stays_inside(str(value.get("html") or "")):
            problem = _(
                "This HTML leaves a tag, a quotation mark or a comment open, or has a <template> "
                "that is not closed. Copy it again as a whole from the provider."
            )
            error = StructBlockValidationError({"html": ValidationError(problem, code="open")})
        return clean_once(super().clean, value, error)


def gate_html(value: Any, request: HttpRequest | None) -> SafeString:
    """What visitors get of a ``ConsentGateBlock``: its HTML behind a gate, after a card."""
    category = str(value.get("category") or "")
    provider = str(value.get("provider") or "").strip()
    # Raw HTML is what the block is for: whoever may publish it is trusted with it.
    content: SafeString = RAW.normalize(value.get("html") or "")
    setting = conf.categories.get(category)
    title = str(setting.title) if setting else category
    card = Card(service=str(value.get("name") or "").strip() or provider or title)
    waits_for = visitor.gate(request, category, provider)
    if waits_for is None:
        return content
    if not waits_for:
        return card.shut(request, _undeclared(title, provider))
    if not stays_inside(content):
        logger.error("The HTML of a ConsentGateBlock (%s) would break out of its gate.", provider)
        return card.shut(request, gettext("The HTML is damaged: it cannot be held back."))
    return wrap(content, waits_for, card.asking(request, waits_for))


def _undeclared(title: str, provider: str) -> str:
    if not provider:
        return gettext("No published row of this site’s cookie charter is in “%(title)s”.") % {
            "title": title
        }
    return gettext(
        "No published row of this site’s cookie charter names the provider %(provider)s in "
        "“%(title)s”. Write the provider as it stands there, or add the row."
    ) % {"provider": provider, "title": title}
