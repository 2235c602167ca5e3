"""What a request meets: which declaration is in force, what is asked, what was answered.

Nothing here reads a cookie while a page is rendered, so every visitor gets the same HTML.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from http.cookies import CookieError, Morsel
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import BadRequest, DisallowedHost, SuspiciousOperation
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import get_random_string
from django.utils.translation import get_language, gettext
from wagtail.models import Site

from . import __version__
from .conf import conf
from .consent import (
    Category,
    Cookie,
    Decision,
    Declaration,
    Ground,
    TooManyExceptions,
    Wording,
    decode,
    encode,
    grants_for,
    matches,
)
from .models import ConsentBanner, PublishedDeclaration
from .models.ledger import load_declaration
from .publishing import GENERATION, compile_declaration, cookie_name, provider_slug

# --- Which declaration ----------------------------------------------------------------


@dataclass(frozen=True)
class Current:
    """The declaration in force for a request's site."""

    site_id: int
    number: int
    digest: str
    declaration: Declaration

    @cached_property
    def version(self) -> str:
        """What the second layer is made of, as an address part: declaration and release."""
        return version_of(self.digest)

    def notice(self) -> Notice:
        """It, in the active language."""
        return Notice(self.declaration, self.site_id, self.number, self.version)


def version_of(digest: str) -> str:
    return f"{digest[:16]}-{__version__}"


def current(request: HttpRequest | None) -> Current | None:
    """The declaration in force, or None where there is no site or nothing was declared.

    No query when warm: the shared cache knows which declaration a host has, and the process
    has it in memory. Publishing makes all processes that share the cache look again.
    """
    if request is None:
        return None
    # As Wagtail does with the site: one look a request, however many tags.
    if "_cookie_charter" not in vars(request):
        vars(request)["_cookie_charter"] = _current(request)
    found: Current | None = vars(request)["_cookie_charter"]
    return found


def _current(request: HttpRequest) -> Current | None:
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    cache = caches[conf.cache]
    key = f"cookie-charter:host:{host}"
    known = cache.get_many([GENERATION, key])
    generation, entry = known.get(GENERATION), known.get(key)
    if generation is None or entry is None or entry[0] != generation:
        if generation is None:
            generation = get_random_string(12)
            cache.set(GENERATION, generation, None)
        entry = (generation, _look_up(request))
        cache.set(key, entry, conf.cache_seconds)
    if entry[1] is None:
        return None
    site_id, pk, digest, number = entry[1]
    try:
        return Current(site_id, number, digest, load_declaration(pk, digest))
    except PublishedDeclaration.DoesNotExist:
        return None


def _look_up(request: HttpRequest) -> tuple[int, int, str, int] | None:
    site = Site.find_for_request(request)
    if site is None:
        return None
    found = PublishedDeclaration.objects.of_site(site).values_list("pk", "digest", "number")
    row = found.first()
    return (site.pk, *row) if row else None


def endpoint(name: str, *args: Any) -> str:
    """The address of one of our views, "" where the project left our URLs out."""
    try:
        return reverse(f"cookie_charter:{name}", args=args)
    except NoReverseMatch:
        return ""


# --- What is asked --------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A category as visitors meet it in one language."""

    key: str
    ground: Ground
    title: str
    summary: str
    providers: tuple[AskedProvider, ...]

    @property
    def optional(self) -> bool:
        return self.ground is not Ground.EXEMPT


@dataclass(frozen=True)
class AskedProvider:
    number: int
    name: str
    cookies: tuple[Cookie, ...]

    @property
    def code(self) -> str:
        """The number as it stands in the consent cookie."""
        return provider_code(self.number)


def provider_code(number: int) -> str:
    return encode(Decision(number, 0)).split(".")[1]


