"""Editors' screens: what we add to Wagtail's admin, judged by the same engines (R83).

Wagtail answers for the frame around it: what the engines find there is left out by its
selector, each with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import expect
from wagtail.models import Site

from tests.browser.engines import LeftOut, axe, codesniffer
from tests.browser.visitor import Visitor
from tests.ledger import backdate
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterPage,
    DailyCount,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import publish_declaration

pytestmark = pytest.mark.browser


def screens() -> dict[str, str]:
    """The address of each of our screens."""
    site = Site.objects.get(is_default_site=True)
    banner = ConsentBanner.objects.filter(locale__language_code="en")[0]
    charter = CookieCharterPage.objects.child_of(site.root_page)[0]
    archive = "/admin/reports/cookie-declarations/"
    publish_declaration(site, reason="A wrong name.")
    before, declaration = PublishedDeclaration.objects.filter(site=site).order_by("pk")
    backdate(before, 20 * 86_400)
    backdate(declaration, 3 * 86_400)
    DailyCount.objects.create(
        declaration=declaration,
        day=date.today() - timedelta(1),
        method="placeholder",
        grants="media",
        count=3,
    )
    snippets = "/admin/snippets/wagtail_cookie_charter/consentbanner/"
    return {
        "list": snippets,
        "banner": f"{snippets}edit/{banner.pk}/",
        "settings": f"/admin/settings/wagtail_cookie_charter/cookiechartersettings/{site.pk}/",
        "charter": f"/admin/pages/{charter.pk}/edit/",
        "home": "/admin/",
        "archive": archive,
        "archive, wrong day": f"{archive}?on=x",
        "declaration": f"{archive}{declaration.pk}/",
        "difference": f"{archive}difference/",
        "report": "/admin/reports/consent/",
        "comparison": f"/admin/reports/consent/?compare={declaration.pk}",
        "records": "/admin/reports/consent/records/",
    }


@pytest.fixture
def sign_in(new_visitor: Callable[..., Visitor]) -> Callable[..., Visitor]:
    """An editor who may do everything; options are those of the browser."""

    def sign_in(**options: Any) -> Visitor:
        editor = get_user_model().objects.create_superuser("editor", "editor@city.example", "x")
        client = Client()
        client.force_login(editor)
        visitor = new_visitor(**options)
        cookie = client.cookies["sessionid"]
        visitor.page.context.add_cookies(
            [{"name": "sessionid", "value": cookie.value, "url": visitor.home}]
        )
        return visitor

    return sign_in


#: Wagtail's own markup, the same on every screen of its admin.
WAGTAILS = [
    LeftOut("page-has-heading-one", "html", "the title of a snippet's editor is an h2"),
    LeftOut(
        "aria-input-field-name",
        ".public-DraftEditor-content",
        "a rich text field in a block is not tied to its label",
    ),
    LeftOut("scrollable-region-focusable", ".w-minimap__list", "the minimap is for pointers"),
    LeftOut("target-size", "#w-minimap-toggle", "so is the button beside it"),
    LeftOut("scrollable-region-focusable", ".DraftEditor-root", "its toolbar hides its text field"),
    LeftOut("H32.2", "form", "the buttons that save stand outside the form, tied by `form`"),
    LeftOut("H91.Button.Name", "[class*=xdsoft]", "buttons of the date picker, hidden"),
    LeftOut(
        "H91.Button.Name",
        "#comment-icon, .w-field__comment-button",
        "a template for comments' buttons, hidden",
    ),
    LeftOut("H91.InputCheckbox.Name", "[name=is_editing]", "for Wagtail's script, hidden"),
    LeftOut("H91.InputButton.Name", "input[hidden]", "keeps Enter from submitting, hidden"),
    *(
        LeftOut(
            rule,
            "fieldset:not(:has(input, select, textarea, button))",
            "HelpPanel puts its words in a fieldset that groups nothing",
        )
        for rule in ("H71.NoLegend", "H91.Fieldset.Name")
    ),
]

MODES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "320 pixels": {"viewport": {"width": 320, "height": 640}},
}


@pytest.mark.parametrize("mode", MODES)
def test_engines_find_nothing_of_ours(sign_in: Callable[..., Visitor], mode: str) -> None:
    visitor = sign_in(**MODES[mode])
    found: list[str] = []

    def look(name: str) -> None:
        for engine in (axe, codesniffer):
            found.extend(f"{name}: {line}" for line in engine(visitor.page, WAGTAILS))

    for name, path in screens().items():
        page = visitor.open(path).page
        expect(page.locator("main")).to_be_visible()
        page.wait_for_load_state("networkidle")
        look(name)
        if name == "banner":
            page.get_by_role("tab", name="Links and behaviour").click()
            look("banner, second tab")
    assert not found, "\n".join(found)
