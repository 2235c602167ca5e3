"""What the tests of ``decide`` have in common: how an answer is sent, and what comes back."""

from __future__ import annotations

import json
import re
import time
from http.cookies import SimpleCookie
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.factories import Block, make_asking_site, make_home, row, table
from wagtail_cookie_charter.decision import base36
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    DailyCount,
    Delivery,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import publish_declarations

#: Seconds for which an answer holds.
LIFE = 182 * 86_400


def ask() -> CookieCharterSettings:
    """A site that asks about statistics, about media of three providers, and measures by itself."""
    make_home()
    settings = make_asking_site(
        table(row(name="sessionid", provider="City"), category="necessary"),
        table(row(name="_stat*"), row(name="_shared"), category="statistics"),
        table(
            row(name="_one", provider="Video One"),
            row(name="_two", provider="Video Two"),
            row(name="_three", provider="Video Three"),
            row(name="_shared", provider="Video One"),
            row(name="_kept", provider="Video One", storage="local"),
            category="media",
        ),
        table(row(name="_own", provider="Own", retention_months=12), category="audience"),
    )
    publish_declarations()
    return settings


def ask_instead(settings: CookieCharterSettings, *blocks: Block) -> int:
    """Publish these tables in place of all others; returns the number to answer to."""
    assert settings.banner is not None
    charter = settings.banner.charter_page.specific
    charter.body = list(blocks)
    charter.save_revision().publish()
    publish_declarations()
    return latest().number


def counts() -> dict[tuple[str, str], int]:
    """(method, grants) -> answers, over all days."""
    return {(one.method, one.grants): one.count for one in DailyCount.objects.all()}


def everything() -> str:
    """All that answers left, as text."""
    return json.dumps(
        [list(model.objects.values()) for model in (ConsentEvent, Delivery, DailyCount)],
        default=str,
    )


def latest() -> PublishedDeclaration:
    published = PublishedDeclaration.objects.order_by("-pk").first()
    assert published is not None
    return published


def code_of(provider: str) -> str:
    """The provider's number as it stands in the cookie."""
    return base36(latest().declaration.providers[provider])


def post(
    client: Client, data: Any, content_type: str = "", secure: bool = False, **headers: Any
) -> HttpResponse:
    """As our script or the charter's form sends it, from a page of this site."""
    sent = {"sec_fetch_site": "same-origin", **headers}
    arguments: dict[str, Any] = {"content_type": content_type} if content_type else {}
    return client.post(  # type: ignore[return-value]
        reverse("cookie_charter:decide"),
        data,
        secure=secure,
        headers={key.replace("_", "-"): value for key, value in sent.items() if value},
        **arguments,
    )


def value(*grants: str, number: int = 1, at: float | None = None) -> str:
    seconds = int(time.time() if at is None else at)
    return ".".join(["1", base36(number), base36(seconds), *grants])


def set_cookies(response: Any) -> list[tuple[str, str, str]]:
    """Name, domain and value of each Set-Cookie, in order."""
    found = []
    for morsel in response.cookies.values():
        (parsed,) = SimpleCookie(morsel.OutputString()).values()
        found.append((parsed.key, parsed["domain"], parsed.value))
    return found


def assert_refused(response: HttpResponse, status: int | range = range(400, 500)) -> str:
    """Assert that an answer was refused properly; returns the sentence."""
    statuses = range(status, status + 1) if isinstance(status, int) else status
    assert response.status_code in statuses, response.content
    assert not response.cookies
    assert "Traceback" not in response.content.decode(errors="replace")
    assert response["Content-Type"] in ("application/json", "text/plain; charset=utf-8")
    sentence = response.content.decode()
    if response["Content-Type"] == "application/json":
        sentence = json.loads(sentence)["error"]
    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence, re.DOTALL), sentence
    return sentence