class Notice:
    """All that the templates say about a declaration in the page's language."""

    def __init__(self, declaration: Declaration, site_id: int, number: int, version: str) -> None:
        self.declaration = declaration
        self.site_id = site_id
        self.number = number
        self.version = version
        found = declaration.wording(get_language() or settings.LANGUAGE_CODE)
        self.language: str = found[0] if found else ""
        self.wording: Wording | None = found[1] if found else None
        self.texts = self.wording.texts if self.wording else {}

    @property
    def foreign_language(self) -> str:
        """The notice's language where it is not the page's (R79)."""
        return "" if self.language == get_language() else self.language

    @property
    def cookies_language(self) -> str:
        """The rows' language where it is not the page's."""
        language = self.wording.cookies_language if self.wording else ""
        return "" if language == get_language() else language

    @property
    def asks(self) -> bool:
        """Whether anything needs consent: only then is there a banner (R26)."""
        return any(category.ground is Ground.CONSENT for category in self.declaration.categories)

    @property
    def consent_keys(self) -> str:
        return self._keys(Ground.CONSENT)

    @property
    def opt_out_keys(self) -> str:
        return self._keys(Ground.OPT_OUT)

    def _keys(self, ground: Ground) -> str:
        return " ".join(
            category.key for category in self.declaration.categories if category.ground is ground
        )

    @property
    def purposes(self) -> list[Asked]:
        """The optional categories without their rows: what the first layer names (R18)."""
        return [
            self._asked(category, ())
            for category in self.declaration.categories
            if category.optional
        ]

    @cached_property
    def categories(self) -> list[Asked]:
        """All categories with providers and rows: what the second layer shows."""
        grouped: dict[str, dict[int, list[Cookie]]] = {}
        for cookie in self.wording.cookies if self.wording else ():
            grouped.setdefault(cookie.category, {}).setdefault(cookie.provider_id, []).append(
                cookie
            )
        return [
            self._asked(
                category,
                tuple(
                    AskedProvider(number, cookies[0].provider or cookies[0].name, tuple(cookies))
                    for number, cookies in grouped.get(category.key, {}).items()
                ),
            )
            for category in self.declaration.categories
        ]

    def _asked(self, category: Category, providers: tuple[AskedProvider, ...]) -> Asked:
        title, summary = self.wording.categories[category.key] if self.wording else ("", "")
        return Asked(category.key, category.ground, title, summary, providers)

    @property
    def decide_url(self) -> str:
        """Where answers go; the language is noted with them, since it is part of the question."""
        return f"{endpoint('decide')}?language={self.language}"

    @property
    def preferences_url(self) -> str:
        return endpoint("preferences", self.version, self.language)


def notice(request: HttpRequest | None) -> Notice | None:
    """What there is to say and ask on this page; None where nothing is optional (R26)."""
    found = current(request)
    if found is None or not found.declaration.optional or not endpoint("decide"):
        return None
    return found.notice()


def draft_notice(
    request: HttpRequest, *, banner: ConsentBanner | None = None, charter: Any = None
) -> Notice | None:
    """The same for a draft in Wagtail's preview, as if it were live."""
    site = Site.find_for_request(request)
    if site is None:
        return None
    declaration = compile_declaration(site, banner=banner, charter=charter)
    return Notice(declaration, site.pk, 0, f"draft-{__version__}")


def charter_url(request: HttpRequest | None) -> str:
    """Where the charter is, in the page's language; "" where there is none."""
    found = current(request)
    wording = found.declaration.wording(get_language() or "") if found else None
    return wording[1].texts["charter_url"] if wording else ""


def gate(request: HttpRequest | None, category: str, provider: str = "") -> str | None:
    """What a gate waits for: ``"media"``, ``"media 1a"``, or "" if it can never open.

    None means that no gate is needed: the category is exempt. What no published row
    declares stays shut (promise 2).
    """
    setting = conf.categories.get(category)
    if setting is not None and setting.ground is Ground.EXEMPT:
        return None
    found = current(request)
    if found is None or category not in {known.key for known in found.declaration.categories}:
        return ""
    if not provider:
        return category
    number = found.declaration.providers.get(provider_slug(provider), 0)
    declared = number in found.declaration.providers_of(category)
    return f"{category} {provider_code(number)}" if declared else ""


# --- What was answered ----------------------------------------------------------------

#: Sent with ``site_id``, ``declaration`` (PublishedDeclaration), ``decision``, ``language``
#: for each answer that was accepted. Never with a request: receivers cannot track anybody.
decided = Signal()

#: Bytes of a decision, whichever way it is posted.
MAX_BODY = 4096
#: How far a visitor's clock may run ahead of ours before we take our own time.
CLOCK_SLACK = 86_400


