"""A visitor's answer on its way in: read, checked, remembered, and what it refuses expired."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.cookies import CookieError, Morsel
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext
from wagtail.models import Site

from .consent import Declaration, Ground, matches
from .decision import Decision, TooManyExceptions, decode, encode, grants_for
from .models import PublishedDeclaration
from .publishing import cookie_name

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
