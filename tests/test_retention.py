"""How long answers are kept, and how they go (R45, R86)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.answers import ask, latest
from wagtail_cookie_charter.decision import new_receipt
from wagtail_cookie_charter.models import (
    ConsentEvent,
    DailyCount,
    Delivery,
    PublishedDeclaration,
)

#: Half a year of validity, and half a year of proof.
KEPT = 182 + 183


@pytest.fixture
def published(db: None) -> PublishedDeclaration:
    ask()
    return latest()


def answered(published: PublishedDeclaration, *ages: int) -> None:
    """Answers to ``published`` that are so many days old, every other one a refusal."""
    for place, age in enumerate(ages):
        at = datetime.now(timezone.utc) - timedelta(days=age)
        grants = "" if place % 2 else "media"
        ConsentEvent.objects.create(
            declaration=published,
            grants=grants,
            method="choice",
            decided_at=at,
            receipt=new_receipt() if grants else None,
        )
        if not grants:
            Delivery.objects.create(number=new_receipt(), day=at.date())


def ages() -> list[int]:
    now = datetime.now(timezone.utc)
    return sorted((now - event.decided_at).days for event in ConsentEvent.objects.all())


@pytest.mark.parametrize("batch", [0, -1, 100_001, 10**12])
def test_a_batch_is_neither_nothing_nor_all(db: None, batch: int) -> None:
    with pytest.raises(CommandError, match="1 to 100,000"):
        prune(batch=batch)


def test_quiet_is_quiet(db: None) -> None:
    assert prune(verbosity=0) == ""
    assert "answers deleted" in prune()


def prune(**options: Any) -> str:
    output = StringIO()
    call_command("prune_consent_records", stdout=output, **options)
    return output.getvalue()


def test_answers_go_when_their_time_is_over(published: PublishedDeclaration) -> None:
    """By default: as long as they are valid, and six months."""
    answered(published, 0, 182, KEPT - 1, KEPT + 1, KEPT + 2, KEPT + 3, 1000)
    assert "4 answers deleted." in prune()
    assert ages() == [0, 182, KEPT - 1]
    assert [delivery.day for delivery in Delivery.objects.all()] == [
        datetime.now(timezone.utc).date() - timedelta(days=182)
    ]


def test_each_declaration_has_its_own_time(published: PublishedDeclaration) -> None:
    """R36: what is valid for a year is proved for a year and a half."""
    longer = PublishedDeclaration.objects.create(
        site=published.site,
        number=2,
        digest="2" * 64,
        content={**published.content, "days": 365},
    )
    answered(published, KEPT + 1)
    answered(longer, KEPT + 1, 365 + 183 + 1)
    prune()
    assert [event.declaration for event in ConsentEvent.objects.all()] == [longer]
    assert ages() == [KEPT + 1]


def test_the_project_says_how_long(published: PublishedDeclaration, settings: Any) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"RETENTION_DAYS": 30}
    answered(published, 29, 29, 31, 31)
    prune()
    assert ages() == [29, 29]
    assert Delivery.objects.count() == 1


def test_the_number_of_a_refusal_stays_while_it_may_arrive_once_more(
    published: PublishedDeclaration, settings: Any
) -> None:
    """A browser repeats for 30 days what was not confirmed: it must not count twice (R86)."""
    settings.WAGTAIL_COOKIE_CHARTER = {"RETENTION_DAYS": 1}
    answered(published, 0, 0, 10, 10, 30, 30, 31, 31)
    prune()
    assert ages() == [0, 0]
    today = datetime.now(timezone.utc).date()
    days = Delivery.objects.order_by("-day").values_list("day", flat=True)
    assert [(today - day).days for day in days] == [0, 10, 30]


@pytest.mark.parametrize(("days", "warns"), [(29, True), (181, True), (182, False), (400, False)])
def test_pruning_says_that_proof_goes_before_consent(
    published: PublishedDeclaration, settings: Any, days: int, warns: bool
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"RETENTION_DAYS": days}
    told = StringIO()
    prune(stderr=told)
    assert ("still valid" in told.getvalue()) is warns


@pytest.mark.parametrize("wrong", [0, -1, "30", 1.5, True, []])
def test_a_wrong_setting_deletes_nothing_before_its_time(
    published: PublishedDeclaration, settings: Any, wrong: Any
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"RETENTION_DAYS": wrong}
    answered(published, 1, KEPT - 1, KEPT + 1)
    prune()
    assert ages() == [1, KEPT - 1]


def test_counts_a_day_and_declarations_stay(published: PublishedDeclaration) -> None:
    """R86: how many answered how is known for good; who it was never was."""
    answered(published, 1000)
    DailyCount.objects.create(
        declaration=published, day=date(2020, 1, 1), method="accept", grants="media", count=7
    )
    prune()
    assert not ConsentEvent.objects.exists()
    assert DailyCount.objects.get().count == 7
    assert PublishedDeclaration.objects.count() == 1


def test_a_dry_run_deletes_nothing(published: PublishedDeclaration) -> None:
    answered(published, 1, 1000, 1000)
    output = prune(dry_run=True)
    assert "2 answers would be deleted." in output
    assert "1 numbers of refusals would be deleted." in output
    assert ConsentEvent.objects.count() == 3


def test_it_goes_in_batches_and_says_how_far_it_is(published: PublishedDeclaration) -> None:
    """No transaction longer than a batch: visitors go on answering meanwhile."""
    answered(published, *[1000] * 7, 1)
    with CaptureQueriesContext(connection) as queries:
        output = prune(batch=3)
    deleted = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len([sql for sql in deleted if ConsentEvent._meta.db_table in sql]) == 3
    assert output.splitlines()[:4] == [
        "3 answers so far.", "6 answers so far.", "7 answers so far.", "7 answers deleted."
    ]  # fmt: skip
    assert ages() == [1]


def test_what_was_interrupted_is_begun_again(published: PublishedDeclaration) -> None:
    answered(published, *[1000] * 6)

    class Interrupted(StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_command("prune_consent_records", batch=2, stdout=Interrupted())
    assert ConsentEvent.objects.count() == 4
    assert "4 answers deleted." in prune(batch=2)
    assert not ConsentEvent.objects.exists()


def test_where_nothing_was_published_there_is_nothing_to_do(db: None) -> None:
    assert "0 answers deleted." in prune()
