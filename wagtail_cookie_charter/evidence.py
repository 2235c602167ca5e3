"""What proves, beside a declaration's own words, how visitors met it: layers, release, assets."""

from __future__ import annotations

import hashlib
import logging
import re
from functools import lru_cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils import translation

from .consent import Declaration
from .notice import Notice, version_of

logger = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parent / "static"
LAYERS = ("banner", "preferences")

#: What a page needs and a reader does not; a project's own template may not know of ``bare``.
_SCRIPTS_AND_STYLES = re.compile(r"(?is)<script\b.*?</script\s*>|<link\b[^>]*>")


class Exhibit(Notice):
    """A notice without addresses: they depend on the server, and nobody reads them."""

    @property
    def decide_url(self) -> str:
        return ""

    @property
    def preferences_url(self) -> str:
        return ""


def shown(declaration: Declaration, site_id: int, number: int) -> dict[str, dict[str, str]]:
    """Language -> layer -> HTML, as the templates render it today, without scripts and styles.

    Nothing where nothing is asked; no first layer where nothing needs consent (R26). A layer
    that cannot be rendered is logged and left blank: visitors must be asked all the same.
    """
    if not declaration.optional:
        return {}
    version = version_of(declaration.digest, number)
    pages: dict[str, dict[str, str]] = {}
    for language in declaration.languages:
        with translation.override(language):
            exhibit = Exhibit(declaration, site_id, number, version)
            pages[language] = {layer: _html(layer, exhibit) for layer in LAYERS}
    return pages


def _html(layer: str, exhibit: Exhibit) -> str:
    if layer == "banner" and not exhibit.asks:
        return ""
    context = {"notice": exhibit, "preview": True, "bare": True, "nonce": "", "signals": ""}
    try:
        html = render_to_string(f"wagtail_cookie_charter/{layer}.html", context)
    except Exception:
        logger.exception("The layer %r could not be rendered for the ledger.", layer)
        return ""
    return _SCRIPTS_AND_STYLES.sub("", html).strip()


@lru_cache(maxsize=1)
def assets_digest() -> str:
    """SHA-256, in hex, of the files that this release serves: names and contents, by name."""
    found = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found.update(f"{path.relative_to(STATIC).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()
