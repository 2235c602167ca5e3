"""Without JavaScript: nothing optional runs, and the charter's form does all the rest (R61)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.portal import Stranger
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor(java_script_enabled=False)


def form(visitor: Visitor) -> Locator:
    return visitor.page.locator("form.wcc-form")


def press(visitor: Visitor, name: str) -> None:
    form(visitor).get_by_role("button", name=name, exact=True).first.click()


def expect_saved(visitor: Visitor) -> None:
    """Back on the charter, where the message is in sight."""
    visitor.page.wait_for_url("**/cookie-charter/#wcc-saved")
    message = visitor.page.get_by_text("Your choices are saved.")
    expect(message).to_be_in_viewport()


def test_nothing_optional_runs_and_nothing_is_asked(
    visitor: Visitor, write: Callable[..., str], stranger: Stranger
) -> None:
    """R55: pixels in noscript and frames wait as well, so there is no banner to answer."""
    visitor.open(
        write(
            """{% cookie_consent "media" %}<iframe src="STRANGER/frame/a"></iframe>
            <img src="STRANGER/frame/b"><noscript><img src="STRANGER/frame/c"></noscript>
            <p>Gated words</p>{% endcookie_consent %}<p>Free words</p>"""
        )
    )
    expect(visitor.page.get_by_text("Free words")).to_be_visible()
    expect(visitor.page.get_by_text("Gated words")).to_be_hidden()
    expect(visitor.banner).to_be_hidden()
    assert stranger.requests == []
    assert visitor.cookies == {}


@pytest.mark.parametrize("path", ["/", "/no/such/page/"])
def test_the_footer_link_leads_to_the_form(visitor: Visitor, path: str) -> None:
    """R48: the way to one's choices needs no script."""
    visitor.open(path).footer_link.click()
    visitor.page.wait_for_url("**/cookie-charter/#wcc-choices")
    expect(visitor.page.get_by_role("heading", name="Your choices")).to_be_in_viewport()


def test_the_message_is_hidden_until_something_was_saved(visitor: Visitor) -> None:
    visitor.open("/cookie-charter/")
    expect(visitor.page.get_by_text("Your choices are saved.")).to_be_hidden()
    assert visitor.page.locator("input:checked").count() == 0


def test_the_form_is_styled(visitor: Visitor) -> None:
    """R15: accept and refuse are buttons of the same look here too, not bare controls."""
    visitor.open("/cookie-charter/")
    for name in ("Accept all", "Refuse all"):
        button = form(visitor).get_by_role("button", name=name)
        expect(button).to_have_css("background-color", "rgb(29, 79, 145)")
        expect(button).to_have_css("min-height", "44px")
    fieldset = visitor.page.locator("fieldset").first
    expect(fieldset).to_have_css("border-top-style", "solid")


def test_accepting(visitor: Visitor) -> None:
    visitor.open("/cookie-charter/")
    press(visitor, "Accept all")
    expect_saved(visitor)
    assert visitor.grants == {"statistics", "media", "audience"}
    assert not (visitor.decision or "~").endswith("~")


def test_refusing_and_saving_nothing(visitor: Visitor) -> None:
    """R30: either way it is a refusal, and the cookie says so."""
    for name in ("Refuse all", "Save my choices"):
        visitor.open("/cookie-charter/")
        press(visitor, "Accept all")
        expect_saved(visitor)
        visitor.open("/cookie-charter/")
        press(visitor, name)
        expect_saved(visitor)
        assert visitor.grants == set()


def test_a_purpose_and_a_provider(visitor: Visitor) -> None:
    """R31: without script too, one may allow one provider and not the other."""
    visitor.open("/cookie-charter/")
    form(visitor).get_by_role("checkbox", name="Allow: Statistics").check()
    form(visitor).get_by_role("checkbox", name="Video Host").check()
    press(visitor, "Save my choices")
    expect_saved(visitor)
    grants = sorted(visitor.grants or ())
    assert grants[0].startswith("media+")
    assert grants[1:] == ["statistics"]


def test_enter_in_a_box_accepts_nothing_else(visitor: Visitor) -> None:
    """R21: the form's first button is not what Enter presses."""
    visitor.open("/cookie-charter/")
    box = form(visitor).get_by_role("checkbox", name="Allow: Statistics")
    box.check()
    box.press("Enter")
    expect_saved(visitor)
    assert visitor.grants == {"statistics"}


def test_refusing_expires_what_was_there(visitor: Visitor, site: str) -> None:
    """R50: the server deletes what it is shown, HttpOnly or not, and nothing else."""
    visitor.page.context.add_cookies(
        [
            {"name": "_measure", "value": "1", "url": site},
            {"name": "_measure_one", "value": "1", "url": site},
            {"name": "_httponly", "value": "1", "url": site, "httpOnly": True},
            {"name": "_mine", "value": "1", "url": site},
        ]
    )
    visitor.open("/cookie-charter/")
    press(visitor, "Refuse all")
    expect_saved(visitor)
    assert set(visitor.cookies) == {visitor.consent_cookie()["name"], "_mine"}


def test_in_french(visitor: Visitor) -> None:
    visitor.open("/fr/charte-cookies/")
    press(visitor, "Tout refuser")
    visitor.page.wait_for_url("**/fr/charte-cookies/#wcc-saved")
    assert visitor.grants == set()


def test_an_answer_given_without_javascript_holds_with_it(
    visitor: Visitor, new_visitor: Callable[..., Visitor]
) -> None:
    """One cookie, whoever wrote it."""
    visitor.open("/cookie-charter/")
    press(visitor, "Accept all")
    expect_saved(visitor)
    with_script = new_visitor(storage_state=visitor.page.context.storage_state())
    with_script.open()
    with_script.reopen()
    expect(with_script.banner).to_be_hidden()
    assert with_script.box("Allow: Statistics").is_checked()
    assert not with_script.posts
