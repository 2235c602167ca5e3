"""Our template tags for Jinja2: ``wagtail_cookie_charter.jinja2tags.cookie_charter``.

Jinja2 is optional: only a project that names this extension imports it.
"""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateRuntimeError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context

from .gating import BadGate, gated, named, require_category
from .serving import request_of
from .templatetags import cookie_charter as django_tags


class CookieCharterExtension(Extension):
    """``cookie_banner()`` and the others as functions, ``cookie_consent`` as a block.

    ``{% cookie_consent "media", provider="YouTube" %}…{% endcookie_consent %}``
    """

    tags = {"cookie_consent"}

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        for function in (
            django_tags.cookie_banner,
            django_tags.cookie_settings_link,
            django_tags.cookie_settings_button,
            django_tags.cookie_table,
            django_tags.cookie_category_title,
            django_tags.cookie_choices,
            django_tags.cookie_contacts,
            django_tags.cookie_signals,
            django_tags.cookie_nonce,
        ):
            environment.globals[function.__name__] = pass_context(function)

    def parse(self, parser: Parser) -> nodes.Node:
        name = parser.stream.current.value
        lineno = next(parser.stream).lineno
        if parser.stream.current.type == "block_end" or _named(parser):
            parser.fail(f'{name}: name a category, {name} "statistics".', lineno)
        category = parser.parse_expression()
        provider: nodes.Expr | None = None
        while parser.stream.current.type != "block_end":
            parser.stream.skip_if("comma")
            argument = parser.stream.current.value
            if not _named(parser) or argument != "provider":
                parser.fail(f"{name}: unknown argument {argument!r}.", lineno)
            parser.stream.skip(2)
            if provider or parser.stream.current.type == "block_end":
                parser.fail(f"{name}: name one provider, or none.", lineno)
            provider = parser.parse_expression()
        if isinstance(category, nodes.Const):
            try:
                require_category(str(category.value))
            except BadGate as problem:
                parser.fail(f"{name}: {problem}", lineno)
        body = parser.parse_statements((f"name:end{name}",), drop_needle=True)
        providers = nodes.List([provider] if provider else [])
        call = self.call_method("_gated", [nodes.ContextReference(), category, providers])
        return nodes.CallBlock(call, [], [], body).set_lineno(lineno)

    def _gated(self, context: Context, category: Any, providers: list[Any], caller: Any) -> str:
        provider = named(providers[0]) if providers else None
        # What a template rendered is markup, whether its environment escapes or not.
        content = SafeString(caller())
        try:
            return gated(request_of(context), str(category), provider, content)
        except BadGate as problem:
            raise TemplateRuntimeError(f"cookie_consent: {problem}") from None


def _named(parser: Parser) -> bool:
    return parser.stream.current.type == "name" and parser.stream.look().type == "assign"


#: The name for settings, as Wagtail names its own.
cookie_charter = CookieCharterExtension
