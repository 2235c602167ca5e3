"""The server shows what the visitor allows, and no cache gives it to another.

Each test proves both directions, not before and yes after, over WSGI and over ASGI.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import markcoroutinefunction
from django.conf import settings as project
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from tests.answers import LIFE, ask_instead, code_of, value
from tests.factories import make_home, make_site, row, table
from tests.middleware.project import (
    ASKER,
    FETCH,
    OURS,
    REST,
    UPDATE,
    cached,
    get,
    in_both_orders,
    personal,
    ran,
    start_cold,
    text,
    varies,
    visitor,
    word,
)
from tests.testapp.models import HomePage
from wagtail_cookie_charter.middleware import CookieCharterMiddleware
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.visitor import allows

# --- Asking: the rule -----------------------------------------------------------------


def test_not_before_and_yes_after(kind: Any, asking: CookieCharterSettings) -> None:
    assert text(get(kind(), "/asks/")) == "no"
    assert text(get(visitor(kind, asking), "/asks/")) == "no"
    assert text(get(visitor(kind, asking, "media"), "/asks/")) == "no"
    assert text(get(visitor(kind, asking, "statistics"), "/asks/")) == "yes"


@pytest.mark.parametrize("address", ["/asks/", "/asks-async/", "/asks-rendering/"])
def test_every_kind_of_view_can_ask(kind: Any, asking: CookieCharterSettings, address: str) -> None:
    for client, expected in ((kind(), "no"), (visitor(kind, asking, "statistics"), "yes")):
        response = get(client, address)
        assert text(response) == expected
        assert personal(response)


def answer(asking: CookieCharterSettings, cookie: str, category: str, provider: str = "") -> str:
    client = visitor(Client, asking, cookie=cookie)
    return text(client.get("/asks/", {"category": category, "provider": provider}))


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("", "no"),
        ("<script>", "no"),
        ("2.1.top2v4.statistics", "no"),
        ("1.1.top2v4", "no"),
        # Given in 2024: expired.
        ("1.1.s5u9s0.statistics", "no"),
    ],
)
def test_what_cannot_be_read_or_is_too_old_grants_nothing(
    asking: CookieCharterSettings, cookie: str, expected: str
) -> None:
    """Promise 2: fail closed."""
    assert answer(asking, cookie, "statistics") == expected
    assert answer(asking, value("statistics"), "statistics") == "yes"


def test_an_answer_ends_with_its_life(asking: CookieCharterSettings) -> None:
    """R67: the browser forgets it; what sends it again all the same gets nothing by it."""
    assert answer(asking, value("statistics", at=time.time() - LIFE - 60), "statistics") == "no"
    assert answer(asking, value("statistics", at=time.time() - LIFE + 60), "statistics") == "yes"


def test_an_answer_to_an_earlier_question_grants_nothing(asking: CookieCharterSettings) -> None:
    """R65: nor does one to a later question than this process knows, as in the browser."""
    number = ask_instead(
        asking,
        table(row(name="_stat*"), row(name="_new", provider="New"), category="statistics"),
        table(row(name="_own", provider="Own", retention_months=12), category="audience"),
    )
    assert number == 2
    assert answer(asking, value("statistics", number=1), "statistics") == "no"
    assert answer(asking, value("statistics", number=2), "statistics") == "yes"
    assert answer(asking, value("statistics", number=3), "statistics") == "no"
    # What is exempt but was refused stays refused.
    assert answer(asking, value("statistics", number=1), "audience") == "no"
    assert answer(asking, value("audience", number=1), "audience") == "yes"


def test_exempt_measurement_is_on_until_it_is_refused(asking: CookieCharterSettings) -> None:
    """R3, R4: whatever stands in the cookie is an answer, unless it says yes."""
    assert text(Client().get("/asks/", {"category": "audience"})) == "yes"
    assert answer(asking, value("audience"), "audience") == "yes"
    assert answer(asking, value("statistics"), "audience") == "no"
    assert answer(asking, "<script>", "audience") == "no"


def test_necessary_is_always_allowed(asking: CookieCharterSettings) -> None:
    for cookie in ("", value(), "<script>"):
        assert answer(asking, cookie, "necessary") == "yes"


def test_single_providers_by_their_name_in_the_table(asking: CookieCharterSettings) -> None:
    one, two = code_of("video-one"), code_of("video-two")
    only_one, all_but_two = value(f"media+{one}"), value(f"media-{two}")
    for cookie, expected in (
        (value(), ("no", "no", "no")),
        (only_one, ("no", "yes", "no")),
        (all_but_two, ("no", "yes", "no")),
        (value("media"), ("yes", "yes", "yes")),
    ):
        found = tuple(
            answer(asking, cookie, "media", name) for name in ("", "video ONE", "Video Two")
        )
        assert found == expected


def test_what_no_row_declares_is_never_allowed(asking: CookieCharterSettings) -> None:
    """Promise 2: a provider of another category, one that is unknown, a category without rows."""
    everything = value("statistics", "media", "audience", "marketing")
    assert answer(asking, everything, "media", "Video One") == "yes"
    assert answer(asking, everything, "statistics", "Video Two") == "no"
    assert answer(asking, everything, "media", "Somebody") == "no"
    assert answer(asking, everything, "marketing") == "no"
    assert answer(asking, everything, "audience", "Somebody") == "no"


def test_over_https_only_the_host_bound_cookie_counts(
    kind: Any, asking: CookieCharterSettings
) -> None:
    """R39: any host of the domain could have written the other."""
    plain, bound = f"cookie-charter-{asking.site_id}", f"__Host-cookie-charter-{asking.site_id}"
    client = kind()
    client.cookies[plain] = value("statistics")
    assert text(get(client, "/asks/")) == "yes"
    assert text(get(client, "/asks/", secure=True)) == "no"
    client.cookies[bound] = value("statistics")
    assert text(get(client, "/asks/", secure=True)) == "yes"
    # A proxy hides HTTPS from Django; browsers send this one over HTTPS only.
    client.cookies[bound] = value()
    assert text(get(client, "/asks/")) == "no"


def test_each_site_has_its_own_answers(asking: CookieCharterSettings, settings: Any) -> None:
    """R40."""
    other = make_site("other.example")
    client = visitor(Client, asking, "statistics")
    assert text(client.get("/asks/")) == "yes"
    assert text(client.get("/asks/", headers={"host": other.hostname})) == "no"


def test_without_a_declaration_nothing_optional_is_allowed(db: None) -> None:
    make_home()
    client = Client()
    client.cookies["cookie-charter-1"] = value("statistics", "audience")
    assert text(client.get("/asks/")) == "no"
    assert text(client.get("/asks/", {"category": "audience"})) == "no"
    assert text(client.get("/asks/", {"category": "necessary"})) == "yes"


@pytest.mark.parametrize("address", ["/asks/", "/asks-async/"])
def test_an_unknown_category_is_an_error_for_developers_only(
    kind: Any,
    asking: CookieCharterSettings,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    client = visitor(kind, asking, "statistics")
    response = get(client, address, data={"category": "statistic"})
    assert text(response) == "no"
    assert "'statistic'" in caplog.text and "marketing" in caplog.text
    settings.DEBUG = True
    with pytest.raises(ValueError, match=r"'statistic'.*statistics, media, marketing"):
        get(kind(), address, data={"category": "statistic"})


def test_the_sync_call_in_an_async_view_says_what_to_do(asking: CookieCharterSettings) -> None:
    """Always, and not only when the process is cold and has to query."""
    get(AsyncClient(), "/asks-async/")
    with pytest.raises(SynchronousOnlyOperation, match="aallows"):
        get(AsyncClient(), "/asks-wrongly/")


@pytest.mark.parametrize(
    ("header", "mark", "allowed"),
    [
        ({}, "", True),
        ({"Sec-GPC": "1"}, "", False),
        ({"Sec-GPC": "1"}, "!", True),
        ({"Sec-GPC": "0"}, "", True),
        ({"Sec-GPC": "true"}, "", True),
        ({"Sec-GPC": "0, 1"}, "", False),
        ({"Sec-GPC": "1, 1"}, "", False),
        ({"Sec-GPC": "0, 11"}, "", True),
    ],
)
def test_the_browsers_signal_counts_here_too(
    rf: RequestFactory,
    asking: CookieCharterSettings,
    settings: Any,
    header: dict[str, str],
    mark: str,
    allowed: bool,
) -> None:
    """R63, R64: exactly ``1`` refuses what is flagged; an answer given despite it wins.

    Of headers that were joined, which the standard does not know, one is enough.
    """
    settings.WAGTAIL_COOKIE_CHARTER = {"GPC": ["statistics"]}
    request = rf.get("/", headers=header)
    request.COOKIES[f"cookie-charter-{asking.site_id}"] = value("statistics", "media") + mark
    assert allows(request, "statistics") is allowed
    assert allows(request, "media") is True


# --- Asking: what caches may keep -----------------------------------------------------


@pytest.mark.parametrize("address", ["/silent/", "/silent-async/", "/sets/?set=sessionid"])
def test_who_does_not_ask_varies_nothing(
    kind: Any, asking: CookieCharterSettings, address: str
) -> None:
    with override_settings(MIDDLEWARE=REST):
        bare = get(kind(), address)
    ours = get(visitor(kind, asking, "statistics"), address)
    assert dict(ours.headers) == dict(bare.headers)
    assert not varies(ours)


def test_public_is_taken_back_and_stricter_words_stay(
    kind: Any, asking: CookieCharterSettings
) -> None:
    found = get(kind(), "/asks-public/").headers["Cache-Control"]
    assert set(found.split(", ")) == {"private", "max-age=60"}
    assert get(kind(), "/asks-no-store/").headers["Cache-Control"] == "no-store"


def test_an_error_after_asking_is_personal_too(kind: Any, asking: CookieCharterSettings) -> None:
    refused = get(kind(), "/asks-and-fails/")
    granted = get(visitor(kind, asking, "statistics"), "/asks-and-fails/")
    assert (refused.status_code, granted.status_code) == (200, 404)
    assert personal(refused) and personal(granted)


def test_a_stream_asks_before_it_begins(
    kind: Any,
    asking: CookieCharterSettings,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Headers cannot be mended once they are out: then there is one answer for everybody."""
    # Django turns a stream of the other kind into a list.
    address = "/asks-streaming/" if kind is Client else "/asks-streaming-async/"
    client = visitor(kind, asking, "statistics")
    late = get(client, address)
    assert text(late) == "no" and not varies(late)
    assert "before a streaming response begins" in caplog.text
    early = get(client, f"{address}?first")
    assert text(early) == "yes" and personal(early)
    assert text(get(kind(), f"{address}?first")) == "no"
    settings.DEBUG = True
    with pytest.raises(RuntimeError, match="before a streaming response begins"):
        text(get(client, address))


