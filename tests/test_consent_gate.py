"""Editors' own HTML in any StreamField, behind a gate."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db.migrations.writer import MigrationWriter
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory
from wagtail.blocks.struct_block import StructBlockValidationError

from tests.factories import make_asking_site, make_home, row, table
from wagtail_cookie_charter import visitor
from wagtail_cookie_charter.consent_gate import ConsentGateBlock, waiting_choices
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.serving import serving

MAP = '<iframe src="https://map.example/"></iframe>'


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    make_home()
    settings = make_asking_site(table(row(name="_m", provider="Map Host"), category="media"))
    publish_declarations()
    return settings


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def value(**values: Any) -> Any:
    return ConsentGateBlock().to_python(
        {"category": "media", "provider": "Map Host", "name": "", "html": MAP, **values}
    )


def shown(request: HttpRequest | None, **values: Any) -> BeautifulSoup:
    source = "{% load wagtailcore_tags %}{% include_block value %}"
    html = engines["django"].from_string(source).render({"value": value(**values)}, request)
    return BeautifulSoup(str(html), "html.parser")


def test_it_waits_for_its_provider(asking: CookieCharterSettings, request_: HttpRequest) -> None:
    waits_for = visitor.gate(request_, "media", "Map Host")
    page = shown(request_, name="Map of the town")
    assert page.template is not None and page.template["data-cookie-charter"] == waits_for
    assert page.template.decode_contents() == MAP
    card = page.select_one("[data-cookie-charter-placeholder] + template")
    assert card is page.template
    assert [one["data-cookie-charter-allow"] for one in page.select("button")] == [
        waits_for,
        "media",
    ]
    assert "Map of the town is turned off" in page.get_text()


def test_without_a_provider_it_waits_for_the_category(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    page = shown(request_, provider=" ")
    assert page.template is not None and page.template["data-cookie-charter"] == "media"
    assert [one["data-cookie-charter-allow"] for one in page.select("button")] == ["media"]


def test_it_needs_no_context_where_the_request_is_known(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    assert "<iframe" not in ConsentGateBlock().render(value())
    with serving(request_):
        assert f">{MAP}</template>" in ConsentGateBlock().render(value())


@pytest.mark.parametrize(
    "values",
    [
        {"provider": "Nobody"},
        {"category": "marketing"},
        {"category": "gone"},
        {"category": ""},
        {"html": "</template><script src=x></script>"},
    ],
)
def test_what_nothing_declares_is_not_in_the_page(
    asking: CookieCharterSettings, request_: HttpRequest, values: dict[str, str]
) -> None:
    """Promise 2, with the reason for those who can mend it."""
    page = shown(request_, **values)
    assert not page.select("template, iframe, script, button")
    hint = page.select_one(".wcc-embed-hint")
    assert hint is not None and hint.has_attr("hidden") and len(hint.get_text()) > 30


def test_an_exempt_category_is_no_way_around(settings: Any) -> None:
    keys = [key for key, _title in waiting_choices()]
    assert "necessary" not in keys and {"media", "audience"} <= set(keys)
    with pytest.raises(StructBlockValidationError):
        ConsentGateBlock().clean(value(category="necessary"))


def test_what_was_typed_is_text(asking: CookieCharterSettings, request_: HttpRequest) -> None:
    page = shown(request_, name="<script>alert(1)</script>", provider="<b>")
    assert not page.select("script, b")


# --- What editors read ----------------------------------------------------------------


def errors(**values: Any) -> dict[str, str]:
    try:
        ConsentGateBlock().clean(value(**values))
    except StructBlockValidationError as error:
        return {name: " ".join(found.messages) for name, found in error.block_errors.items()}
    return {}


def test_a_provider_that_is_not_declared_yet_can_be_published() -> None:
    assert errors() == errors(provider="Nobody yet") == errors(provider="", name="") == {}


def test_an_error_stands_at_its_field_and_says_what_to_do() -> None:
    found = errors(html='<script>"', category="")
    assert set(found) == {"html", "category"}
    assert "Copy it again" in found["html"]
    assert set(errors(html="")) == {"html"}


def test_a_draft_may_be_half_done() -> None:
    block = ConsentGateBlock()
    assert block.clean_deferred(value(html="<script>", category=""))["html"] == "<script>"


def test_migrations_name_it_without_taking_it_apart() -> None:
    source, imports = MigrationWriter.serialize(ConsentGateBlock())
    assert source == "wagtail_cookie_charter.consent_gate.ConsentGateBlock()"
    assert imports == {"import wagtail_cookie_charter.consent_gate"}
