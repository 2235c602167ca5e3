"""What a first page view downloads because of us: budgets from the first day, gzip -6."""

from __future__ import annotations

import gzip
import re

import pytest
from bs4 import BeautifulSoup
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, override_settings
from django.urls import path
from wagtail.models import Locale

from tests.factories import make_asking_site, make_home, row, table
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.frontend.build import STATIC, build
from wagtail_cookie_charter.publishing import publish_declarations

#: Bytes, compressed, that we aim at; and what it may never be, with every category in use.
SCRIPT, STYLE, MARKUP, TOTAL = 1_800, 900, 900, 3_600
LIMIT = 4_000

#: What a city's portal asks about, and everything that is shipped.
USUAL = ("necessary", "audience", "statistics", "media")
EVERY = ("necessary", "preferences", "audience", "statistics", "media", "marketing")


#: An ordinary small page: our markup travels in one like it, and shares tags and words with it.
PAGE = """<!doctype html><html lang="%(language)s"><head><meta charset="utf-8">
<title>%(title)s</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/portal/portal.css"></head><body>{{ banner }}
<header class="header"><a href="/">%(title)s</a><nav aria-label="%(title)s"><ul>
<li><a href="/data/">%(data)s</a></li><li><a href="/contact/">%(contact)s</a></li></ul></nav>
</header>
<main id="content"><h1>%(title)s</h1><p>%(text)s</p>
<button type="button">%(contact)s</button></main>
<footer>{{ link }}<a href="/legal/">%(legal)s</a></footer></body></html>"""
WORDS = {
    "en": {
        "language": "en",
        "title": "Open data",
        "data": "All datasets",
        "contact": "Get in touch with us",
        "legal": "Legal notice",
        "text": "The city publishes its data so that everybody can read, use and share them at any "
        "time. How are bicycles counted? Sensors on the cycle paths see them pass, and the site "
        "shows the count of each day.",
    },
    "fr": {
        "language": "fr",
        "title": "Données ouvertes",
        "data": "Tous les jeux de données",
        "contact": "Nous contacter",
        "legal": "Mentions légales",
        "text": "La ville publie ses données pour que chacun puisse les lire, les utiliser et les "
        "partager à tout moment. Comment compte-t-on les vélos ? Des capteurs les voient passer "
        "sur les pistes, et le site affiche le compte de chaque jour.",
    },
}


def ours(request: HttpRequest, language: str) -> HttpResponse:
    banner, link = (
        engines["django"]
        .from_string(
            "{% load cookie_charter i18n %}{% language language %}{% cookie_banner %}|SPLIT|"
            "{% cookie_settings_link %}{% endlanguage %}"
        )
        .render({"language": language}, request)
        .split("|SPLIT|")
    )
    return HttpResponse(page(language, banner, link))


def page(language: str, banner: str = "", link: str = "") -> str:
    text = PAGE % WORDS[language]
    return text.replace("{{ banner }}", banner).replace("{{ link }}", link)


urlpatterns = [path("ours/<str:language>/", ours), *project_urls]


def weight(content: bytes) -> int:
    return len(gzip.compress(content, 6, mtime=0))


def served(name: str) -> bytes:
    return (STATIC / name).read_bytes()


def publish(categories: tuple[str, ...]) -> None:
    """A site that asks about these categories, in two languages, all words left to us."""
    home = make_home()
    settings = make_asking_site(
        *(
            table(
                row(name=f"_{key}", provider=f"Provider of {key}", retention_months=12),
                row(name=f"_{key}2", provider=f"Second provider of {key}", retention_months=12),
                category=key,
            )
            for key in categories
        )
    )
    french = Locale.objects.create(language_code="fr")
    home.copy_for_translation(french).save_revision().publish()
    assert settings.banner is not None
    charter = settings.banner.charter_page.specific.copy_for_translation(french)
    charter.save_revision().publish()
    publish_declarations()


