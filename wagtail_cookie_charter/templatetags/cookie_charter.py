"""Template tags: ``{% load cookie_charter %}``. Thin skins over ``visitor.py``."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from wagtail.models import Site

from .. import presets, visitor
from ..blocks import party_choices, storage_choices
from ..compiling import with_own_cookie
from ..conf import conf
from ..consent import Cookie, Duration, Ground
from ..consent_gate import gate_html
from ..embeds import frontend
from ..gating import BadGate, gated, named, require_category
from ..headless import render_banner
from ..models import CookieCharterMixin, CookieCharterSettings
from ..nonce import nonce_for
from ..serving import request_of, served
from ..wording import duration_text, ground_text

register = template.Library()


@register.filter
def direction(language: str) -> str:
    """How a language is written, as ``dir`` has it: in another one's page, parts say so (R79)."""
    return "rtl" if language.partition("-")[0] in settings.LANGUAGES_BIDI else "ltr"


@register.filter
def said_in(text: str, language: str) -> str:
    """``text`` marked as of another ``language`` than the page's; as it is where that is ""."""
    if not language or not text:
        return text
    return format_html('<span lang="{}" dir="{}">{}</span>', language, direction(language), text)


@register.simple_tag(takes_context=True)
def cookie_banner(context: Context) -> SafeString:
    """The first layer, its stylesheet and its script. Put it right after ``<body>``.

    The same for every visitor, and nothing at all where nothing is optional (R26), nor in
    Wagtail's preview of a page: an editor at work is not a visitor to be asked.
    """
    request = request_of(context)
    notice = visitor.notice(request)
    if notice is None or getattr(request, "is_preview", False):
        return mark_safe("")
    return render_banner(request, notice, cookie_nonce(context))


@register.simple_tag(takes_context=True)
def cookie_signals(context: Context) -> SafeString:
    """Google's denied defaults, for sites that chose the advanced mode: first in ``<head>``.

    Renders nothing for all others: in the basic mode, no tag of Google's is there to be told
    before consent (R59).
    """
    google = conf.signals.get("google")
    advanced = google and google.mode == "advanced"
    return _rendered(
        "signals.html",
        {"advanced": advanced, "nonce": cookie_nonce(context) if advanced else ""},
    )


@register.simple_tag(takes_context=True)
def cookie_nonce(context: Context) -> str:
    """The CSP nonce for our tags on this page, "" for none."""
    return nonce_for(context.get("request"), context.get("csp_nonce"))


@register.simple_tag(takes_context=True)
def cookie_settings_link(context: Context, text: str = "", css_class: str = "") -> SafeString:
    """The way back to one's choices, for the foot of every page (R48).

    Opens the second layer; without JavaScript it leads to the form on the charter.
    """
    request = request_of(context)
    url = visitor.charter_url(request)
    if not url:
        return mark_safe("")
    return _rendered(
        "settings_link.html",
        {
            "url": url,
            "opens": visitor.notice(request) is not None,
            "text": text,
            "css_class": css_class,
        },
    )


@register.simple_tag(takes_context=True)
def cookie_settings_button(context: Context, text: str = "") -> SafeString:
    """The same as a small button that floats in the lower corner. Put it before ``</body>``.

    For sites whose footer is far away; the link in the footer stays (R48).
    """
    request = request_of(context)
    notice = visitor.notice(request)
    if notice is None or getattr(request, "is_preview", False):
        return mark_safe("")
    return _rendered(
        "settings_button.html",
        {"url": visitor.charter_url(request), "text": text, "nonce": cookie_nonce(context)},
    )


@register.simple_tag(takes_context=True)
def cookie_table(context: Context, category: str = "") -> SafeString:
    """The published rows of one category, or of all, as a table for any page."""
    found = visitor.current(request_of(context))
    notice = found.notice() if found else None
    if notice is None or notice.wording is None:
        return mark_safe("")
    cookies = [cookie for cookie in notice.wording.cookies if category in ("", cookie.category)]
    if not cookies:
        return mark_safe("")
    title = notice.wording.categories[category][0] if category else notice.texts["charter_title"]
    return _rendered("_table.html", {"notice": notice, "title": title, "cookies": cookies})


@register.simple_tag(takes_context=True)
def cookie_category_title(context: Context, category: str) -> str:
    """The banner's name for a category, so that charter and banner speak of the same."""
    found = visitor.current(request_of(context))
    wording = found.declaration.wording(get_language() or "") if found else None
    setting = conf.categories.get(category)
    default = setting.title if setting else ""
    return wording[1].categories.get(category, (str(default),))[0] if wording else str(default)


@register.simple_tag(takes_context=True)
def cookie_choices(context: Context) -> SafeString:
    """The visitor's own choices as a form that works without JavaScript (R5, R61)."""
    request = request_of(context)
    page = context.get("page")
    preview = getattr(request, "is_preview", False) and isinstance(page, CookieCharterMixin)
    if request is not None and preview:
        notice = visitor.draft_notice(request, charter=page)
    else:
        notice = visitor.notice(request)
    return _rendered(
        "_choices.html",
        {
            "notice": notice if notice and notice.declaration.optional else None,
            "prefix": "wcc-page",
            "next": request.path if request is not None else "/",
        },
    )


