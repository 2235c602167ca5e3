"""Answers as the recorder leaves them, and people who may or may not look at them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from wagtail_cookie_charter.models import ConsentEvent, DailyCount, PublishedDeclaration


def count(
    declaration: PublishedDeclaration,
    grants: str,
    answers: int,
    day: date | None = None,
    method: str = "choice",
    slot: int = 0,
) -> DailyCount:
    return DailyCount.objects.create(
        declaration=declaration,
        day=day or datetime.now(timezone.utc).date(),
        method=method,
        grants=grants,
        slot=slot,
        count=answers,
    )


def event(declaration: PublishedDeclaration, grants: str, **values: Any) -> ConsentEvent:
    return ConsentEvent.objects.create(
        **{
            "declaration": declaration,
            "grants": grants,
            "method": "choice",
            "language": "en",
            "decided_at": datetime.now(timezone.utc),
            "receipt": "0123456789ab" if grants else None,
            **values,
        }
    )


def person(*permissions: str, name: str = "officer") -> User:
    """Somebody who may enter the admin, and has these permissions of our models."""
    user = User.objects.create_user(name, f"{name}@example.com", "password")
    group = Group.objects.create(name=f"Group of {name}")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    for codename in permissions:
        group.permissions.add(Permission.objects.get(codename=codename))
    user.groups.add(group)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def administrator() -> User:
    return User.objects.create_superuser("admin", "admin@example.com", "password")
