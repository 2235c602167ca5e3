"""Refusing looks just like accepting, however all of it looks (R14-R17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Page, expect

from tests.browser.portal import ask_again
from tests.browser.visitor import Visitor
from tests.factories import row
from wagtail_cookie_charter.conf import PRESETS

pytestmark = pytest.mark.browser

#: Preset -> the kind of site that it is for.
HOME = {"default": "plain", "bootstrap": "bootstrap", "unstyled": "tailwind", "dsfr": "dsfr"}
WIDTHS = (320, 360, 768, 1280)

#: All that the browser computes for a button, but for where it stands; its room; its contrast.
LOOK = """buttons => buttons.map(button => {
    const style = getComputedStyle(button);
    const own = Object.fromEntries([...style].map(name => [name, style[name]]));
    for (const name of Object.keys(own))
        if (/^(inset|top|right|bottom|left|perspective-origin|transform-origin)/.test(name))
            delete own[name];
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = parts(colour).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let back = button;
    while (back && parts(getComputedStyle(back).backgroundColor)[3] === 0)
        back = back.parentElement;
    const behind = back ? getComputedStyle(back).backgroundColor : 'rgb(255, 255, 255)';
    const [one, other] = [style.color, behind].map(light);
    const {width, height} = button.getBoundingClientRect();
    return {own, width, height, area: width * height, tag: button.tagName,
        ratio: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05),
        cut: button.scrollWidth > button.clientWidth};
})"""


def expect_equal(page: Page, accept: str, refuse: str) -> None:
    # Both at one moment: a font of the site's may come between two.
    looks: list[dict[str, Any]] = page.evaluate(
        f"([accept, refuse]) => ({LOOK})([accept, refuse].map(one => document.querySelector(one)))",
        [accept, refuse],
    )
    yes, no = looks
    different = {
        name: (yes["own"][name], no["own"].get(name))
        for name in yes["own"]
        if yes["own"][name] != no["own"].get(name)
    }
    assert not different
    assert {**yes, "own": None} == {**no, "own": None}
    assert yes["tag"] == "BUTTON" and not yes["cut"]
    assert yes["height"] >= 44 and yes["ratio"] >= 4.5, yes


@pytest.fixture(params=PRESETS)
def preset(request: pytest.FixtureRequest) -> Iterator[str]:
    with override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": request.param}):
        yield request.param


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_refusing_looks_like_accepting(
    new_visitor: Callable[..., Visitor], preset: str, theme: str
) -> None:
    """In every preset, theme, language, place and width; in both layers."""
    visitor = new_visitor(color_scheme=theme)
    page = visitor.page
    for words in ("ar", "de", "pl", "fr", "en"):
        for placement in ("bottom", "corner", "center"):
            page.goto(f"/sites/{HOME[preset]}/?words={words}&theme={theme}&placement={placement}")
            expect(visitor.banner).to_be_visible()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 720})
                expect_equal(page, "#wcc [data-wcc=accept]", "#wcc [data-wcc=refuse]")
    page.locator("#wcc [data-cookie-charter-open]").click()
    expect(visitor.dialog).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 720})
        expect_equal(page, ".wcc-dialog [value=accept]", ".wcc-dialog [value=refuse]")
        expect_equal(page, ".wcc-page [value=accept]", ".wcc-page [value=refuse]")


#: What an editor may write, to accept and to refuse: the fields take 60 characters.
LABELS = (
    ("Tout accepter", "Continuer sans accepter les cookies"),
    ("J’accepte tous les cookies et tous les contenus de ce site !", "Tout refuser"),
    ("OK", "Continuer la visite de ce site sans accepter un seul cookie."),
)
RELABEL = """([accept, refuse]) => {
    for (const [value, label] of [['accept', accept], ['refuse', refuse]])
        for (const button of document.querySelectorAll(`[data-wcc=${value}], [value=${value}]`))
            button.textContent = label;
}"""


@pytest.mark.parametrize("labels", LABELS, ids=["longer refusal", "60 and 12", "2 and 60"])
def test_a_long_label_makes_no_answer_larger(
    visitor: Visitor, preset: str, labels: tuple[str, str]
) -> None:
    """R15: where one label takes two lines and the other one, both have the room of two."""
    page = visitor.page
    for placement in ("bottom", "corner", "center"):
        page.goto(f"/sites/{HOME[preset]}/?words=fr&placement={placement}")
        expect(visitor.banner).to_be_visible()
        # Text of twice the size, as the root's font size makes it, puts them under each other.
        for size, width, height in (
            ("100%", 360, 640),
            ("100%", 640, 360),
            ("100%", 1280, 720),
            ("200%", 360, 640),
        ):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            page.evaluate(RELABEL, labels)
            expect_equal(page, "#wcc [data-wcc=accept]", "#wcc [data-wcc=refuse]")
            expect_equal(page, ".wcc-page [value=accept]", ".wcc-page [value=refuse]")


def test_an_unequal_look_is_seen(visitor: Visitor) -> None:
    """The measure itself: a paler refusal does not pass."""
    visitor.open()
    expect(visitor.banner).to_be_visible()
    visitor.page.add_style_tag(content="[data-wcc=refuse] { opacity: 0.9 !important }")
    with pytest.raises(AssertionError):
        expect_equal(visitor.page, "#wcc [data-wcc=accept]", "#wcc [data-wcc=refuse]")


@pytest.mark.parametrize("words", ["en", "fr", "de", "pl", "ar"])
def test_a_third_of_a_phone_in_every_preset(visitor: Visitor, preset: str, words: str) -> None:
    ask_again(row(name="_ad", provider="Ad Network"))
    visitor.page.set_viewport_size({"width": 360, "height": 640})
    visitor.open(f"/sites/{HOME[preset]}/?words={words}")
    expect(visitor.banner).to_be_visible()
    box = visitor.banner.bounding_box()
    assert box and box["height"] <= 640 / 3
    for button in visitor.banner.locator("button").all():
        expect(button).to_be_in_viewport(ratio=1)
