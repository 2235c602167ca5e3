"""Under which snapshot an answer is filed: the one that was in force when it was given."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.answers import ask, latest, post, value
from tests.ledger import backdate, charter_of
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import publish_declarations

RECEIPT = "a1b2c3d4e5f6"


def corrected(asking: CookieCharterSettings) -> tuple[PublishedDeclaration, PublishedDeclaration]:
    """Published an hour ago under a number; other words under the same one ten minutes ago."""
    first = latest()
    backdate(first, 3_600)
    charter = charter_of(asking)
    charter.body[1].value["cookies"][0]["purpose"] = "Better words."
    charter.save_revision().publish()
    publish_declarations()
    second = latest()
    assert (second.number, second.pk > first.pk) == (first.number, True)
    backdate(second, 600)
    return first, second


@pytest.mark.parametrize(
    ("ago", "filed", "kept"),
    [
        (0, "second", True),
        (599, "second", True),
        (900, "first", True),
        (3_500, "first", True),
        # The clock is a little behind: what else can they have answered?
        (3_700, "first", True),
        (-120, "second", True),
        # The clock is wrong: ours is not.
        (8_000, "second", False),
        (-1_000, "second", False),
        (200 * 86_400, "second", False),
    ],
)
def test_an_answer_is_filed_under_what_was_in_force_when_it_was_given(
    client: Client,
    asking: CookieCharterSettings,
    name: str,
    ago: int,
    filed: str,
    kept: bool,
) -> None:
    """R43, R44: nobody answered words that were published later; R47: both records agree."""
    first, second = corrected(asking)
    now = int(time.time())
    sent = value("media", at=now - ago)
    response = post(client, {"decision": f"{sent}~*{RECEIPT}"})
    assert response.status_code == 200
    event = ConsentEvent.objects.get()
    assert event.declaration == (first if filed == "first" else second)
    assert abs(event.decided_at.timestamp() - (now - ago if kept else now)) <= (0 if kept else 2)
    client.cookies[name] = response.cookies[name].value
    own = client.get(reverse("cookie_charter:record"), {"format": "json"}).json()
    assert own["receipt"] == RECEIPT
    assert own["answered_at"] == event.decided_at.isoformat()
    assert own["declaration"] == {
        "number": event.declaration.number,
        "published_at": PublishedDeclaration.objects.get(
            pk=event.declaration.pk
        ).created_at.isoformat(),
        "sha256": event.declaration.digest,
    }


def test_an_answer_to_what_is_in_force_needs_no_look_at_the_ledger(
    client: Client, asking: CookieCharterSettings
) -> None:
    corrected(asking)
    post(client, {"decision": value("media")})
    with CaptureQueriesContext(connection) as queries:
        post(client, {"decision": value("media")})
    ledger = f'"{PublishedDeclaration._meta.db_table}"'
    assert not [query for query in queries if f"FROM {ledger}" in query["sql"]]


def test_without_time_zones_it_is_filed_alike(client: Client, settings: Any, db: None) -> None:
    settings.USE_TZ = False
    first, _second = corrected(ask())
    post(client, {"decision": value("media", at=time.time() - 900)})
    assert ConsentEvent.objects.get().declaration == first


def test_a_repetition_that_another_snapshot_gets_is_the_same_answer(
    client: Client, asking: CookieCharterSettings
) -> None:
    """A process may learn late that other words were published under the number."""
    first, second = corrected(asking)
    sent = f"{value('media')}~*{RECEIPT}"
    post(client, {"decision": sent})
    assert ConsentEvent.objects.get().declaration == second
    ConsentEvent.objects.update(declaration=first)
    assert post(client, {"decision": sent}).status_code == 200
    assert ConsentEvent.objects.count() == 1
