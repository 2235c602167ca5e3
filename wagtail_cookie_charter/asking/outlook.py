"""Whether visitors are asked again, and why: said before it happens (R65, R66)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wagtail.models import Site

from ..compiling import compile_declaration
from ..models import ConsentBanner, CookieCharterSettings, PublishedDeclaration
from ..notice import Notice
from ..publishing import newly_asked


@dataclass(frozen=True)
class Outlook:
    """What the publication of a draft will mean for the visitors of one site."""

    site: Site
    #: Whether anybody will be asked who is not asked now.
    asks: bool
    #: Whether this is the first time that anything is asked there.
    first: bool
    #: What is new, in the active language: (title of the category, names of providers).
    new: tuple[tuple[str, tuple[str, ...]], ...]


def outlooks(draft: Any) -> list[Outlook]:
    """One for each site whose visitors meet ``draft``, a charter page or a banner."""
    return [_outlook(site, draft) for site in Site.objects.order_by("pk") if _concerns(draft, site)]


def _concerns(draft: Any, site: Site) -> bool:
    responsible = CookieCharterSettings.existing(site)
    banner = responsible.banner if responsible else None
    if banner is None:
        return False
    met = banner if isinstance(draft, ConsentBanner) else banner.charter_page
    return bool(met and met.translation_key == draft.translation_key)


def _outlook(site: Site, draft: Any) -> Outlook:
    latest = PublishedDeclaration.objects.of_site(site).first()
    declaration = compile_declaration(
        site,
        banner=draft if isinstance(draft, ConsentBanner) else None,
        charter=None if isinstance(draft, ConsentBanner) else draft,
        latest=latest.declaration if latest else None,
    )
    new = newly_asked(declaration, latest)
    return Outlook(
        site=site,
        asks=bool(new),
        first=latest is None or not latest.asked,
        new=Notice(declaration, site.pk, 0, "").in_words(new),
    )
