"""Run by check.py inside a new site: what its first visitors get."""

from __future__ import annotations

import html
import json
import re

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

from wagtail_cookie_charter.models import CookieCharterPage  # noqa: E402


def text(path: str) -> str:
    """A page as a visitor gets it: nobody is tracked to be asked."""
    response = Client().get(path, headers={"host": "localhost"})
    assert response.status_code == 200, f"{path}: {response.status_code}"
    assert not response.cookies, f"{path} sets cookies: {response.cookies}"
    return html.unescape(response.content.decode())


charter = CookieCharterPage.objects.live().get()
path = charter.get_url()
page = text(path)
for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "cookie-charter-"):
    assert name in page, f"the charter does not list {name}"
assert "<caption" in page and re.search(r'<th[^>]* scope="row"', page), "no data table"
assert path in text("/"), "the home page does not lead to the charter"
assert "Accept all" not in text("/"), "a banner although there is nothing to ask"
print(f"      {path} is the charter, / leads to it")

row = {
    "name": "_measure",
    "storage": "cookie",
    "provider": "Example Measurement",
    "purpose": "Counts how often each page is read.",
    "duration": {"kind": "fixed", "value": 13, "unit": "month"},
    "party": "first",
}
table = {"category": "statistics", "heading": "Statistics", "cookies": [row]}
body = [*charter.body.get_prep_value(), {"type": "cookie_table", "value": table}]
charter.body = json.dumps(body)
charter.save_revision().publish()
home = text("/")
for words in ("Accept all", "Refuse all", "Customise", "Statistics"):
    assert words in home, f"the banner lacks {words!r}"
assert "Example Measurement" in text(path), "the charter lacks the new row"
print("      a statistics row published: the banner asks")
