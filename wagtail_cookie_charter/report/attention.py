"""What somebody should look after: charters nobody has read for long, rows nobody checked (R68).

Looked up on each view of the admin's home, so in a fixed number of queries where all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import swapper
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from wagtail.models import Locale

from .. import advice
from ..conf import conf
from ..consent import Declaration, Ground
from ..models import (
    ConsentBanner,
    CookieCharterMixin,
    CookieCharterSettings,
    PublishedDeclaration,
)
from ..models.charter import SETTINGS_PERMISSION
from ..models.ledger import Unreadable, load_declaration
from ..moments import local, utc

swapper.set_app_prefix("wagtailcore", "wagtail")

#: After these, a charter is to be read again, and a row to be checked again.
REVIEW = timedelta(365)


@dataclass(frozen=True)
class Need:
    """A sentence, and where something can be done about it."""

    sentence: str
    url: str


@dataclass(frozen=True)
class Attention:
    """What somebody should know about the charters that they may edit."""

    needs: list[Need]
    #: Name of each site concerned, and the day of its last audit if there was one.
    audits: list[tuple[str, date | None]]


def needs(user: Any, now: datetime) -> list[Need]:
    """What ``user``, who may edit them, should see to in the charters of all sites."""
    return attention(user, now).needs


def attention(user: Any, now: datetime) -> Attention:
    """The same, and what is well known: when each site was last audited."""
    found = CookieCharterSettings.objects.select_related("site__root_page", "banner__charter_page")
    sites = [one for one in found if _charter(one) is not None]
    keys = {_charter(one).translation_key for one in sites}
    roots = {one.site.root_page.translation_key for one in sites}
    page_model = swapper.load_model("wagtailcore", "Page")
    pages = list(page_model.objects.filter(translation_key__in=keys | roots, live=True))
    banners = list(
        ConsentBanner.objects.filter(
            translation_key__in={one.banner.translation_key for one in sites if one.banner},
            live=True,
        ).values_list("translation_key", "locale_id")
    )
    locales = {locale.pk: locale for locale in Locale.objects.all()} if sites else {}
    declarations: dict[int, Declaration] = {}
    spoiled: dict[int, Unreadable] = {}
    in_force = PublishedDeclaration.objects.in_force().filter(
        site__in=[one.site_id for one in sites]
    )
    for site_id, pk, digest in in_force.values_list("site_id", "pk", "digest"):
        try:
            declarations[site_id] = load_declaration(pk, digest)
        except Unreadable as unreadable:
            spoiled[site_id] = unreadable
    asking = {key for key, _locale in banners}
    needed: list[Need] = []
    audits: list[tuple[str, date | None]] = []
    named = set()
    may_note = user.has_perm(SETTINGS_PERMISSION)
    for one in sites:
        charter = _charter(one)
        if one.banner is not None and one.banner.translation_key in asking:
            named.add(charter.translation_key)
        if not charter.live or not charter.permissions_for_user(user).can_edit():
            continue
        url = reverse("wagtailadmin_pages:edit", args=[charter.pk])
        if one.site_id in spoiled:
            needed.append(_spoiled(one, spoiled[one.site_id], url))
        needed += _unread(charter, url, now)
        audits.append((_name(one), one.last_audit))
        if may_note:
            needed += _unaudited(one, charter, now.date())
        declaration = declarations.get(one.site_id)
        if declaration is not None:
            needed += _unchecked(declaration, charter, url, now.date())
            translations = [page for page in pages if _is(page, charter)]
            needed += _lacking(declaration, translations, locales, user)
        here = {page.locale_id for page in pages if _is(page, one.site.root_page)}
        there = {page.locale_id for page in pages if _is(page, charter)}
        said = {locale for key, locale in banners if key == one.banner.translation_key}
        needed += _missing(one, charter, [locales[pk] for pk in sorted(here)], there, said, url)
    needed += _unasked(user, page_model, named)
    return Attention(needed, audits)


def _charter(one: CookieCharterSettings) -> Any:
    return one.banner.charter_page if one.banner is not None else None


def _name(one: CookieCharterSettings) -> str:
    return str(one.site.site_name or one.site.hostname)


def _is(page: Any, other: Any) -> bool:
    return bool(page.translation_key == other.translation_key)


def _spoiled(one: CookieCharterSettings, unreadable: Unreadable, url: str) -> Need:
    nobody = gettext("Until then no visitor of %(site)s is asked, and nothing optional runs.")
    return Need(f"{unreadable.sentence} {nobody % {'site': _name(one)}}", url)


def _unread(charter: Any, url: str, now: datetime) -> Iterator[Need]:
    published = charter.last_published_at
    if published is not None and now - utc(published) > REVIEW:
        yield Need(
            gettext(
                "“%(charter)s” was last published on %(date)s. Read it again, and publish it even "
                "if nothing has changed: this shows that somebody did."
            )
            % {"charter": charter.title, "date": date_format(local(published), "DATE_FORMAT")},
            url,
        )


def _unaudited(one: CookieCharterSettings, charter: Any, today: date) -> Iterator[Need]:
    """Sites whose declaration nobody has compared with what they set, for a year or ever (R85)."""
    last = one.last_audit
    if last is not None and today - last <= REVIEW:
        return
    if last is None:
        sentence = gettext(
            "No audit of %(site)s is noted yet: compare, in a browser, what it really sets with "
            "“%(charter)s”, and note the day in the settings."
        )
        day = ""
    else:
        sentence = gettext(
            "%(site)s was last audited on %(date)s: compare again, in a browser, what it really "
            "sets with “%(charter)s”, and note the day in the settings."
        )
        day = date_format(last, "DATE_FORMAT")
    yield Need(
        sentence % {"site": _name(one), "charter": charter.title, "date": day},
        reverse(
            "wagtailsettings:edit",
            args=["wagtail_cookie_charter", "cookiechartersettings", one.site_id],
        ),
    )


def _unchecked(declaration: Declaration, charter: Any, url: str, today: date) -> Iterator[Need]:
    """Rows last checked a year ago or more; never, if the charter itself is as old."""
    first = charter.first_published_at
    old = first is not None and today - utc(first).date() > REVIEW
    own = {declaration.cookie_name, f"__Host-{declaration.cookie_name}"}
    wording = next(iter(declaration.languages.values()), None)
    count = 0
    for cookie in wording.cookies if wording else ():
        if cookie.name in own or cookie.language:
            continue
        checked = _day(cookie.last_checked)
        count += old if checked is None else today - checked > REVIEW
    if count:
        yield Need(
            ngettext(
                "“%(charter)s” has %(count)d row that nobody has checked for 12 months.",
                "“%(charter)s” has %(count)d rows that nobody has checked for 12 months.",
                count,
            )
            % {"charter": charter.title, "count": count},
            url,
        )


def _lacking(
    declaration: Declaration, charters: Iterable[Any], locales: dict[int, Locale], user: Any
) -> Iterator[Need]:
    """Charters without rows that another language of theirs has."""
    sentences = advice.lacking(declaration)
    for page in charters:
        sentence = sentences.get(locales[page.locale_id].language_code)
        if sentence and page.permissions_for_user(user).can_edit():
            yield Need(sentence, reverse("wagtailadmin_pages:edit", args=[page.pk]))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _missing(
    one: CookieCharterSettings,
    charter: Any,
    languages: Iterable[Locale],
    charters: set[int],
    banners: set[int],
    url: str,
) -> Iterator[Need]:
    for locale in languages:
        words = {
            "site": _name(one),
            "language": locale.get_display_name(),
            "charter": charter.title,
        }
        if locale.pk not in charters:
            yield Need(
                gettext(
                    "%(site)s is published in %(language)s, its charter “%(charter)s” is not: "
                    "visitors read its rows in another language."
                )
                % words,
                url,
            )
        if banners and locale.pk not in banners:
            yield Need(
                gettext(
                    "%(site)s is published in %(language)s, its consent banner is not: visitors "
                    "read the default texts."
                )
                % words,
                reverse("wagtailsnippets_wagtail_cookie_charter_consentbanner:list"),
            )


def _unasked(user: Any, page_model: Any, named: set[Any]) -> Iterator[Need]:
    """Live charters with optional rows that no live banner names: nobody is asked."""
    optional = {key for key, found in conf.categories.items() if found.ground is not Ground.EXEMPT}
    pages = page_model.objects.type(CookieCharterMixin).live().exclude(translation_key__in=named)
    done = set()
    for page in pages:
        if page.translation_key in done or not page.permissions_for_user(user).can_edit():
            continue
        done.add(page.translation_key)
        charter: Any = page.specific
        if any(cookie.category in optional for cookie in charter.declared_cookies()):
            url = reverse("wagtailadmin_pages:edit", args=[page.pk])
            for sentence in advice.on_charter(charter):
                yield Need(sentence, url)
