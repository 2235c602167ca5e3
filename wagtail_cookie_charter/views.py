"""What we answer to: an answer, the second layer, and what front ends and browsers ask."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from wagtail.models import Site

from . import answers, headless, recording, visitor
from .conf import conf
from .models import PublishedDeclaration
from .models.ledger import Unreadable, load_declaration
from .notice import Notice, version_of
from .own_record import own_record

#: Where a redirect after a posted form lands: the charter shows its "saved" message there.
SAVED = "#wcc-saved"

#: How long anybody may go on with a declaration or a statement that has changed since.
SHORT_LIFE = "public, max-age=300"

#: How long a browser may go on with the number that was in force: as long as something that was
#: taken out may still be loaded by a page from a cache.
IN_FORCE_LIFE = "public, max-age=60"

#: Seconds after which an answer that could not be recorded may be sent again.
RETRY_AFTER = 60


# A transaction around all of it would fail after the cookie is on its way, or not at all.
@transaction.non_atomic_requests
@csrf_exempt
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Take a visitor's answer: check it, record it, set the cookie, expire what was refused.

    A form that names the page it is on (``next``) is answered with a redirect there; all else
    with JSON: 200 when it is recorded, 202 when somebody else will, 503 when it has to be sent
    again; the choice holds from now on all the same. Whatever is wrong gets a 4xx with a
    sentence, and nothing is stored. No session is opened.
    """
    # Our addresses have no language of their own: what is refused is explained in the page's.
    language = request.GET.get("language", "")
    if not translation.check_for_language(language):
        language = translation.get_language() or settings.LANGUAGE_CODE
    # For this answer only: the thread goes on to serve others.
    with translation.override(language):
        response = _decided(request)
    response["Cache-Control"] = "no-store"
    return response


def _refused(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    if "text/html" in request.headers.get("Accept", ""):
        response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    else:
        response = JsonResponse({"error": sentence}, status=status)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER)
    return response


def _decided(request: HttpRequest) -> HttpResponse:
    try:
        answer = answers.read_answer(request)
    except answers.Outdated as outdated:
        if "next" not in request.POST:
            return _refused(request, outdated.status, outdated.sentence)
        return HttpResponse(status=303, headers={"Location": _renewed(_next(request))})
    except answers.Refused as refused:
        return _refused(request, refused.status, refused.sentence)
    try:
        outcome = recording.record(answer)
    except recording.NumberTaken:
        sentence = gettext("This number belongs to another answer. Send a new one with each.")
        return _refused(request, 409, sentence)
    except recording.NotRecorded:
        answer = answer.undelivered()
        response: HttpResponse = JsonResponse(
            {
                "decision": answer.value,
                "error": gettext(
                    "Your choice holds, but it could not be recorded yet. It will be sent again."
                ),
            },
            status=503,
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    else:
        answer = answer.confirmed(recorded=outcome is not recording.Outcome.OFF)
        queued = outcome is recording.Outcome.QUEUED
        response = JsonResponse({"decision": answer.value}, status=202 if queued else 200)
    if "next" in request.POST:
        response = HttpResponse(status=303, headers={"Location": _next(request) + SAVED})
    answers.remember(request, response, answer)
    return response


def _next(request: HttpRequest) -> str:
    """Where the form wants to go back to, if it is on this site; else the home page."""
    target = request.POST.get("next", "")
    host = request.get_host()
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, {host}):
        return iri_to_uri(target.partition("#")[0])
    return "/"


def _renewed(address: str) -> str:
    """A page as it is today, at its choices: caches keep pages by their address."""
    separator = "&" if "?" in address else "?"
    return f"{address}{separator}wcc={int(time.time() * 1000)}#wcc-choices"