class Refused(Exception):
    """An answer that cannot be taken: an HTTP status and a sentence saying why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Answer:
    site: Site
    published: PublishedDeclaration
    decision: Decision
    language: str

    @property
    def lifetime(self) -> int:
        """Seconds for which the answer holds."""
        return int(self.published.declaration.days * 86_400)


def require_same_origin(request: HttpRequest) -> None:
    """Raise ``Refused`` unless a page of this very origin sent the request.

    Pages come from caches, so there is no CSRF token; the browser's own word is better:
    ``Sec-Fetch-Site``, else ``Origin``, else ``Referer`` (design, section 4).
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        if fetch_site == "same-origin":
            return
    else:
        source = request.headers.get("Origin") or request.headers.get("Referer") or ""
        try:
            parts = urlsplit(source)
        except ValueError:
            parts = urlsplit("")
        # A proxy may hide HTTPS from us; nothing makes an insecure page a secure one.
        downgraded = request.is_secure() and parts.scheme != "https"
        if parts.netloc.casefold() == request.get_host().casefold() and not downgraded:
            return
    raise Refused(403, gettext("Choices can only be sent from this site's own pages."))


def read_answer(request: HttpRequest) -> Answer:
    """The answer in a posted form or JSON body, checked against what was declared.

    Either ``decision``, the consent cookie's value as the script writes it, or what the
    charter's form sends: ``number``, ``answer`` (``accept``, ``refuse`` or ``save``),
    ``category`` (keys) and ``provider`` (``key:code``). The query string may name the
    ``language``. Raises ``Refused``.
    """
    require_same_origin(request)
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = MAX_BODY + 1
    if length > MAX_BODY or len(request.body) > MAX_BODY:
        raise Refused(413, gettext("This choice is too long to be one of ours."))
    site = Site.find_for_request(request)
    if site is None:
        raise Refused(404, gettext("There is no site at this address."))
    if request.content_type == "application/json":
        try:
            data = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Refused(400, gettext("The JSON cannot be read.")) from None
        value = data.get("decision") if isinstance(data, dict) else None
        published, decision = _checked(site, value)
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            form = request.POST
        except (MultiPartParserError, BadRequest, SuspiciousOperation):
            raise Refused(400, gettext("The form cannot be read.")) from None
        if "decision" in form:
            published, decision = _checked(site, form["decision"])
        else:
            published, decision = _chosen(site, form)
    else:
        raise Refused(415, gettext("Send a form or JSON."))
    answer = Answer(site, published, decision, request.GET.get("language", "")[:16])
    now = int(time.time())
    if not now - answer.lifetime < decision.time <= now + CLOCK_SLACK:
        # The visitor's clock is wrong; ours is not.
        answer = replace(answer, decision=replace(decision, time=now))
    try:
        encode(answer.decision)
    except TooManyExceptions:
        raise Refused(
            400,
            gettext(
                "You chose more single providers than can be remembered. Allow or refuse some "
                "whole categories instead. Nothing was changed."
            ),
        ) from None
    return answer


def _checked(site: Site, value: object) -> tuple[PublishedDeclaration, Decision]:
    """A decision made by the script, if it only says what can be said."""
    decision = decode(value if isinstance(value, str) else None)
    if decision is None:
        raise Refused(400, gettext("The decision cannot be read."))
    published = _published(site, decision.number)
    declaration = published.declaration
    _require_known(
        site,
        published,
        {grant.category for grant in decision.grants},
        {number for grant in decision.grants for number in grant.but | grant.only},
    )
    offered = {category.key for category in declaration.optional}
    grants = tuple(grant for grant in decision.grants if grant.category in offered)
    return published, replace(decision, grants=grants, delivered=True)


def _require_known(
    site: Site, published: PublishedDeclaration, keys: set[str], numbers: set[int]
) -> None:
    """A page from a cache may offer what is not declared any more; it may not invent."""
    declared = PublishedDeclaration.objects.of_site(site).filter(number=published.number)
    offered = {
        key
        for categories in declared.values_list("content__categories", flat=True)
        for key, ground in categories
        if ground != Ground.EXEMPT.value
    }
    if keys - offered:
        raise Refused(
            400,
            gettext("There is no category “%(key)s” to choose.") % {"key": min(keys - offered)},
        )
    if not numbers <= set(published.content["providers"].values()):
        raise Refused(400, gettext("The choice names a provider that is not declared."))


