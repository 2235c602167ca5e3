"""A declaration that cannot be read opens nothing, and is told to whoever can mend it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.answers import ask, assert_refused, latest, post, value
from tests.counted import administrator, count, event, signed_in
from tests.factories import table
from tests.ledger import charter_of, publish
from wagtail_cookie_charter import advice, visitor
from wagtail_cookie_charter.consent import digest
from wagtail_cookie_charter.middleware import CookieCharterMiddleware
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterPage,
    CookieCharterSettings,
    PublishedDeclaration,
)
from wagtail_cookie_charter.models.ledger import load_declaration
from wagtail_cookie_charter.publishing import forget, publish_declarations

LOGGER = "wagtail_cookie_charter.models.ledger"


def spoil(content: Any) -> PublishedDeclaration:
    """Behind the ledger's back."""
    wrong = latest()
    stored: Any = QuerySet(PublishedDeclaration).filter(pk=wrong.pk)
    assert stored.update(content=content, digest=digest(content)) == 1
    forget()
    return wrong


@pytest.fixture(params=[{"x": 1}, [], {"site": 1, "categories": [["media", "no ground"]]}], ids=str)
def wrong(db: None, request: pytest.FixtureRequest) -> PublishedDeclaration:
    ask()
    event(latest(), "media")
    count(latest(), "media", 3)
    return spoil(request.param)


@pytest.fixture
def admin(wrong: PublishedDeclaration) -> Client:
    return signed_in(administrator())


def told(response: Any, wrong: PublishedDeclaration) -> bool:
    """Which it is, and what to do."""
    html = response.content.decode()
    return f"no. {wrong.pk} cannot be read" in html and "verify_cookie_ledger" in html


def test_visitors_are_not_asked_and_nothing_optional_runs(
    client: Client, wrong: PublishedDeclaration, caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 2: when in doubt, not granted."""
    client.cookies[f"cookie-charter-{wrong.site_id}"] = value("media", "statistics")
    with caplog.at_level(logging.ERROR):
        for _again in range(3):
            response = client.get("/")
            assert response.status_code == 200
            html = response.content.decode()
            assert "wcc-banner" not in html and "data-cookie-charter-decide" not in html
    (said,) = [record for record in caplog.records if record.name == LOGGER]
    assert said.levelname == "ERROR" and f"no. {wrong.pk}" in said.getMessage()


@pytest.mark.parametrize("name", ["declaration", "in_force"])
def test_programs_are_told_that_there_is_none(
    client: Client, wrong: PublishedDeclaration, name: str
) -> None:
    assert client.get(reverse(f"cookie_charter:{name}")).status_code == 404


def test_a_visitors_own_record_has_nothing_to_show(
    client: Client, wrong: PublishedDeclaration
) -> None:
    client.cookies[f"cookie-charter-{wrong.site_id}"] = value("media")
    assert client.get(reverse("cookie_charter:record")).status_code == 200


def test_an_answer_from_an_older_page_comes_again_later(
    client: Client, wrong: PublishedDeclaration
) -> None:
    response = post(client, {"decision": value("media")})
    assert_refused(response, 503)
    assert response["Retry-After"]


def test_an_address_that_is_no_digest_is_not_looked_up(client: Client, db: None) -> None:
    """PostgreSQL takes no NUL, and answers a look-up of one with an error."""
    ask()
    client.get("/")
    with CaptureQueriesContext(connection) as queries:
        response = client.get(f"/cookie-charter/preferences/{'%00' * 16}/en/")
    assert response.status_code == 404
    assert not [one for one in queries if "publisheddeclaration" in one["sql"]]


def test_an_older_page_finds_no_second_layer(client: Client, wrong: PublishedDeclaration) -> None:
    part = f"{digest({'x': 1})[:16]}-1"
    stored: Any = QuerySet(PublishedDeclaration).get(pk=wrong.pk)
    part = f"{stored.digest[:16]}-1"
    assert client.get(reverse("cookie_charter:preferences", args=[part, "en"])).status_code == 404


@pytest.mark.urls("tests.test_well_known")
def test_nothing_is_promised(client: Client, wrong: PublishedDeclaration) -> None:
    assert client.get("/.well-known/gpc.json").status_code == 404


def test_the_server_sets_nothing_that_may_be_optional(wrong: PublishedDeclaration) -> None:
    """What was exempt is not known either."""

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        for name in ("_stat_1", "csrftoken", "unknown"):
            response.set_cookie(name, "1")
        return response

    request = RequestFactory(headers={"host": "localhost"}).get("/")
    response = CookieCharterMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    assert set(response.cookies) == {"csrftoken"}


def test_the_admins_home_and_the_report_say_which(
    admin: Client, wrong: PublishedDeclaration
) -> None:
    assert told(admin.get(reverse("wagtailadmin_home")), wrong)
    response = admin.get(reverse("cookie_charter_report:index"))
    assert told(response, wrong)
    # Nobody knows what these answers came to.
    assert response.context["total"] == 0


def test_the_report_says_it_before_anybody_answered(db: None) -> None:
    ask()
    wrong = spoil({"x": 1})
    admin = signed_in(administrator())
    assert told(admin.get(reverse("cookie_charter_report:index")), wrong)


def test_the_reports_spreadsheet_has_what_can_be_read(
    admin: Client, wrong: PublishedDeclaration
) -> None:
    response = admin.get(reverse("cookie_charter_report:index"), {"export": "csv"})
    assert len(b"".join(response).splitlines()) == 1


def test_its_own_page_and_what_it_changed_say_so(
    admin: Client, wrong: PublishedDeclaration
) -> None:
    index = admin.get(reverse("cookie_declarations:index"))
    inspect = reverse("cookie_declarations:inspect", args=[wrong.pk])
    assert index.status_code == 200 and inspect in index.content.decode()
    assert told(admin.get(inspect), wrong)
    assert told(admin.get(reverse("cookie_declarations:difference")), wrong)


def test_a_receipt_and_the_register_say_so(admin: Client, wrong: PublishedDeclaration) -> None:
    url = reverse("cookie_charter_report:records")
    for part in ("receipt", "receipt_jsonld"):
        data = {"part": part, "receipt-receipt": "0123456789ab"}
        assert told(admin.post(url, data), wrong)
    data = {
        "part": "register",
        "register-site": str(wrong.site_id),
        "register-language": "en",
        "register-format": "csv",
    }
    assert told(admin.post(url, data), wrong)


@pytest.mark.parametrize("part", [["register"], ["receipt", "0123456789ab"]])
def test_the_command_says_so(wrong: PublishedDeclaration, part: list[str]) -> None:
    with pytest.raises(CommandError, match=rf"no\. {wrong.pk} cannot be read"):
        call_command("export_cookie_records", *part)
    with pytest.raises(CommandError, match=rf"no\. {wrong.pk}\b"):
        call_command("verify_cookie_ledger")


def test_answers_and_declarations_can_still_be_taken_out(
    wrong: PublishedDeclaration, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("events", "declarations"):
        call_command("export_cookie_records", part)
        assert json.loads(capsys.readouterr().out)


def test_nobody_is_asked_again_by_what_is_not_known(
    admin: Client, wrong: PublishedDeclaration
) -> None:
    """Numbers of providers hang on it: another one in its place would open what was refused."""
    url = reverse("cookie_charter_admin:ask_again")
    assert told(admin.post(url, {"site": wrong.site_id, "reason": "Why"}), wrong)
    settings = CookieCharterSettings.objects.get()
    publish(settings, table())
    publish_declarations()
    assert latest().pk == wrong.pk
    assert charter_of(settings).live


def test_an_editor_can_preview_and_publish_what_mends_it(
    wrong: PublishedDeclaration,
) -> None:
    charter = CookieCharterPage.objects.get()
    assert charter.make_preview_request().status_code == 200
    banner = ConsentBanner.objects.get()
    assert banner.make_preview_request().status_code == 200
    (sentence,) = advice.on_charter(charter)
    assert f"no. {wrong.pk} cannot be read" in sentence


def test_what_the_cache_knows_and_the_database_does_not_is_unreadable(
    db: None, rf: RequestFactory
) -> None:
    """Promise 2: a database that was restored, or that lags behind, lets nothing through."""
    ask()
    assert visitor.current(rf.get("/")) is not None
    stored: Any = QuerySet(PublishedDeclaration).all()
    stored._raw_delete(stored.db)
    load_declaration.cache_clear()
    request = rf.get("/")
    assert visitor.current(request) is None and visitor.unreadable(request)
