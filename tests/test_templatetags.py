"""The template tags: what a gate waits for, when it stays shut, and a table for any page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.http import HttpRequest
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory

from tests.factories import make_asking_site, make_home, row, table
from tests.ledger import publish
from wagtail_cookie_charter import visitor
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    """Statistics of one provider, media of two, and our own measurement."""
    make_home()
    settings = make_asking_site(
        table(row()),
        table(
            row(name="_v", provider="Video Host"),
            row(name="_m", provider="Map Host"),
            category="media",
        ),
        table(row(name="_own", provider="Own", retention_months=12), category="audience"),
    )
    publish_declarations()
    return settings


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def html(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    template = engines["django"].from_string("{% load cookie_charter %}" + source)
    return str(template.render(context, request))


# --- Promise 2: the gate --------------------------------------------------------------


def opened(source: str, request: HttpRequest) -> str | None:
    """What a gate waits for; None if there is none."""
    inside = html(f"{{% cookie_consent {source} %}}<b>in</b>{{% endcookie_consent %}}", request)
    if inside == "<b>in</b>":
        return None
    found = re.fullmatch(r'<template data-cookie-charter="(.*)"><b>in</b></template>', inside)
    assert found is not None, inside
    return found[1]


Gate = Callable[[str], str | None]


@pytest.fixture
def gate(asking: CookieCharterSettings, request_: HttpRequest) -> Gate:
    return lambda source: opened(source, request_)


def test_a_gate_waits_for_its_category(gate: Gate) -> None:
    assert gate('"statistics"') == "statistics"
    assert gate("'audience'") == "audience"


def test_a_gate_waits_for_its_provider_however_it_is_spelled(
    gate: Gate, request_: HttpRequest
) -> None:
    """And for the very number that the visitor's choice will name."""
    waits = {
        gate('"media" provider="Video Host"'),
        gate("'media' provider='video host'"),
        gate('"media" provider="  VIDEO   HOST "'),
    }
    notice = visitor.notice(request_)
    assert notice is not None
    (media,) = [category for category in notice.categories if category.key == "media"]
    (code,) = [one.code for one in media.providers if one.name == "Video Host"]
    assert waits == {f"media {code}"}


def test_what_is_exempt_is_rendered_straight(gate: Gate) -> None:
    assert gate('"necessary"') is None
    assert gate('"necessary" provider="Nobody"') is None


def test_what_nothing_declares_stays_shut(gate: Gate) -> None:
    """A visitor cannot have allowed what no published row tells of."""
    assert gate('"marketing"') == ""
    assert gate('"statistics" provider="Nobody"') == ""
    assert gate('"marketing" provider="Video Host"') == ""


def test_a_provider_declared_elsewhere_stays_shut_here(gate: Gate) -> None:
    """R65: a known provider with another purpose is something nobody was asked."""
    assert gate('"statistics" provider="Video Host"') == ""


def test_a_provider_whose_rows_are_gone_stays_shut(
    asking: CookieCharterSettings, rf: RequestFactory
) -> None:
    """Its number is kept for ever, so the number alone proves nothing."""
    publish(asking, table(row(name="_m", provider="Map Host"), category="media"))
    publish_declarations()
    assert opened('"media" provider="Map Host"', rf.get("/")) != ""
    assert opened('"media" provider="Video Host"', rf.get("/")) == ""
    assert opened('"statistics"', rf.get("/")) == ""


