"""What the admin's home says about consent: a few numbers, and what needs attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from wagtail.admin.ui.components import Component

from .attention import attention
from .charts import shares
from .figures import figures, last_days
from .tally import Kinds

#: Who may see numbers of answers (R86): never those of single visitors.
VIEW_COUNTS = "wagtail_cookie_charter.view_dailycount"


@dataclass(frozen=True)
class Summary:
    """The last 30 days: how many answered, and in per cent, what they said."""

    total: int
    accepted: str
    chosen: str
    refused: str


def summary_of(kinds: Kinds) -> Summary:
    return Summary(kinds.total, *shares([kinds.accepted, kinds.chosen, kinds.refused], kinds.total))


class ConsentPanel(Component):
    """Says nothing to whom it has nothing to say."""

    name = "cookie_charter"
    template_name = "wagtail_cookie_charter/admin/homepage_panel.html"
    order = 150

    class Media:
        css = {"all": ["wagtail_cookie_charter/cookie-charter-report.css"]}

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        user = parent_context["request"].user
        now = datetime.now(timezone.utc)
        summary = None
        if user.has_perm(VIEW_COUNTS):
            kinds = figures(last_days(now.date()), over_time=False).tally.kinds
            summary = summary_of(kinds) if kinds.total else None
        found = attention(user, now)
        return {
            "summary": summary,
            "needs": found.needs,
            "audits": found.audits,
            "url": reverse("cookie_charter_report:index"),
        }

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        context = self.get_context_data(parent_context or {})
        if not context["summary"] and not context["needs"]:
            return ""
        return str(render_to_string(self.template_name, context))
