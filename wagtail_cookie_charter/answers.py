"""A visitor's answer on its way in: read, checked, remembered, and what it refuses expired."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
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
from .decision import (
    Decision,
    Grant,
    Method,
    TooManyExceptions,
    decode,
    encode,
    grants_for,
    method_of,
    narrows,
    new_receipt,
    offered,
)
from .models import PublishedDeclaration
from .models.ledger import CLOCK_SLACK, Unreadable, load_declaration
from .visitor import Current, consent_cookie, current, django_cookies, signals_privacy

#: Bytes of a decision, whichever way it is posted.
MAX_BODY = 4096

#: Seconds after which no honest answer arrives: browsers send theirs for 30 days.
LATE = 31 * 86_400


class Refused(Exception):
    """An answer that cannot be taken: an HTTP status and a sentence saying why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Outdated(Refused):
    """What a form from a cache would allow, after something later was answered."""

    def __init__(self) -> None:
        sentence = gettext("This page is older than your last choice. Open it again to choose.")
        super().__init__(409, sentence)


@dataclass(frozen=True)
class Answer:
    """What a visitor decided about what was ``asked``, how, and in which language they read it.

    ``delivery`` is the number that it is recorded under, however often it arrives: the
    decision's receipt, or a new one where it came with none. ``language`` is "" if unknown.
    ``at`` is when it was given, in seconds (UTC), as it is recorded; ``said_at`` is when the
    visitor's browser says that it was, which is not always to be believed.
    """

    asked: Current
    decision: Decision
    method: Method
    language: str
    delivery: str
    at: int
    said_at: int

    @cached_property
    def value(self) -> str:
        """The consent cookie's value. Raises ``TooManyExceptions``."""
        return encode(self.decision)

    @property
    def lifetime(self) -> int:
        """Seconds for which the answer holds."""
        return int(self.asked.declaration.days * 86_400)

    def confirmed(self, *, recorded: bool) -> Answer:
        """It, as it stands in the cookie once it has arrived.

        Only what was granted, and is on record, has its receipt: a refusal leaves nothing by
        which to know anybody again (R37, promise 7). One that came without gets the number that
        it was recorded under, or nobody could ever point to it (R47).
        """
        receipt = self.delivery if recorded and self.decision.grants else ""
        if receipt == self.decision.receipt:
            return self
        return replace(self, decision=replace(self.decision, receipt=receipt))

    def undelivered(self) -> Answer:
        """It, as it stands in the cookie until it has arrived: as it came.

        With the time and the number that it came under, or it would be another one the next
        time. One that came without gets none: no refusal by a form has one, since without a
        script nothing would ever take it away again (R37, promise 7).
        """
        decision = replace(self.decision, time=self.said_at, delivered=False)
        return replace(self, decision=decision)


def require_same_origin(request: HttpRequest) -> None:
    """Raise ``Refused`` unless a page of this very origin sent the request.

    Pages come from caches, so there is no CSRF token; the browser's own word is better:
    ``Sec-Fetch-Site``, else ``Origin``, else ``Referer`` (design, section 4).
    """
    # `request.headers` would be made anew of all that there are, for this one.
    fetch_site = request.META.get("HTTP_SEC_FETCH_SITE")
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

    Either ``decision``, the consent cookie's value as the script writes it, and perhaps the
    ``method``; or what the charter's form sends: ``number``, ``answer`` (``accept``, ``refuse``
    or ``save``), ``category`` (keys) and ``provider`` (``key:code``). The query string may name
    the ``language``. Raises ``Refused``.
    """
    require_same_origin(request)
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = MAX_BODY + 1
    if length > MAX_BODY or len(request.body) > MAX_BODY:
        raise Refused(413, gettext("This choice is too long to be one of ours."))
    if request.content_type == "application/json":
        try:
            data = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Refused(400, gettext("The JSON cannot be read.")) from None
        said = data if isinstance(data, dict) else {}
        answer = _checked(request, said.get("decision"), said.get("method"))
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            form = request.POST
        except (MultiPartParserError, BadRequest, SuspiciousOperation):
            raise Refused(400, gettext("The form cannot be read.")) from None
        if "decision" in form:
            answer = _checked(request, form["decision"], form.get("method"))
        else:
            answer = _chosen(request, form)
    else:
        raise Refused(415, gettext("Send a form or JSON."))
    try:
        _value = answer.value
    except TooManyExceptions:
        raise Refused(
            400,
            gettext(
                "You chose more single providers than can be remembered. Allow or refuse some "
                "whole categories instead. Nothing was changed."
            ),
        ) from None
    return answer


def _language(request: HttpRequest, asked: Current) -> str:
    """In which language it was read; "" for what no page is in: somebody's own text."""
    language = request.GET.get("language", "")[:16]
    known = language in asked.declaration.languages or language in dict(settings.LANGUAGES)
    return language if known else ""


