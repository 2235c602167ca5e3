"""``declaration.json``: what a front end that renders its own pages gets to know (issue 3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.db import connection
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from wagtail.models import Locale, Site

from tests.answers import post
from tests.factories import make_asking_site, make_home, make_site, row, table
from wagtail_cookie_charter import checks
from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations

URL = "/cookie-charter/declaration.json"
FRONT = "https://www.front.example"


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    """English and French, three grounds, two providers of media."""
    home = make_home()
    settings = make_asking_site(
        table(
            row(name="sessionid", provider="City", party="first", duration={"kind": "session"}),
            category="necessary",
        ),
        table(
            row(domain="measure.example", controller="Measure Inc.", last_checked="2026-01-31"),
            row(name="measure.*", storage="local", duration={"kind": "persistent"}),
        ),
        table(
            row(name="_v", provider="Video Host", transfer="Canada"),
            row(name="_m", provider="Map Host"),
            category="media",
        ),
        table(row(name="_own", provider="Own", retention_months=12), category="audience"),
    )
    french = Locale.objects.create(language_code="fr")
    home.copy_for_translation(french).save_revision().publish()
    assert settings.banner is not None
    charte = settings.banner.charter_page.specific.copy_for_translation(french)
    charte.title = "Charte cookies"
    for child in charte.body:
        for one in child.value["cookies"]:
            one["purpose"] = "Compte les lectures."
    charte.save_revision().publish()
    publish_declarations()
    return settings


def get(client: Client, language: str = "", **headers: str) -> Any:
    data = {"language": language} if language else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(URL, data, headers=named)


def named(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [one for one in rows if one["name"] == name]
    return found


# --- What it says ---------------------------------------------------------------------


def test_the_address_is_ours() -> None:
    assert reverse("cookie_charter:declaration") == URL


def test_it_says_what_is_in_force(client: Client, asking: CookieCharterSettings) -> None:
    found = get(client, "en").json()
    published = PublishedDeclaration.objects.get()
    assert (found["number"], found["asked_since"]) == (1, 1)
    assert found["digest"] == published.digest
    assert found["version"].startswith(published.digest[:16] + "-")
    assert (found["language"], found["languages"]) == ("en", ["en", "fr"])
    name = f"cookie-charter-{asking.site_id}"
    assert found["cookie"] == {"name": name, "name_over_https": f"__Host-{name}", "days": 182}


def test_it_says_what_is_asked(client: Client, asking: CookieCharterSettings) -> None:
    found = get(client, "en").json()
    categories = {one["key"]: one for one in found["categories"]}
    assert {key: (one["ground"], one["optional"]) for key, one in categories.items()} == {
        "necessary": ("exempt", False),
        "audience": ("opt_out", True),
        "statistics": ("consent", True),
        "media": ("consent", True),
    }
    assert categories["media"]["title"] == "Videos, maps and other content from elsewhere"
    assert categories["media"]["summary"]
    providers = {one["name"]: one for one in found["providers"]}
    video, maps = providers["Video Host"], providers["Map Host"]
    assert categories["media"]["providers"] == [video["number"], maps["number"]]
    # What it calls the code is what `decide` takes.
    assert post(client, {"decision": f"1.1.0.media+{video['code']}"}).status_code == 200
    assert post(client, {"decision": "1.1.0.media+zz"}).status_code == 400


def test_it_says_all_of_a_row(client: Client, asking: CookieCharterSettings) -> None:
    """R1: and durations as numbers, which a front end can compare and word by itself."""
    found = get(client, "en").json()
    measure = next(one for one in found["providers"] if one["name"] == "Example Measurement")
    assert named(found["rows"], "_measure") == {
        "name": "_measure",
        "category": "statistics",
        "storage": "cookie",
        "provider": "Example Measurement",
        "provider_number": measure["number"],
        "service": "Statistics (front office)",
        "purpose": "Counts how often each page is read.",
        "duration": {"kind": "fixed", "value": 6, "unit": "month"},
        "duration_text": "6 months",
        "party": "third",
        "domain": "measure.example",
        "controller": "Measure Inc.",
        "country": "",
        "policy_url": "",
        "recipients": "",
        "transfer": "",
        "safeguard": "",
        "ground": "",
        "reason": "",
        "retention_months": None,
        "opt_out": "",
        "last_checked": "2026-01-31",
        "language": "en",
    }
    for name, kind in (("sessionid", "session"), ("measure.*", "persistent")):
        one = named(found["rows"], name)
        assert one["duration"] == {"kind": kind, "value": None, "unit": None}
        assert one["duration_text"]
    # R2: our own cookie is declared like any other.
    assert named(found["rows"], found["cookie"]["name"])["category"] == "necessary"


def test_it_speaks_the_language_it_is_asked_for(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R79: words, texts of the banner, durations."""
    response = get(client, "fr", accept_language="en")
    found = response.json()
    assert response["Content-Language"] == found["language"] == found["rows_language"] == "fr"
    measure = named(found["rows"], "_measure")
    assert measure["purpose"] == "Compte les lectures."
    assert measure["duration_text"] == "6 mois"
    assert found["texts"]["accept_label"] == "Tout accepter"
    assert found["texts"]["charter_title"] == "Charte cookies"
    assert "Tout accepter" in found["banner"] and "Accept all" not in found["banner"]
    assert translation.get_language() == "en"


