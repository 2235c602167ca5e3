"""Which request is being served, for what is rendered without being told: Wagtail's embeds.

Wagtail hands an embed's template no request. So whoever has one says so here: the hook before
a page is served, our template tags, and a project's own code. Only a weak reference is kept,
and it ends with the request. Where nobody said so, nothing is known, and gates stay shut.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import ReferenceType, ref

from django.core.signals import request_finished, request_started
from django.http import HttpRequest

_served: ContextVar[ReferenceType[HttpRequest] | None] = ContextVar(
    "wagtail_cookie_charter.served", default=None
)


def connect() -> None:
    # At the start too: a server that never closes a response must not leave it to the next.
    request_started.connect(forget)
    request_finished.connect(forget)


def remember(request: HttpRequest) -> None:
    """Embeds rendered from now on, in this thread or task, belong to ``request``."""
    _served.set(ref(request))


def forget(**kwargs: Any) -> None:
    """Nothing is being served here any more. Django's signals call it around each request."""
    _served.set(None)


@contextmanager
def serving(request: HttpRequest) -> Iterator[None]:
    """``with serving(request):`` what is rendered within belongs to ``request``."""
    token = _served.set(ref(request))
    try:
        yield
    finally:
        _served.reset(token)


def served() -> HttpRequest | None:
    """The request that is being served here, None if nobody said."""
    known = _served.get()
    return known() if known else None


def request_of(context: Any) -> HttpRequest | None:
    """The request of a template's context (anything with ``get``), and remember it."""
    request: HttpRequest | None = context.get("request")
    if request is not None:
        remember(request)
    return request