def _chosen(site: Site, form: QueryDict) -> tuple[PublishedDeclaration, Decision]:
    """The decision that the charter's form asks for."""
    try:
        number = int(form.get("number", ""))
    except ValueError:
        raise Refused(400, gettext("The form does not say which declaration it answers.")) from None
    published = _published(site, number)
    declaration = published.declaration
    categories: set[str] = set()
    providers: set[tuple[str, int]] = set()
    answer = form.get("answer", "save")
    if answer == "accept":
        categories = {category.key for category in declaration.optional}
    elif answer == "save":
        categories = set(form.getlist("category"))
        for item in form.getlist("provider"):
            key, _colon, code = item.partition(":")
            try:
                providers.add((key, int(code, 36)))
            except ValueError:
                providers.add((key, 0))
        _require_known(
            site,
            published,
            categories | {key for key, _number in providers},
            {number for _key, number in providers},
        )
    elif answer != "refuse":
        raise Refused(400, gettext("An answer is to accept, to refuse or to save."))
    grants = grants_for(declaration, categories, providers)
    return published, Decision(number, int(time.time()), grants)


def _published(site: Site, number: int) -> PublishedDeclaration:
    found = None
    if 0 < number < 2**31:
        found = PublishedDeclaration.objects.of_site(site).filter(number=number).first()
    if found is None:
        raise Refused(
            400, gettext("This site never published a declaration %(number)d.") % {"number": number}
        )
    return found


def record(answer: Answer) -> None:
    """Hand an accepted answer on. Nothing is stored yet; a failing receiver harms nobody."""
    decided.send_robust(
        sender=PublishedDeclaration,
        site_id=answer.site.pk,
        declaration=answer.published,
        decision=answer.decision,
        language=answer.language,
    )


def remember(request: HttpRequest, response: HttpResponse, answer: Answer) -> None:
    """Set the consent cookie on ``response``, and expire what was refused.

    By ``Set-Cookie``, since browsers forget script-written cookies within days (R38). Its
    life counts from the decision, so that sending it again prolongs nothing (R67).
    """
    age = max(int(time.time()) - answer.decision.time, 0)
    secure = _sent_securely(request)
    response.set_cookie(
        cookie_name(answer.site, secure=secure),
        encode(answer.decision),
        max_age=answer.lifetime - age,
        path="/",
        secure=secure,
        samesite="Lax",
    )
    _expire(request, response, answer)


def _sent_securely(request: HttpRequest) -> bool:
    """As the browser sees it, which a proxy may hide from ``is_secure``."""
    origin = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return request.is_secure() or origin.startswith("https://")


def _expire(request: HttpRequest, response: HttpResponse, answer: Answer) -> None:
    """Expire the refused cookies that came with the request, HttpOnly ones too (R49, R50)."""
    own = {cookie_name(answer.site, secure=secure) for secure in (False, True)}
    names = [name for name in request.COOKIES if name not in own]
    refused = list(refused_names(names, answer.published.declaration, answer.decision))
    secure = _sent_securely(request)
    for name in refused:
        domains = [] if name.startswith("__Host-") else parent_domains(request.get_host())
        for domain in ("", *domains):
            morsel: Morsel[str] = Morsel()
            try:
                morsel.set(name, "", "")
            except CookieError:
                # No name that we could have declared, whatever a pattern says.
                break
            morsel.update({"path": "/", "max-age": "0", "expires": "Thu, 01 Jan 1970 00:00:00 GMT"})
            if domain:
                morsel["domain"] = domain
            if secure:
                # Browsers ignore whatever names a `__Secure-` cookie without it.
                morsel["secure"] = True
            # Under a key of its own: a response has one cookie a name, and this is several.
            dict.__setitem__(response.cookies, f"{name};{domain}", morsel)


def refused_names(names: Any, declaration: Declaration, decision: Decision) -> Iterator[str]:
    """Those of the cookie ``names`` that are declared, optional and not granted.

    A name that a granted or exempt row declares as well is kept, and so are Django's own.
    """
    optional = {category.key for category in declaration.optional}
    own = {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
        "messages",
    }
    kept: set[str] = set()
    dropped: set[str] = set()
    for wording in declaration.languages.values():
        for cookie in wording.cookies:
            if cookie.storage != "cookie":
                continue
            allowed = cookie.category not in optional or decision.allows(
                cookie.category, cookie.provider_id
            )
            (kept if allowed else dropped).add(cookie.name)
    for name in names:
        if (
            name not in own
            and any(matches(pattern, name) for pattern in dropped)
            and not any(matches(pattern, name) for pattern in kept)
        ):
            yield name


def parent_domains(host: str) -> list[str]:
    """The domains a cookie for ``host`` may have been set on: itself and those above."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or "]" in name:
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]
