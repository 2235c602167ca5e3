"""A declaration as JSON, for a front end that renders its pages itself."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from .notice import Asked, Notice
from .representation import represent_cookie
from .visitor import Current, signals


def represent_declaration(request: HttpRequest, current: Current) -> dict[str, Any]:
    """``current`` in the active language, ready for JSON; addresses as ``request`` sees them.

    The same for every visitor: nothing of the request but its host and scheme is used.
    """
    notice = current.notice()
    texts = dict(notice.texts)
    addresses = {
        "decide": notice.decide_url,
        "preferences": notice.preferences_url,
        "charter": texts.pop("charter_url", ""),
        "privacy": texts.pop("privacy_url", ""),
    }
    declaration = current.declaration
    rows_language = notice.wording.cookies_language if notice.wording else ""
    return {
        "site": declaration.site,
        "number": current.number,
        "asked_since": current.declaration.asked_since,
        "digest": current.digest,
        "version": current.version,
        "language": notice.language,
        "languages": list(declaration.languages),
        "cookie": {
            "name": declaration.cookie_name,
            "name_over_https": f"__Host-{declaration.cookie_name}",
            "days": declaration.days,
        },
        "placement": declaration.placement,
        "categories": [_category(category) for category in notice.categories],
        "providers": _providers(notice),
        "rows": [
            {
                **represent_cookie(cookie),
                "provider_number": cookie.provider_id,
                "language": cookie.language or rows_language,
            }
            for cookie in (notice.wording.cookies if notice.wording else ())
        ],
        "rows_language": rows_language,
        "texts": texts,
        "urls": {
            name: request.build_absolute_uri(address) if address else ""
            for name, address in addresses.items()
        },
        "banner": render_banner(request, notice) if declaration.optional else "",
    }


def render_banner(request: HttpRequest | None, notice: Notice, nonce: str = "") -> SafeString:
    """What ``{% cookie_banner %}`` renders. A nonce is one response's own: not for JSON."""
    told = signals(request)
    return render_to_string(
        "wagtail_cookie_charter/banner.html",
        {"notice": notice, "nonce": nonce, "signals": json.dumps(told) if told else ""},
    )


def _category(category: Asked) -> dict[str, Any]:
    return {
        "key": category.key,
        "ground": category.ground.value,
        "optional": category.optional,
        "title": category.title,
        "summary": category.summary,
        "providers": [provider.number for provider in category.providers],
    }


def _providers(notice: Notice) -> list[dict[str, Any]]:
    """Those that have a row, each once; ``code`` is what the consent cookie says."""
    found = {
        provider.number: {
            "name": provider.name,
            "number": provider.number,
            "code": provider.code,
        }
        for category in notice.categories
        for provider in category.providers
    }
    return [found[number] for number in sorted(found)]
