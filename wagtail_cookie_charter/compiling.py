"""From what is live in all languages to what is declared: one ``Declaration`` for a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext, ngettext
from wagtail.models import Site

from .conf import NECESSARY, CategorySetting, conf
from .consent import (
    Category,
    Cookie,
    Declaration,
    Ground,
    Wording,
    completed,
    duration_of_days,
    number_providers,
)
from .models import ConsentBanner, CookieCharterMixin, CookieCharterSettings
from .models.banner import words
from .providers import identity, names_another, numbers_of_respelled, provider_slug
from .wording import duration_text


def cookie_name(site: Site, *, secure: bool) -> str:
    """The consent cookie's name: one for each site (R40), host-bound over HTTPS (R39)."""
    return f"{'__Host-' if secure else ''}cookie-charter-{site.pk}"


def own_cookie(site: Site, days: int) -> Cookie:
    """The row for our own consent cookie, in the active language (R2, R37)."""
    return Cookie(
        name=cookie_name(site, secure=is_secure(site)),
        category=NECESSARY,
        provider=site.site_name or site.hostname,
        service=gettext("Your choice about cookies"),
        purpose=gettext(
            "Remembers what you accepted and refused, so that you are not asked again."
        ),
        duration=duration_of_days(days),
        party="first",
    )


def is_secure(site: Site) -> bool:
    """Whether visitors reach ``site`` over HTTPS, as far as the settings tell."""
    return site.port == 443 or settings.SECURE_SSL_REDIRECT or settings.SESSION_COOKIE_SECURE


def with_own_cookie(cookies: Iterable[Cookie], site: Site, days: int) -> list[Cookie]:
    """``cookies`` and, unless they name it already, our own."""
    cookies = list(cookies)
    names = {cookie_name(site, secure=secure) for secure in (False, True)}
    if any(cookie.name in names for cookie in cookies):
        return cookies
    return [own_cookie(site, days), *cookies]


def live_banners(chosen: ConsentBanner | None) -> list[ConsentBanner]:
    """A site's banner in all languages in which it is live, the chosen one first."""
    if chosen is None:
        return []
    banners = ConsentBanner.objects.filter(
        translation_key=chosen.translation_key, live=True
    ).select_related("locale")
    return sorted(banners, key=lambda banner: (banner.pk != chosen.pk, banner.pk))


def live_charters(banners: Iterable[ConsentBanner]) -> list[Any]:
    """The charter pages that these banners name, in all languages in which they are live."""
    charters: dict[int, Any] = {}
    for banner in banners:
        page = banner.charter_page
        if page is None:
            continue
        translations = page.get_translations(inclusive=True).live().select_related("locale")
        specific: list[Any] = list(translations.specific())
        for found in sorted(specific, key=lambda found: found.pk != page.pk):
            if issubclass(type(found), CookieCharterMixin):
                charters.setdefault(found.locale_id, found)
    return list(charters.values())


def site_path(page: Any, site: Site) -> str:
    """The page's address as seen from ``site``: a path if it is there, else in full."""
    if page is None or not page.live:
        return ""
    # Of several sites with one root page, Wagtail names that of the request.
    request = HttpRequest()
    vars(request)["_wagtail_site"] = site
    parts = page.get_url_parts(request)
    if not parts or parts[2] is None:
        return ""
    site_id, root_url, path = parts
    return str(path) if site_id == site.pk else f"{root_url}{path}"


def _standing_in(
    draft: ConsentBanner, live: list[ConsentBanner], chosen: ConsentBanner | None
) -> list[ConsentBanner]:
    """``live`` with ``draft`` in the place of its language.

    Before all others, unless it is a translation: there the chosen banner stays the source.
    """
    others = [one for one in live if one.locale_id != draft.locale_id]
    if chosen and draft.pk != chosen.pk and draft.translation_key == chosen.translation_key:
        return [*others, draft]
    return [draft, *others]


