"""Times as the database has them, with a zone or without (``USE_TZ``), and in UTC."""

from __future__ import annotations

from datetime import datetime, timezone

from django.conf import settings
from django.utils import timezone as project_time


def stored(at: datetime) -> datetime:
    """``at``, which has a zone, as this project's database has it and compares it."""
    if settings.USE_TZ:
        return at
    # Not the active zone: that is of whoever reads.
    return project_time.make_naive(at, project_time.get_default_timezone())


def local(at: datetime) -> datetime:
    """What the database gave, in the time zone of whoever reads."""
    return project_time.localtime(at) if project_time.is_aware(at) else at


def utc(at: datetime) -> datetime:
    """What the database gave."""
    if project_time.is_naive(at):
        at = project_time.make_aware(at, project_time.get_default_timezone())
    return at.astimezone(timezone.utc)