def _checked(request: HttpRequest, value: object, claimed: object) -> Answer:
    """A decision made by the script, if it only says what can be said."""
    said = decode(value if isinstance(value, str) else None)
    if said is None:
        raise Refused(400, gettext("The decision cannot be read."))
    try:
        method = None if claimed is None else Method(claimed)
    except ValueError:
        raise Refused(
            400,
            gettext("The method must be one of: %(methods)s.")
            % {"methods": ", ".join(method.value for method in Method)},
        ) from None
    asked, kept, at = _asked(request, said.number, said.time)
    _require_known(
        asked,
        {grant.category for grant in said.grants},
        {number for grant in said.grants for number in grant.but | grant.only},
    )
    grants = offered(asked.declaration, said.grants)
    if not grants:
        _require_offered(request, asked, said.grants)
    decision = replace(said, time=kept, grants=grants, delivered=True)
    given = method_of(asked.declaration, decision, method)
    if method and method is not given and grants and _fits_another_page(asked, said, method):
        given = method
    return Answer(
        asked,
        decision,
        given,
        _language(request, asked),
        decision.receipt or new_receipt(given),
        at,
        said.time,
    )


def _fits_another_page(asked: Current, said: Decision, method: Method) -> bool:
    """Whether it accepted, or withdrew, what a page from a cache offered under this number."""
    if method is Method.ACCEPT:
        whole = {grant.category for grant in said.grants if grant.covers(None)}
        return any(keys and keys <= whole for keys in _offers(asked))
    if method is Method.WITHDRAWAL:
        named = {grant.category for grant in said.grants}
        return any(keys - named for keys in _offers(asked))
    return False


def _offers(asked: Current) -> list[set[str]]:
    """The categories that visitors could choose from, in each snapshot of this number."""
    declared = PublishedDeclaration.objects.filter(site=asked.site_id, number=asked.number)
    return [
        {key for key, ground in categories if ground != Ground.EXEMPT.value}
        for categories in declared.values_list("content__categories", flat=True)
    ]


def _require_known(asked: Current, keys: set[str], numbers: set[int]) -> None:
    """A page from a cache may offer what is not declared any more; it may not invent."""
    unknown = keys - asked.declaration.optional_keys
    if unknown:
        unknown -= set().union(*_offers(asked))
    if unknown:
        raise Refused(
            400,
            gettext("There is no category “%(key)s” to choose.") % {"key": min(unknown)},
        )
    if not numbers <= set(asked.declaration.providers.values()):
        raise Refused(400, gettext("The choice names a provider that is not declared."))


def _require_offered(request: HttpRequest, asked: Current, said: Collection[Grant]) -> None:
    """What grants nothing that its number ever offered is no refusal: nobody gave one.

    Under one number offers only grow, so the newest knows all of them; but for what earlier
    releases published, where a whole category could go.
    """
    if not said:
        return
    newest = _in_force(request, asked.number, int(time.time()))
    gone = {grant.category for grant in said} - newest.declaration.optional_keys
    if not gone and not offered(newest.declaration, said):
        raise Refused(400, gettext("The choice grants nothing that is offered."))


def _chosen(request: HttpRequest, form: QueryDict) -> Answer:
    """The decision that the charter's form asks for, without its script.

    As with it, a form from a cache puts no older question's answer in a later one's place:
    raises ``Outdated``. A refusal holds for what was asked since, too (R66).
    """
    try:
        number = int(form.get("number", ""))
    except ValueError:
        raise Refused(400, gettext("The form does not say which declaration it answers.")) from None
    answer = form.get("answer", "save")
    asked, kept, at = _asked(request, number, int(time.time()))
    before = decode(consent_cookie(request, asked.declaration))
    latest = current(request)
    if before and latest and number < before.number <= latest.number:
        if answer != "refuse":
            raise Outdated
        asked, kept, at = _asked(request, before.number, int(time.time()))
    declaration = asked.declaration
    categories: set[str] = set()
    providers: set[tuple[str, int]] = set()
    if answer == "accept":
        categories = {*declaration.optional_keys}
    elif answer == "save":
        categories = set(form.getlist("category"))
        for item in form.getlist("provider"):
            key, _colon, code = item.partition(":")
            try:
                providers.add((key, int(code, 36)))
            except ValueError:
                providers.add((key, 0))
        _require_known(
            asked,
            categories | {key for key, _number in providers},
            {number for _key, number in providers},
        )
    elif answer != "refuse":
        raise Refused(400, gettext("An answer is to accept, to refuse or to save."))
    grants = grants_for(declaration, categories, providers)
    if not grants:
        ticked = [Grant(key, only=frozenset({number})) for key, number in providers]
        _require_offered(request, asked, [*map(Grant, categories), *ticked])
    decision = Decision(
        asked.number,
        kept,
        grants,
        despite_signal=signals_privacy(request),
    )
    if before is not None and narrows(declaration, before, decision):
        method = Method.WITHDRAWAL
    else:
        method = method_of(declaration, decision, Method.CHOICE if answer == "save" else None)
    delivery = new_receipt(method)
    if decision.grants:
        decision = replace(decision, receipt=delivery)
    return Answer(asked, decision, method, _language(request, asked), delivery, at, said_at=at)


