"""A visitor's own record (R47): what their consent cookie says, in words and as JSON.

Nothing is looked up about anybody: it is read from the cookie that came with the request.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from wagtail.models import Site

from .consent import Declaration
from .decision import Decision, State, decode
from .models import PublishedDeclaration
from .models.ledger import Unreadable
from .report.records import Granted, granted
from .visitor import consent_cookie, current


@dataclass(frozen=True)
class OwnRecord:
    """An answer, as the visitor's browser keeps it."""

    published: PublishedDeclaration
    declaration: Declaration
    decision: Decision
    #: What it is to the declaration in force.
    state: State

    @property
    def answered_at(self) -> datetime:
        return datetime.fromtimestamp(self.decision.time, timezone.utc)

    @property
    def holds(self) -> bool:
        """Whether it answers what is asked now, and is young enough (R65)."""
        return self.state is State.CURRENT

    @property
    def changed(self) -> bool:
        """Whether the question has changed since, so that it is asked again (R65)."""
        return self.state is State.OUTDATED

    @property
    def ends_at(self) -> datetime:
        """When the question is asked again at the latest."""
        return self.answered_at + timedelta(days=self.declaration.days)

    @property
    def receipt(self) -> str:
        """The number by which the site finds the answer; "" until it has arrived, or for good."""
        return self.decision.receipt if self.decision.delivered else ""

    @property
    def recorded(self) -> bool | None:
        """Whether the site has it on record; None where nobody can say so of a refusal (R37)."""
        if not self.decision.delivered:
            return False
        return bool(self.receipt) if self.decision.grants else None

    @property
    def granted(self) -> list[Granted]:
        """What was answered to each question, in the active language."""
        grants = ".".join(str(grant) for grant in self.decision.grants)
        return granted(self.declaration, grants, get_language() or "")

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "site": self.declaration.site,
            "answered_at": self.answered_at.isoformat(),
            "holds": self.holds,
            "ends_at": self.ends_at.isoformat() if self.holds else None,
            "declaration": {
                "number": self.published.number,
                "published_at": self.published.published_at.isoformat(),
                "sha256": self.published.digest,
            },
            "recorded": self.recorded,
            "receipt": self.receipt or None,
            "despite_privacy_signal": self.decision.despite_signal,
            "choices": [
                {
                    "category": answer.key,
                    "title": answer.title,
                    "granted_to": list(answer.granted),
                    "refused_to": list(answer.refused),
                }
                for answer in self.granted
            ],
        }


def own_record(request: HttpRequest) -> OwnRecord | None:
    """The record of whoever asks; None where there is no answer that can be read."""
    site = Site.find_for_request(request)
    found = current(request)
    if site is None or found is None:
        return None
    decision = decode(consent_cookie(request, found.declaration))
    if decision is None:
        return None
    of_site = PublishedDeclaration.objects.of_site(site).defer("shown")
    published = of_site.answered(decision.number, decision.time)
    if published is None:
        return None
    state = decision.state(found.declaration, now=int(time.time()))
    try:
        return OwnRecord(published, published.declaration, decision, state)
    except Unreadable:
        return None
