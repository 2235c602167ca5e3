"""The second layer: choosing by purpose and by provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

STATISTICS = "Allow: Statistics"
MEDIA = "Allow: Videos, maps and other content from elsewhere"
AUDIENCE = "Allow: Anonymous audience measurement"

GATES = """
{% cookie_consent "statistics" %}<p>All statistics</p>{% endcookie_consent %}
{% cookie_consent "statistics" provider="Example Measurement" %}
<p>Measurement</p>{% endcookie_consent %}
{% cookie_consent "statistics" provider="Second Counter" %}<p>Counter</p>{% endcookie_consent %}
{% cookie_consent "media" %}<p>All media</p>{% endcookie_consent %}
{% cookie_consent "statistics" provider="Nobody we know" %}<p>Undeclared</p>{% endcookie_consent %}
"""


def shown(visitor: Visitor) -> list[str]:
    return visitor.page.locator("main p").all_inner_texts()


@pytest.fixture
def asked(visitor: Visitor, write: Callable[..., str]) -> Visitor:
    """A visitor with the second layer open before them."""
    visitor.open(write(GATES))
    visitor.customise()
    visitor.unfold()
    return visitor


def test_nothing_is_ticked_at_first(asked: Visitor) -> None:
    """R28: every choice begins as no, what is merely opt-out included."""
    boxes = asked.dialog.get_by_role("checkbox")
    assert boxes.count() == 8
    assert not any(box.is_checked() for box in boxes.all())


def test_each_choice_has_a_name_and_a_group(asked: Visitor) -> None:
    """R72: heard alone, a box says what it allows; its group says for which purpose."""
    for group, names in (
        ("Statistics", [STATISTICS, "Example Measurement", "Second Counter"]),
        ("Videos, maps and other content from elsewhere", [MEDIA, "Video Host", "Map Host"]),
        ("Anonymous audience measurement", [AUDIENCE, "Own Measurement"]),
    ):
        fieldset = asked.dialog.get_by_role("group", name=group, exact=True)
        for name in names:
            expect(fieldset.get_by_role("checkbox", name=name, exact=True)).to_be_visible()
    # R32: what is necessary is said, not ticked.
    necessary = asked.dialog.get_by_role("group", name="Necessary for the site to work")
    assert necessary.get_by_role("checkbox").count() == 0
    expect(necessary.get_by_text("Always active").last).to_be_visible()


def test_rows_stand_by_their_provider(asked: Visitor) -> None:
    """R31: what one allows is spelt out beside the box, as a table."""
    table = asked.dialog.get_by_role("table", name="Example Measurement")
    row = table.get_by_role("row", name="_measure_*")
    expect(row.get_by_role("rowheader")).to_have_text("_measure_*")
    expect(row).to_contain_text("Counts how often each page is read.")
    expect(row).to_contain_text("6 months")


def test_a_whole_purpose_runs_what_waits_for_it(asked: Visitor) -> None:
    asked.box(STATISTICS).check()
    asked.save()
    asked.expect_grants("statistics")
    asked.wait_until(lambda: shown(asked) == ["All statistics", "Measurement", "Counter"])
    assert asked.loads == 1


def test_one_provider_runs_alone(asked: Visitor) -> None:
    """R31, R57: to allow one is not to allow the others."""
    asked.box("Second Counter").check()
    asked.save()
    asked.expect_delivered()
    asked.wait_until(lambda: shown(asked) == ["Counter"])
    [grant] = asked.grants or []
    assert grant.startswith("statistics+")


def test_all_but_one_provider(asked: Visitor) -> None:
    asked.box("Video Host").check()
    asked.box("Map Host").check()
    asked.box(STATISTICS).check()
    asked.box("Second Counter").uncheck()
    asked.save()
    asked.expect_delivered()
    asked.wait_until(lambda: shown(asked) == ["Measurement", "All media"])


def test_a_purpose_and_its_providers_keep_in_step(asked: Visitor) -> None:
    """R31, R35: on, off or mixed; a visitor sees at a glance what a box stands for."""
    whole, one, two = (
        asked.box(STATISTICS),
        asked.box("Example Measurement"),
        asked.box("Second Counter"),
    )

    def state() -> list[object]:
        return [
            "mixed" if whole.evaluate("box => box.indeterminate") else whole.is_checked(),
            one.is_checked(),
            two.is_checked(),
        ]

    one.check()
    assert state() == ["mixed", True, False]
    two.check()
    assert state() == [True, True, True]
    one.uncheck()
    assert state() == ["mixed", False, True]
    whole.click()
    assert state() == [True, True, True]
    whole.click()
    assert state() == [False, False, False]
    assert not asked.box(MEDIA).is_checked()
    # R78: ticking saves nothing by itself.
    assert asked.decision is None


def test_saving_with_nothing_chosen_is_a_refusal(asked: Visitor) -> None:
    """R30."""
    asked.save()
    asked.expect_delivered()
    assert asked.grants == set()
    asked.expect_quiet()
    assert shown(asked) == []
    expect(asked.banner).to_be_hidden()


def test_accepting_and_refusing_in_the_second_layer(asked: Visitor) -> None:
    """R29, R15: both are there again, alike, and do what they say whatever is ticked."""
    accept, refuse = (
        asked.dialog.get_by_role("button", name=name, exact=True)
        for name in ("Accept all", "Refuse all")
    )
    for measure in ("offsetWidth", "offsetHeight"):
        assert accept.evaluate(f"b => b.{measure}") == refuse.evaluate(f"b => b.{measure}")
    look = """button => [...getComputedStyle(button)]
        .filter(name => /color|font|border|padding|background/.test(name))
        .map(name => getComputedStyle(button)[name])"""
    assert accept.evaluate(look) == refuse.evaluate(look)
    asked.box(STATISTICS).check()
    refuse.click()
    asked.expect_delivered()
    assert asked.grants == set()
    asked.reopen()
    asked.press_in_dialog("Accept all")
    asked.expect_grants("statistics", "media", "audience")


@pytest.mark.parametrize("way", ["Escape", "close"])
def test_leaving_changes_nothing(asked: Visitor, way: str) -> None:
    """R21, R22, R71: no answer by leaving; the question stays, focus is where it was."""
    asked.box(STATISTICS).check()
    if way == "Escape":
        asked.page.keyboard.press("Escape")
    else:
        asked.press_in_dialog("Close without changing anything")
    expect(asked.dialog).to_be_hidden()
    expect(asked.banner).to_be_visible()
    expect(asked.button("Customise")).to_be_focused()
    assert asked.decision is None
    assert shown(asked) == []
    assert not asked.posts
    # What was ticked and not saved is forgotten.
    asked.customise()
    assert not asked.box(STATISTICS).is_checked()


def test_focus_comes_back_to_the_footer_link(visitor: Visitor) -> None:
    """R71: closing the layer puts a keyboard back where it was, not at the top of the page."""
    visitor.open().refuse()
    for close in ("Escape", "save"):
        visitor.reopen()
        if close == "Escape":
            visitor.page.keyboard.press("Escape")
        else:
            visitor.save()
        expect(visitor.dialog).to_be_hidden()
        expect(visitor.footer_link).to_be_focused()


def test_the_state_is_there_when_it_is_opened_again(asked: Visitor) -> None:
    """R48: whoever comes back sees what they allowed, on any later page."""
    asked.box(MEDIA).check()
    asked.box("Second Counter").check()
    asked.save()
    asked.expect_delivered()
    for _page in ("this one", "the next"):
        asked.reopen()
        asked.unfold()
        ticked = {
            name: asked.box(name).is_checked()
            for name in (STATISTICS, MEDIA, AUDIENCE, "Example Measurement", "Second Counter")
        }
        assert ticked == {
            STATISTICS: False,
            MEDIA: True,
            AUDIENCE: False,
            "Example Measurement": False,
            "Second Counter": True,
        }
        assert asked.box(STATISTICS).evaluate("box => box.indeterminate")
        asked.page.keyboard.press("Escape")
        asked.open()


def test_the_second_layer_is_fetched_once_and_only_when_wanted(visitor: Visitor) -> None:
    """The cost of a choice is paid by those who make one."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    assert visitor.paths("preferences") == []
    for _time in range(3):
        visitor.customise()
        visitor.page.keyboard.press("Escape")
    assert len(visitor.paths("/cookie-charter/preferences/")) == 1


