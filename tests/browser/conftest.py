from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections, transaction
from django.test.utils import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser import portal
from tests.browser.chromium import executable
from tests.browser.visitor import PATIENCE, Visitor
from tests.factories import make_embed, row

# Waiting longer costs nothing where all is well, and a busy machine is slow, not wrong.
expect.set_options(timeout=PATIENCE)

FILM, UNDECLARED = "https://film.example/42", "https://nobody.example/1"
CARDS = f"""{{% load wagtailembeds_tags %}}<h1>Page</h1>
<h2>Declared</h2>{{% embed '{FILM}' %}}<h2>Declared nowhere</h2>{{% embed '{UNDECLARED}' %}}"""

#: One Chromium for all tests; each test has a context of its own: no cookies, cold cache.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="package")
def playwright(django_db_setup: None) -> Iterator[Playwright]:
    # Playwright keeps an event loop in this thread. In one, Django refuses to query unless
    # told otherwise, and looks for its connections elsewhere than before: hand them over.
    handles = {alias: connections[alias] for alias in connections}
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as driver:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        for alias, connection in handles.items():
            connections[alias] = connection
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS, timeout=PATIENCE)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def published(playwright: Playwright, django_db_blocker: Any) -> Iterator[None]:
    """The site's content, made once; what a test changes is rolled back after it."""
    with override_settings(
        ROOT_URLCONF="tests.browser.portal",
        MIDDLEWARE=["tests.browser.portal.Traffic", *settings.MIDDLEWARE],
    ):
        with django_db_blocker.unblock():
            everything = transaction.atomic()
            everything.__enter__()
            cache.clear()
            portal.publish_everything()
        yield
        with django_db_blocker.unblock():
            transaction.set_rollback(True)
            everything.__exit__(None, None, None)
            cache.clear()


@pytest.fixture(scope="package")
def server(published: None, django_db_blocker: Any) -> Iterator[LiveServer]:
    """One server for all. (pytest-django's own would empty the database after each test.)"""
    with django_db_blocker.unblock():
        server = LiveServer("127.0.0.1:0")
        yield server
        server.stop()


@pytest.fixture
def stranger() -> Iterator[portal.Stranger]:
    """The third party. One for each test: who is late from the one before finds nobody."""
    server = portal.Stranger()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(server: LiveServer, db: None) -> Iterator[str]:
    """The main site's address."""
    cache.clear()
    portal.pages.clear()
    yield server.url
    portal.Traffic.wait_for_its_end()
    cache.clear()


@pytest.fixture
def write(site: str, stranger: portal.Stranger) -> Callable[..., str]:
    """Write a page and get its path. ``STRANGER`` in the body is the third party's origin."""

    def write(
        body: str,
        headers: Mapping[str, str] | None = None,
        name: str = "page",
        layout: str = "base.html",
    ) -> str:
        body = body.replace("STRANGER", stranger.origin)
        portal.pages[name] = portal.Written(body, headers or {}, layout)
        return f"/written/{name}/"

    return write


@pytest.fixture
def cards(write: Callable[..., str], stranger: portal.Stranger) -> str:
    """A page with both kinds of card: what waits, and what is declared nowhere."""
    portal.ask_again(row(name="_film", provider="Film Host", domain="localhost"))
    frame = '<iframe src="{}" title="Film" style="border: 0" width="320" height="180"></iframe>'
    size = {"width": 320, "height": 180}
    make_embed(FILM, frame.format(f"{stranger.origin}/frame/film"), **size)
    make_embed(UNDECLARED, frame.format(UNDECLARED), **size)
    return write(CARDS)


@pytest.fixture
def new_context(browser: Browser, site: str) -> Iterator[Callable[..., BrowserContext]]:
    def new_context(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"base_url": site, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE)
        return context

    yield new_context
    for context in browser.contexts:
        # What a page still fetches when its test is over is no failure of it, and nobody's to get.
        context.set_offline(True)
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
        context.close()


@pytest.fixture
def new_visitor(site: str, new_context: Callable[..., BrowserContext]) -> Callable[..., Visitor]:
    """Somebody who was never here; options are those of a Playwright context."""

    def new_visitor(**options: Any) -> Visitor:
        return Visitor(new_context(**options).new_page(), options.get("base_url", site))

    return new_visitor


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor.page