def markup(client: Client, language: str) -> bytes:
    with override_settings(ROOT_URLCONF="tests.test_budgets"):
        content = client.get(f"/ours/{language}/").content
    assert b'id="wcc"' in content and b"data-cookie-charter-open" in content
    return bytes(content)


def added(client: Client, language: str) -> int:
    """Bytes that our part adds to a page as it travels."""
    return weight(markup(client, language)) - weight(page(language).encode())


def test_the_script_keeps_its_budget() -> None:
    """Every visitor of every page pays it, on the slowest line there is."""
    assert weight(served("cookie-charter.js")) <= SCRIPT


def test_the_stylesheet_keeps_its_budget() -> None:
    assert weight(served("cookie-charter.css")) <= STYLE


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_markup_keeps_its_budget(client: Client, db: None, language: str) -> None:
    """Words, purposes, links and buttons."""
    publish(USUAL)
    accept = "Tout accepter" if language == "fr" else "Accept all"
    assert accept in markup(client, language).decode()
    assert added(client, language) <= MARKUP


def first_view(client: Client, language: str) -> int:
    files = weight(served("cookie-charter.js")) + weight(served("cookie-charter.css"))
    return files + added(client, language)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("categories", "budget"), [(USUAL, TOTAL), (EVERY, LIMIT)], ids=["usual", "every category"]
)
def test_a_first_view_keeps_its_budget(
    client: Client, db: None, language: str, categories: tuple[str, ...], budget: int
) -> None:
    publish(categories)
    assert first_view(client, language) <= budget


def test_a_first_view_makes_two_requests_and_none_blocks(client: Client, db: None) -> None:
    """Issue: a stylesheet that the page does not wait for, and an ``async`` script."""
    publish(USUAL)
    with override_settings(ROOT_URLCONF="tests.test_budgets"):
        soup = BeautifulSoup(client.get("/ours/en/").content, "html.parser")
    assert soup.body is not None
    loading = soup.body.select("link, script, img, iframe, video, audio, object, embed, source")
    assert [element.name for element in loading] == ["link", "link", "script"]
    # Fetched early by the one, parsed early by the other: one address, one request
    # (counted in the browser by test_first_view).
    preload, link, script = loading
    for element in (preload, link):
        assert element["href"] == "/static/wagtail_cookie_charter/cookie-charter.css"
    assert preload["rel"] == ["preload"]
    assert link["media"] == "print"
    assert script["src"] == "/static/wagtail_cookie_charter/cookie-charter.js"
    assert script.has_attr("async")
    # Neither asks for more by itself: what only the second layer needs comes with it.
    assert b"@import" not in served("cookie-charter.css")
    assert b"url(" not in served("cookie-charter.css")
    assert not re.search(rb"\bimport\b(?!\()", served("cookie-charter.js"))


@pytest.mark.parametrize("name", sorted(build()))
def test_what_is_served_is_what_is_written(name: str) -> None:
    """A script that nobody can read must be the one that everybody can: run ``make assets``."""
    assert served(name).decode() == build()[name]


def test_nothing_else_is_served() -> None:
    """A file without a source is one that nobody reviews."""
    assert {path.name for path in STATIC.iterdir()} == set(build())


@pytest.mark.parametrize("name", sorted(name for name in build() if name.endswith(".js")))
def test_what_is_served_needs_no_permission(name: str) -> None:
    """R62: neither a strict policy nor Trusted Types stops it."""
    script = served(name)
    # (We take `document.write` away from others; calling it is what needs permission.)
    for forbidden in (b"eval(", b"new Function", b"innerHTML", b"outerHTML", b"document.write("):
        assert forbidden not in script
    assert b"document.writeln(" not in script


@pytest.mark.parametrize(
    ("name", "budget"),
    [("center", 980), ("bootstrap", 1_100), ("unstyled", 700), ("dsfr", 1_250)],
)
def test_each_look_keeps_its_budget(name: str, budget: int) -> None:
    """Whoever chooses another look pays for that look, and for no second one."""
    assert weight(served(f"cookie-charter-{name}.css")) <= budget