def test_without_a_language_nothing_is_guessed(
    client: Client, asking: CookieCharterSettings
) -> None:
    """One cached object serves everybody: neither a browser's languages nor a cookie count."""
    client.cookies["django_language"] = "fr"
    assert get(client, accept_language="fr").json()["language"] == "en"


def test_addresses_are_absolute_and_lead_somewhere(
    client: Client, asking: CookieCharterSettings
) -> None:
    for language, charter in (("en", "/cookie-charter/"), ("fr", "/fr/")):
        urls = get(client, language).json()["urls"]
        assert set(urls) == {"decide", "preferences", "charter", "privacy"}
        assert urls["privacy"] == ""
        for name in ("decide", "preferences", "charter"):
            assert urls[name].startswith("http://testserver/")
        assert charter in urls["charter"]
        assert client.get(urls["preferences"]).status_code == 200
        assert client.get(urls["charter"]).status_code == 200
        assert urls["decide"].endswith(f"/decide/?language={language}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_banner_is_what_the_tag_renders(
    client: Client, rf: RequestFactory, asking: CookieCharterSettings, language: str
) -> None:
    template = engines["django"].from_string("{% load cookie_charter %}{% cookie_banner %}")
    with translation.override(language):
        rendered = template.render({}, rf.get("/"))
    assert 'id="wcc"' in rendered
    assert get(client, language).json()["banner"] == rendered


def test_where_nothing_is_optional_there_is_no_banner(client: Client, db: None) -> None:
    """R26: still a declaration, and nothing to ask."""
    make_home()
    settings = make_asking_site(table(row(name="sessionid"), category="necessary"))
    publish_declarations()
    found = get(client).json()
    assert found["banner"] == ""
    assert named(found["rows"], "sessionid")
    assert found["cookie"]["name"] == f"cookie-charter-{settings.site_id}"


def test_each_site_has_its_own(client: Client, asking: CookieCharterSettings) -> None:
    second = make_site("second.example")
    make_asking_site(table(row(name="_ad", provider="Ads"), category="marketing"), site=second)
    publish_declarations()
    found = client.get(URL, headers={"host": "second.example"}).json()
    assert "_ad" in [one["name"] for one in found["rows"]]
    assert "_measure" not in [one["name"] for one in found["rows"]]
    assert found["urls"]["decide"].startswith("http://second.example/")
    assert "_ad" not in [one["name"] for one in get(client).json()["rows"]]


# --- What is not there ----------------------------------------------------------------


def refused(response: Any) -> str:
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert set(response.json()) == {"error"}
    return str(response.json()["error"])


@pytest.mark.parametrize("language", ["de", "fr-CA", "EN", "../en", "\x00", "é" * 500])
def test_an_unknown_language_is_not_found(
    client: Client, asking: CookieCharterSettings, language: str
) -> None:
    """Another language than the one asked for would be shown as if it were that one."""
    assert refused(get(client, language)) == "There is no such declaration."


