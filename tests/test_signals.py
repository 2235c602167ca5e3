"""Telling vendors what visitors decided: the setting, its check, and what pages say (R54, R59)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory, override_settings

from tests.factories import make_asking_site, make_home, row, table
from wagtail_cookie_charter import checks
from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.vendors import VENDORS


def signals(value: Any, **more: Any) -> override_settings:
    return override_settings(WAGTAIL_COOKIE_CHARTER={"SIGNALS": value, **more})


def problems() -> list[str]:
    found = checks.check_signals()
    assert {message.id for message in found} <= {"wagtail_cookie_charter.E005"}
    return [message.msg for message in found]


# --- The setting ----------------------------------------------------------------------


def test_nobody_is_told_by_default() -> None:
    assert conf.signals == {}
    assert problems() == []


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_needs_no_options(name: str) -> None:
    with signals({name: {}}):
        assert problems() == []
        vendor = conf.signals[name]
    assert any(vendor.signals.values())
    assert vendor.provider == ""


def test_google_is_basic_by_default() -> None:
    """R59: the advanced mode must not be the default."""
    with signals({"google": {}}):
        assert conf.signals["google"].mode == "basic"
    with signals({"google": {"mode": "advanced"}}):
        assert conf.signals["google"].mode == "advanced"
        assert problems() == []


def test_google_has_defaults_for_every_signal() -> None:
    with signals({"google": {}}):
        assert conf.signals["google"].signals == {
            "ad_storage": "marketing",
            "ad_user_data": "marketing",
            "ad_personalization": "marketing",
            "analytics_storage": "statistics",
            "functionality_storage": "preferences",
            "personalization_storage": "preferences",
        }


def test_a_map_is_merged_over_the_defaults() -> None:
    with signals({"google": {"map": {"analytics_storage": "media", "ad_storage": None}}}):
        assert problems() == []
        found = conf.signals["google"].signals
    assert found["analytics_storage"] == "media"
    assert found["ad_storage"] is None
    assert found["ad_user_data"] == "marketing"


def test_matomo_opts_out_of_what_is_exempt() -> None:
    with signals({"matomo": {"mode": "opt_out"}}):
        assert problems() == []
        assert conf.signals["matomo"].signals == {"consent": "audience"}


def test_a_default_category_that_the_project_took_out_grants_nothing() -> None:
    """It is no mistake of the project's, so no check complains."""
    with signals({"meta": {}}, CATEGORIES={"marketing": None}):
        assert conf.signals["meta"].signals == {"consent": None}
        assert problems() == []


@pytest.mark.parametrize("value", ["google", ["google"], None, True, {"gogle": {}}, {7: {}}])
def test_unknown_vendors_are_reported_and_left_out(value: Any) -> None:
    with signals(value):
        assert conf.signals == {}
        [problem] = problems()
    assert "SIGNALS" in problem


@pytest.mark.parametrize(
    ("vendor", "options"),
    [
        ("meta", True),
        ("meta", None),
        ("meta", "marketing"),
        ("meta", {"category": "adverts"}),
        ("meta", {"category": "necessary"}),
        ("meta", {"category": ["marketing"]}),
        ("meta", {"provider": 7}),
        ("clarity", {"map": ["statistics"]}),
        ("clarity", {"map": {"ad_Storage": "adverts", "analytics_Storage": 7}}),
    ],
)
def test_wrong_options_are_reported_and_grant_nothing(vendor: str, options: Any) -> None:
    """The vendor still hears its denial: to say nothing at all may mean yes to it."""
    with signals({vendor: options}):
        assert problems()
        assert not any(conf.signals[vendor].signals.values())


@pytest.mark.parametrize(
    ("vendor", "options"),
    [
        ("google", {"mode": "Advanced"}),
        ("google", {"mode": ["advanced"]}),
        ("google", {"mode": None}),
        ("google", {"modus": "advanced"}),
        ("google", {"category": "marketing"}),
        ("google", {"map": {"ad_storrage": "marketing"}}),
        ("google", {"map": {7: "marketing"}}),
        ("meta", {"mode": "advanced"}),
        ("meta", {"map": {"consent": "media"}}),
    ],
)
def test_what_is_not_understood_is_reported_and_changes_nothing(vendor: str, options: Any) -> None:
    with signals({vendor: {}}):
        usual = conf.signals[vendor]
    with signals({vendor: options}):
        assert len(problems()) == 1
        assert conf.signals[vendor] == usual


