"""Whose page is being rendered: known where somebody said so, and to nobody else."""

from __future__ import annotations

import gc
import threading

from django.core.signals import request_finished, request_started
from django.http import HttpRequest
from django.test import RequestFactory
from wagtail import hooks

from wagtail_cookie_charter.serving import remember, request_of, served, serving


def test_nothing_is_known_until_somebody_says_so(rf: RequestFactory) -> None:
    assert served() is None
    request = rf.get("/")
    with serving(request):
        assert served() is request
        with serving(other := rf.get("/other/")):
            assert served() is other
        assert served() is request
    assert served() is None


def test_it_ends_with_the_request_and_when_the_next_begins(db: None, rf: RequestFactory) -> None:
    request = rf.get("/")
    for signal in (request_finished, request_started):
        remember(request)
        assert served() is request
        signal.send(sender=None, environ={})
        assert served() is None


def test_the_request_itself_is_not_kept() -> None:
    request = HttpRequest()
    remember(request)
    del request
    gc.collect()
    assert served() is None


def test_wagtail_says_so_before_it_serves_a_page(rf: RequestFactory) -> None:
    request = rf.get("/")
    with serving(HttpRequest()):
        (hook,) = (
            hook
            for hook in hooks.get_hooks("before_serve_page")
            if hook.__module__.startswith("wagtail_cookie_charter")
        )
        assert hook(None, request, [], {}) is None
        assert served() is request


def test_a_context_without_a_request_changes_nothing(rf: RequestFactory) -> None:
    request = rf.get("/")
    with serving(request):
        assert request_of({}) is None
        assert served() is request
        assert request_of({"request": (other := rf.get("/"))}) is other
        assert served() is other


def test_threads_at_the_same_time_keep_apart(rf: RequestFactory) -> None:
    found: dict[str, str] = {}
    barrier = threading.Barrier(2, timeout=60)

    def work(path: str) -> None:
        request = rf.get(path)
        remember(request)
        barrier.wait()
        known = served()
        found[path] = known.path if known else ""
        barrier.wait()

    threads = [threading.Thread(target=work, args=[path]) for path in ("/one/", "/two/")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"/one/": "/one/", "/two/": "/two/"}
    assert served() is None
