"""The recipe of docs/developers.md: a static front end on a host of its own, Wagtail behind it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import override_settings
from playwright.sync_api import BrowserContext, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="%(language)s"><head><meta charset="utf-8"><title>Static</title>
<script type="module" src="/front.js"></script></head>
<body><h1>Static</h1>
<template data-cookie-charter="statistics"><p>Counted</p></template>
<footer><a href="/cookies" data-cookie-charter-open>Cookies</a></footer></body></html>"""

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "developers.md"


def recipe(cms: str) -> str:
    """The script as the documentation has it, but for the address."""
    blocks = re.findall(r"```js\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if "declaration.json" in block]
    assert "'https://cms.example'" in found
    return found.replace("https://cms.example", cms)


class Front(ThreadingHTTPServer):
    """Serves a page and a script from nowhere, and hands two paths on to Wagtail."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, cms: str) -> None:
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.cms = cms
        self.origin = f"http://localhost:{self.server_port}"
        #: What is served as /, /fr/ and /front.js.
        self.files: dict[str, tuple[str, str]] = {}
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()


class FrontHandler(BaseHTTPRequestHandler):
    server: Front

    def do_GET(self) -> None:
        if self.path.startswith(("/cookie-charter/", "/static/")):
            self.hand_on()
            return
        kind, body = self.server.files.get(self.path, ("text/plain", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def hand_on(self) -> None:
        """A reverse proxy that keeps the host name, as it must."""
        cms = HTTPConnection(urlsplit(self.server.cms).netloc)
        length = int(self.headers.get("Content-Length") or 0)
        headers = {**dict(self.headers.items()), "Connection": "close"}
        cms.request(self.command, self.path, self.rfile.read(length), headers)
        answer = cms.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        cms.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def front(site: str) -> Iterator[Front]:
    server = Front(site)
    server.files = {
        "/": ("text/html", PAGE % {"language": "en"}),
        "/fr/": ("text/html", PAGE % {"language": "fr"}),
        "/front.js": ("text/javascript", recipe(site)),
    }
    with override_settings(WAGTAIL_COOKIE_CHARTER={"CORS_ORIGINS": [server.origin]}):
        yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def guest(front: Front, new_context: Any) -> Visitor:
    context: BrowserContext = new_context(base_url=front.origin)
    return Visitor(context.new_page(), front.origin)


def test_a_static_page_asks_and_keeps_the_answer(guest: Visitor, front: Front) -> None:
    """Read across origins, answered on its own; what waits for the answer runs after it."""
    guest.open("/")
    counted = guest.page.get_by_text("Counted")
    expect(guest.banner).to_be_visible()
    expect(guest.banner).to_have_css("position", "fixed")
    guest.expect_quiet()
    assert counted.count() == 0
    guest.accept()
    expect(counted).to_be_visible()
    assert guest.grants and "statistics" in guest.grants
    posted = {urlsplit(request.url).netloc for request in guest.posts}
    assert posted == {urlsplit(front.origin).netloc}
    # And on the next page nobody is asked again.
    guest.open("/")
    expect(counted).to_be_visible()
    expect(guest.banner).to_be_hidden()
    assert not guest.errors


def test_a_refusal_holds_too(guest: Visitor) -> None:
    guest.open("/")
    guest.refuse()
    assert guest.grants == set()
    guest.open("/")
    guest.banner.wait_for(state="attached")
    guest.expect_quiet()
    expect(guest.banner).to_be_hidden()
    assert guest.page.get_by_text("Counted").count() == 0


def test_the_second_layer_opens_from_its_footer(guest: Visitor) -> None:
    guest.open("/")
    expect(guest.banner).to_be_visible()
    guest.reopen()
    guest.box("Allow: Statistics").check()
    guest.save()
    guest.expect_grants("statistics")
    expect(guest.page.get_by_text("Counted")).to_be_visible()


def test_it_asks_in_the_pages_language(guest: Visitor) -> None:
    guest.open("/fr/")
    expect(guest.button("Tout refuser")).to_be_visible()


def test_through_the_proxy_alone_it_needs_no_cors(guest: Visitor, front: Front) -> None:
    front.files["/front.js"] = ("text/javascript", recipe(""))
    with override_settings(WAGTAIL_COOKIE_CHARTER={}):
        guest.open("/")
        guest.accept()
        expect(guest.page.get_by_text("Counted")).to_be_visible()


def test_a_front_end_that_is_not_on_the_list_gets_nothing(guest: Visitor) -> None:
    """And nothing that waits runs: closed, not open."""
    with override_settings(WAGTAIL_COOKIE_CHARTER={}):
        guest.open("/")
        guest.wait_until(lambda: bool(guest.errors))
        guest.expect_quiet()
    assert guest.banner.count() == 0
    assert guest.page.get_by_text("Counted").count() == 0


def test_a_page_built_with_the_banner_needs_no_script_of_its_own(
    guest: Visitor, front: Front
) -> None:
    """The other way: the build asks, and the first paint has the banner."""
    connection = HTTPConnection(urlsplit(front.cms).netloc)
    connection.request(
        "GET", "/cookie-charter/declaration.json?language=en", headers={"Connection": "close"}
    )
    banner = json.loads(connection.getresponse().read())["banner"]
    connection.close()
    built = PAGE % {"language": "en"}
    built = built.replace('<script type="module" src="/front.js"></script>', "")
    front.files["/"] = ("text/html", built.replace("<body>", f"<body>{banner}"))
    guest.open("/")
    guest.accept()
    expect(guest.page.get_by_text("Counted")).to_be_visible()
    assert "/front.js" not in guest.paths()