def compile_declaration(
    site: Site,
    *,
    banner: ConsentBanner | None = None,
    charter: Any = None,
    latest: Declaration | None = None,
) -> Declaration:
    """What is live for ``site``, in all languages; nothing declared if there is no banner.

    Providers keep the numbers that they have in ``latest``, the declaration before. ``banner``
    and ``charter`` stand in for the live ones of their language: that is how a draft is previewed.
    """
    responsible = CookieCharterSettings.existing(site)
    known_providers = dict(latest.providers) if latest else {}
    chosen = responsible.banner if responsible else None
    banners = live_banners(chosen)
    if banner is not None:
        banners = _standing_in(banner, banners, chosen)
    empty = Declaration(
        site=site.hostname, cookie_name=f"cookie-charter-{site.pk}", providers=known_providers
    )
    if not banners:
        return empty
    source = banners[0]
    charters = live_charters(banners) + ([charter] if charter is not None else [])
    if not charters:
        return empty

    by_locale = {found.locale.language_code: found for found in charters}
    banner_of = {found.locale.language_code: found for found in banners}
    first = source.locale.language_code
    languages = sorted({*by_locale, *banner_of}, key=lambda code: (code != first, code))
    source_charter_language = first if first in by_locale else next(iter(by_locale))

    # A provider keeps its number whatever a translation calls it: its rows are the same rows.
    slugs: dict[object, str] = {}
    rows: dict[str, list[Cookie]] = {}
    for code in sorted(by_locale, key=lambda code: (code != source_charter_language, code)):
        with translation.override(code):
            rows[code] = with_own_cookie(by_locale[code].declared_cookies(), site, source.days)
        for cookie in rows[code]:
            if cookie.provider:
                slugs.setdefault(identity(cookie), provider_slug(cookie.provider))

    def slug_of(cookie: Cookie) -> str:
        return slugs.get(identity(cookie)) or provider_slug(cookie.provider or cookie.name)

    if latest:
        # A translation may call its row's provider as it likes.
        named = [cookie for found in rows.values() for cookie in found]
        known_providers |= numbers_of_respelled(
            latest, [one for one in named if slug_of(one) == provider_slug(one.provider)]
        )
    numbers = number_providers(
        known_providers, [slug_of(cookie) for found in rows.values() for cookie in found]
    )
    known = conf.categories
    numbered = {
        code: tuple(
            replace(cookie, provider_id=numbers[slug_of(cookie)])
            for cookie in found
            if cookie.category in known
        )
        for code, found in rows.items()
    }
    optional = {key for key, setting in known.items() if setting.ground is not Ground.EXEMPT}
    # What still names somebody else is read in the language that says it right.
    numbered = {
        code: tuple(
            cookie
            for cookie in found
            if cookie.category not in optional or not names_another(cookie, numbers)
        )
        for code, found in numbered.items()
    }
    numbered = completed(numbered, optional)
    categories = _ordered(
        source, known, {cookie.category for found in numbered.values() for cookie in found}
    )
    wordings = {}
    for code in languages:
        rows_language = code if code in numbered else source_charter_language
        with translation.override(code):
            wordings[code] = _wording(
                site,
                responsible,
                banner_of.get(code),
                source,
                by_locale.get(code, by_locale[source_charter_language]),
                categories,
                numbered[rows_language],
                rows_language,
            )
    return Declaration(
        site=site.hostname,
        cookie_name=f"cookie-charter-{site.pk}",
        days=source.days,
        placement=source.placement,
        categories=categories,
        providers=numbers,
        languages=wordings,
    )


def _ordered(
    banner: ConsentBanner, known: Mapping[str, CategorySetting], used: set[str]
) -> tuple[Category, ...]:
    """The categories in use, the exempt first; then in the banner's order and the settings'."""
    keys = [child.key for child in banner.categories.all()] + list(known)
    categories = [
        Category(key, known[key].ground)
        for key in dict.fromkeys(keys)
        if key in used and key in known
    ]
    return tuple(sorted(categories, key=lambda category: category.optional))


def _wording(
    site: Site,
    responsible: CookieCharterSettings | None,
    banner: ConsentBanner | None,
    source: ConsentBanner,
    charter: Any,
    categories: Iterable[Category],
    cookies: tuple[Cookie, ...],
    cookies_language: str,
) -> Wording:
    """All words of one language, which is the active one."""
    known = conf.categories
    own = {child.key: child for child in banner.categories.all()} if banner else {}
    optional = {category.key for category in categories if category.optional}
    # A tool of somebody else's may well set its cookies on this site's own domain.
    own_name = provider_slug(responsible.controller_name) if responsible else ""
    third = {
        cookie.provider_id
        for cookie in cookies
        if cookie.category in optional
        and (
            cookie.party == "third"
            or (cookie.controller and provider_slug(cookie.controller) != own_name)
        )
    }
    transfers = any(cookie.transfer for cookie in cookies if cookie.category in optional)
    privacy_page = (banner or source).privacy_page or source.privacy_page
    if privacy_page is not None:
        localized = privacy_page.get_translations(inclusive=True).filter(
            locale__language_code=translation.get_language(), live=True
        )
        privacy_page = localized.first() or privacy_page
    facts = []
    if responsible and responsible.controller_name:
        facts.append(
            gettext("%(name)s is responsible for this site.")
            % {"name": responsible.controller_name}
        )
    if third:
        facts.append(
            ngettext(
                "%(count)d third party may receive data.",
                "%(count)d third parties may receive data.",
                len(third),
            )
            % {"count": len(third)}
        )
    if transfers:
        facts.append(gettext("Some data leave the European Union."))
    facts.append(
        gettext("Your answer is kept for %(time)s.")
        % {"time": duration_text(duration_of_days(source.days))}
    )
    return Wording(
        texts={
            **words(banner),
            "controller": responsible.controller_name if responsible else "",
            "facts": " ".join(facts),
            "charter_url": site_path(charter, site),
            "charter_title": charter.title,
            "charter_language": charter.locale.language_code,
            "privacy_url": site_path(privacy_page, site) or (banner or source).privacy_url,
        },
        categories={
            category.key: (
                str(
                    (own.get(category.key) and own[category.key].title) or known[category.key].title
                ),
                str(
                    (own.get(category.key) and own[category.key].summary)
                    or known[category.key].summary
                ),
            )
            for category in categories
        },
        cookies=cookies,
        cookies_language=cookies_language,
    )
