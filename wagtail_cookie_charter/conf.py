"""The project's settings, read each time, so that a test or a reload sees changes.

All live in one dictionary, ``WAGTAIL_COOKIE_CHARTER``; every key is optional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .consent import CATEGORY_KEY, Ground


@dataclass(frozen=True)
class CategorySetting:
    """A category as templates and editors share it: a stable key and default words."""

    key: str
    ground: Ground
    title: str | Promise
    summary: str | Promise


NECESSARY = "necessary"

GROUNDS = frozenset(ground.value for ground in Ground)

DEFAULT_CATEGORIES: Mapping[str, Mapping[str, Any]] = {
    NECESSARY: {
        "ground": "exempt",
        "title": _("Necessary for the site to work"),
        "summary": _("Signing in, security and remembering your choices."),
    },
    "preferences": {
        "ground": "consent",
        "title": _("Preferences"),
        "summary": _("Remember settings that make your next visit more comfortable."),
    },
    "audience": {
        "ground": "opt_out",
        "title": _("Anonymous audience measurement"),
        "summary": _("Count visits without recognising you. You can object."),
    },
    "statistics": {
        "ground": "consent",
        "title": _("Statistics"),
        "summary": _("Understand how the site is used, to improve it."),
    },
    "media": {
        "ground": "consent",
        "title": _("Videos, maps and other content from elsewhere"),
        "summary": _("Show content that other sites provide and may follow."),
    },
    "marketing": {
        "ground": "consent",
        "title": _("Advertising and social networks"),
        "summary": _("Measure and adapt advertising, share on social networks."),
    },
}


def _setting(name: str, default: Any) -> Any:
    return getattr(django_settings, "WAGTAIL_COOKIE_CHARTER", {}).get(name, default)


class Conf:
    """Typed access to the settings. Wrong values are reported by ``checks.py``."""

    @property
    def categories(self) -> dict[str, CategorySetting]:
        """Defaults with the project's ``CATEGORIES`` merged over them.

        ``None`` removes a default category; a wrong entry is left out (fail closed).
        """
        merged = {**DEFAULT_CATEGORIES}
        for key, value in _setting("CATEGORIES", {}).items():
            if value is None:
                merged.pop(key, None)
            elif isinstance(value, Mapping):
                merged[key] = {**merged.get(key, {}), **value}
        found = {}
        for key, value in merged.items():
            if not CATEGORY_KEY.match(key) or str(value.get("ground")) not in GROUNDS:
                continue
            found[key] = CategorySetting(
                key, Ground(value["ground"]), value.get("title", key), value.get("summary", "")
            )
        return found

    @property
    def base_template(self) -> str:
        """The site's template that the charter page extends; it has a block ``content``."""
        return str(_setting("BASE_TEMPLATE", "base.html"))

    @property
    def cache(self) -> str:
        """Alias of the cache that remembers which declaration is current."""
        return str(_setting("CACHE", "default"))

    @property
    def cache_seconds(self) -> int:
        """How long a process may go on with what it knows, where caches are not shared."""
        return int(_setting("CACHE_SECONDS", 300))


conf = Conf()


def category_choices() -> list[tuple[str, str | Promise]]:
    return [(category.key, category.title) for category in conf.categories.values()]