def test_only_one_interface_at_a_time(visitor: Visitor) -> None:
    """R24: two clicks on the way do not make two layers."""
    visitor.open()
    visitor.page.evaluate(
        "for (let n = 0; n < 3; n++) [...document.querySelectorAll('button')]"
        ".find(b => b.textContent == 'Customise').click()"
    )
    expect(visitor.dialog).to_be_visible()
    assert visitor.page.locator("dialog").count() == 1
    assert not visitor.errors


def test_without_the_second_layer_the_charter_does_it(visitor: Visitor) -> None:
    """Promise 3: a visitor can always choose, even where one address fails."""

    def fail(route: Route) -> None:
        route.fulfill(status=404, body="gone")

    visitor.page.route("**/cookie-charter/preferences/**", fail)
    visitor.open()
    visitor.button("Customise").click()
    visitor.page.wait_for_url("**/cookie-charter/**")
    expect(visitor.page.get_by_role("heading", name="Your choices")).to_be_visible()
    # Asked for once more there, as soon as the script has taken over the form.
    visitor.wait_until(
        lambda: any(
            "/preferences/" in request.url and "/cookie-charter/" in request.headers["referer"]
            for request in visitor.requests
        )
    )
    form = visitor.page.locator("form.wcc-form")
    # Pointing again and again at what does not come must not make one answer several.
    for _time in range(3):
        visitor.page.mouse.move(5, 5)
        visitor.footer_link.hover()
    form.get_by_role("checkbox", name=STATISTICS).check()
    form.get_by_role("button", name="Save my choices").click()
    expect(visitor.status).to_have_text("Your choices are saved.")
    assert visitor.grants == {"statistics"}
    visitor.wait_until(lambda: bool(visitor.posts))
    visitor.expect_quiet()
    assert len(visitor.posts) == 1