@register.simple_tag(takes_context=True)
def cookie_contacts(context: Context) -> SafeString:
    """Who is responsible and how to reach them, from the site's settings (R6)."""
    request = request_of(context)
    site = Site.find_for_request(request) if request is not None else None
    responsible = CookieCharterSettings.existing(site) if site else None
    return _rendered("_contacts.html", {"responsible": responsible})


@register.simple_tag(takes_context=True)
def cookie_embed(context: Context, embed: Any) -> SafeString:
    """A Wagtail embed behind the gates it needs: what ``embed_frontend.html`` is made of."""
    return frontend(embed, request_of(context) or served())


@register.simple_tag(takes_context=True)
def cookie_gate_block(context: Context, value: Any) -> SafeString:
    """The value of a ``ConsentGateBlock``, behind its gate."""
    return gate_html(value, request_of(context) or served())


@register.simple_tag(takes_context=True)
def own_cookies(context: Context) -> list[Cookie]:
    """Our own consent cookie's row, if this charter's tables leave it out (R2)."""
    request, page = request_of(context), context.get("page")
    found = visitor.current(request)
    site = Site.find_for_request(request) if request is not None else None
    if page is None or site is None or found is None or not found.declaration.optional:
        return []
    declared = page.declared_cookies()
    return with_own_cookie(declared, site, found.declaration.days)[: -len(declared) or None]


@register.simple_tag(takes_context=True)
def banner_preview(context: Context, banner: Any, layer: str) -> SafeString:
    """One layer of a draft banner, as visitors would meet it."""
    language = banner.locale.language_code if banner.locale_id else get_language()
    with translation.override(language):
        notice = visitor.draft_notice(context["request"], banner=banner)
        if notice is None or not notice.asks:
            return _rendered("_nothing_to_ask.html", {})
        name = "preferences.html" if layer == "preferences" else "banner.html"
        return _rendered(name, {"notice": notice, "preview": True, "nonce": cookie_nonce(context)})


def _rendered(name: str, context: dict[str, Any]) -> SafeString:
    return render_to_string(f"wagtail_cookie_charter/{name}", context)


class ConsentNode(template.Node):
    child_nodelists = ("nodelist",)

    def __init__(
        self, category: FilterExpression, provider: FilterExpression | None, nodelist: NodeList
    ) -> None:
        self.category = category
        self.provider = provider
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        content = self.nodelist.render(context)
        key = str(self.category.resolve(context))
        provider = named(self.provider.resolve(context)) if self.provider else None
        try:
            return gated(request_of(context), key, provider, content)
        except BadGate as problem:
            raise template.TemplateSyntaxError(f"cookie_consent: {problem}") from None


@register.tag
def cookie_consent(parser: Parser, token: Token) -> ConsentNode:
    """``{% cookie_consent "media" provider="YouTube" %}…{% endcookie_consent %}``

    What is between stays inert until the visitor has allowed it. ``provider`` is the name in
    the charter's table; without one, the whole category must be allowed. A variable without a
    value is none: with ``DEBUG`` that is an error, else the gate stays shut.
    """
    name, *bits = token.split_contents()
    if not bits or "=" in bits[0]:
        raise template.TemplateSyntaxError(f'{name}: name a category, {name} "statistics".')
    category = parser.compile_filter(bits[0])
    provider = None
    for bit in bits[1:]:
        argument, equals, value = bit.partition("=")
        if argument != "provider" or not equals:
            raise template.TemplateSyntaxError(f"{name}: unknown argument {bit!r}.")
        if provider is not None or not value:
            raise template.TemplateSyntaxError(f"{name}: name one provider, or none.")
        provider = parser.compile_filter(value)
    if bits[0][0] in "\"'":
        try:
            require_category(bits[0][1:-1])
        except BadGate as problem:
            raise template.TemplateSyntaxError(f"{name}: {problem}") from None
    nodelist = parser.parse((f"end{name}",))
    parser.delete_first_token()
    return ConsentNode(category, provider, nodelist)


@register.simple_tag
def cookie_style(part: str, placement: str = "") -> str:
    """The address of one of our stylesheets, as the setting ``PRESET`` has it."""
    return presets.stylesheet(part, placement)


@register.filter
def cookie_template(name: str) -> list[str]:
    """For ``{% include %}``: a small template of ours, or the preset's own in its place."""
    return presets.templates(name)


@register.filter
def cookie_duration(duration: Duration | None) -> str:
    return duration_text(duration)


@register.filter
def cookie_ground(ground: Ground) -> str:
    return ground_text(ground)


@register.filter
def cookie_storage(storage: str) -> str:
    return str(dict(storage_choices()).get(storage, storage))


@register.filter
def cookie_party(party: str) -> str:
    return str(dict(party_choices()).get(party, party))


@register.filter
def has_block(page: Any, block_type: str) -> bool:
    """Whether the body of ``page`` has such a block, or the template must do its part."""
    return any(child.block_type == block_type for child in page.body)
