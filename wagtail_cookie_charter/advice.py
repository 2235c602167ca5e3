"""What editors are told after saving or publishing: never a refusal, always a next step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from .models import ConsentBanner, CookieCharterSettings
from .wording import UNCLEAR_LABELS, label_advice


def on_labels(banner: ConsentBanner | None) -> list[str]:
    """A sentence for each button label of ``banner`` that should be another (R17)."""
    if banner is None:
        return []
    found = (label_advice(field, getattr(banner, field)) for field in UNCLEAR_LABELS)
    return [sentence for sentence in found if sentence]


def on_banner(banner: ConsentBanner, edited: ConsentBanner) -> Iterator[str]:
    """The labels as ``edited``, and what stands between a live ``banner`` and the visitors."""
    yield from on_labels(edited)
    if not banner.live:
        return
    if banner.charter_page_id is None:
        yield gettext(
            "This banner names no charter, so there is nothing to ask: choose one under "
            "“Links and behaviour”."
        )
    used = CookieCharterSettings.objects.filter(banner__translation_key=banner.translation_key)
    if not used.exists():
        yield gettext(
            "No site uses this banner yet: choose it in Settings › Cookie charter. Until then "
            "no visitor is asked."
        )


def on_charter(page: Any) -> Iterator[str]:
    """What stands between a live charter ``page`` and the visitors."""
    site = page.get_site()
    if site is None or not page.live:
        return
    responsible = CookieCharterSettings.existing(site)
    banner = responsible.banner if responsible else None
    named = banner.charter_page if banner else None
    if banner is None or not banner.live:
        yield gettext(
            "This charter is published, but the site has no published consent banner yet. Make "
            "one in Snippets › Consent banners and choose it in Settings › Cookie charter. Until "
            "then no visitor is asked, and nothing optional runs."
        )
    elif named is None or named.translation_key != page.translation_key:
        yield gettext(
            "This charter is published, but the site’s consent banner “%(banner)s” names another "
            "page or none. Choose this one in the banner, under “Links and behaviour”."
        ) % {"banner": banner}
