"""What editors are told after saving or publishing: never a refusal, always a next step."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from django.utils.translation import gettext, ngettext

from .compiling import compile_declaration, live_banners, live_charters
from .consent import Declaration
from .labels import UNCLEAR_LABELS, label_advice
from .models import ConsentBanner, CookieCharterSettings, PublishedDeclaration
from .models.ledger import Unreadable
from .narrative import language_name
from .providers import identity, respelled


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
    if not live_charters(live_banners(banner)):
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
    else:
        latest = PublishedDeclaration.objects.of_site(site).first()
        try:
            known = latest.declaration if latest else None
        except Unreadable as unreadable:
            yield unreadable.sentence
            return
        declaration = compile_declaration(site, latest=known)
        yield from lacking(declaration).values()
        yield from called_otherwise(declaration)


def lacking(declaration: Declaration) -> dict[str, str]:
    """Language -> a sentence, for each charter without rows that another language has (R11).

    Visitors meet such a row all the same, in the language it is written in.
    """
    sentences = {}
    for language, wording in declaration.languages.items():
        count = sum(bool(cookie.language) for cookie in wording.cookies)
        if count and wording.cookies_language == language:
            sentences[language] = ngettext(
                "“%(charter)s” (%(language)s) lacks %(count)d tracker that another language of "
                "the charter declares. Visitors read it in that language: translate it.",
                "“%(charter)s” (%(language)s) lacks %(count)d trackers that another language of "
                "the charter declares. Visitors read them in that language: translate them.",
                count,
            ) % {
                "charter": wording.texts["charter_title"],
                "language": language_name(language),
                "count": count,
            }
    return sentences


def called_otherwise(declaration: Declaration) -> Iterator[str]:
    """A sentence for each third party that a translation of its row calls something else.

    A row means one provider in all languages: nobody would be asked about another one (R65).
    """
    named: dict[Hashable, tuple[str, str]] = {}
    optional = declaration.optional_keys
    for language, wording in declaration.languages.items():
        for cookie in wording.cookies:
            if cookie.category not in optional or cookie.party == "first" or cookie.language:
                continue
            first, name = named.setdefault(identity(cookie), (language, cookie.provider))
            if not respelled(name, cookie.provider):
                yield gettext(
                    "“%(row)s” is of “%(provider)s” in %(language)s, and of “%(other)s” in "
                    "%(other_language)s. Visitors are asked about one provider: if these are two, "
                    "give the other a row of its own."
                ) % {
                    "row": cookie.name,
                    "provider": name,
                    "language": language_name(first),
                    "other": cookie.provider,
                    "other_language": language_name(language),
                }