ASKING = [
    "/asks/",
    "/asks-async/",
    "/asks-rendering/",
    "/asks-public/",
    "/asks-cached/",
    "/asks-async-cached/",
    "/asks-rendering-cached/",
]


def test_no_cache_gives_one_visitors_page_to_another(
    kind: Any, asking: CookieCharterSettings, order: None
) -> None:
    """Issue: a test tries. Those who granted, who refused, and who are new, again and again."""
    visitors = [
        (visitor(kind, asking, "statistics"), "yes"),
        (visitor(kind, asking), "no"),
        (kind(), "no"),
    ]
    for address in ASKING:
        for coming in in_both_orders(visitors):
            for client, expected in coming:
                response = get(client, address)
                assert text(response) == expected, address
                assert personal(response), address
            assert len(ran) == 6


@pytest.mark.parametrize(
    "layout",
    [
        [UPDATE, OURS, ASKER, *REST, FETCH],
        [OURS, ASKER, UPDATE, *REST, FETCH],
        [OURS, UPDATE, ASKER, *REST, FETCH],
        [UPDATE, *REST, FETCH, OURS, ASKER],
        [OURS, ASKER, *REST],
    ],
)
def test_nor_if_a_middleware_asked_before_the_cache_was_reached(
    kind: Any, asking: CookieCharterSettings, layout: list[str]
) -> None:
    """The cache middleware says on its way in that it will store, after we said it must not."""
    visitors = [(visitor(kind, asking, "statistics"), "yes"), (kind(), "no")]
    with cached(*layout):
        for address in ("/told/", "/told-cached/"):
            for coming in in_both_orders(visitors):
                for client, expected in coming:
                    response = get(client, address)
                    assert text(response) == expected, address
                    assert personal(response), address


