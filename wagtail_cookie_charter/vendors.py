"""Which vendors can be told what visitors decided, and what a project says about each (R54, R59).

Pure: the setting goes in, what is understood and what is wrong with it comes out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

#: A vendor's signals by mode, the first mode being the default and the strictest: signal ->
#: the category that grants it; None where none does. The names are the vendors' own (their
#: documentation is cited in ``frontend/cookie-charter-signals.js``). Vendors that know one
#: signal only have ``consent``.
VENDORS: Mapping[str, Mapping[str, Mapping[str, str | None]]] = {
    "google": dict.fromkeys(
        ("basic", "advanced"),
        {
            "ad_storage": "marketing",
            "ad_user_data": "marketing",
            "ad_personalization": "marketing",
            "analytics_storage": "statistics",
            "functionality_storage": "preferences",
            "personalization_storage": "preferences",
        },
    ),
    "microsoft": {"": {"consent": "marketing"}},
    "clarity": {"": {"ad_Storage": "marketing", "analytics_Storage": "statistics"}},
    "matomo": {
        "consent": {"consent": "statistics"},
        "cookies": {"consent": "statistics"},
        "opt_out": {"consent": "audience"},
    },
    "meta": {"": {"consent": "marketing"}},
    "piano": {"": {"opt-in": "statistics", "essential": None}},
}


@dataclass(frozen=True)
class Vendor:
    """How one vendor is told: in which mode, and which category grants which signal.

    A signal whose category is None is never granted. ``provider`` is a name in the charter's
    table, or "" where the whole category counts.
    """

    mode: str
    signals: Mapping[str, str | None]
    provider: str = ""


def read(value: Any, categories: Collection[str]) -> tuple[dict[str, Vendor], list[str]]:
    """The vendors of a ``SIGNALS`` setting, and one sentence for each thing wrong with it.

    ``categories`` are the keys of those that visitors decide about. What is not understood
    grants nothing: a vendor stays denied, in its strictest mode; an unknown one is left out.
    """
    if not isinstance(value, Mapping):
        return {}, ["SIGNALS must be a dictionary: vendor -> options."]
    found: dict[str, Vendor] = {}
    problems: list[str] = []
    for name, options in value.items():
        if name not in VENDORS:
            problems.append(f"there is no vendor {name!r}; there are: {', '.join(VENDORS)}.")
            continue
        found[name], wrong = _vendor(VENDORS[name], options, categories)
        problems += [f"{name}: {problem}" for problem in wrong]
    return found, problems


def _vendor(
    modes: Mapping[str, Mapping[str, str | None]], options: Any, categories: Collection[str]
) -> tuple[Vendor, list[str]]:
    strictest = next(iter(modes))
    if not isinstance(options, Mapping):
        denied = dict.fromkeys(modes[strictest])
        return Vendor(strictest, denied), ["the options must be a dictionary, which may be empty."]
    # One signal is named by its category; several, by a map.
    how = "category" if all(len(signals) == 1 for signals in modes.values()) else "map"
    have = [how, "provider", *(["mode"] if len(modes) > 1 else [])]
    # Nobody should believe that an option does something if it does not.
    problems = [
        f"there is no option {option!r}; there are: {', '.join(have)}."
        for option in options
        if option not in have
    ]
    mode = options.get("mode", strictest) if "mode" in have else strictest
    if not isinstance(mode, str) or mode not in modes:
        problems.append(f"there is no mode {mode!r}; there are: {', '.join(modes)}.")
        mode = strictest
    own = options.get(how, {})
    if how == "category" and how in options:
        own = {"consent": own}
    if not isinstance(own, Mapping):
        problems.append("the map must be a dictionary: signal -> category.")
        own = dict.fromkeys(modes[mode])
    for signal, category in own.items():
        if signal not in modes[mode]:
            problems.append(f"there is no signal {signal!r}; there are: {', '.join(modes[mode])}.")
        elif category is not None and not _known(category, categories):
            problems.append(
                f"{category!r} is no category that visitors decide about; "
                f"there are: {', '.join(categories)}."
            )
    provider = options.get("provider", "")
    if not isinstance(provider, str):
        problems.append("the provider must be a name of the charter's table.")
        own, provider = dict.fromkeys(modes[mode]), ""
    signals = {
        signal: category if _known(category, categories) else None
        for signal, default in modes[mode].items()
        for category in [own.get(signal, default)]
    }
    return Vendor(mode, signals, provider), problems


def _known(category: Any, categories: Collection[str]) -> bool:
    return isinstance(category, str) and category in categories
