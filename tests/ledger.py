"""What was published, for tests to read, and the way to publish something else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from wagtail.models import Page, Site

from tests.factories import Block, row, table
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterSettings,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import forget

#: What is done within is committed at its end, as a request's work is.
Commit = Callable[[], AbstractContextManager[Any]]


def charter_of(settings: CookieCharterSettings) -> Any:
    """The charter as it is now, as an editor or a script would get hold of it."""
    assert settings.banner is not None
    return Page.objects.get(pk=settings.banner.charter_page_id).specific


def banner_of(settings: CookieCharterSettings) -> ConsentBanner:
    return ConsentBanner.objects.get(pk=settings.banner_id)


def history(site: Site | None) -> list[PublishedDeclaration]:
    """All that this site published, oldest first."""
    return list(PublishedDeclaration.objects.filter(site=site).order_by("pk"))


def latest(site: Site) -> PublishedDeclaration:
    return history(site)[-1]


def keys(site: Site) -> list[str]:
    return [category.key for category in latest(site).declaration.categories]


def texts(site: Site, language: str = "en") -> Any:
    return latest(site).declaration.languages[language].texts


def publish(settings: CookieCharterSettings, *blocks: Block) -> None:
    charter = charter_of(settings)
    charter.body = list(blocks)
    charter.save_revision().publish()


def one(provider: str, category: str = "statistics", **values: Any) -> Block:
    """A table with one row of this provider."""
    name = values.pop("name", f"_{provider}")
    return table(row(name=name, provider=provider, **values), category=category)


def backdate(published: PublishedDeclaration, seconds: float) -> None:
    """As if it had been published so long ago. Its seal no longer fits."""
    at = published.created_at - timedelta(seconds=seconds)
    PublishedDeclaration._base_manager.filter(pk=published.pk).update(created_at=at)
    forget()
