"""The package's own words for visitors: good defaults in every shipped language.

An editor's empty field is never an empty button. All of it goes through gettext; what is
written here is the English original.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .consent import Duration, DurationKind, Ground
from .decision import Method

#: Field of ``ConsentBanner`` -> its words when an editor leaves it empty.
BANNER_DEFAULTS: Mapping[str, str | Promise] = {
    "title": _("Your privacy, your choice"),
    "text": _(
        "With your consent, we use cookies for the purposes below. If you refuse, you only miss "
        "the content that needs them. You can withdraw your consent at any time: “Manage "
        "cookies”, at the foot of each page."
    ),
    "accept_label": _("Accept all"),
    "refuse_label": _("Refuse all"),
    "customise_label": _("Customise"),
    "save_label": _("Save my choices"),
}


def duration_text(duration: Duration | None) -> str:
    """A duration in the active language, "" where it is not known."""
    if duration is None:
        return ""
    if duration.kind is DurationKind.SESSION:
        return gettext("until the browser is closed")
    if duration.kind is DurationKind.PERSISTENT:
        return gettext("until you delete it")
    value = duration.value
    by_unit = {
        "second": ngettext("%(count)d second", "%(count)d seconds", value),
        "minute": ngettext("%(count)d minute", "%(count)d minutes", value),
        "hour": ngettext("%(count)d hour", "%(count)d hours", value),
        "day": ngettext("%(count)d day", "%(count)d days", value),
        "week": ngettext("%(count)d week", "%(count)d weeks", value),
        "month": ngettext("%(count)d month", "%(count)d months", value),
        "year": ngettext("%(count)d year", "%(count)d years", value),
    }
    return by_unit[duration.unit] % {"count": value}


def ground_text(ground: Ground) -> str:
    return {
        Ground.EXEMPT: gettext("No consent needed"),
        Ground.OPT_OUT: gettext("Active unless you refuse"),
        Ground.CONSENT: gettext("Only with your consent"),
    }[ground]


def method_text(method: str) -> str:
    """How an answer was given (``decision.Method``'s values), in the active language."""
    known = {
        Method.ACCEPT.value: gettext("Button “Accept all”"),
        Method.REFUSE.value: gettext("Button “Refuse all”"),
        Method.CHOICE.value: gettext("Own choice, saved"),
        Method.PLACEHOLDER.value: gettext("Allowed in a page, in place of the blocked content"),
        Method.WITHDRAWAL.value: gettext("Withdrawn, wholly or in part"),
        Method.SIGNAL.value: gettext("Refused by the browser’s privacy signal"),
    }
    return known.get(method, method)
