"""The site that the browser visits, and the strangers it must not meet too early.

Two languages, a second site, four optional categories of every ground; pages whose body a test
writes beside its assertions; and a third party on another host that notes who came.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf.urls.i18n import i18n_patterns
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template import engines
from django.urls import path
from playwright.sync_api import Route
from wagtail.models import Locale, Site

from tests.browser import sites
from tests.factories import make_banner, make_charter, make_home, make_settings, make_site
from tests.factories import row as make_row
from tests.factories import table as make_table
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter import frontend
from wagtail_cookie_charter.publishing import publish_declarations

# --- Pages ----------------------------------------------------------------------------


@dataclass
class Written:
    """A page that a test wrote: its body, what it is sent with, and what stands around it.

    Without a layout, the body is the whole document.

    At ``PAUSE`` in the body, the server waits a moment before it sends the rest.
    """

    body: str
    headers: Mapping[str, str]
    layout: str
    #: What a cache keeps of it, and gives to all who ask for its plain address.
    kept: str = ""


PAUSE = "<!--pause-->"

pages: dict[str, Written] = {}


def page(request: HttpRequest, name: str) -> HttpResponseBase:
    written = pages.get(name)
    if written is None:
        raise Http404
    if written.kept and not request.GET:
        return HttpResponse(written.kept)
    body = f"{{% load cookie_charter %}}{written.body}"
    if written.layout:
        title = "{% block title %}Page{% endblock %}"
        content = f"{{% block content %}}{body}{{% endblock %}}"
        body = f"{{% extends '{written.layout}' %}}{title}{content}"
    template = engines["django"].from_string(body)
    html = template.render({}, request)
    if PAUSE in html:
        return StreamingHttpResponse(slowly(html), headers=dict(written.headers))
    return HttpResponse(html, headers=dict(written.headers))


def slowly(html: str) -> Iterator[str]:
    for part in html.split(PAUSE):
        yield part
        time.sleep(0.6)


def plain(request: HttpRequest) -> HttpResponse:
    """An empty page of this origin, without us: where a test tries a script by itself."""
    return HttpResponse("<!doctype html><html lang='en'><title>Plain</title>")


def stylesheet(request: HttpRequest) -> HttpResponse:
    """What any site has: some 20 kB that hold up the first paint."""
    rules = "".join(f".rule-{number} {{ color: #{number:03x}; }}\n" for number in range(800))
    css = "body { font: 100%/1.5 sans-serif; margin: auto; max-width: 60rem }\n" + rules
    return HttpResponse(css, content_type="text/css")


def source_script(request: HttpRequest, name: str) -> HttpResponse:
    source = Path(str(frontend.__file__)).parent / f"{name}.js"
    return HttpResponse(source.read_text(), content_type="text/javascript")


# --- The server's own life -------------------------------------------------------------


class Traffic:
    """Middleware that knows whether the server still works on something.

    What is posted goes one by one: all threads share the one connection of a database in memory,
    and the transactions of two would get into each other.
    """

    writing = threading.Lock()
    counting = threading.Lock()
    inside = 0

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self.count(1)
        try:
            with self.writing if request.method == "POST" else nullcontext():
                return self.get_response(request)
        finally:
            self.count(-1)

    @classmethod
    def count(cls, step: int) -> None:
        with cls.counting:
            cls.inside += step

    @classmethod
    def wait_for_its_end(cls) -> None:
        """What one test's browser still asked for must not be done in the next test's time."""
        end = time.monotonic() + 30
        while cls.inside and time.monotonic() < end:
            time.sleep(0.01)


urlpatterns = [
    path("plain/", plain),
    path("decision.js", source_script, {"name": "decision"}),
    path("receipt.js", source_script, {"name": "receipt"}),
    path("site.css", stylesheet),
    *sites.urlpatterns,
    *i18n_patterns(path("written/<slug:name>/", page), prefix_default_language=False),
    *project_urls,
]

# --- A proxy in front -----------------------------------------------------------------


@dataclass
class TlsProxy:
    """A proxy that ends TLS: the browser sees HTTPS, the server plain HTTP for the same host."""

    site: str
    #: The ``Set-Cookie`` headers that passed, "" for a response without.
    sent: list[str] = field(default_factory=list)

    def __call__(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        headers = {**route.request.headers, "host": url.netloc}
        response = route.fetch(url=f"{self.site}{url.path}?{url.query}", headers=headers)
        self.sent.append(response.headers.get("set-cookie", ""))
        route.fulfill(response=response)


# --- What is published ----------------------------------------------------------------

MEASURE, COUNTER, VIDEO, MAPS, OWN = (
    "Example Measurement",
    "Second Counter",
    "Video Host",
    "Map Host",
    "Own Measurement",
)


def tables(words: Mapping[str, str] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """One table for each purpose, with every kind of storage a browser can delete."""

    def row(name: str, provider: str, **values: Any) -> dict[str, Any]:
        purpose = (words or {}).get("purpose", "Counts how often each page is read.")
        return make_row(name=name, provider=provider, purpose=purpose, **values)

    return [
        make_table(
            row("sessionid", "City of Example", party="first", duration={"kind": "session"}),
            category="necessary",
        ),
        make_table(row("_own", OWN, party="first", retention_months=12), category="audience"),
        make_table(
            row("_measure", MEASURE, transfer="United States", safeguard="Standard clauses"),
            row("_measure_*", MEASURE),
            row("measure.*", MEASURE, storage="local"),
            row("measure_tab", MEASURE, storage="session"),
            row("measure-db", MEASURE, storage="indexeddb"),
            row("_counter", COUNTER),
            row("_httponly", COUNTER),
            category="statistics",
        ),
        make_table(row("_video", VIDEO), row("_map", MAPS), category="media"),
    ]


FRENCH = {"purpose": "Compte les lectures de chaque page."}


def publish_everything() -> None:
    """The main site in English and French, and a second site with another banner."""
    locales = [Locale.objects.get_or_create(language_code=code)[0] for code in ("en", "fr")]
    home = make_home()
    charter = make_charter(*tables(), parent=home)
    banner = make_banner(charter)
    make_settings(
        banner=banner,
        controller_address="1 Town Hall Square",
        contact_email="hello@city.example",
        dpo_name="Data protection officer",
        dpo_email="dpo@city.example",
        authority_name="CNIL",
        authority_url="https://www.cnil.fr/",
    )
    french = home.copy_for_translation(locales[1])
    french.title = "Accueil"
    french.save_revision().publish()
    charte = charter.copy_for_translation(locales[1])
    charte.title, charte.slug = "Charte cookies", "charte-cookies"
    rows = [child.value for child in charte.body]
    for table in rows:
        for cookie in table["cookies"]:
            cookie["purpose"] = FRENCH["purpose"]
    charte.save_revision().publish()
    copy = banner.copy_for_translation(locales[1])
    copy.charter_page = charte
    copy.save()
    copy.save_revision().publish()

    second = make_site("second.localhost", site_name="Second")
    charter = make_charter(
        make_table(make_row(name="_ad", provider="Ad Network"), category="marketing"),
        parent=second.root_page,
    )
    banner = make_banner(charter, title="The second site asks", placement="corner", days=30)
    make_settings(second, banner=banner, controller_name="Second Company")
    publish_declarations()


def ask_again(*more: dict[str, Any]) -> int:
    """Publish one more provider on the main site: everybody is asked again (R65)."""
    from wagtail_cookie_charter.models import CookieCharterPage, PublishedDeclaration

    site = Site.objects.get(is_default_site=True)
    charter = CookieCharterPage.objects.child_of(site.root_page).first()
    charter.body.append(
        make_table(*(more or (make_row(name="_new", provider="Newcomer"),)), category="marketing")
    )
    charter.save_revision().publish()
    publish_declarations()
    latest = PublishedDeclaration.objects.of_site(site)[0]
    return latest.number


def take_out(provider: str) -> None:
    """Publish the main site's charter without this provider, in all languages."""
    from wagtail_cookie_charter.models import CookieCharterPage

    root = Site.objects.get(is_default_site=True).root_page
    charter = CookieCharterPage.objects.child_of(root).first()
    for page in charter.get_translations(inclusive=True):
        for child in page.body:
            kept = [row for row in child.value["cookies"] if row["provider"] != provider]
            child.value["cookies"] = kept
        page.save_revision().publish()
    publish_declarations()


# --- Strangers ------------------------------------------------------------------------


class Stranger(ThreadingHTTPServer):
    """A third party: serves scripts and frames on another host, and notes each request.

    ``/run/<word>.js`` adds the word to ``window.ran``, ``/frame/<word>`` is a page; ``?wait=``
    milliseconds first. Anything else is missing.
    """

    daemon_threads = True
    #: More than a page asks for at once: whoever is turned away comes again a second later.
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StrangerHandler)
        self.requests: list[str] = []
        self.origin = f"http://localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()


class StrangerHandler(BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        url = urlsplit(self.path)
        if wait := parse_qs(url.query).get("wait"):
            time.sleep(int(wait[0]) / 1000)
        word = Path(url.path).stem
        if url.path.startswith("/run/"):
            kind, body = "text/javascript", f"(window.ran ??= []).push('{word}');"
        elif url.path.startswith("/frame/"):
            kind, body = "text/html", f"<!doctype html><title>{word}</title><p>{word}"
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Set-Cookie", "stranger=1; Path=/")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass
