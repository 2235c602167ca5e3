"""The server sets no cookie that the visitor has not granted, whoever sets it.

Each test proves both directions, not before and yes after, over WSGI and over ASGI.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from http.cookies import Morsel
from typing import Any

import pytest
from django.conf import settings as project
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from tests.answers import ask_instead, code_of, post, value
from tests.factories import make_home, row, table
from tests.middleware.project import (
    FETCH,
    OURS,
    REST,
    TRACKER,
    UPDATE,
    cached,
    get,
    in_both_orders,
    names,
    personal,
    ran,
    varies,
    visitor,
)
from wagtail_cookie_charter import checks, middleware
from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.middleware import CookieCharterMiddleware, UndeclaredCookie
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations

# --- Setting cookies ------------------------------------------------------------------

SETTERS = [
    "/sets/",
    "/sets-async/",
    "/sets-streaming/",
    "/sets-streaming-async/",
    "/sets-error/",
    "/sets-redirect/",
]


@pytest.mark.parametrize("address", SETTERS)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_declared_cookie_is_set_after_consent_and_not_before(
    kind: Any, asking: CookieCharterSettings, address: str
) -> None:
    """Promise 3: what was refused cannot be set, not even by the server."""
    address += "?set=_stat_1&set=_one"
    for client, expected in (
        (kind(), []),
        (visitor(kind, asking), []),
        (visitor(kind, asking, cookie="<script>"), []),
        (visitor(kind, asking, "media"), ["_one"]),
        (visitor(kind, asking, "statistics"), ["_stat_1"]),
        (visitor(kind, asking, "statistics", "media"), ["_stat_1", "_one"]),
    ):
        response = get(client, address)
        assert names(response) == expected
        assert personal(response)


@pytest.mark.parametrize("address", ["/silent/", "/missing/", "/breaks/"])
def test_whoever_sets_it(kind: Any, asking: CookieCharterSettings, address: str) -> None:
    """Somebody else's middleware, below ours, also where the view fails."""
    # Over ASGI, Django renders its 404 page in a thread that does not see a test's database.
    get(kind(), "/asks/")
    with override_settings(MIDDLEWARE=[OURS, TRACKER, *REST]):
        refused = get(kind(raise_request_exception=False), address)
        granted = get(visitor(kind, asking, "statistics"), address)
    assert refused.status_code == granted.status_code
    assert names(refused) == []
    assert names(granted) == ["_stat_tracker"]
    assert personal(refused) and personal(granted)


def test_one_row_that_is_granted_is_enough(kind: Any, asking: CookieCharterSettings) -> None:
    """``_shared`` is declared for statistics and for Video One."""
    one, two = code_of("video-one"), code_of("video-two")
    for grants, expected in (
        ((), []),
        ((f"media+{two}",), []),
        ((f"media+{one}",), ["_shared"]),
        ((f"media-{two}",), ["_shared"]),
        (("statistics",), ["_shared"]),
    ):
        assert names(get(visitor(kind, asking, *grants), "/sets/?set=_shared")) == expected


def test_one_row_that_is_exempt_is_enough_too_and_varies_nothing(
    asking: CookieCharterSettings,
) -> None:
    ask_instead(
        asking,
        table(row(name="_both", provider="City"), category="necessary"),
        table(row(name="_both"), row(name="_bo*", provider="Other"), category="statistics"),
    )
    response = Client().get("/sets/?set=_both")
    assert names(response) == ["_both"] and not varies(response)
    assert names(Client().get("/sets/?set=_boy")) == []