def _asked(request: HttpRequest, number: int, at: int) -> tuple[Current, int, int]:
    """What an answer to ``number`` given at ``at`` was about, and when it was given.

    Two times in seconds (UTC): from which it holds, and which is recorded. Both are ours where
    the visitor's clock is plainly wrong: in the future, before anything of that number was
    published, or so early that the answer would have ended. What is said to be older than
    ``LATE`` holds no longer for being sent again (R67), but is recorded as of now: else anybody
    could write into months that are past.
    """
    now, slack = int(time.time()), int(CLOCK_SLACK.total_seconds())
    asked = _in_force(request, number, min(at, now))
    lifetime = int(asked.declaration.days * 86_400)
    possible = max(now - lifetime, asked.since - slack - 1) < at <= now + slack
    if possible and at >= now - LATE:
        return asked, at, at
    return _in_force(request, number, now), at if possible else now, now


def _in_force(request: HttpRequest, number: int, at: int) -> Current:
    """What this site asked under ``number`` at ``at``: from memory if it still does."""
    found = current(request)
    if found is not None and found.number == number and found.since <= at:
        return found
    site = Site.find_for_request(request)
    if site is None:
        raise Refused(404, gettext("There is no site at this address."))
    row = None
    if 0 < number < 2**31:
        of_site = PublishedDeclaration.objects.of_site(site)
        row = of_site.only("digest", "number", "created_at").answered(number, at)
    if row is None:
        raise Refused(
            400, gettext("This site never published a declaration %(number)d.") % {"number": number}
        )
    try:
        declaration = load_declaration(row.pk, row.digest)
    except Unreadable:
        raise Refused(503, gettext("What was asked cannot be read now. Try again later.")) from None
    return Current(site.pk, number, row.digest, declaration, row.pk, row.in_force_since)


def remember(request: HttpRequest, response: HttpResponse, answer: Answer) -> None:
    """Set the consent cookie on ``response``, and expire what was refused.

    By ``Set-Cookie``, since browsers forget script-written cookies within days (R38). Its
    life counts from the decision, so that sending it again prolongs nothing (R67).
    """
    age = int(time.time()) - answer.decision.time
    # A clock that is wrong says so, until the answer has arrived.
    if not 0 < age < answer.lifetime:
        age = 0
    secure = _sent_securely(request)
    response.set_cookie(
        f"{'__Host-' if secure else ''}{answer.asked.declaration.cookie_name}",
        answer.value,
        max_age=answer.lifetime - age,
        path="/",
        secure=secure,
        samesite="Lax",
    )
    _expire(request, response, answer)


def _sent_securely(request: HttpRequest) -> bool:
    """As the browser sees it, which a proxy may hide from ``is_secure``."""
    origin = request.META.get("HTTP_ORIGIN") or request.META.get("HTTP_REFERER") or ""
    return request.is_secure() or origin.startswith("https://")


def _expire(request: HttpRequest, response: HttpResponse, answer: Answer) -> None:
    """Expire the refused cookies that came with the request, HttpOnly ones too (R49, R50)."""
    own = answer.asked.declaration.cookie_name
    names = [name for name in request.COOKIES if name not in (own, f"__Host-{own}")]
    if not names:
        return
    refused = list(refused_names(names, answer.asked.declaration, answer.decision))
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
            if secure:
                # One that was set `Partitioned` is another cookie (CHIPS). Python before 3.14
                # has no word for it, but writes what stands here as it is.
                twin = morsel.copy()
                twin["samesite"] = "None; Partitioned"
                dict.__setitem__(response.cookies, f"{name};{domain};Partitioned", twin)


def refused_names(names: Any, declaration: Declaration, decision: Decision) -> Iterator[str]:
    """Those of the cookie ``names`` that are declared, optional and not granted.

    A name that a granted or exempt row declares as well is kept, and so are Django's own.
    """
    optional = declaration.optional_keys
    own = django_cookies()
    kept: set[str] = set()
    dropped = {name for storage, name in declaration.former if storage == "cookie"}
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