def test_the_footer_link_too_falls_back_to_the_charter(visitor: Visitor) -> None:
    visitor.page.route("**/*preferences*", lambda route: route.abort())
    visitor.page.route("**/cookie-charter/preferences/**", lambda route: route.abort())
    visitor.open()
    visitor.footer_link.click()
    visitor.page.wait_for_url("**/cookie-charter/#wcc-choices")


def test_enter_in_a_box_never_accepts_everything(asked: Visitor) -> None:
    """R21, R28: Enter on a box saves what is ticked at most; it is no acceptance of the rest."""
    asked.box(STATISTICS).check()
    asked.box(STATISTICS).focus()
    asked.page.keyboard.press("Enter")
    asked.expect_quiet()
    assert asked.grants in (None, {"statistics"})


def test_charter_form_enter_in_a_box_never_accepts_everything(visitor: Visitor) -> None:
    """R21, R28: the same on the charter."""
    visitor.open("/cookie-charter/").expect_in_charge()
    form = visitor.page.locator("form.wcc-form").first
    form.get_by_role("checkbox", name=STATISTICS).focus()
    visitor.page.keyboard.press("Enter")
    visitor.expect_quiet()
    assert visitor.grants in (None, set())


def test_the_charters_own_form_answers_without_leaving_the_page(visitor: Visitor) -> None:
    """R5: on the charter, the choice is at hand; the layer and the form agree."""
    visitor.open("/cookie-charter/").expect_in_charge()
    form = visitor.page.locator("form.wcc-form").first
    form.get_by_role("checkbox", name=MEDIA).check()
    form.get_by_role("button", name="Save my choices").click()
    expect(visitor.status).to_have_text("Your choices are saved.")
    visitor.expect_grants("media")
    assert visitor.loads == 1
    visitor.reopen()
    assert visitor.box(MEDIA).is_checked()
    visitor.press_in_dialog("Refuse all")
    visitor.expect_grants()
    expect(form.get_by_role("checkbox", name=MEDIA)).not_to_be_checked()


def test_who_answers_before_the_second_layer_came_does_not_get_it(visitor: Visitor) -> None:
    """On a slow line, it would open over a page whose reader has answered."""
    held: list[Route] = []
    visitor.page.route("**/cookie-charter/preferences/**", lambda route: held.append(route))
    visitor.open("/")
    visitor.button("Customise").click()
    visitor.wait_until(lambda: len(held) > 0)
    visitor.button("Refuse all").click()
    expect(visitor.banner).to_be_hidden()
    for route in held:
        route.continue_()
    visitor.expect_quiet()
    expect(visitor.page.locator("dialog")).to_have_count(1)
    expect(visitor.dialog).to_be_hidden()
    # Whoever asks for it now gets it.
    visitor.reopen()
