"""Answers kept as proof: each once, none with a person, and none at a visitor's expense."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, models
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Site

from tests.answers import (
    ask,
    ask_instead,
    assert_refused,
    code_of,
    counts,
    everything,
    latest,
    post,
    value,
)
from tests.factories import row, table
from tests.ledger import backdate
from wagtail_cookie_charter import recording
from wagtail_cookie_charter.decision import Grant, Method, decode, new_receipt
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    DailyCount,
    Delivery,
    PublishedDeclaration,
)
from wagtail_cookie_charter.recording import Outcome, Record, store

RECEIPT = "a1b2c3d4e5f6"


# --- What is kept, and what is not ----------------------------------------------------


def test_what_was_granted_is_on_record_with_its_receipt(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R44: which declaration, what, how, in which language, when; R37: the cookie keeps it."""
    at = int(time.time()) - 5
    sent = value("statistics", "media", at=at)
    response = client.post(
        f"{reverse('cookie_charter:decide')}?language=fr",
        {"decision": f"{sent}~*{RECEIPT}", "method": "choice"},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 200
    assert response.cookies[name].value == f"{sent}*{RECEIPT}"
    assert json.loads(response.content) == {"decision": f"{sent}*{RECEIPT}"}
    event = ConsentEvent.objects.get()
    assert event.declaration == latest()
    # Sorted, so that equal answers are counted as equal.
    assert event.grants == "media.statistics"
    assert (event.method, event.language, event.receipt) == ("choice", "fr", RECEIPT)
    assert event.decided_at == datetime.fromtimestamp(at, timezone.utc)
    assert counts() == {("choice", "media.statistics"): 1}
    assert not Delivery.objects.exists()


def test_a_refusal_is_counted_and_leaves_nothing_to_know_anybody_by(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R37, promise 7: no receipt in the cookie, and its number is not beside the answer."""
    sent = value()
    response = post(client, {"decision": f"{sent}~*{RECEIPT}"})
    assert response.cookies[name].value == sent
    event = ConsentEvent.objects.get()
    assert (event.grants, event.method, event.receipt) == ("", "refuse", None)
    # Not even the number that the browser sent: what was made of it, and of the answer.
    assert len(Delivery.objects.get().number) == len(RECEIPT)
    assert RECEIPT not in everything()
    # A day is all that the two have in common.
    assert {field.name for field in Delivery._meta.fields} == {"number", "day"}
    assert counts() == {("refuse", ""): 1}


#: All there is to be known, with the reason why it tells nothing about a person.
COLUMNS = {
    ConsentEvent: {
        "id", "declaration_id", "grants", "method", "language", "decided_at", "receipt",
    },
    Delivery: {"number", "day"},
    DailyCount: {"id", "declaration_id", "day", "method", "grants", "slot", "count"},
}  # fmt: skip


@pytest.mark.parametrize("model", COLUMNS, ids=lambda model: model.__name__)
def test_the_tables_have_no_room_for_a_person(db: None, model: type[models.Model]) -> None:
    """Promise 7, R44: read from the database itself. A new column needs a new reason here."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, model._meta.db_table)
    assert {column.name for column in found} == COLUMNS[model]


@pytest.mark.parametrize("grants", [["media"], []])
def test_nothing_that_a_browser_says_about_itself_is_kept(
    client: Client, asking: CookieCharterSettings, grants: list[str]
) -> None:
    """No address, no browser, no user, no page; and no text that a sender could slip in."""
    client.cookies["sessionid"] = "session-of-somebody"
    client.cookies["_stat_id"] = "cookie-of-somebody"
    response = client.post(
        f"{reverse('cookie_charter:decide')}?language=somebody-else",
        json.dumps({"decision": value(*grants) + f"~*{RECEIPT}", "user": "user-of-somebody"}),
        content_type="application/json",
        REMOTE_ADDR="203.0.113.77",
        headers={
            "sec-fetch-site": "same-origin",
            "user-agent": "browser-of-somebody",
            "referer": "http://testserver/page-of-somebody/?q=1",
            "x-forwarded-for": "203.0.113.78",
            "accept-language": "gsw",
            "authorization": "Basic of-somebody",
        },
    )
    assert response.status_code == 200
    assert ConsentEvent.objects.count() == 1
    kept = everything()
    for told in ("somebody", "203.0.113", "testserver", "gsw", "session", "cookie"):
        assert told not in kept
    assert ConsentEvent.objects.get().language == ""


# --- Once ------------------------------------------------------------------------------


@pytest.mark.parametrize("grants", [["media"], []])
def test_an_answer_that_arrives_again_is_one_answer(
    client: Client, asking: CookieCharterSettings, name: str, grants: list[str]
) -> None:
    """Confirmations get lost. The repetition is confirmed too, or it would come for ever."""
    sent = value(*grants)
    first, *others = [
        post(client, {"decision": f"{sent}{mark}*{RECEIPT}"}) for mark in ("~", "~", "")
    ]
    for response in others:
        assert response.status_code == 200
        assert response.cookies[name].value == first.cookies[name].value
    assert ConsentEvent.objects.count() == 1
    assert Delivery.objects.count() == (0 if grants else 1)
    assert list(counts().values()) == [1]


def test_equal_answers_are_one_row_and_others_are_others(
    client: Client, asking: CookieCharterSettings
) -> None:
    for grants in (["media"], ["statistics", "media"], ["media", "statistics"], [], []):
        post(client, {"decision": f"{value(*grants)}~*{new_receipt()}"})
    assert ConsentEvent.objects.count() == 5
    assert counts() == {
        ("choice", "media"): 1,
        ("choice", "media.statistics"): 2,
        ("refuse", ""): 2,
    }


def test_an_answer_without_a_number_is_taken_as_it_always_was(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """A front end of one's own need not know of receipts; it then counts what it sends.

    R47: what is on record has a receipt, and its visitor gets it.
    """
    sent = value("media")
    receipts = set()
    for _again in range(2):
        response = post(client, {"decision": sent})
        kept = response.cookies[name].value
        assert json.loads(response.content) == {"decision": kept}
        assert kept.startswith(f"{sent}*")
        receipts.add(kept.partition("*")[2])
    assert receipts == set(ConsentEvent.objects.values_list("receipt", flat=True))
    assert len(receipts) == 2


def test_a_refusal_without_a_number_gets_none(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R37."""
    sent = value()
    assert post(client, {"decision": sent}).cookies[name].value == sent
    assert ConsentEvent.objects.get().receipt is None


def test_the_day_is_that_of_the_decision(client: Client, asking: CookieCharterSettings) -> None:
    """R86: a late delivery belongs to the day on which somebody decided (UTC)."""
    at = datetime(2026, 1, 31, 23, 59, 59, tzinfo=timezone.utc)
    seconds = int(at.timestamp())
    record = Record(
        latest().pk, asking.site_id, 1, "media", "choice", "en", seconds, RECEIPT, seconds
    )
    assert recording.store(record) is Outcome.STORED
    assert recording.store(record) is Outcome.KNOWN
    assert DailyCount.objects.get().day == at.date()
    assert ConsentEvent.objects.get().decided_at == at


def test_a_declaration_that_is_not_there_is_an_error_not_a_repetition(
    transactional_db: None,
) -> None:
    """Else a restored database would confirm answers that it does not have."""
    now = int(time.time())
    record = Record(999, 1, 1, "media", "choice", "en", now, RECEIPT, now)
    with pytest.raises(Exception, match="(?i)foreign key"):
        recording.store(record)
    assert not ConsentEvent.objects.exists() and not DailyCount.objects.exists()


# --- How -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grants", "claimed", "recorded"),
    [
        (["statistics", "media", "audience"], None, "accept"),
        (["statistics", "media", "audience"], "accept", "accept"),
        (["statistics", "media", "audience"], "choice", "choice"),
        (["statistics", "media", "audience"], "refuse", "accept"),
        (["statistics", "media", "audience"], "signal", "accept"),
        (["media"], None, "choice"),
        (["media"], "placeholder", "placeholder"),
        (["media"], "withdrawal", "withdrawal"),
        (["media"], "signal", "choice"),
        (["audience"], "signal", "signal"),
        (["media"], "refuse", "choice"),
        (["media"], "accept", "choice"),
        (["statistics", "media", "audience"], "withdrawal", "accept"),
        (["statistics", "media+1+2+3", "audience"], "accept", "accept"),
        (["statistics", "media+1+2+3", "audience"], "withdrawal", "accept"),
        (["statistics", "media-1", "audience"], "accept", "choice"),
        (["statistics", "media-1", "audience"], "withdrawal", "withdrawal"),
        ([], None, "refuse"),
        ([], "accept", "refuse"),
        ([], "placeholder", "refuse"),
        ([], "withdrawal", "withdrawal"),
        ([], "signal", "signal"),
        ([], "choice", "choice"),
    ],
)
@pytest.mark.parametrize("how", ["form", "json"])
def test_how_an_answer_was_given(
    client: Client,
    asking: CookieCharterSettings,
    grants: list[str],
    claimed: str | None,
    recorded: str,
    how: str,
) -> None:
    """R44: as the script says, unless the answer itself says otherwise."""
    for code, video in enumerate(("one", "two", "three"), 1):
        number = code_of(f"video-{video}")
        grants = [re.sub(rf"(?<=[+-]){code}(?=[+-]|$)", f"#{number}", one) for one in grants]
    grants = [one.replace("#", "") for one in grants]
    data = {"decision": value(*grants), **({"method": claimed} if claimed else {})}
    if how == "json":
        response = post(client, json.dumps(data), "application/json")
    else:
        response = post(client, data)
    assert response.status_code == 200
    assert ConsentEvent.objects.get().method == recorded


@pytest.mark.parametrize("method", ["", "ACCEPT", "everything", 1, [], {}, True])
def test_an_unknown_method_is_refused(
    client: Client, asking: CookieCharterSettings, method: Any
) -> None:
    data = json.dumps({"decision": value("media"), "method": method})
    sentence = assert_refused(post(client, data, "application/json"), 400)
    assert "placeholder" in sentence
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    ("before", "form", "method"),
    [
        (None, {"answer": "accept"}, "accept"),
        (None, {"answer": "refuse"}, "refuse"),
        (None, {"answer": "save", "category": "media"}, "choice"),
        (["media", "statistics"], {"answer": "save", "category": "media"}, "withdrawal"),
        (["media"], {"answer": "refuse"}, "withdrawal"),
        (["media"], {"answer": "save", "provider": "media:video-one"}, "withdrawal"),
        (["media"], {"answer": "save", "category": "media"}, "choice"),
        (["media"], {"answer": "save", "category": "statistics"}, "choice"),
        ([], {"answer": "refuse"}, "refuse"),
        (["media"], {"answer": "accept"}, "accept"),
    ],
)
def test_how_the_form_was_answered(
    client: Client,
    asking: CookieCharterSettings,
    name: str,
    before: list[str] | None,
    form: dict[str, str],
    method: str,
) -> None:
    """Without JavaScript, too: less than before is a withdrawal (R49)."""
    if before is not None:
        client.cookies[name] = value(*before)
    if "provider" in form:
        form = {**form, "provider": f"media:{code_of('video-one')}"}
    response = post(client, {"number": "1", **form})
    event = ConsentEvent.objects.get()
    assert event.method == method
    # Whoever granted something has a receipt; whoever did not has none.
    decision = decode(response.cookies[name].value)
    assert decision is not None
    assert decision.receipt == (event.receipt or "")
    assert bool(event.receipt) is bool(event.grants)


def test_every_method_fits_its_column() -> None:
    for model in (ConsentEvent, DailyCount):
        length = model._meta.get_field("method").max_length
        assert length and max(len(method.value) for method in Method) <= length


# --- Speed -----------------------------------------------------------------------------


@pytest.mark.parametrize("grants", [["media"], []])
def test_an_answer_costs_the_queries_that_store_it(
    client: Client, asking: CookieCharterSettings, grants: list[str]
) -> None:
    """Issue: beside a view that only inserts the row. What was asked comes from memory."""
    post(client, {"decision": f"{value(*grants)}~*{new_receipt()}"})
    with CaptureQueriesContext(connection) as queries:
        post(client, {"decision": f"{value(*grants)}~*{new_receipt()}"})
    work = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    kinds = [sql.split()[0] for sql in work]
    assert kinds == (["INSERT", "UPDATE"] if grants else ["INSERT", "INSERT", "UPDATE"]), work


def test_an_answer_to_an_older_page_finds_what_was_asked(
    client: Client, asking: CookieCharterSettings
) -> None:
    old = latest()
    assert ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing")) == 2
    assert post(client, {"decision": value("media")}).status_code == 200
    assert post(client, {"decision": value("marketing", number=2)}).status_code == 200
    assert [event.declaration for event in ConsentEvent.objects.order_by("pk")] == [old, latest()]


def test_another_answer_under_the_same_number_is_refused(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Confirmed, it would be lost: the record would still say what the first one said."""
    post(client, {"decision": f"{value('statistics', 'media')}*{RECEIPT}"})
    response = post(client, {"decision": f"{value('media')}*{RECEIPT}"})
    assert response.status_code == 409
    assert "number" in json.loads(response.content)["error"]
    assert response.cookies == {}
    assert [event.grants for event in ConsentEvent.objects.all()] == ["media.statistics"]


@pytest.mark.parametrize("grants", [["media"], []])
def test_the_number_of_another_sites_answer_is_another_answers(
    client: Client, asking: CookieCharterSettings, grants: list[str]
) -> None:
    """What is confirmed is on record: never that of somebody else instead."""
    sent = f"{value(*grants)}~*{RECEIPT}"
    assert post(client, {"decision": sent}).status_code == 200
    first = latest()
    Site.objects.filter(pk=asking.site_id).update(hostname="first.example", is_default_site=False)
    second = Site.objects.create(
        hostname="testserver",
        root_page=Site.objects.get(pk=asking.site_id).root_page,
        is_default_site=True,
    )
    PublishedDeclaration.objects.create(
        site=second, number=1, digest="2" * 64, content=first.content
    )
    Site.clear_site_root_paths_cache()
    cache.clear()
    response = post(client, {"decision": sent})
    of_second = ConsentEvent.objects.filter(declaration__site=second)
    if grants:
        assert_refused(response, 409)
        assert not of_second.exists()
    else:
        # A refusal has no receipt to be found by: it is counted as one more.
        assert response.status_code == 200
        assert post(client, {"decision": sent}).status_code == 200
        assert of_second.count() == 1


@pytest.mark.parametrize("grants", [["media"], []])
def test_the_number_of_another_question_or_time_is_another_answers(
    client: Client, asking: CookieCharterSettings, grants: list[str]
) -> None:
    media = table(row(name="_one", provider="Video One"), category="media")
    more = table(row(name="_ad", provider="Ads"), category="marketing")
    assert ask_instead(asking, media, more) == 2
    now = int(time.time())
    post(client, {"decision": f"{value(*grants, number=2, at=now)}~*{RECEIPT}"})
    others = [value(*grants, number=1, at=now), value(*grants, number=2, at=now - 1)]
    for other in others:
        response = post(client, {"decision": f"{other}~*{RECEIPT}"})
        assert response.status_code == (409 if grants else 200)
    assert ConsentEvent.objects.count() == (1 if grants else 3)


@pytest.mark.parametrize("grants", [["media"], []])
@pytest.mark.parametrize("ago", [100 * 86_400, 200 * 86_400, -3_600])
def test_an_answer_of_a_wrong_clock_is_one_answer_too(
    client: Client, asking: CookieCharterSettings, grants: list[str], ago: int
) -> None:
    """Its time is ours, so it is another one each time it arrives."""
    backdate(latest(), 300 * 86_400)
    sent = f"{value(*grants, at=time.time() - ago)}~*{RECEIPT}"
    assert post(client, {"decision": sent}).status_code == 200
    ConsentEvent.objects.update(decided_at=F("decided_at") - timedelta(seconds=30))
    assert post(client, {"decision": sent}).status_code == 200
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize("grants", [["media"], []])
def test_a_clock_that_is_a_little_fast_counts_once(
    client: Client,
    asking: CookieCharterSettings,
    monkeypatch: pytest.MonkeyPatch,
    grants: list[str],
) -> None:
    """Its time is not believed at first, and is when the answer arrives again: still one."""
    now = int(time.time())

    def arrive(later: int, ahead: int) -> int:
        clock = SimpleNamespace(time=lambda: now + later)
        monkeypatch.setattr("wagtail_cookie_charter.answers.time", clock)
        sent = f"{value(*grants, at=now + ahead)}~*{RECEIPT}"
        return post(client, {"decision": sent}).status_code

    for later in (0, 60, 300, 86_400):
        assert arrive(later, 400) == 200
    assert ConsentEvent.objects.count() == 1
    assert sum(DailyCount.objects.values_list("count", flat=True)) == 1
    assert arrive(500, 401) == (409 if grants else 200)


@pytest.mark.parametrize("grants", [["media"], []])
@pytest.mark.parametrize("ahead", [-400 * 86_400, 0, 400])
def test_what_could_not_be_recorded_is_still_the_same_answer(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    grants: list[str],
    ahead: int,
) -> None:
    """A recorder that fails after it stored: the cookie brings the answer again as it was."""
    sent = f"{value(*grants, at=time.time() + ahead)}~*{RECEIPT}"
    settings.WAGTAIL_COOKIE_CHARTER = {"RECORDER": "tests.test_recording.store_and_fail"}
    response = post(client, {"decision": sent})
    assert response.status_code == 503
    kept = response.cookies[name]
    assert kept.value == sent and kept["max-age"] > 0
    settings.WAGTAIL_COOKIE_CHARTER = {}
    assert post(client, {"decision": kept.value}).status_code == 200
    assert ConsentEvent.objects.count() == 1


def store_and_fail(record: Record) -> None:
    store(record)
    raise OSError


# --- When ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "believed"), [(0, True), (30, True), (30.9, True), (31.1, False), (170, False)]
)
@pytest.mark.parametrize("grants", [["media"], []])
def test_nobody_writes_into_months_that_are_past(
    client: Client,
    asking: CookieCharterSettings,
    name: str,
    days: float,
    believed: bool,
    grants: list[str],
) -> None:
    """R44: browsers give up after 30 days, so what is older is somebody's wrong clock, or a lie.

    The choice holds all the same, and no longer for it (R67).
    """
    backdate(latest(), 200 * 86_400)
    now = time.time()
    at = int(now - days * 86_400)
    response = post(client, {"decision": f"{value(*grants, at=at)}~*{RECEIPT}"})
    assert response.status_code == 200
    decision = decode(response.cookies[name].value)
    assert decision is not None and decision.time == at
    assert decision.allows("media") is bool(grants)
    expected = datetime.fromtimestamp(at if believed else now, timezone.utc)
    assert abs(ConsentEvent.objects.get().decided_at - expected) < timedelta(seconds=5)
    assert DailyCount.objects.get().day == ConsentEvent.objects.get().decided_at.date()


# --- What ------------------------------------------------------------------------------


def test_a_provider_is_granted_where_it_is_declared_only(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    stranger, own = code_of("own"), code_of("video-one")
    sent = value(f"media+{own}+{stranger}", f"statistics+{own}")
    kept = post(client, {"decision": f"{sent}~*{RECEIPT}"}).cookies[name].value
    assert ConsentEvent.objects.get().grants == f"media+{own}"
    decision = decode(kept)
    assert decision is not None
    assert decision.grants == (Grant("media", only=frozenset([int(own, 36)])),)


def test_who_is_granted_to_nobody_is_not_recorded(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Whatever it is called: nobody said that, neither yes nor no."""
    own = code_of("own")
    everybody = sorted(code_of(f"video-{one}") for one in ("one", "two", "three"))
    sent = value(f"statistics+{own}", "media-" + "-".join(everybody))
    response = post(client, {"decision": f"{sent}~*{RECEIPT}", "method": "accept"})
    assert_refused(response, 400)
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    ("added", "grants", "claimed", "recorded"),
    [
        # Before audience measurement was added, which asks nobody again, this was everything.
        (True, ["statistics", "media"], "accept", "accept"),
        (True, ["media"], "accept", "choice"),
        (True, ["statistics"], "accept", "choice"),
        (True, ["statistics", "media", "audience"], "withdrawal", "accept"),
        # Since it was taken out, this is everything; the page offered more.
        (False, ["statistics", "media"], "withdrawal", "withdrawal"),
        (False, ["statistics", "media"], "accept", "accept"),
        (False, ["statistics", "media", "audience"], "accept", "accept"),
        (False, ["statistics", "media", "audience"], "withdrawal", "accept"),
        (False, ["audience"], "accept", "refuse"),
    ],
)
def test_all_is_what_the_page_offered(
    client: Client, db: None, added: bool, grants: list[str], claimed: str, recorded: str
) -> None:
    """A page comes from a cache: what it asked is another snapshot of the same number."""
    ask()
    whole = latest()
    few = [one for one in whole.content["categories"] if one[0] != "audience"]
    snapshots = [few, whole.content["categories"]]
    for digest, categories in enumerate(snapshots if added else snapshots[::-1]):
        PublishedDeclaration.objects.create(
            site=whole.site,
            number=1,
            digest=str(digest) * 64,
            content={**whole.content, "categories": categories},
        )
    cache.clear()
    post(client, {"decision": f"{value(*grants)}~*{RECEIPT}", "method": claimed})
    assert ConsentEvent.objects.get().method == recorded


def test_what_is_no_language_is_not_kept(client: Client, asking: CookieCharterSettings) -> None:
    url = reverse("cookie_charter:decide") + "?language=fr-x-johndoe"
    client.post(url, {"decision": value("media")}, headers={"sec-fetch-site": "same-origin"})
    assert ConsentEvent.objects.get().language == ""
