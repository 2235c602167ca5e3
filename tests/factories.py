"""What tests begin with: a row, a table, a charter, a banner, a site that asks."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from wagtail.embeds.embeds import get_embed_hash
from wagtail.embeds.models import Embed
from wagtail.models import Locale, Page, Site

from tests.testapp.models import HomePage
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterPage,
    CookieCharterSettings,
)

Block = tuple[str, dict[str, Any]]


def row(**values: Any) -> dict[str, Any]:
    """A complete row as a block keeps it; ``values`` replace its own."""
    return {
        "name": "_measure",
        "storage": "cookie",
        "provider": "Example Measurement",
        "service": "Statistics (front office)",
        "purpose": "Counts how often each page is read.",
        "duration": {"kind": "fixed", "value": 6, "unit": "month"},
        "party": "third",
        **values,
    }


def table(*rows: dict[str, Any], category: str = "statistics", **values: Any) -> Block:
    return "cookie_table", {"category": category, **values, "cookies": list(rows or [row()])}


def make_home(title: str = "Home", language: str = "en", site: Site | None = None) -> HomePage:
    """A home page; the root page of ``site`` if one is given, else of the default site."""
    locale, _created = Locale.objects.get_or_create(language_code=language)
    root = Page.objects.get(depth=1)
    home = HomePage(title=title, locale=locale)
    root.add_child(instance=home)
    site = site or Site.objects.get(is_default_site=True)
    site.root_page = home
    site.save()
    return home


def make_site(hostname: str, **values: Any) -> Site:
    """One more site, with a home page of its own."""
    site = Site(hostname=hostname, root_page=Page.objects.get(depth=1), **values)
    make_home(f"Home of {hostname}", site=site)
    return site


def make_charter(
    *blocks: Block,
    parent: Any = None,
    model: type[Any] = CookieCharterPage,
    publish: bool = True,
    **values: Any,
) -> Any:
    """A charter with these blocks under ``parent``, or under the default site's home."""
    parent = parent or Site.objects.get(is_default_site=True).root_page
    body = json.dumps([{"type": kind, "value": value} for kind, value in blocks])
    page = model(title="Cookie charter", locale=parent.locale, body=body)
    for name, value in values.items():
        setattr(page, name, value)
    page.live = False
    parent.add_child(instance=page)
    revision = page.save_revision()
    if publish:
        revision.publish()
    page.refresh_from_db()
    return page


def make_banner(charter: Any = None, publish: bool = True, **values: Any) -> ConsentBanner:
    locale = charter.locale if charter else Locale.get_default()
    banner = ConsentBanner(
        **{"name": "Consent banner", "locale": locale, "charter_page": charter, **values}
    )
    banner.live = False
    banner.save()
    revision = banner.save_revision()
    if publish:
        revision.publish()
    banner.refresh_from_db()
    return banner


def make_settings(site: Site | None = None, **values: Any) -> CookieCharterSettings:
    site = site or Site.objects.get(is_default_site=True)
    return CookieCharterSettings.objects.create(
        **{
            "site": site,
            "controller_name": "City of Example",
            "contact_email": "city@example.com",
            "last_audit": datetime.now(timezone.utc).date(),
            **values,
        }
    )


def make_asking_site(*blocks: Block, site: Site | None = None) -> CookieCharterSettings:
    """The whole chain: settings, banner and a published charter with these tables."""
    site = site or Site.objects.get(is_default_site=True)
    charter = make_charter(*(blocks or (table(),)), parent=site.root_page)
    return make_settings(site, banner=make_banner(charter))


def make_embed(url: str, html: str, **values: Any) -> Embed:
    """What Wagtail has learned about ``url`` from its provider."""
    return Embed.objects.create(
        **{
            "hash": get_embed_hash(url),
            "url": url,
            "html": html,
            "type": "video",
            "provider_name": "Film Host",
            **values,
        }
    )
