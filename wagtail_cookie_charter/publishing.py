"""From what editors published to what visitors are asked.

Whenever a charter, a banner or what they hang on goes live, changes or goes away, the live
content of all languages is compiled into one ``consent.Declaration`` per site and, if it
differs from the last, stored for good in the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import swapper
from django.conf import settings
from django.core.cache import caches
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext
from wagtail.models import AbstractPage, Site, get_page_models
from wagtail.signals import (
    page_published,
    page_slug_changed,
    post_page_move,
    published,
    unpublished,
)

from .conf import NECESSARY, CategorySetting, conf
from .consent import (
    Category,
    Cookie,
    Declaration,
    Wording,
    digest,
    duration_of_days,
    number_providers,
)
from .models import ConsentBanner, CookieCharterMixin, CookieCharterSettings, PublishedDeclaration
from .models.banner import words
from .wording import duration_text

logger = logging.getLogger(__name__)

# --- Compiling ------------------------------------------------------------------------


def cookie_name(site: Site, *, secure: bool) -> str:
    """The consent cookie's name: one for each site (R40), host-bound over HTTPS (R39)."""
    return f"{'__Host-' if secure else ''}cookie-charter-{site.pk}"


def provider_slug(name: str) -> str:
    """What makes two spellings of a provider one: ``"Google LLC"`` and ``"google llc"``."""
    return slugify(name, allow_unicode=True) or name.strip().casefold()


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
    parts = page.get_url_parts() if page is not None and page.live else None
    if not parts or parts[2] is None:
        return ""
    site_id, root_url, path = parts
    return str(path) if site_id == site.pk else f"{root_url}{path}"


def compile_declaration(
    site: Site,
    *,
    banner: ConsentBanner | None = None,
    charter: Any = None,
    providers: Mapping[str, int] | None = None,
) -> Declaration:
    """What is live for ``site``, in all languages; nothing declared if there is no banner.

    ``providers`` are the numbers given so far. ``banner`` and ``charter`` stand in for the
    live ones of their language: that is how a draft is previewed.
    """
    responsible = CookieCharterSettings.existing(site)
    banners = live_banners(responsible.banner if responsible else None)
    if banner is not None:
        banners = [banner, *(other for other in banners if other.locale_id != banner.locale_id)]
    empty = Declaration(
        site=site.hostname, cookie_name=f"cookie-charter-{site.pk}", providers=providers or {}
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
                slugs.setdefault(_identity(cookie), provider_slug(cookie.provider))

    def slug_of(cookie: Cookie) -> str:
        return slugs.get(_identity(cookie)) or provider_slug(cookie.provider or cookie.name)

    numbers = number_providers(
        providers or {}, [slug_of(cookie) for found in rows.values() for cookie in found]
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


def _identity(cookie: Cookie) -> object:
    """What a row has in common with its translations: its id, or where it has none its name."""
    return cookie.row_id or (cookie.category, cookie.storage, cookie.name)


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


# --- Storing --------------------------------------------------------------------------


def publish_declaration(site: Site) -> PublishedDeclaration | None:
    """Compile what is live for ``site`` and store it if it changed.

    Returns the declaration in force, or None for a site that never declared anything. The
    number goes up if something is asked for that not everybody who answered the present
    number was asked (R65). Nothing else asks anybody again.
    """
    with transaction.atomic():
        # One publication of a site at a time, or two could give out the same number.
        list(Site.objects.select_for_update().filter(pk=site.pk))
        latest = PublishedDeclaration.objects.of_site(site).first()
        declaration = compile_declaration(
            site, providers=latest.content["providers"] if latest else None
        )
        content = declaration.as_dict()
        content_digest = digest(content)
        if latest is None and not declaration.categories:
            return None
        if latest is not None and latest.digest == content_digest:
            return latest
        asked = {(key, provider) for key, provider in latest.asked} if latest else set()
        number = latest.number if latest else 1
        if not declaration.optional:
            # Nothing can be answered while nothing is asked: earlier answers stay good.
            now_asked = asked
        elif latest is not None and declaration.scope <= asked:
            now_asked = asked & declaration.scope
        else:
            number += 1 if latest is not None else 0
            now_asked = set(declaration.scope)
        stored = PublishedDeclaration.objects.create(
            site=site,
            number=number,
            digest=content_digest,
            content=content,
            asked=sorted(now_asked),
        )
    return stored


def publish_declarations(sites: Iterable[Site] | None = None) -> None:
    """Publish the declaration of each site, or of all; one site's failure is its own."""
    for site in Site.objects.all() if sites is None else sites:
        try:
            publish_declaration(site)
        except Exception:
            logger.exception("The cookie declaration of %s could not be published.", site)
    forget()


GENERATION = "cookie-charter:generation"


def forget() -> None:
    """Make every process that shares the cache look again at what is published."""
    caches[conf.cache].delete(GENERATION)


# --- Listening ------------------------------------------------------------------------


def _soon(**kwargs: Any) -> None:
    transaction.on_commit(publish_declarations)


def _if_ours(instance: Any, **kwargs: Any) -> None:
    # A page may come as the plain page it also is.
    model = getattr(instance, "specific_class", None) or type(instance)
    if issubclass(model, (CookieCharterMixin, ConsentBanner)) or _is_privacy_policy(instance):
        _soon()


def _is_privacy_policy(instance: Any) -> bool:
    return isinstance(instance, AbstractPage) and (
        ConsentBanner.objects.filter(
            privacy_page__translation_key=instance.translation_key
        ).exists()
    )


def _if_privacy_policy(instance: Any, **kwargs: Any) -> None:
    if _is_privacy_policy(instance):
        _soon()


def _if_alias(instance: Any, alias: bool = False, **kwargs: Any) -> None:
    """Core says of an alias that follows its source only this; of other pages, more."""
    if alias:
        _if_ours(instance)


def _if_written(
    instance: Any, raw: bool = False, update_fields: Iterable[str] | None = None, **kwargs: Any
) -> None:
    """A script may write a page with plain ``save()``; a draft's save writes no body."""
    if not raw and (update_fields is None or {"body", "live"} & set(update_fields)):
        _soon()


def connect() -> None:
    """Listen to all that can change what visitors are asked. Called once, when apps are ready."""
    for signal in (published, unpublished):
        signal.connect(_if_ours, dispatch_uid="cookie_charter_published")
    page_published.connect(_if_alias, dispatch_uid="cookie_charter_published")
    # The address of the charter, or of the privacy policy, may hang on any page above.
    page_slug_changed.connect(_soon, dispatch_uid="cookie_charter_slug")
    post_page_move.connect(_soon, dispatch_uid="cookie_charter_move")
    pre_delete.connect(
        _if_privacy_policy,
        sender=swapper.load_model("wagtailcore", "Page"),
        dispatch_uid="cookie_charter_policy",
    )
    # Bound to our models only: a listener to all would take fast deletion from everybody.
    charters: list[type[models.Model]] = [
        model for model in get_page_models() if issubclass(model, CookieCharterMixin)
    ]
    for sender in (*charters, ConsentBanner):
        post_save.connect(_if_written, sender=sender, dispatch_uid="cookie_charter_saved")
        post_delete.connect(_soon, sender=sender, dispatch_uid="cookie_charter_deleted")
    for sender in (CookieCharterSettings, Site):
        post_save.connect(_soon, sender=sender, dispatch_uid="cookie_charter_saved")
        post_delete.connect(_soon, sender=sender, dispatch_uid="cookie_charter_deleted")
