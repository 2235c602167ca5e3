"""The browser refuses for its owner: Global Privacy Control (R63, R64)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

SIGNAL = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: %s })"

PAGE = """
{% cookie_consent "media" %}<iframe src="STRANGER/frame/film" title="Film"></iframe>
{% endcookie_consent %}{% cookie_consent "statistics" %}<b>Counted</b>{% endcookie_consent %}
"""


@pytest.fixture(autouse=True)
def flagged(settings: Any) -> None:
    """Media stands for what the signal refuses."""
    settings.WAGTAIL_COOKIE_CHARTER = {"GPC": ["media"]}


def said(visitor: Visitor) -> Any:
    return visitor.banner.get_by_text("Global Privacy Control")


def test_the_banner_says_that_the_signal_was_honoured(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    visitor.page.add_init_script(SIGNAL % "true")
    visitor.open(write(PAGE))
    expect(visitor.banner).to_be_visible()
    expect(said(visitor)).to_be_visible()
    expect(said(visitor)).to_contain_text("counts as refused")


@pytest.mark.parametrize("value", ["undefined", "false", "'1'", "1"])
def test_nothing_is_said_without_it(
    visitor: Visitor, write: Callable[..., str], value: str
) -> None:
    visitor.page.add_init_script(SIGNAL % value)
    visitor.open(write(PAGE))
    expect(visitor.banner).to_be_visible()
    expect(said(visitor)).to_be_hidden()


def test_an_earlier_yes_does_not_outlive_a_later_signal(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    page = write(PAGE)
    visitor.open(page)
    visitor.accept()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])
    visitor.page.add_init_script(SIGNAL % "true")
    stranger.requests.clear()
    visitor.open(page)
    expect(visitor.page.get_by_text("Counted")).to_be_visible()
    visitor.expect_quiet()
    expect(visitor.page.get_by_title("Film")).to_have_count(0)
    assert stranger.requests == []


def test_an_explicit_later_choice_wins(visitor: Visitor, write: Callable[..., str]) -> None:
    visitor.page.add_init_script(SIGNAL % "true")
    page = write(PAGE)
    visitor.open(page)
    visitor.accept()
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    assert visitor.decision is not None and "!" in visitor.decision
    visitor.open(page)
    expect(visitor.page.get_by_title("Film")).to_be_visible()


def test_one_thing_more_does_not_bring_back_what_the_signal_refuses(
    visitor: Visitor, write: Callable[..., str]
) -> None:
    page = write(
        PAGE + "<button type='button' data-cookie-charter-allow='statistics'>More</button>"
    )
    visitor.open(page)
    visitor.accept()
    visitor.page.add_init_script(SIGNAL % "true")
    visitor.open(page)
    visitor.page.get_by_role("button", name="More").click()
    visitor.wait_until(lambda: "!" in (visitor.decision or ""))
    visitor.expect_grants("statistics", "audience")
    expect(visitor.page.get_by_title("Film")).to_have_count(0)


def test_no_banner_where_the_signal_answers_all(
    new_visitor: Callable[..., Visitor], write: Callable[..., str], settings: Any
) -> None:
    settings.WAGTAIL_COOKIE_CHARTER = {"GPC": ["media", "statistics"]}
    page = write(PAGE)
    signalling = new_visitor()
    signalling.page.add_init_script(SIGNAL % "true")
    signalling.open(page)
    signalling.page.wait_for_function("document.getElementById('wcc-title')")
    # The browser's refusal is an answer: stored, counted as one, and announced to nobody.
    signalling.expect_delivered()
    assert signalling.grants == {"audience"}
    expect(signalling.banner).to_be_hidden()
    expect(signalling.status).to_be_empty()
    signalling.open(page)
    signalling.expect_quiet()
    assert ["method=signal" in (post.post_data or "") for post in signalling.posts] == [True]
    other = new_visitor()
    other.open(page)
    expect(other.banner).to_be_visible()


def test_the_form_without_javascript_is_an_explicit_choice(
    new_visitor: Callable[..., Visitor],
) -> None:
    visitor = new_visitor(java_script_enabled=False, extra_http_headers={"Sec-GPC": "1"})
    visitor.open("/cookie-charter/")
    visitor.page.get_by_role("button", name="Accept all").first.click()
    visitor.page.wait_for_url("**/cookie-charter/#wcc-saved")
    assert visitor.decision is not None and "!" in visitor.decision
    other = new_visitor(java_script_enabled=False, extra_http_headers={"Sec-GPC": "0"})
    other.open("/cookie-charter/")
    other.page.get_by_role("button", name="Accept all").first.click()
    other.page.wait_for_url("**/cookie-charter/#wcc-saved")
    assert other.decision is not None and "!" not in other.decision
