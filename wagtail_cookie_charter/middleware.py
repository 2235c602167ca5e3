"""The server keeps to the charter too: what it may show, and which cookies it may set.

``CookieCharterMiddleware`` is optional. It gives each request a ``cookie_consent`` to ask, and
takes from each response the declared cookies that its visitor has not granted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.asyncio import async_unsafe
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_http_date_safe

from . import visitor
from .conf import conf
from .visitor import Verdict, django_cookies

logger = logging.getLogger(__name__)


class UndeclaredCookie(Exception):
    """A response sets a cookie that no published row declares."""


# --- Asking ---------------------------------------------------------------------------


class CookieConsent:
    """``request.cookie_consent``: what this visitor allows. Costs nothing until it is asked.

    Whoever asks makes the response this visitor's own: it varies on the cookie, and neither
    Django's cache nor a shared one keeps it. A page that does not ask stays one for all.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._personal = False
        self._sent = False

    @async_unsafe("In an async view, use: await request.cookie_consent.aallows(…)")
    def allows(self, category: str, provider: str = "") -> bool:
        """Whether ``category`` may run or, of it, the ``provider`` of that name in the table.

        Raises ``ValueError`` for an unknown category, and ``RuntimeError`` if the headers are
        out, with ``DEBUG``; else both are logged, and nothing is allowed. In async code,
        raises ``SynchronousOnlyOperation``.
        """
        if self._sent and not self._personal:
            # The same "no" for everybody is all that an unmarked response may hold.
            problem = (
                "cookie_consent was asked after the response's headers were made, so that caches "
                "cannot know. Ask in the view, before a streaming response begins."
            )
            if settings.DEBUG:
                raise RuntimeError(problem)
            logger.error(problem)
            return False
        self.make_personal()
        return visitor.allows(self._request, category, provider)

    async def aallows(self, category: str, provider: str = "") -> bool:
        """The same, for async views."""
        return await sync_to_async(self.allows, thread_sensitive=True)(category, provider)

    def make_personal(self) -> None:
        """The response depends on the visitor: from now on, Django's cache must not store it."""
        if not self._personal:
            self._personal = True
            model: Any = type(self._request)
            self._request.__class__ = _never_stored(model)

    def send(self, response: HttpResponseBase) -> HttpResponseBase:
        """Say in the headers of ``response``, which are about to leave, whom it is for."""
        self._sent = True
        if self._personal:
            patch_vary_headers(response, ["Cookie"])
            cache_control = response.headers.get("Cache-Control", "").lower()
            if "private" not in cache_control and "no-store" not in cache_control:
                # Many CDNs do not heed `Vary: Cookie`. This also takes "public" away.
                patch_cache_control(response, private=True)
        return response


class _NeverStored:
    """A request whose response Django's cache middleware does not store.

    Assigning ``_cache_update_cache = False`` is not enough: the cache middleware assigns True
    on its way in, and ``cache_page`` does so after all middleware, which may have asked.
    """

    @property
    def _cache_update_cache(self) -> bool:
        return False

    @_cache_update_cache.setter
    def _cache_update_cache(self, value: bool) -> None:
        pass


@lru_cache
def _never_stored(model: type[Any]) -> type[Any]:
    return type(model.__name__, (_NeverStored, model), {})


# --- Setting cookies ------------------------------------------------------------------


@dataclass(frozen=True)
class SetCookie:
    """A cookie that a response sets: its name, its header, and how to take it away."""

    name: str
    line: str
    drop: Callable[[], Any]

    @property
    def deletes(self) -> bool:
        """Whether it makes a browser forget the cookie: RFC 6265, 5.3 (Max-Age comes first)."""
        attributes = {}
        for item in self.line.split(";")[1:]:
            key, _equals, value = item.partition("=")
            attributes[key.strip().lower()] = value.strip()
        try:
            return int(attributes.get("max-age", "")) <= 0
        except ValueError:
            moment = parse_http_date_safe(attributes.get("expires", ""))
            return moment is not None and moment <= time.time()


def set_cookies(response: HttpResponseBase) -> list[SetCookie]:
    """The cookies that ``response`` sets, without deletions and without Django's own.

    Most responses have none of these, and need no look at the charter.
    """
    lines: list[tuple[str, Callable[[], Any]]] = [
        # A cookie may stand under another key than its name.
        (morsel.OutputString(), partial(response.cookies.pop, key))
        for key, morsel in response.cookies.items()
    ]
    if raw := response.headers.get("Set-Cookie"):
        # Not how Django wants it to be done, but it sends such a header too.
        lines.append((raw, partial(response.headers.pop, "Set-Cookie")))
    harmless = django_cookies()
    found = [SetCookie(line.partition("=")[0].strip(), line, drop) for line, drop in lines]
    return [cookie for cookie in found if cookie.name not in harmless and not cookie.deletes]


def keep_to_charter(request: HttpRequest, cookies: list[SetCookie], consent: CookieConsent) -> None:
    """Drop those of a response's ``cookies`` that this visitor has not granted.

    Where a charter declares nothing, nothing is dropped: there is nothing to keep to. Where it
    cannot be read, all of them are: nobody knows what is exempt.
    """
    found = visitor.current(request)
    if visitor.unreadable(request):
        for cookie in cookies:
            cookie.drop()
    if found is None or not found.declaration.categories:
        return
    for cookie in cookies:
        verdict = visitor.verdict(request, found, cookie.name)
        if verdict in (Verdict.GRANTED, Verdict.REFUSED):
            consent.make_personal()
        if verdict is Verdict.REFUSED or (
            verdict is Verdict.UNDECLARED and not _tolerates_undeclared(cookie.name)
        ):
            cookie.drop()


def _tolerates_undeclared(name: str) -> bool:
    setting = conf.undeclared_cookies
    if setting == "raise" and settings.DEBUG:
        raise UndeclaredCookie(
            f"The response sets the cookie {name!r}, which no row of the published cookie charter "
            "declares. Declare it, or do not set it."
        )
    _report(name, setting)
    return setting == "log"


@lru_cache(maxsize=1024)
def _report(name: str, setting: str) -> None:
    """Once a process and name: a cookie comes with every response. Its value is nobody's business.

    Bounded, since a name may be made up anew for each visitor.
    """
    logger.warning(
        "The cookie %r is set, but no row of the published cookie charter declares it. It was %s.",
        name,
        "sent all the same" if setting == "log" else "dropped",
    )


# --- The middleware -------------------------------------------------------------------


class CookieCharterMiddleware:
    """Put it first in ``MIDDLEWARE``; right below ``UpdateCacheMiddleware`` if that is used.

    It sees the cookies of views and of all middleware below it. A request that asks nothing,
    and whose response sets none but Django's own cookies, costs no query and no thread.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        consent = _given(request)
        response: HttpResponseBase = self.get_response(request)
        if cookies := set_cookies(response):
            keep_to_charter(request, cookies, consent)
        return consent.send(response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        consent = _given(request)
        response: HttpResponseBase = await self.get_response(request)
        if cookies := set_cookies(response):
            await sync_to_async(keep_to_charter, thread_sensitive=True)(request, cookies, consent)
        return consent.send(response)


def _given(request: HttpRequest) -> CookieConsent:
    consent = vars(request)["cookie_consent"] = CookieConsent(request)
    return consent
