"""Times with and without a zone meet nowhere (``USE_TZ``)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.utils import timezone as project_time

from wagtail_cookie_charter.moments import stored, utc

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
#: Whoever is looking: it changes nothing of what is stored.
READER = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("zones", "kept"), [(True, NOON), (False, datetime(2026, 7, 1, 14))], ids=["with", "without"]
)
def test_what_is_stored_is_read_again(settings: Any, zones: bool, kept: datetime) -> None:
    settings.USE_TZ = zones
    settings.TIME_ZONE = "Europe/Paris"
    with project_time.override(READER):
        assert stored(NOON) == kept
        assert utc(kept) == NOON
    assert utc(kept).utcoffset() == timedelta(0)


def test_a_zone_of_the_databases_own_changes_no_day() -> None:
    """``DATABASES`` can name one (``TIME_ZONE``), in which times come back."""
    late = datetime(2026, 7, 2, 1, tzinfo=timezone(timedelta(hours=2)))
    assert str(utc(late).date()) == "2026-07-01"