def test_a_row_of_other_storage_is_no_cookie(
    asking: CookieCharterSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """``_kept`` is declared in local storage: as a cookie it is undeclared."""
    response = Client().get("/sets/?set=_kept")
    assert names(response) == ["_kept"] and not varies(response)
    assert "'_kept'" in caplog.text


def test_exempt_measurement_is_set_until_it_is_refused(
    kind: Any, asking: CookieCharterSettings
) -> None:
    """R3, R4."""
    for client, expected in (
        (kind(), ["_own"]),
        (visitor(kind, asking, "audience"), ["_own"]),
        (visitor(kind, asking), []),
    ):
        response = get(client, "/sets/?set=_own")
        assert names(response) == expected
        assert personal(response)


@pytest.mark.parametrize("undeclared", ["log", "drop", "raise"])
def test_djangos_and_our_own_are_never_touched(
    kind: Any, asking: CookieCharterSettings, settings: Any, undeclared: str
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": undeclared}
    settings.CSRF_COOKIE_NAME = "our_csrf"
    settings.DEBUG = True
    ours = [f"{prefix}cookie-charter-{asking.site_id}" for prefix in ("", "__Host-")]
    expected = ["sessionid", "our_csrf", project.LANGUAGE_COOKIE_NAME, "messages", *ours]
    query = "&".join(f"set={name}" for name in expected)
    response = get(visitor(kind, asking), f"/sets/?{query}")
    assert names(response) == expected
    assert not varies(response)


def test_an_answer_and_the_deletions_that_come_with_it_arrive(
    asking: CookieCharterSettings, settings: Any
) -> None:
    """R49: our own endpoint, under the strictest setting."""
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": "drop"}
    client = Client()
    client.cookies["_stat_1"] = "x"
    with override_settings(MIDDLEWARE=REST):
        bare = post(client, {"decision": value("media")})
    client.cookies["_stat_1"] = "x"
    response = post(client, {"decision": value("media")})
    assert names(response) == names(bare)
    assert {"_stat_1", f"cookie-charter-{asking.site_id}"} <= set(names(response))


def test_deletions_pass(kind: Any, asking: CookieCharterSettings, settings: Any) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": "drop"}
    response = get(visitor(kind, asking), "/sets/?delete=_stat_1&delete=unknown")
    assert names(response) == ["_stat_1", "unknown"]
    assert not varies(response)


OLD = datetime(2001, 1, 1, tzinfo=timezone.utc)
COMING = datetime(2090, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("arguments", "deletes"),
    [
        ({}, False),
        ({"max_age": 0}, True),
        ({"max_age": -5}, True),
        ({"max_age": 60}, False),
        ({"expires": OLD}, True),
        ({"expires": COMING}, False),
        ({"expires": "Mon, 01 Jan 2001 00:00:00 GMT"}, True),
        # A browser keeps this one: Max-Age comes first.
        ({"max_age": 60, "expires": "Mon, 01 Jan 2001 00:00:00 GMT"}, False),
        ({"expires": "whenever"}, False),
        ({"value": ""}, False),
        ({"value": "; Max-Age=0"}, False),
    ],
)
def test_only_what_a_browser_takes_for_a_deletion_is_one(
    arguments: dict[str, Any], deletes: bool
) -> None:
    """RFC 6265, 5.3. Whatever else calls itself one would be a way round the charter."""
    response = HttpResponse()
    response.set_cookie("_stat_1", **arguments)
    assert (middleware.set_cookies(response) == []) is deletes


def test_a_cookie_under_another_key_is_known_by_its_name(rf: RequestFactory, asking: Any) -> None:
    """As several deletions of one name are kept."""
    morsel: Morsel[str] = Morsel()
    morsel.set("_stat_1", "1", "1")

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        dict.__setitem__(response.cookies, "something;else", morsel)
        return response

    respond: Any = CookieCharterMiddleware(view)
    assert not respond(rf.get("/")).cookies
    granted = rf.get("/")
    granted.COOKIES[f"cookie-charter-{asking.site_id}"] = value("statistics")
    assert respond(granted).cookies


@pytest.mark.parametrize(
    ("raw", "stays"),
    [
        ("_stat_1=x; Path=/", False),
        ("_stat_1=x; Path=/; max-age=60", False),
        ("_stat_1=; Max-Age=0", True),
        ("_stat_1=; Expires=Mon, 01 Jan 2001 00:00:00 GMT", True),
        ("sessionid=x; Path=/", True),
    ],
)
def test_a_header_written_by_hand_is_a_cookie_too(
    kind: Any, asking: CookieCharterSettings, raw: str, stays: bool
) -> None:
    """``response.headers["Set-Cookie"]`` goes out as it is."""
    address = f"/sets/?set=_own&raw={raw.replace(';', '%3B')}"
    assert get(visitor(kind, asking), address).headers.get("Set-Cookie") == (raw if stays else None)
    assert get(visitor(kind, asking, "statistics"), address).headers["Set-Cookie"] == raw


def test_no_cache_gives_a_refused_cookie_to_anybody(
    kind: Any, asking: CookieCharterSettings, order: None
) -> None:
    visitors = [(visitor(kind, asking, "statistics"), ["_stat_1"]), (kind(), [])]
    for address in ("/sets/?set=_stat_1", "/sets-cached/?set=_stat_1"):
        for coming in in_both_orders(visitors):
            for client, expected in coming:
                response = get(client, address)
                assert names(response) == expected, address
                assert personal(response), address


@pytest.mark.parametrize("layout", [[UPDATE, OURS, *REST, FETCH], [UPDATE, *REST, FETCH, OURS]])
def test_below_the_cache_nothing_is_stored_that_sets_optional_cookies(
    kind: Any, asking: CookieCharterSettings, layout: list[str]
) -> None:
    with cached(*layout):
        for client in (visitor(kind, asking, "statistics"), kind(), kind()):
            get(client, "/sets/?set=_stat_1")
        assert len(ran) == 3
        get(kind(), "/silent/"), get(kind(), "/silent/")
        assert len(ran) == 4


# --- Undeclared cookies ---------------------------------------------------------------


def test_undeclared_cookies_are_sent_and_logged_once(
    kind: Any, asking: CookieCharterSettings, caplog: pytest.LogCaptureFixture
) -> None:
    for _time in range(3):
        response = get(kind(), "/sets/?set=unknown&set=other")
        assert names(response) == ["unknown", "other"]
        assert not varies(response)
    logged = [record for record in caplog.records if "no row" in record.getMessage()]
    assert [record.levelno for record in logged] == [logging.WARNING] * 2
    assert "'unknown'" in caplog.text and "'other'" in caplog.text
    assert "value" not in caplog.text


def test_or_dropped(
    kind: Any, asking: CookieCharterSettings, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": "drop"}
    client = visitor(kind, asking, "statistics")
    response = get(client, "/sets/?set=unknown&set=_stat_1")
    assert names(response) == ["_stat_1"]
    assert "'unknown'" in caplog.text and "dropped" in caplog.text
    # The same for everybody: nothing of the visitor's is in it.
    assert not varies(get(client, "/sets/?set=unknown"))


def test_or_raised_for_developers_only(
    kind: Any, asking: CookieCharterSettings, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": "raise"}
    assert names(get(kind(), "/sets/?set=unknown")) == []
    assert "'unknown'" in caplog.text
    settings.DEBUG = True
    with pytest.raises(UndeclaredCookie, match="'unknown'"):
        get(kind(), "/sets/?set=unknown")
    assert names(get(visitor(kind, asking, "statistics"), "/sets/?set=_stat_1")) == ["_stat_1"]


@pytest.mark.parametrize("undeclared", ["log", "drop", "raise"])
def test_where_nothing_is_declared_nothing_is_dropped(
    kind: Any, db: None, settings: Any, undeclared: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A site without a charter has nothing to keep to, and must not break."""
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": undeclared}
    settings.DEBUG = True
    make_home()
    response = get(kind(), "/sets/?set=unknown")
    assert names(response) == ["unknown"] and not varies(response)
    assert not caplog.records


def test_nor_where_the_charter_was_withdrawn(asking: CookieCharterSettings, settings: Any) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": "drop"}
    assert names(Client().get("/sets/?set=unknown")) == []
    assert asking.banner is not None
    asking.banner.charter_page.specific.unpublish()
    publish_declarations()
    assert names(Client().get("/sets/?set=unknown")) == ["unknown"]


# --- Settings and checks --------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["dorp", "", None, True, ["drop"]])
def test_e006_a_word_that_means_nothing(settings: Any, wrong: Any) -> None:
    """Until it is mended, the strict meaning holds."""
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": wrong}
    assert conf.undeclared_cookies == "drop"
    (message,) = checks.check_undeclared_cookies()
    assert message.id == "wagtail_cookie_charter.E006"
    assert repr(wrong) in message.msg and "log, drop, raise" in str(message.hint)
    assert message in run_checks()


@pytest.mark.parametrize("right", ["log", "drop", "raise"])
def test_the_words_that_mean_something(settings: Any, right: str) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"UNDECLARED_COOKIES": right}
    assert conf.undeclared_cookies == right
    assert checks.check_undeclared_cookies() == []
    settings.WAGTAIL_COOKIE_CHARTER = {}
    assert conf.undeclared_cookies == "log"


@pytest.mark.parametrize(
    ("order", "warns"),
    [
        ([OURS, UPDATE, FETCH], True),
        ([UPDATE, FETCH, OURS], False),
        ([UPDATE, OURS, FETCH], False),
        ([OURS], False),
        ([UPDATE, FETCH], False),
    ],
)
def test_w004_an_order_in_which_a_cache_keeps_optional_cookies(
    settings: Any, order: list[str], warns: bool
) -> None:
    settings.MIDDLEWARE = order
    found = [message.id for message in run_checks()]
    assert ("wagtail_cookie_charter.W004" in found) is warns
