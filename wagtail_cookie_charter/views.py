"""Two addresses: one takes a visitor's answer, one shows the second layer."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from wagtail.models import Site

from . import answers, visitor
from .decision import encode
from .models import PublishedDeclaration
from .models.ledger import load_declaration

#: Where a redirect after a posted form lands: the charter shows its "saved" message there.
SAVED = "#wcc-saved"


@csrf_exempt
@require_POST
@never_cache
def decide(request: HttpRequest) -> HttpResponse:
    """Take a visitor's answer: check it, set the cookie, expire what was refused, hand it on.

    A form that names the page it is on (``next``) is answered with a redirect there; all else
    with JSON. Whatever is wrong gets a 4xx with a sentence, and nothing is stored. No session
    is opened.
    """
    # Our addresses have no language of their own: what is refused is explained in the page's.
    language = request.GET.get("language", "")
    if translation.check_for_language(language):
        translation.activate(language)
    try:
        answer = answers.read_answer(request)
    except answers.Refused as refused:
        if "text/html" in request.headers.get("Accept", ""):
            return HttpResponse(
                refused.sentence, status=refused.status, content_type="text/plain; charset=utf-8"
            )
        return JsonResponse({"error": refused.sentence}, status=refused.status)
    if "next" in request.POST:
        response = HttpResponse(status=303, headers={"Location": _next(request) + SAVED})
    else:
        response = JsonResponse({"decision": encode(answer.decision)})
    answers.remember(request, response, answer)
    visitor.record(answer)
    return response


def _next(request: HttpRequest) -> str:
    """Where the form wants to go back to, if it is on this site; else the home page."""
    target = request.POST.get("next", "")
    host = request.get_host()
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, {host}):
        return iri_to_uri(target.partition("#")[0])
    return "/"


@require_safe
def preferences(request: HttpRequest, version: str, language: str) -> HttpResponse:
    """The second layer of one declaration in one language. It never changes (immutable).

    An old page from a cache asks for, and gets, what it announced.
    """
    site = Site.find_for_request(request)
    digest = version.partition("-")[0]
    found = None
    if site is not None and len(digest) == 16:
        found = (
            PublishedDeclaration.objects.of_site(site)
            .filter(digest__startswith=digest)
            .values_list("pk", "digest", "number")
            .first()
        )
    if site is None or found is None:
        raise Http404(gettext("There is no such declaration."))
    pk, full_digest, number = found
    declaration = load_declaration(pk, full_digest)
    if language not in declaration.languages:
        raise Http404(gettext("There is no such declaration."))
    with translation.override(language):
        notice = visitor.Notice(declaration, site.pk, number, version)
        response = render(request, "wagtail_cookie_charter/preferences.html", {"notice": notice})
    # Another release's address would keep this release's words for a year.
    ours = version == visitor.version_of(full_digest)
    response["Cache-Control"] = (
        "public, max-age=31536000, immutable" if ours and not settings.DEBUG else "no-cache"
    )
    response["X-Robots-Tag"] = "noindex"
    return response