# --- What pages say -------------------------------------------------------------------


@pytest.fixture
def request_(db: None, rf: RequestFactory) -> HttpRequest:
    """Of a site that declares statistics of two providers, and media."""
    make_home()
    make_asking_site(
        table(row(provider="Google Analytics"), row(name="_c", provider="Second Counter")),
        table(row(name="_v", provider="Video Host"), category="media"),
    )
    publish_declarations()
    return rf.get("/")


def html(source: str, request: HttpRequest | None = None) -> str:
    template = engines["django"].from_string("{% load cookie_charter %}" + source)
    return str(template.render({}, request))


def section(request: HttpRequest) -> dict[str, Any]:
    found = BeautifulSoup(html("{% cookie_banner %}", request), "html.parser").find(id="wcc")
    assert found is not None
    return dict(found.attrs)


def test_a_site_that_tells_nobody_pays_nothing(request_: HttpRequest) -> None:
    """Not one byte, and no request."""
    assert "signals" not in html("{% cookie_banner %}", request_)
    assert html("{% cookie_signals %}", request_) == ""
    with signals({}):
        assert "signals" not in html("{% cookie_banner %}", request_)


def test_the_section_says_what_each_signal_waits_for(request_: HttpRequest) -> None:
    with signals({"matomo": {"mode": "cookies"}, "clarity": {"map": {"ad_Storage": "media"}}}):
        attributes = section(request_)
    assert attributes["data-signals"] == (
        "/static/wagtail_cookie_charter/cookie-charter-signals.js"
    )
    assert json.loads(attributes["data-signals-config"]) == {
        "matomo": {"mode": "cookies", "map": {"consent": "statistics"}},
        "clarity": {"mode": "", "map": {"ad_Storage": "media", "analytics_Storage": "statistics"}},
    }


def gate_of(request: HttpRequest, **options: Any) -> str:
    with signals({"matomo": options}):
        found = json.loads(section(request)["data-signals-config"])
    return str(found["matomo"]["map"]["consent"])


def test_a_provider_is_named_by_its_number(request_: HttpRequest) -> None:
    """The same as the gate waits for: who refuses one provider only must be heard."""
    gate = gate_of(request_, provider="google analytics")
    category, code = gate.split(" ")
    assert category == "statistics"
    inside = '{% cookie_consent "statistics" provider="Google Analytics" %}{% endcookie_consent %}'
    assert f'"{category} {code}"' in html(inside, request_)


def test_what_nobody_declares_is_never_granted(request_: HttpRequest) -> None:
    """Promise 2: neither a category nor a provider that the charter does not name."""
    assert gate_of(request_, category="marketing") == ""
    assert gate_of(request_, provider="Somebody Else") == ""


def test_wrong_settings_break_no_page(request_: HttpRequest) -> None:
    with signals({"meta": True, "nobody": {}}):
        found = json.loads(section(request_)["data-signals-config"])
    assert found == {"meta": {"mode": "", "map": {"consent": ""}}}


def test_the_defaults_stand_in_the_head_only_where_advanced_is_asked_for(
    request_: HttpRequest,
) -> None:
    """R59: a script that holds up the page until Google's tags know that all is denied."""
    others: list[Any] = [{"google": {}}, {"google": {"mode": "nonsense"}}, {"meta": {}}]
    for value in others:
        with signals(value):
            assert html("{% cookie_signals %}", request_) == ""
    with signals({"google": {"mode": "advanced"}}):
        found = html("{% cookie_signals %}", request_)
        assert html("{% cookie_signals %}") == found
    address = "/static/wagtail_cookie_charter/cookie-charter-signals-default.js"
    assert found == f'<script src="{address}"></script>'