@require_safe
def preferences(request: HttpRequest, version: str, language: str) -> HttpResponse:
    """The second layer of one declaration in one language. It never changes (immutable).

    An old page from a cache asks for, and gets, what it announced.
    """
    site = Site.find_for_request(request)
    # Other releases named no number: a page of theirs had the latest of that content.
    digest, _dash, rest = version.partition("-")
    announced = rest.partition("-")[0]
    found = None
    if site is not None and re.fullmatch("[0-9a-f]{16}", digest):
        same = PublishedDeclaration.objects.of_site(site).filter(digest__startswith=digest)
        if announced.isdecimal() and len(announced) < 10:
            same = same.filter(number=int(announced))
        found = same.values_list("pk", "digest", "number").first()
    if site is None or found is None:
        raise Http404(gettext("There is no such declaration."))
    pk, full_digest, number = found
    try:
        declaration = load_declaration(pk, full_digest)
    except Unreadable:
        declaration = None
    if declaration is None or language not in declaration.languages:
        raise Http404(gettext("There is no such declaration."))
    with translation.override(language):
        notice = Notice(declaration, site.pk, number, version)
        # No nonce: it is one page's own, and this is kept for all of them.
        context = {"notice": notice, "nonce": ""}
        response = render(request, "wagtail_cookie_charter/preferences.html", context)
    # Another release's address would keep this release's words for a year.
    ours = version == version_of(full_digest, number)
    response["Cache-Control"] = (
        "public, max-age=31536000, immutable" if ours and not settings.DEBUG else "no-cache"
    )
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@never_cache
def record(request: HttpRequest) -> HttpResponse:
    """What this visitor chose, when and to what (R47); with ``format=json`` as a file.

    The one page that shows a visitor's choice, so it is kept by no cache.
    """
    language = request.GET.get("language", "")
    if not translation.check_for_language(language):
        language = translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language):
        found = own_record(request)
        response: HttpResponse
        if request.GET.get("format") == "json":
            response = JsonResponse(
                found.as_dict() if found else {"error": gettext("There is no answer to show.")},
                status=200 if found else 404,
            )
            if found:
                response["Content-Disposition"] = 'attachment; filename="cookie-choices.json"'
        else:
            json_url = f"{request.path}?{urlencode({'language': language, 'format': 'json'})}"
            site = Site.find_for_request(request)
            context = {
                "record": found,
                "language": language,
                "json_url": json_url,
                "site_name": (site.site_name or site.hostname) if site else "",
                "charter": visitor.texts(request),
            }
            response = render(request, "wagtail_cookie_charter/record.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def declaration(request: HttpRequest) -> HttpResponse:
    """The declaration in force, for front ends that render their pages themselves.

    In ``?language=``, or in the declaration's first: one cached object serves everybody, so
    nothing is guessed from a visitor's browser or cookies. No session is opened.
    """
    current = visitor.current(request)
    languages = current.declaration.languages if current else {}
    language = request.GET.get("language") or next(iter(languages), "")
    if current is None or language not in languages:
        return _readable(request, _missing(Site.find_for_request(request)))
    with translation.override(language):
        response: HttpResponse = JsonResponse(headless.represent_declaration(request, current))
    response["Cache-Control"] = SHORT_LIFE
    response["Content-Language"] = language
    response["X-Robots-Tag"] = "noindex"
    # Of what is sent: a template of the project's own, or another static host, changes the
    # banner while declaration and release stay the same.
    response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    found = get_conditional_response(request, etag=response["ETag"], response=response)
    return _readable(request, found or response)


def _missing(site: Site | None) -> HttpResponse:
    """Why there is nothing to say about ``site``."""
    sentence = (
        gettext("There is no site at this address.")
        if site is None
        else gettext("There is no such declaration.")
    )
    return JsonResponse({"error": sentence}, status=404)


def _readable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let scripts of the origins in ``CORS_ORIGINS`` read ``response`` (Fetch standard)."""
    origins = conf.cors_origins
    if "*" in origins:
        response["Access-Control-Allow-Origin"] = "*"
    elif origins:
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin")
        if origin in origins:
            response["Access-Control-Allow-Origin"] = origin
    return response


@require_safe
def in_force(request: HttpRequest) -> HttpResponse:
    """The number of the declaration in force: ``{"number": 7}``; 404 where there is none.

    Asked before a gate opens. A page older than this comes from a cache and may hold what was
    taken out since, so that nothing of it runs (promise 2). One small object serves everybody.
    """
    current = visitor.current(request)
    if current is None:
        return _missing(Site.find_for_request(request))
    response = JsonResponse({"number": current.number})
    response["Cache-Control"] = IN_FORCE_LIFE
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def gpc(request: HttpRequest) -> HttpResponse:
    """That this site honours Global Privacy Control, and since when (R63, the GPC standard).

    The date is that of the declaration in force. Who declares nothing promises nothing.
    """
    current = visitor.current(request)
    if current is None or not current.declaration.categories:
        return _missing(Site.find_for_request(request))
    at = datetime.fromtimestamp(current.since, timezone.get_default_timezone())
    response = JsonResponse({"gpc": True, "lastUpdate": at.date().isoformat()})
    response["Cache-Control"] = SHORT_LIFE
    return response