def test_nor_a_wagtail_page(
    kind: Any, asking: CookieCharterSettings, order: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_context(page: Any, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        page.title = f"Granted: {word(request.cookie_consent.allows('statistics'))}"
        return {"page": page, "request": request}

    monkeypatch.setattr(HomePage, "get_context", get_context)
    visitors = [(visitor(kind, asking, "statistics"), "yes"), (kind(), "no")]
    for coming in in_both_orders(visitors):
        for client, expected in coming:
            response = get(client, "/")
            assert f"Granted: {expected}" in text(response)
            assert personal(response)


def test_a_page_that_does_not_ask_stays_one_object_for_all(
    kind: Any, asking: CookieCharterSettings, order: None
) -> None:
    visitors = [visitor(kind, asking, "statistics"), visitor(kind, asking), kind()]
    for address in ("/silent/", "/silent-cached/"):
        stored = address == "/silent-cached/" or UPDATE in project.MIDDLEWARE
        start_cold()
        for client in visitors:
            response = get(client, address)
            assert text(response) == "the same for all"
            assert not varies(response)
        assert len(ran) == (1 if stored else 3)


# --- Asking costs nothing until it is done --------------------------------------------


def test_who_asks_nothing_pays_nothing(kind: Any, asking: CookieCharterSettings) -> None:
    """Cold, so that even a look at the cache would query."""
    with CaptureQueriesContext(connection) as queries:
        get(visitor(kind, asking, "statistics"), "/silent/")
    assert len(queries) == 0


def test_a_warm_answer_queries_nothing(kind: Any, asking: CookieCharterSettings) -> None:
    client = visitor(kind, asking, "statistics")
    get(client, "/asks/")
    with CaptureQueriesContext(connection) as queries:
        assert text(get(client, "/asks/")) == "yes"
        get(client, "/sets/?set=_stat1")
    assert len(queries) == 0


@pytest.mark.parametrize("cookie", ["", "sessionid", "csrftoken"])
def test_no_thread_is_waited_for(rf: RequestFactory, cookie: str) -> None:
    """Driven by hand: a coroutine that waits for nothing ends at the first step.

    Nor is the database touched, which this test may not.
    """

    async def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        if cookie:
            response.set_cookie(cookie, "value")
        return response

    markcoroutinefunction(view)
    coroutine: Any = CookieCharterMiddleware(view)(rf.get("/"))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value.status_code == 200
