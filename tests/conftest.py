from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.utils import translation
from hypothesis import settings

from wagtail_cookie_charter import recording
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.models.ledger import _report, load_declaration
from wagtail_cookie_charter.serving import forget

if TYPE_CHECKING:
    # Not at run time: the swapped project, which reads this file too, has no such models.
    from tests.ledger import Commit

# A busy machine is no defect, and what was found once is kept as a test, not in a database.
settings.register_profile("ours", deadline=None, database=None)
settings.load_profile("ours")
pytest.register_assert_rewrite("tests.answers")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test starts cold: what is published is remembered in the cache and the process."""
    for cache in caches.all(initialized_only=True):
        cache.clear()
    load_declaration.cache_clear()
    _report.cache_clear()
    forget()
    recording._told.clear()
    # Requests leave their language in the thread.
    with translation.override(django_settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def commit(db: None, django_capture_on_commit_callbacks: Any) -> Commit:
    """Publication happens on commit, which a test's own transaction never reaches."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    """A site that asks (``tests.answers.ask``)."""
    # Not above: the swapped project has no such models.
    from tests.answers import ask

    return ask()


@pytest.fixture
def name(asking: CookieCharterSettings) -> str:
    """Of its consent cookie."""
    return f"cookie-charter-{asking.site_id}"