def test_gates_in_gates_stay_in_their_gates(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    inside = html(
        '{% cookie_consent "statistics" %}a{% cookie_consent "media" %}b'
        '{% endcookie_consent %}{% cookie_consent "necessary" %}c{% endcookie_consent %}'
        "{% endcookie_consent %}",
        request_,
    )
    assert inside == (
        '<template data-cookie-charter="statistics">a<template data-cookie-charter="media">b'
        "</template>c</template>"
    )


def test_a_gate_takes_variables_and_escapes_them(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    source = "{% cookie_consent key provider=who %}x{% endcookie_consent %}"
    known = html(source, request_, key="media", who="Map Host")
    assert known.startswith('<template data-cookie-charter="media ')
    unknown = html(source, request_, key="media", who='"><script>alert(1)</script>')
    assert unknown == '<template data-cookie-charter="">x</template>'


@pytest.mark.parametrize(
    "source",
    [
        '{% cookie_consent "nonsense" %}x{% endcookie_consent %}',
        "{% cookie_consent 'Statistics' %}x{% endcookie_consent %}",
        "{% cookie_consent key %}x{% endcookie_consent %}",
        "{% cookie_consent nothing %}x{% endcookie_consent %}",
        '{% cookie_consent "media" %}x',
        "{% cookie_consent %}x{% endcookie_consent %}",
        '{% cookie_consent category="media" %}x{% endcookie_consent %}',
        '{% cookie_consent "media" "Video Host" %}x{% endcookie_consent %}',
        '{% cookie_consent "media" provder="Video Host" %}x{% endcookie_consent %}',
        '{% cookie_consent "media" provider= %}x{% endcookie_consent %}',
        '{% cookie_consent "media" provider="A" provider="B" %}x{% endcookie_consent %}',
    ],
)
def test_a_wrong_gate_is_a_developers_error(
    asking: CookieCharterSettings, request_: HttpRequest, source: str
) -> None:
    """Design §2: else a typo in a key would be a tracker that never runs, or always."""
    with pytest.raises(TemplateSyntaxError):
        html(source, request_, key="nonsense")


@pytest.mark.parametrize("provider", ['""', "None", "who.name", "nobody", "empty", "blank"])
def test_an_empty_provider_is_not_the_whole_category(
    asking: CookieCharterSettings,
    request_: HttpRequest,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    provider: str,
) -> None:
    """A variable without a value would let through whom the visitor refused by name."""
    source = f'{{% cookie_consent "media" provider={provider} %}}x{{% endcookie_consent %}}'
    shut = '<template data-cookie-charter="">x</template>'
    context = {"who": object(), "empty": "", "blank": " "}
    assert html(source, request_, **context) == shut
    assert "the provider is empty" in caplog.text
    assert html(source.replace("media", "necessary"), request_, **context) == "x"
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match="the provider is empty"):
        html(source, request_, **context)


def test_a_typo_is_told_with_the_keys_there_are(request_: HttpRequest, db: None) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"'statistic'.*statistics"):
        html('{% cookie_consent "statistic" %}x{% endcookie_consent %}', request_)


# --- The table ------------------------------------------------------------------------


def test_a_table_for_any_page_holds_the_published_rows(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    """Promise 1: what visitors read there is what the banner asks about."""
    media = BeautifulSoup(html("{% cookie_table 'media' %}", request_), "html.parser")
    assert [code.get_text() for code in media.select("tbody th code, tr th code")] == ["_v", "_m"]
    everything = html("{% cookie_table %}", request_)
    for name in ("_measure", "_v", "_m", "_own", f"cookie-charter-{asking.site_id}"):
        assert name in everything
    assert html("{% cookie_table 'marketing' %}", request_).strip() == ""


@pytest.mark.parametrize(
    "content",
    ["</template><script src=x></script>", "a</TEMPLATE >", "<template>open", "</template\n>"],
)
def test_content_cannot_break_out_of_its_gate(
    asking: CookieCharterSettings, request_: HttpRequest, settings: Any, content: str
) -> None:
    """Promise 2: a stray end tag, from an editor's raw HTML say, opens nothing."""
    source = '{% cookie_consent "media" %}{{ content|safe }}{% endcookie_consent %}'
    shut = '<template data-cookie-charter="media"></template>'
    assert html(source, request_, content=content) == shut
    settings.DEBUG = True
    with pytest.raises(TemplateSyntaxError, match="does not own"):
        html(source, request_, content=content)


@pytest.mark.parametrize(
    ("language", "direction"),
    [("ar", "rtl"), ("ar-dz", "rtl"), ("he", "rtl"), ("en", "ltr"), ("fr-ca", "ltr"), ("x", "ltr")],
)
def test_parts_in_another_language_say_how_they_are_written(language: str, direction: str) -> None:
    """R79: in an Arabic page, English that is aligned as Arabic reads badly; and the reverse."""
    written = engines["django"].from_string("{% load cookie_charter %}{{ language|direction }}")
    assert written.render({"language": language}) == direction
