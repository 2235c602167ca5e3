"""What Wagtail's audit log says of declarations."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import LogActionRegistry, LogFormatter

from .publishing import ASKED_AGAIN, DECLARED


class AskedAgain(LogFormatter):
    label = _("Ask all visitors again")

    def format_message(self, log_entry: Any) -> str:
        """All of it: Wagtail's site history has no place for a comment."""
        data = {"number": "–", "reason": "", "added": "", **log_entry.data}
        if data["reason"]:
            told = gettext("All visitors are asked again, under number %(number)s: %(reason)s")
        else:
            told = gettext("All visitors are asked again, under number %(number)s")
        told %= data
        if not data["added"]:
            return told
        new = gettext("New, needs consent: %(what)s.") % {"what": data["added"]}
        return f"{told.rstrip('.')}. {new}"

    def format_comment(self, log_entry: Any) -> str:
        return str(log_entry.data.get("reason", ""))


def register(actions: LogActionRegistry) -> None:
    actions.register_action(DECLARED, _("Publish cookie declaration"), _("Declaration published"))
    actions.register_action(ASKED_AGAIN)(AskedAgain)
