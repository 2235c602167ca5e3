"""A project that asks on the server what visitors allow, and one that sets cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings as project
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import AsyncClient, override_settings
from django.urls import path
from django.views.decorators.cache import cache_control, cache_page

from tests.answers import value
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.models import CookieCharterSettings

OURS = "wagtail_cookie_charter.middleware.CookieCharterMiddleware"
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
ASKER = "tests.middleware.project.asks_early"
TRACKER = "tests.middleware.project.tracks"
REST = list(project.MIDDLEWARE)

# --- A project that asks, and one that sets cookies -----------------------------------

#: Which views ran: what comes from a cache is not here.
ran: list[str] = []


def word(allowed: bool) -> str:
    return "yes" if allowed else "no"


def asks(request: Any) -> HttpResponse:
    ran.append(request.path)
    category, provider = request.GET.get("category", "statistics"), request.GET.get("provider", "")
    return HttpResponse(word(request.cookie_consent.allows(category, provider)))


async def asks_async(request: Any) -> HttpResponse:
    ran.append(request.path)
    category, provider = request.GET.get("category", "statistics"), request.GET.get("provider", "")
    return HttpResponse(word(await request.cookie_consent.aallows(category, provider)))


async def asks_wrongly(request: Any) -> HttpResponse:
    return HttpResponse(word(request.cookie_consent.allows("statistics")))


def asks_while_rendering(request: Any) -> HttpResponse:
    ran.append(request.path)
    template = engines["django"].from_string("{{ answer }}")
    return TemplateResponse(
        request, template, {"answer": lambda: word(request.cookie_consent.allows("statistics"))}
    )


def asks_and_fails(request: Any) -> HttpResponse:
    if request.cookie_consent.allows("statistics"):
        raise Http404
    return HttpResponse("no")


def asks_while_streaming(request: Any) -> StreamingHttpResponse:
    def content() -> Iterator[str]:
        yield word(request.cookie_consent.allows("statistics"))

    if "first" in request.GET:
        request.cookie_consent.allows("statistics")
    return StreamingHttpResponse(content())


async def asks_while_streaming_async(request: Any) -> StreamingHttpResponse:
    async def content() -> AsyncIterator[str]:
        yield word(await request.cookie_consent.aallows("statistics"))

    if "first" in request.GET:
        await request.cookie_consent.aallows("statistics")
    return StreamingHttpResponse(content())


def asks_early(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware that asks before any view or cache has been reached."""

    def middleware(request: Any) -> Any:
        request.answer = word(request.cookie_consent.allows("statistics"))
        return get_response(request)

    return middleware


def was_told(request: Any) -> HttpResponse:
    ran.append(request.path)
    return HttpResponse(request.answer)


def silent(request: HttpRequest) -> HttpResponse:
    ran.append(request.path)
    return HttpResponse("the same for all")


async def silent_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the same for all")


def fill(request: HttpRequest, response: Any) -> Any:
    ran.append(request.path)
    for name in request.GET.getlist("set"):
        response.set_cookie(name, "value")
    for name in request.GET.getlist("delete"):
        response.delete_cookie(name)
    if raw := request.GET.get("raw"):
        response.headers["Set-Cookie"] = raw
    return response


def sets(request: HttpRequest) -> HttpResponse:
    return fill(request, HttpResponse("set"))


async def sets_async(request: HttpRequest) -> HttpResponse:
    return fill(request, HttpResponse("set"))


def sets_streaming(request: HttpRequest) -> HttpResponse:
    return fill(request, StreamingHttpResponse(iter(["set"])))


async def sets_streaming_async(request: HttpRequest) -> HttpResponse:
    async def content() -> AsyncIterator[str]:
        yield "set"

    return fill(request, StreamingHttpResponse(content()))


def sets_error(request: HttpRequest) -> HttpResponse:
    return fill(request, HttpResponse("set", status=500))


def sets_redirect(request: HttpRequest) -> HttpResponse:
    return fill(request, HttpResponse(status=302, headers={"Location": "/"}))


def breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a view that fails")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def tracks(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Somebody else's middleware: marks every visitor, whatever happens."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        response.set_cookie("_stat_tracker", "1")
        return response

    return middleware


urlpatterns = [
    path("asks/", asks),
    path("asks-async/", asks_async),
    path("asks-wrongly/", asks_wrongly),
    path("asks-rendering/", asks_while_rendering),
    path("asks-and-fails/", asks_and_fails),
    path("asks-streaming/", asks_while_streaming),
    path("asks-streaming-async/", asks_while_streaming_async),
    path("asks-public/", cache_control(public=True, max_age=60)(asks)),
    path("asks-no-store/", cache_control(no_store=True)(asks)),
    path("asks-cached/", cache_page(60)(asks)),
    path("asks-async-cached/", cache_page(60)(asks_async)),
    path("asks-rendering-cached/", cache_page(60)(asks_while_rendering)),
    path("told/", was_told),
    path("told-cached/", cache_page(60)(was_told)),
    path("silent/", silent),
    path("silent-async/", silent_async),
    path("silent-cached/", cache_page(60)(silent)),
    path("sets/", sets),
    path("sets-async/", sets_async),
    path("sets-streaming/", sets_streaming),
    path("sets-streaming-async/", sets_streaming_async),
    path("sets-error/", sets_error),
    path("sets-redirect/", sets_redirect),
    path("sets-cached/", cache_page(60)(sets)),
    path("breaks/", breaks),
    path("missing/", missing),
    *project_urls,
]

#: As a project that reads our documentation has it.
INSTALLED = [OURS, *REST]


# --- Its visitors, and what they get -----------------------------------------------------


def get(client: Any, address: str, **arguments: Any) -> Any:
    if isinstance(client, AsyncClient):
        return async_to_sync(client.get)(address, **arguments)
    return client.get(address, **arguments)


def visitor(
    kind: Any, settings: CookieCharterSettings, *grants: str, cookie: str | None = None
) -> Any:
    """Somebody who has granted these, or whose consent cookie holds ``cookie``."""
    client = kind(raise_request_exception=False)
    client.cookies[f"cookie-charter-{settings.site_id}"] = (
        value(*grants) if cookie is None else cookie
    )
    return client


def text(response: Any) -> str:
    if not response.streaming:
        return str(response.content.decode())
    if response.is_async:

        async def whole() -> bytes:
            return b"".join([part async for part in response.streaming_content])

        return async_to_sync(whole)().decode()
    return b"".join(response.streaming_content).decode()


def varies(response: Any) -> bool:
    return "cookie" in response.headers.get("Vary", "").lower()


def personal(response: Any) -> bool:
    return varies(response) and "private" in response.headers.get("Cache-Control", "")


def names(response: Any) -> list[str]:
    return [morsel.key for morsel in response.cookies.values()]


# --- Its caches ------------------------------------------------------------------------


@contextmanager
def cached(*layout: str) -> Iterator[None]:
    """These middleware, with a cache of their own for pages. ``cache_page`` uses the default."""
    with override_settings(
        MIDDLEWARE=list(layout),
        CACHES={
            "default": project.CACHES["default"],
            "pages": {**project.CACHES["default"], "LOCATION": "pages"},
        },
        CACHE_MIDDLEWARE_ALIAS="pages",
    ):
        start_cold()
        yield
        start_cold()


def start_cold() -> None:
    caches["default"].clear()
    caches["pages"].clear()
    ran.clear()


def in_both_orders(visitors: list[Any]) -> Iterator[list[Any]]:
    """Twice each visitor, the first one first; then, all cold again, the last one first."""
    for found in (visitors, visitors[::-1]):
        start_cold()
        yield found * 2


#: Wherever somebody may put us, and whoever asks before the view.
ORDERS = {
    "right below the cache": [UPDATE, OURS, *REST, FETCH],
    "above the cache": [OURS, UPDATE, *REST, FETCH],
    "last but one": [UPDATE, *REST, OURS, FETCH],
    "last": [UPDATE, *REST, FETCH, OURS],
    "no cache for all": [OURS, *REST],
}