def test_where_nothing_was_declared_there_is_nothing(client: Client, db: None) -> None:
    make_home()
    refused(get(client))
    refused(get(client, "en"))


def test_a_charter_that_was_withdrawn_is_not_shown_any_more(
    client: Client, asking: CookieCharterSettings
) -> None:
    assert asking.banner is not None
    for page in asking.banner.charter_page.get_translations(inclusive=True):
        page.unpublish()
    publish_declarations()
    for language in ("", "en", "fr"):
        refused(get(client, language))


def test_where_there_is_no_site_there_is_nothing(
    client: Client, asking: CookieCharterSettings
) -> None:
    Site.objects.update(is_default_site=False, hostname="elsewhere.example")
    assert refused(get(client)) == "There is no site at this address."


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_it_can_only_be_read(client: Client, asking: CookieCharterSettings, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405


def test_head_is_get_without_the_content(client: Client, asking: CookieCharterSettings) -> None:
    head = client.head(URL)
    assert head.status_code == 200 and head.content == b""
    assert head["ETag"] == get(client)["ETag"]


# --- Caching --------------------------------------------------------------------------


def test_one_copy_serves_everybody(client: Client, asking: CookieCharterSettings) -> None:
    """Promise 7: nobody's cookie is read, nobody's set, no session opened."""
    first = get(client, "en")
    client.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    client.cookies[f"cookie-charter-{asking.site_id}"] = "1.1.0.media"
    second = get(client, "en", accept_language="fr")
    assert first.content == second.content
    assert first["Cache-Control"] == "public, max-age=300"
    assert not first.cookies and not second.cookies
    vary = {name.strip() for name in first.get("Vary", "").split(",") if name}
    # Accept-Language is what Django's LocaleMiddleware says of every address without a prefix.
    assert vary <= {"Accept-Language"}
    assert Session.objects.count() == 0


def test_it_costs_no_query_when_warm(client: Client, asking: CookieCharterSettings) -> None:
    """Every page of a front end may ask for it."""
    get(client, "fr")
    with CaptureQueriesContext(connection) as queries:
        assert get(client, "fr").status_code == 200
    assert [query["sql"] for query in queries] == []


def test_what_is_known_is_not_sent_again(client: Client, asking: CookieCharterSettings) -> None:
    etag = get(client, "en")["ETag"]
    again = get(client, "en", if_none_match=etag)
    assert again.status_code == 304 and again.content == b""
    assert again["ETag"] == etag
    assert again["Cache-Control"] == "public, max-age=300"
    assert get(client, "en", if_none_match='"other"').status_code == 200
    assert get(client, "fr", if_none_match=etag).status_code == 200


def test_another_declaration_is_another_copy(client: Client, asking: CookieCharterSettings) -> None:
    etag = get(client, "en")["ETag"]
    assert asking.banner is not None
    asking.banner.accept_label = "Allow everything"
    asking.banner.save_revision().publish()
    publish_declarations()
    assert get(client, "en", if_none_match=etag).status_code == 200
    # As is the same one with another banner around it.
    etag = get(client, "en")["ETag"]
    with override_settings(STATIC_URL="https://cdn.example/"):
        moved = get(client, "en", if_none_match=etag)
    assert moved.status_code == 200
    assert "https://cdn.example/" in moved.json()["banner"]


# --- CORS -----------------------------------------------------------------------------


def cors(origins: Any) -> override_settings:
    return override_settings(WAGTAIL_COOKIE_CHARTER={"CORS_ORIGINS": origins})


ALLOW = "Access-Control-Allow-Origin"


def test_by_default_no_other_origin_reads_it(client: Client, asking: CookieCharterSettings) -> None:
    response = get(client, origin=FRONT)
    assert ALLOW not in response
    assert "Origin" not in response.get("Vary", "")


def test_the_origins_of_the_list_read_it(client: Client, asking: CookieCharterSettings) -> None:
    with cors([FRONT, "http://localhost:3000"]):
        for origin in (FRONT, "http://localhost:3000"):
            response = get(client, origin=origin)
            assert response[ALLOW] == origin
            assert "Origin" in response["Vary"]
        for stranger in ("https://evil.example", f"{FRONT}.evil.example", "null", ""):
            response = get(client, origin=stranger)
            assert ALLOW not in response
            # Or a cache would hand this copy to the front end, which could not read it.
            assert "Origin" in response["Vary"]
        assert "Access-Control-Allow-Credentials" not in get(client, origin=FRONT)


def test_a_star_is_for_all_and_varies_nothing(
    client: Client, asking: CookieCharterSettings
) -> None:
    with cors("*"):
        response = get(client, origin="https://anybody.example")
    assert response[ALLOW] == "*"
    assert "Origin" not in response.get("Vary", "")
    assert "Access-Control-Allow-Credentials" not in response


def test_a_front_end_can_read_why_it_got_nothing(
    client: Client, asking: CookieCharterSettings
) -> None:
    with cors([FRONT]):
        response = get(client, "de", origin=FRONT)
        assert refused(response) and response[ALLOW] == FRONT
        etag = get(client)["ETag"]
        again = get(client, origin=FRONT, if_none_match=etag)
    assert again.status_code == 304
    assert again[ALLOW] == FRONT and "Origin" in again["Vary"]


def test_answers_are_taken_from_no_other_origin_all_the_same(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Reading is one thing; another site must never answer for its visitors."""
    with cors([FRONT]):
        response = post(
            client, {"decision": "1.1.0.media"}, sec_fetch_site="cross-site", origin=FRONT
        )
    assert response.status_code == 403 and not response.cookies
    assert ALLOW not in response


@pytest.mark.parametrize(
    "wrong",
    [
        "https://www.front.example",
        ["https://www.front.example/"],
        ["https://www.front.example/path"],
        ["HTTPS://www.front.example"],
        ["https://WWW.front.example"],
        ["www.front.example"],
        ["ftp://front.example"],
        ["*"],
        ["https://*.front.example"],
        ["null"],
        [None],
        [["https://www.front.example"]],
        True,
        None,
        {"https://www.front.example": True},
    ],
)
def test_e007_what_is_no_origin_is_reported_and_allows_nobody(
    client: Client, asking: CookieCharterSettings, wrong: Any
) -> None:
    with cors(wrong):
        (message,) = checks.check_cors_origins()
        assert message.id == "wagtail_cookie_charter.E007"
        assert message.hint
        assert "wagtail_cookie_charter.E007" in {found.id for found in run_checks()}
        assert conf.cors_origins == frozenset()
        assert ALLOW not in get(client, origin=FRONT)


@pytest.mark.parametrize(
    "right",
    [
        (),
        "*",
        [FRONT],
        (FRONT, "http://localhost:3000"),
        {"http://[::1]:8000"},
        ["https://xn--t-bga.example"],
    ],
)
def test_e007_what_is_right_is_not_reported(right: Any) -> None:
    with cors(right):
        assert checks.check_cors_origins() == []
        assert conf.cors_origins == frozenset(right)


# --- The recipe of docs/developers.md, without a browser ------------------------------


def test_a_static_page_made_of_it_takes_an_answer(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Its banner names addresses that its host hands on to us; the answer is kept there."""
    declaration = get(client, "fr").json()
    page = f"<!doctype html><html lang='fr'><body>{declaration['banner']}<h1>Statique</h1>"
    for address in ("/static/wagtail_cookie_charter/cookie-charter.js", "/cookie-charter/decide/"):
        assert f'"{address}' in page
    answer = f"{declaration['number']}"
    response = client.post(
        "/cookie-charter/decide/?language=fr",
        json.dumps({"decision": f"1.{answer}.0.media"}),
        content_type="application/json",
        headers={
            "host": "www.front.example",
            "origin": "http://www.front.example",
            "sec-fetch-site": "same-origin",
        },
    )
    assert response.status_code == 200
    kept = response.cookies[declaration["cookie"]["name"]].value
    assert kept.partition("*")[0].endswith(".media")
