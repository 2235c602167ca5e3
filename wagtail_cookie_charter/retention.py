"""How long answers are kept as proof, and their end (R45). Counts a day stay (R86)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from django.db import router
from django.db.models import QuerySet
from django.utils import timezone as project_time

from .conf import conf
from .consent import Declaration
from .models import ConsentEvent, Delivery, PublishedDeclaration

#: Days for which a browser sends an answer again that was not confirmed: ``PATIENCE`` in
#: ``frontend/cookie-charter-later.js``.
REPEATED_DAYS = 30


def longest_validity() -> int:
    """Days for which an answer holds that is given now, on the site where it holds longest."""
    days = PublishedDeclaration.objects.in_force().values_list("content__days", flat=True)
    return max((one or Declaration.days for one in days), default=Declaration.days)


def due_events() -> Iterator[QuerySet[ConsentEvent]]:
    """The answers past their time: one set for each validity that was ever declared."""
    alike: dict[int, list[int]] = defaultdict(list)
    for pk, days in PublishedDeclaration.objects.values_list("pk", "content__days"):
        alike[conf.retention_days(days or Declaration.days)].append(pk)
    for days, declarations in sorted(alike.items()):
        yield ConsentEvent.objects.filter(
            declaration__in=declarations, decided_at__lt=project_time.now() - timedelta(days=days)
        )


def due_deliveries() -> QuerySet[Delivery]:
    """The numbers of refusals that cannot arrive once more: no answer holds for so long.

    Never those that a browser may still repeat: they would be counted twice (R86).
    """
    valid = PublishedDeclaration.objects.values_list("content__days", flat=True)
    longest = max((days or Declaration.days for days in valid), default=Declaration.days)
    today = datetime.now(timezone.utc).date()
    kept = max(conf.retention_days(longest), REPEATED_DAYS)
    return Delivery.objects.filter(day__lt=today - timedelta(days=kept))


def delete(due: QuerySet[Any], batch: int) -> Iterator[int]:
    """Delete all of ``due``, ``batch`` rows at a time in the order of their keys.

    Yields how many went each time. Each batch is a transaction of its own, so that nobody
    waits for long, and what is interrupted is simply begun again.
    """
    database = router.db_for_write(due.model)
    left = due.using(database).order_by("pk")
    while keys := list(left.values_list("pk", flat=True)[:batch]):
        # Nothing hangs on these rows: no need to load each, and tell its end to receivers.
        yield due.using(database).filter(pk__range=(keys[0], keys[-1]))._raw_delete(database)
        left = left.filter(pk__gt=keys[-1])
