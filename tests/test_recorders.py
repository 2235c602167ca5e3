"""Who is handed an answer: the database, a task, a project's own function, receivers."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.answers import LIFE, assert_refused, counts, latest, post, value
from wagtail_cookie_charter import recording, visitor
from wagtail_cookie_charter.decision import decode
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    DailyCount,
    PublishedDeclaration,
)
from wagtail_cookie_charter.recording import Outcome, Record

RECEIPT = "a1b2c3d4e5f6"


# --- Handing on ------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []

    def hear(**told: Any) -> None:
        found.append(told)

    visitor.decided.connect(hear)
    yield found
    visitor.decided.disconnect(hear)


def test_receivers_hear_of_an_answer_once(
    client: Client, asking: CookieCharterSettings, heard: list[dict[str, Any]]
) -> None:
    for _again in range(2):
        post(client, {"decision": f"{value('media')}~*{RECEIPT}", "method": "placeholder"})
    (told,) = heard
    assert told["method"] == "placeholder"
    # It is read when somebody asks for it.
    assert told["declaration"].content == PublishedDeclaration.objects.get().content


# --- Recorders -------------------------------------------------------------------------


def recorder(value: Any) -> dict[str, Any]:
    return {"RECORDER": value}


taken: list[Record] = []


def take(record: Record) -> None:
    taken.append(record)


def fail(record: Record) -> None:
    raise OperationalError("secret of the server")


@pytest.mark.parametrize("off", ["off", None])
def test_recorder_off_keeps_nothing_and_gives_no_receipt(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    off: Any,
    heard: list[dict[str, Any]],
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder(off)
    sent = value("media")
    response = post(client, {"decision": f"{sent}~*{RECEIPT}"})
    assert response.status_code == 200
    assert response.cookies[name].value == sent
    assert not ConsentEvent.objects.exists() and not DailyCount.objects.exists()
    assert len(heard) == 1


def test_a_recorder_of_ones_own(
    client: Client, asking: CookieCharterSettings, settings: Any, name: str
) -> None:
    """It gets plain values, and nothing about anybody."""
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.take")
    taken.clear()
    response = post(client, {"decision": f"{value('media', at=None)}~*{RECEIPT}"})
    assert response.status_code == 200
    assert response.cookies[name].value.endswith(f"*{RECEIPT}")
    (record,) = taken
    assert {type(one) for one in vars(record).values()} == {int, str, bool}
    assert record.despite_signal is False and record.said_at == record.decided_at
    assert (record.declaration, record.site, record.number) == (latest().pk, asking.site_id, 1)
    assert (record.grants, record.method, record.delivery) == ("media", "choice", RECEIPT)
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("grants", [["media"], []])
@pytest.mark.parametrize("number", [f"*{RECEIPT}", ""])
def test_a_failing_recorder_costs_no_visitor_their_choice(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    caplog: pytest.LogCaptureFixture,
    grants: list[str],
    number: str,
) -> None:
    """The cookie holds at once, what was refused expires, and the answer is sent again."""
    client.cookies["_stat_1"] = "x"
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.fail")
    sent = value(*grants)
    with caplog.at_level(logging.ERROR):
        for _again in range(3):
            response = post(client, {"decision": f"{sent}~{number}"})
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    said = json.loads(response.content)
    kept = response.cookies[name].value
    assert said["decision"] == kept
    # One that came without a number gets none: nothing would ever take it away again.
    assert kept == f"{sent}~{number}"
    assert said["error"].endswith(".") and "secret" not in response.content.decode()
    assert abs(int(response.cookies[name]["max-age"]) - LIFE) <= 2
    assert any(cookie.key == "_stat_1" for cookie in response.cookies.values())
    assert len([one for one in caplog.records if one.name == recording.__name__]) == 1
    # The recorder comes back, and the browser sends what its cookie holds.
    del settings.WAGTAIL_COOKIE_CHARTER
    again = post(client, {"decision": kept})
    assert again.status_code == 200
    assert "~" not in again.cookies[name].value
    assert ConsentEvent.objects.count() == 1


def test_without_javascript_a_failing_recorder_shows_in_the_cookie_only(
    client: Client, asking: CookieCharterSettings, settings: Any, name: str
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.fail")
    response = post(client, {"number": "1", "answer": "accept", "next": "/cookies/"})
    assert response.status_code == 303
    decision = decode(response.cookies[name].value)
    assert decision is not None
    assert not decision.delivered and decision.receipt and decision.allows("media")


def test_without_javascript_a_refusal_leaves_no_number_however_it_went(
    client: Client, asking: CookieCharterSettings, settings: Any, name: str
) -> None:
    """R37, promise 7: nothing would ever take it away again."""
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.fail")
    response = post(client, {"number": "1", "answer": "refuse", "next": "/x/"})
    assert response.status_code == 303
    kept = response.cookies[name].value
    assert kept.endswith("~") and "*" not in kept
    # A script that runs later delivers it.
    del settings.WAGTAIL_COOKIE_CHARTER
    assert post(client, {"decision": kept}).cookies[name].value == kept[:-1]
    assert ConsentEvent.objects.get().grants == ""


#: What recorders that do something else return.
ODD: dict[str, Any] = {"value": None}


def odd(record: Record) -> Any:
    return ODD["value"]


@pytest.mark.parametrize("said", [True, False, 0, 1, "", "stored", {}, [], object(), Outcome])
def test_a_recorder_that_says_nonsense_has_not_said_that_it_took_it(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    caplog: pytest.LogCaptureFixture,
    heard: list[dict[str, Any]],
    said: Any,
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.odd")
    ODD["value"] = said
    with caplog.at_level(logging.ERROR):
        response = post(client, {"decision": f"{value('media')}~*{RECEIPT}"})
    assert response.status_code == 503
    assert response.cookies[name].value.endswith(f"~*{RECEIPT}")
    assert "returns None or an Outcome" in caplog.text
    assert heard == []


@pytest.mark.parametrize(
    ("said", "status", "receipt", "told"),
    [
        (None, 200, True, 1),
        (Outcome.STORED, 200, True, 1),
        (Outcome.KNOWN, 200, True, 0),
        (Outcome.QUEUED, 202, True, 0),
        (Outcome.OFF, 200, False, 1),
    ],
)
def test_what_a_recorder_may_say(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    heard: list[dict[str, Any]],
    said: Outcome | None,
    status: int,
    receipt: bool,
    told: int,
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tests.test_recorders.odd")
    ODD["value"] = said
    response = post(client, {"decision": f"{value('media')}~*{RECEIPT}"})
    assert response.status_code == status
    assert response.cookies[name].value.endswith(f"*{RECEIPT}") is receipt
    assert len(heard) == told


@pytest.mark.parametrize("wrong", ["nonsense", "tests.nowhere.at_all", 7, ["database"]])
def test_a_recorder_that_is_none_fails_like_any_other(
    client: Client, asking: CookieCharterSettings, settings: Any, name: str, wrong: Any
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder(wrong)
    response = post(client, {"decision": value("media")})
    assert response.status_code == 503
    assert "~" in response.cookies[name].value


def test_what_passes_by_itself_is_tried_once_more(transactional_db: None) -> None:
    """A deadlock, a lock, a server that came back: the visitor need not notice."""
    published = PublishedDeclaration.objects.create(
        site=None, number=1, digest="1" * 64, content={}
    )
    failures = [OperationalError("deadlock detected")]

    def fail_once(execute: Any, sql: str, *arguments: Any) -> Any:
        if failures and DailyCount._meta.db_table in sql:
            raise failures.pop()
        return execute(sql, *arguments)

    now = int(time.time())
    record = Record(published.pk, 1, 1, "media", "choice", "en", now, RECEIPT, now)
    with connection.execute_wrapper(fail_once):
        assert recording.store(record) is Outcome.STORED
    assert not failures
    assert ConsentEvent.objects.count() == 1
    assert list(counts().values()) == [1]


# --- Django's tasks --------------------------------------------------------------------


def test_the_tasks_framework_takes_it(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    heard: list[dict[str, Any]],
) -> None:
    """The default backend works at once; 202 says that it need not have."""
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tasks")
    sent = value("media")
    for _again in range(2):
        response = post(client, {"decision": f"{sent}~*{RECEIPT}"})
        assert response.status_code == 202
        assert response.cookies[name].value == f"{sent}*{RECEIPT}"
    assert ConsentEvent.objects.get().receipt == RECEIPT
    assert list(counts().values()) == [1]
    assert len(heard) == 1


@pytest.mark.parametrize("where", ["database", "tasks", "off"])
@pytest.mark.parametrize("mark", ["", "!"])
def test_receivers_hear_whether_it_was_given_despite_the_signal(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    heard: list[dict[str, Any]],
    where: str,
    mark: str,
) -> None:
    """R64: the same, whichever way it is recorded."""
    settings.WAGTAIL_COOKIE_CHARTER = recorder(where)
    post(client, {"decision": f"{value('media')}{mark}~*{RECEIPT}"})
    (told,) = heard
    assert told["decision"].despite_signal is bool(mark)


def test_a_task_that_fails_at_once_is_not_taken(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tasks")
    assert post(client, {"decision": value()}).status_code == 202
    monkeypatch.setattr("wagtail_cookie_charter.tasks.store", fail)
    response = post(client, {"decision": f"{value('media')}~*{RECEIPT}"})
    assert response.status_code == 503
    assert response.cookies[name].value.endswith(f"~*{RECEIPT}")


def test_a_task_that_finds_the_number_taken_says_so(
    client: Client, asking: CookieCharterSettings, settings: Any
) -> None:
    """Sent again, it would be refused again: 409, as from the database itself."""
    settings.WAGTAIL_COOKIE_CHARTER = recorder("tasks")
    assert post(client, {"decision": f"{value('media')}~*{RECEIPT}"}).status_code == 202
    response = post(client, {"decision": f"{value('statistics')}~*{RECEIPT}"})
    assert_refused(response, 409)
    assert ConsentEvent.objects.get().grants == "media"
