"""What a page view meets: the same bytes for everybody, nothing to query, nothing optional."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings as project
from django.conf.urls.i18n import i18n_patterns
from django.core.cache import caches
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import translation
from django.utils.formats import localize
from wagtail.models import Locale, Site

from tests.factories import make_asking_site, make_charter, make_home, make_settings, row, table
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.consent import digest
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import forget, publish_declarations
from wagtail_cookie_charter.visitor import charter_url, current

# --- A project whose pages hold our tags and nothing that varies by itself ------------

views: list[str] = []


def plain(request: HttpRequest) -> HttpResponse:
    views.append(request.path)
    return render(request, "plain.html")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("missing/", missing),
    *i18n_patterns(path("plain/", plain), prefix_default_language=False),
    *project_urls,
]
without_ours = [pattern for pattern in urlpatterns if "cookie-charter" not in str(pattern.pattern)]

LAYOUT = (
    "{% load cookie_charter %}<!doctype html><html><body>{% cookie_banner %}<main>"
    "{% block content %}{{ page.title }}{% endblock %}</main>"
    "<footer>{% cookie_settings_link %}</footer></body></html>"
)
BARE = "<!doctype html><html><body><main>{{ page.title }}</main></body></html>"
#: Every tag there is, as one template might use them.
EVERY_TAG = (
    "{% load cookie_charter %}{% cookie_banner %}{% cookie_settings_link %}{% cookie_table %}"
    "{% cookie_choices %}{% cookie_contacts %}"
    "{% cookie_consent 'statistics' %}<img src=/pixel>{% endcookie_consent %}"
)


def layout(source: str) -> override_settings:
    """The project's pages, with this in place of its templates."""
    engine = copy.deepcopy(project.TEMPLATES)
    engine[0]["APP_DIRS"] = False
    names = ("base.html", "plain.html", "404.html", "testapp/home_page.html")
    engine[0]["OPTIONS"]["loaders"] = [
        ("django.template.loaders.locmem.Loader", dict.fromkeys(names, source)),
        "django.template.loaders.app_directories.Loader",
    ]
    return override_settings(TEMPLATES=engine, ROOT_URLCONF="tests.test_visitor")


@pytest.fixture(autouse=True)
def our_pages() -> Iterator[None]:
    with layout(LAYOUT):
        yield
    views.clear()


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    """A site with something to ask about: statistics of one provider, media of two."""
    make_home()
    settings = make_asking_site(
        table(row()),
        table(
            row(name="_v", provider="Video Host"),
            row(name="_m", provider="Map Host", party="first"),
            category="media",
        ),
        table(
            row(name="_own", provider="Own", party="first", retention_months=12),
            category="audience",
        ),
    )
    publish_declarations()
    return settings


def html(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    template = engines["django"].from_string("{% load cookie_charter %}" + source)
    return str(template.render(context, request))


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


#: Who comes: somebody new, somebody who refused, who accepted, who chose, and who broke it.
ANSWERS = ["", "1.1.top2v4", "1.1.top2v4.statistics.media", "1.1.top2v4.media+2", "<script>"]


def visitors(site: Site) -> Iterator[Client]:
    for answer in ANSWERS:
        client = Client()
        if answer:
            client.cookies[f"cookie-charter-{site.pk}"] = answer
        yield client


# --- Promise 4: no query, no variation ------------------------------------------------


@pytest.mark.parametrize("address", ["/plain/", "/missing/"])
def test_a_warm_view_of_a_plain_page_queries_nothing(
    client: Client, asking: CookieCharterSettings, address: str
) -> None:
    """Else every page of the site, the 404 included, gets slower with every visitor."""
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(address)
    assert b'id="wcc"' in response.content
    assert [query["sql"] for query in queries] == []


def test_the_first_view_costs_three_queries(client: Client, asking: CookieCharterSettings) -> None:
    """Site, newest declaration, its content: once for each process and publication."""
    caches["default"].clear()
    with CaptureQueriesContext(connection) as queries:
        assert b'id="wcc"' in client.get("/plain/").content
    assert len(queries) == 3, [query["sql"] for query in queries]


def test_a_warm_wagtail_page_gets_no_query_more(
    client: Client, asking: CookieCharterSettings
) -> None:
    counted = []
    for source in (LAYOUT, BARE):
        with layout(source):
            client.get("/")
            with CaptureQueriesContext(connection) as queries:
                response = client.get("/")
            assert (b'id="wcc"' in response.content) is (source is LAYOUT)
            counted.append([re.sub(r"\d{4}-.*?'", "'", query["sql"]) for query in queries])
    assert counted[0] == counted[1]


def test_another_process_learns_of_a_publication_with_one_query(
    client: Client, asking: CookieCharterSettings
) -> None:
    """What is published is in memory: looking again need not load it again."""
    client.get("/plain/")
    publish_declarations()
    with CaptureQueriesContext(connection) as queries:
        client.get("/plain/")
    assert len(queries) == 2, [query["sql"] for query in queries]


def test_a_site_without_anything_to_ask_is_warm_too(client: Client, db: None) -> None:
    """ "Nothing" is an answer that must be remembered like any other."""
    client.get("/plain/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/plain/")
    assert len(queries) == 0


def charter_path(settings: CookieCharterSettings) -> str:
    assert settings.banner is not None
    return str(settings.banner.charter_page.specific.url)


@pytest.mark.parametrize("where", ["page", "plain", "missing", "charter"])
def test_every_visitor_gets_the_same_bytes(asking: CookieCharterSettings, where: str) -> None:
    """R42: the answer of one visitor must never reach another through a cache."""
    address = {
        "page": "/",
        "plain": "/plain/",
        "missing": "/missing/",
        "charter": charter_path(asking),
    }[where]
    responses = [client.get(address) for client in visitors(asking.site)]
    assert b'id="wcc"' in responses[0].content
    assert len({response.content for response in responses}) == 1
    for response in responses:
        assert "Cookie" not in response.get("Vary", "")
        assert not response.cookies
        assert b"csrf" not in response.content.lower()


def test_our_tags_add_no_header(client: Client, asking: CookieCharterSettings) -> None:
    with layout(BARE):
        bare = client.get("/")
    ours = client.get("/")
    assert b'id="wcc"' in ours.content
    bare.headers.pop("Content-Length", None), ours.headers.pop("Content-Length", None)
    assert dict(ours.headers) == dict(bare.headers)


@pytest.mark.parametrize("address", ["/plain/", "/"])
def test_a_cached_page_is_one_object_for_all(asking: CookieCharterSettings, address: str) -> None:
    """Issue: refusing, accepting and new visitors share one object of Django's own cache."""
    with override_settings(
        MIDDLEWARE=[
            "django.middleware.cache.UpdateCacheMiddleware",
            *project.MIDDLEWARE,
            "django.middleware.cache.FetchFromCacheMiddleware",
        ],
        CACHES={
            "default": project.CACHES["default"],
            "pages": {**project.CACHES["default"], "LOCATION": "pages"},
        },
        CACHE_MIDDLEWARE_ALIAS="pages",
    ):
        caches["pages"].clear()
        first, *others = visitors(asking.site)
        page = first.get(address)
        assert b'id="wcc"' in page.content
        with CaptureQueriesContext(connection) as queries:
            for client in others:
                assert client.get(address).content == page.content
        assert len(queries) == 0
    if address == "/plain/":
        assert views == ["/plain/"]


# --- Promise 5: the charter may grow, the page does not -------------------------------


def rows(count: int) -> list[dict[str, Any]]:
    """That many rows of always the same three providers."""
    names = ("One", "Two", "Three")
    return [row(name=f"_row_{place}", provider=names[place % 3]) for place in range(count)]


def without_digest(page: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]{16}", b"", page)


def test_six_rows_and_six_thousand_are_the_same_bytes(client: Client, db: None) -> None:
    """Only the second layer, which few open, may grow with the charter."""
    make_home()
    settings = make_asking_site(table(*rows(6)))
    publish_declarations()
    six = client.get("/plain/").content
    assert settings.banner is not None
    charter = settings.banner.charter_page.specific
    charter.body = [table(*rows(60))]
    charter.save_revision().publish()
    publish_declarations()
    sixty = client.get("/plain/").content

    # Saving six thousand rows is half a minute of Wagtail's time; declare them straight away.
    published = PublishedDeclaration.objects.of_site(settings.site).first()
    assert published is not None
    declaration = published.declaration
    words = declaration.languages["en"]
    many = tuple(replace(words.cookies[i % 60], name=f"_row_{i}") for i in range(6_000))
    declaration = replace(declaration, languages={"en": replace(words, cookies=many)})
    PublishedDeclaration.objects.create(
        site=settings.site,
        number=published.number,
        digest=declaration.digest,
        content=declaration.as_dict(),
    )
    forget()
    six_thousand = client.get("/plain/").content

    assert b"3 third parties" in six
    assert len({six, sixty, six_thousand}) == 3
    assert len(six) == len(sixty) == len(six_thousand)
    assert without_digest(six) == without_digest(sixty) == without_digest(six_thousand)


# --- What is on the page --------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
def test_numbers_for_the_script_are_never_written_for_people(
    client: Client, asking: CookieCharterSettings, language: str
) -> None:
    """A number with a thousands separator is none: nobody's answer would count any more."""
    latest = PublishedDeclaration.objects.get()
    content = {**latest.content, "days": 1000, "news": [[1200, []]]}
    PublishedDeclaration.objects.create(
        site=asking.site, number=1234, digest=digest(content), content=content, asked=latest.asked
    )
    forget()
    with (
        override_settings(USE_THOUSAND_SEPARATOR=True),
        translation.override(language),
        layout(LAYOUT.replace("{% cookie_banner %}", "{% cookie_banner %}{% cookie_choices %}")),
    ):
        assert localize(1234) != "1234"
        response = client.get("/fr/plain/" if language == "fr" else "/plain/")
    soup = BeautifulSoup(response.content, "html.parser")
    section = soup.select_one("#wcc")
    field = soup.select_one("form [name=number]")
    assert section is not None and field is not None
    assert section["data-number"] == field["value"] == "1234"
    assert section["data-since"] == "1200"
    assert section["data-days"] == "1000"


def test_nothing_inline_so_that_a_strict_policy_holds(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R62: works under ``default-src 'self'``: no inline script, style or handler."""
    for address in ("/plain/", charter_path(asking)):
        soup = BeautifulSoup(client.get(address).content, "html.parser")
        assert [script for script in soup("script") if not script.get("src")] == []
        assert soup("style") == []
        for element in soup.find_all(True):
            assert not [name for name in element.attrs if name == "style" or name[:2] == "on"]


def test_the_banner_waits_hidden_and_comes_first(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R21, R71: nothing flashes for who has answered; first in reading order for who has not."""
    soup = BeautifulSoup(client.get("/plain/").content, "html.parser")
    banner = soup.select_one("#wcc")
    assert banner is not None and banner.has_attr("hidden")
    assert soup.body is not None
    assert soup.body.find("section") is banner
    assert not soup.select("input[checked], template, iframe, img")


def test_the_first_layer_names_purposes_and_third_parties_before_its_buttons(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R7, R18: two of the three optional providers are third parties; all purposes are named."""
    soup = BeautifulSoup(client.get("/plain/").content, "html.parser")
    banner = soup.select_one("#wcc")
    assert banner is not None
    text = banner.get_text(" ", strip=True)
    assert "2 third parties" in text
    for title in ("Statistics", "Videos", "Anonymous audience measurement"):
        assert text.index(title) < text.index("Accept all")
    assert "City of Example" in text


def test_a_publication_is_seen_at_the_next_view(
    client: Client, asking: CookieCharterSettings
) -> None:
    assert asking.banner is not None
    assert b"Something new" not in client.get("/plain/").content
    asking.banner.title = "Something new"
    asking.banner.save_revision().publish()
    publish_declarations()
    assert b"Something new" in client.get("/plain/").content


def test_the_notice_speaks_the_pages_language(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R11, R79: French on a French page; where there is no French, marked as English."""
    french = Locale.objects.create(language_code="fr")
    banner = BeautifulSoup(client.get("/fr/plain/").content, "html.parser").select_one("#wcc")
    assert banner is not None
    assert (banner.get("lang"), banner.get("dir")) == ("en", "ltr")
    assert "Accept all" in banner.get_text()

    assert asking.banner is not None
    home = asking.site.root_page.specific.copy_for_translation(french)
    home.save_revision().publish()
    charter = asking.banner.charter_page.specific.copy_for_translation(french)
    charter.title = "Charte cookies"
    charter.save_revision().publish()
    publish_declarations()
    for address in ("/fr/plain/", "/fr/"):
        soup = BeautifulSoup(client.get(address).content, "html.parser")
        banner = soup.select_one("#wcc")
        assert banner is not None
        assert not banner.get("lang") and not banner.get("dir")
        assert "Tout accepter" in banner.get_text()
        links = [link["href"] for link in banner("a")]
        assert links == [charter.get_url()] and str(links[0]).startswith("/fr/")
        assert str(banner["data-preferences"]).endswith("/fr/")
        assert soup.footer is not None and soup.footer.a is not None
        assert soup.footer.a["href"] == f"{links[0]}#wcc-choices"
    assert "Accept all" in client.get("/plain/").content.decode()


def test_an_editors_preview_asks_nobody(asking: CookieCharterSettings, rf: RequestFactory) -> None:
    """An answer given in the preview panel would be the editor's own, in their own cookie."""
    request = rf.get("/")
    request.is_preview = True  # type: ignore[attr-defined]
    assert html("{% cookie_banner %}", request).strip() == ""


# --- Nothing to ask, or nobody to ask -------------------------------------------------


def nothing_asked(client: Client, link: bool = False) -> None:
    response = client.get("/plain/")
    assert response.status_code == 200
    content = response.content.decode()
    assert "wcc" not in content.replace("#wcc-choices", "") and "<script" not in content
    assert ("#wcc-choices" in content) is link
    request = RequestFactory().get("/")
    assert "<template" in html(EVERY_TAG, request)


def test_without_a_site_nothing_is_rendered(client: Client, db: None) -> None:
    Site.objects.all().delete()
    nothing_asked(client)


def test_without_a_banner_nothing_is_rendered(client: Client, db: None) -> None:
    make_charter(table(), parent=make_home())
    make_settings()
    publish_declarations()
    nothing_asked(client)


def test_with_nothing_optional_there_is_no_banner(client: Client, db: None) -> None:
    """R26: and the charter can still be reached."""
    make_home()
    make_asking_site(table(row(name="sessionid"), category="necessary"))
    publish_declarations()
    nothing_asked(client, link=True)


def test_what_is_merely_opt_out_gets_no_banner_but_a_choice(client: Client, db: None) -> None:
    """R3, R4, R26: exempt measurement needs no consent, and can be switched off."""
    make_home()
    make_asking_site(table(row(retention_months=12), category="audience"))
    publish_declarations()
    soup = BeautifulSoup(client.get("/plain/").content, "html.parser")
    found = soup.select_one("#wcc")
    assert found is not None
    assert found.get_text(strip=True) == "" and not found("button")
    assert found["data-opt-out"] == "audience" and not found.get("data-consent")
    assert soup.footer is not None and soup.footer.select("[data-cookie-charter-open]")


def test_without_our_addresses_nothing_is_asked(
    client: Client, asking: CookieCharterSettings
) -> None:
    """A banner whose answer nobody takes would be a wall."""

    class Bare:
        pass

    Bare.urlpatterns = without_ours  # type: ignore[attr-defined]
    with override_settings(ROOT_URLCONF=Bare):
        nothing_asked(client, link=True)


def test_a_host_that_is_not_ours_breaks_nothing(
    asking: CookieCharterSettings, rf: RequestFactory, settings: Any
) -> None:
    """The project's own error page may hold our tags."""
    settings.ALLOWED_HOSTS = ["testserver"]
    request = rf.get("/", headers={"host": "evil.example"})
    for tag in ("{% cookie_banner %}", "{% cookie_settings_link %}", "{% cookie_table %}"):
        assert html(tag, request).strip() == ""
    assert "<template" in html(EVERY_TAG, request)


def test_without_a_request_nothing_is_asked(asking: CookieCharterSettings) -> None:
    """A page rendered to a file or an e-mail."""
    assert "wcc-" not in html("{% cookie_banner %}{% cookie_settings_link %}{% cookie_table %}")
    gated = html("{% cookie_consent 'statistics' %}x{% endcookie_consent %}")
    assert gated == '<template data-cookie-charter="">x</template>'


def test_sites_that_share_a_host_name_are_told_apart(asking: CookieCharterSettings) -> None:
    """By their ports, as Wagtail does; and of two with one root page, each has its own address."""
    first = asking.site
    other = Site.objects.create(hostname="b.example", port=8080, root_page=first.root_page)
    banner = asking.banner
    assert banner is not None
    make_settings(other, banner=banner)
    same = Site.objects.create(hostname="b.example", port=8081, root_page=first.root_page)
    make_settings(same, banner=banner)
    publish_declarations()
    for site in (other, same):
        request = RequestFactory().get("/", headers={"host": "b.example"}, SERVER_PORT=site.port)
        found = current(request)
        assert found is not None and found.site_id == site.pk
        assert charter_url(request).startswith("/")
