"""Embeds: what Wagtail shows from elsewhere waits for whoever the charter says it comes from.

Two ways lead to a page: the template ``wagtailembeds/embed_frontend.html``, which ours
replaces (rich text and ``EmbedBlock``), and ``{% embed %}``, which ``connect`` replaces.
"""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from wagtail.embeds.exceptions import EmbedException

from . import visitor
from .consent import Declaration, Ground
from .decision import base36
from .enclosure import stays_inside
from .gating import Card, nested
from .hosts import UNREADABLE, Calls, calls, claims, host_of
from .serving import request_of, served

logger = logging.getLogger(__name__)

TAGS = "wagtail.embeds.templatetags.wagtailembeds_tags.register"


def connect() -> None:
    """Put our ``{% embed %}`` in the place of Wagtail's, which goes past its own template."""
    if apps.is_installed("wagtail.embeds"):
        import_string(TAGS).simple_tag(embed, takes_context=True, name="embed")


def embed(context: Any, url: str, max_width: int | None = None) -> SafeString:
    """Wagtail's ``{% embed %}``: the embed's own HTML, behind the gates that it needs."""
    # By name: its models cannot be imported where the app is not installed.
    get_embed = import_string("wagtail.embeds.embeds.get_embed")
    request = request_of(context) or served()
    try:
        found = get_embed(url, max_width=max_width)
    except EmbedException:
        return mark_safe("")
    return gate_embed(found, _html(found), request)


def frontend(found: Any, request: HttpRequest | None) -> SafeString:
    """What our ``embed_frontend.html`` shows: as Wagtail's, but without its inline style.

    The drawing has the embed's shape and takes the place of Wagtail's padding.
    """
    html = _html(found)
    if not found.is_responsive:
        return gate_embed(found, format_html("<div>{}</div>", html), request)
    content = format_html(
        '<div class="responsive-object"><svg viewBox="0 0 {} {}" width="100%" display="block"'
        ' aria-hidden="true"></svg>{}</div>',
        found.width,
        found.height,
        html,
    )
    return gate_embed(found, content, request, fluid=True)


def _html(found: Any) -> SafeString:
    """The provider's HTML as it came, which is what Wagtail puts into its pages too."""
    return mark_safe(found.html)  # noqa: S308  (it is gated, and markup is what an embed is)


def gate_embed(
    found: Any, content: SafeString, request: HttpRequest | None, fluid: bool = False
) -> SafeString:
    """``content`` behind all the gates that what it calls needs, or a card and no content.

    ``found`` is Wagtail's ``Embed``; ``fluid``: it is as wide as there is room.

    Nothing is shown where a host is declared nowhere, or nobody knows whose page this is.
    """
    host = host_of(found.url)
    card = Card(
        service=found.provider_name or host,
        url=found.url if found.url.startswith(("https://", "http://")) else "",
        host=host,
        width=found.width or 0,
        height=found.height or 0,
        fluid=fluid,
    )
    known = visitor.current(request)
    gates: list[str] = []
    read = calls(found.html)
    for called in sorted(_foreign_hosts(found, read, request)):
        needed = gates_of(known.declaration, called) if known else None
        if needed is None:
            return card.shut(request, _undeclared(called))
        gates += [gate for gate in needed if gate not in gates]
    if read.doubtful and not gates:
        return card.shut(request, _undeclared(UNREADABLE))
    if gates and not stays_inside(content):
        logger.error("The HTML of the embed %s would break out of its gate.", found.url)
        return card.shut(request, _("The embed’s own HTML is damaged: it cannot be held back."))
    return nested(content, gates, lambda gate: card.asking(request, gate))


def _foreign_hosts(found: Any, called: Calls, request: HttpRequest | None) -> set[str]:
    """The hosts, other than the page's own, that an embed calls.

    Where that cannot be read out of its HTML, the host of its address stands for them.
    """
    hosts = set(called.hosts)
    if called.hidden or not (hosts or called.local):
        hosts.add(host_of(found.url))
    return hosts - {_own_host(request)}


def _own_host(request: HttpRequest | None) -> str:
    try:
        return split_domain_port(request.get_host())[0] if request is not None else ""
    except DisallowedHost:
        return ""


def gates_of(declaration: Declaration, host: str) -> list[str] | None:
    """What must be open before ``host`` may be called: all that its rows ask consent for.

    In the order of the categories. None if no row, in any language, speaks of it; empty if
    all that do are exempt.
    """
    grounds = {category.key: category.ground for category in declaration.categories}
    order = list(grounds)
    pairs = {
        (order.index(cookie.category), cookie.category, cookie.provider_id)
        for wording in declaration.languages.values()
        for cookie in wording.cookies
        if cookie.category in grounds and claims(cookie.domain, host)
    }
    if not pairs:
        return None
    return [
        # A row without a provider is a gate that never opens.
        f"{category} {base36(number)}" if number else ""
        for _place, category, number in sorted(pairs)
        if grounds[category] is not Ground.EXEMPT
    ]


def _undeclared(host: str) -> str:
    return _(
        "No published row of this site’s cookie charter has the domain %(host)s. Add it under "
        "“Details, Domain” to the row of the provider that the content comes from."
    ) % {"host": host}
