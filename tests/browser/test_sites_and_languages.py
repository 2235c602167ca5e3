"""Two sites and two languages: each visitor is asked by the right body, in their words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


ENGLISH = (
    "allow",
    "always active",
    "close",
    "consent needed",
    "controller",
    "last change",
    "months",
    "only with",
    "provider:",
    "providers:",
    "purpose",
    "refuse all",
    "third party",
    "your",
)


@pytest.fixture
def second_home(site: str) -> str:
    return f"http://second.localhost:{site.rpartition(':')[2]}"


class TestTwoSites:
    """R40: one scope is one site."""

    def test_each_asks_its_own_question(
        self, new_visitor: Callable[..., Visitor], second_home: str
    ) -> None:
        one, two = new_visitor(), new_visitor(base_url=second_home)
        expect(one.open().banner.get_by_role("heading")).to_have_text("Your privacy, your choice")
        expect(two.open().banner.get_by_role("heading")).to_have_text("The second site asks")
        expect(two.banner).to_contain_text("Second Company is responsible")
        expect(two.banner).to_contain_text("kept for 1 month")
        # A bar at the foot, and a card in the corner.
        for visitor, left in ((one, 0), (two, 16)):
            box = visitor.banner.bounding_box()
            assert box is not None and box["x"] == left
        for visitor, provider in ((one, "Example Measurement"), (two, "Ad Network")):
            visitor.customise()
            visitor.unfold()
            expect(visitor.dialog.get_by_role("checkbox", name=provider)).to_be_visible()
        expect(two.dialog).not_to_contain_text("Example Measurement")

    def test_an_answer_to_one_is_none_to_the_other(
        self, visitor: Visitor, new_visitor: Callable[..., Visitor], second_home: str
    ) -> None:
        visitor.open().accept()
        name = visitor.consent_cookie()["name"]
        visitor.page.goto(second_home)
        expect(visitor.banner).to_be_visible()
        visitor.refuse()
        names = {
            cookie["name"]: cookie["value"]
            for cookie in visitor.page.context.cookies()
            if cookie["name"].startswith("cookie-charter")
        }
        assert len(names) == 2
        assert "statistics" in names.pop(name)
        [refusal] = names.values()
        assert len(refusal.split(".")) == 3
        life = [c["expires"] for c in visitor.page.context.cookies() if c["name"] in names]
        assert life[0] - visitor.page.evaluate("Date.now() / 1000") < 30 * 86_400 + 60

    def test_even_on_one_host_answers_do_not_mix(
        self, new_visitor: Callable[..., Visitor], second_home: str, site: str
    ) -> None:
        """Cookies know no ports: two sites of one host name have two cookie names."""
        two = new_visitor(base_url=second_home)
        one = new_visitor()
        two.open().accept()
        one.open().refuse()
        assert two.consent_cookie()["name"] != one.consent_cookie()["name"]


class TestLanguages:
    def test_in_english(self, visitor: Visitor) -> None:
        visitor.open()
        expect(visitor.banner).to_be_visible()
        expect(visitor.banner.get_by_role("link", name="Cookie charter")).to_be_visible()

    def test_in_french(self, visitor: Visitor) -> None:
        """R11, R79: every word of both layers in the page's language, in one go."""
        visitor.open("/fr/")
        expect(
            visitor.page.get_by_role("region", name="Votre vie privée, votre choix")
        ).to_be_visible()
        for label in ("Tout accepter", "Tout refuser", "Personnaliser"):
            expect(visitor.button(label)).to_be_visible()
        expect(visitor.banner).to_contain_text("6 mois")
        link = visitor.banner.get_by_role("link", name="Charte cookies")
        expect(link).to_have_attribute("href", "/fr/charte-cookies/")
        visitor.button("Personnaliser").click()
        expect(visitor.dialog).to_have_attribute("lang", "fr")
        table = visitor.dialog.get_by_role("table", name="Example Measurement", include_hidden=True)
        expect(table).to_contain_text("Compte les lectures de chaque page.")
        expect(visitor.dialog.get_by_role("button", name="Enregistrer mes choix")).to_be_visible()
        assert english_words(visitor.page, "dialog") == []
        visitor.press_in_dialog("Tout refuser")
        expect(visitor.status).to_have_text("Vos choix sont enregistrés.")

    def test_the_french_charter_is_french(self, visitor: Visitor) -> None:
        visitor.open("/fr/charte-cookies/")
        expect(visitor.banner).to_be_visible()
        assert english_words(visitor.page, "main") == []
        expect(visitor.footer_link).to_have_text("Gérer les cookies")

    def test_one_answer_for_both_languages(self, visitor: Visitor) -> None:
        """R66: changing the language is no reason to be asked again."""
        visitor.open("/fr/")
        visitor.button("Tout accepter").click()
        visitor.expect_delivered()
        visitor.open("/")
        expect(visitor.page.get_by_role("heading", name="Home")).to_be_visible()
        expect(visitor.banner).to_be_hidden()
        visitor.reopen()
        assert visitor.box("Allow: Statistics").is_checked()
        [post] = visitor.posts
        assert "language=fr" in post.url


def english_words(page: Page, selector: str) -> list[str]:
    """Words in a French part of the page that only English has."""
    text = page.locator(selector).evaluate("element => element.textContent").lower()
    return [word for word in ENGLISH if word in text]
