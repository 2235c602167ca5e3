"""The project's settings, read each time, so that a test or a reload sees changes.

All live in one dictionary, ``WAGTAIL_COOKIE_CHARTER``; every key is optional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import vendors
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

#: What the Global Privacy Control signal refuses where the project does not say.
GPC = ("marketing",)

#: What may happen to a cookie that no published row declares.
UNDECLARED = ("log", "drop", "raise")


#: What ``PRESET`` may say (``presets.py``).
PRESETS = ("default", "bootstrap", "unstyled", "dsfr")

#: What ``RECORDER`` may say instead of a dotted path, beside ``off``.
RECORDERS = {
    "database": "wagtail_cookie_charter.recording.store",
    "tasks": "wagtail_cookie_charter.tasks.enqueue",
}

#: Days for which proof is kept after the choice itself has ended (R45).
PROOF_DAYS = 183

#: An origin as browsers send it (RFC 6454): small letters, no path, no slash at the end.
ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?\Z")


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
    def gpc(self) -> tuple[str, ...]:
        """Categories that the Global Privacy Control signal refuses (R63)."""
        value = _setting("GPC", GPC)
        return tuple(value) if isinstance(value, list | tuple) else GPC

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

    @property
    def signals(self) -> dict[str, vendors.Vendor]:
        """The vendors that are told what visitors decide; none by default (R54, R59).

        What is wrong in ``SIGNALS`` grants nothing.
        """
        return self._signals[0]

    @property
    def signal_problems(self) -> list[str]:
        """What is wrong in ``SIGNALS``, in sentences."""
        return self._signals[1]

    @property
    def _signals(self) -> tuple[dict[str, vendors.Vendor], list[str]]:
        value = _setting("SIGNALS", {})
        if value == {}:
            return {}, []
        decided = [key for key, found in self.categories.items() if found.ground != Ground.EXEMPT]
        return vendors.read(value, decided)

    @property
    def undeclared_cookies(self) -> str:
        """What the middleware does with a cookie that no row declares: one of ``UNDECLARED``.

        Whoever misspells it wanted something else than the default: the strictest holds.
        """
        value = _setting("UNDECLARED_COOKIES", "log")
        return value if value in UNDECLARED else "drop"

    @property
    def recorder(self) -> str:
        """Dotted path of what records answers, "" where nothing does (``recording.py``)."""
        value = _setting("RECORDER", "database")
        if value is None or value == "off":
            return ""
        # Even "" is the name of something, and of nothing that records.
        return RECORDERS.get(str(value), str(value)) or "?"

    def retention_days(self, validity: int) -> int:
        """Days for which answers are kept that were valid for ``validity`` days (R45).

        A wrong value deletes nothing before its time: the default holds.
        """
        value = _setting("RETENTION_DAYS", None)
        right = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return int(value) if right else validity + PROOF_DAYS

    @property
    def cors_origins(self) -> frozenset[str]:
        """The origins whose scripts may read ``declaration.json``; ``{"*"}`` for all.

        A wrong entry is left out (fail closed).
        """
        origins = _setting("CORS_ORIGINS", ())
        if origins == "*":
            return frozenset("*")
        if not isinstance(origins, (list, tuple, set, frozenset)):
            return frozenset()
        return frozenset(one for one in origins if isinstance(one, str) and ORIGIN.match(one))

    @property
    def preset(self) -> str:
        """How banner, second layer, charter and cards look: one of ``PRESETS``.

        A misspelt one must not leave visitors with something that cannot be read: the default
        holds.
        """
        value = _setting("PRESET", "default")
        return value if value in PRESETS else "default"

    @property
    def csp_nonce(self) -> bool:
        """Whether to make a CSP nonce for our tags on pages that have none so far."""
        return _setting("CSP_NONCE", False) is True


conf = Conf()


def category_choices() -> list[tuple[str, str | Promise]]:
    return [(category.key, category.title) for category in conf.categories.values()]
