"""An editor at the form, a visitor at the site: who is asked again, said before and done after."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect
from wagtail.models import Site

from tests.browser.portal import ask_again
from tests.browser.visitor import Visitor
from tests.factories import row
from wagtail_cookie_charter.models import CookieCharterPage
from wagtail_cookie_charter.publishing import publish_declaration, publish_declarations

pytestmark = pytest.mark.browser

#: What moves in sight of the visitor.
SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""


@pytest.fixture
def charter(site: str) -> CookieCharterPage:
    home = Site.objects.get(is_default_site=True).root_page
    found = CookieCharterPage.objects.child_of(home).first()
    assert found is not None
    return found


@pytest.fixture
def editor(
    new_visitor: Callable[..., Visitor], charter: CookieCharterPage, wide: dict[str, int]
) -> Page:
    """The charter's form, in front of somebody who may edit it."""
    get_user_model().objects.create_superuser("editor", password="editor")
    page = new_visitor(viewport=wide).page
    page.goto(reverse("wagtailadmin_pages:edit", args=[charter.pk]))
    page.get_by_label("Username").fill("editor")
    page.locator("[name=password]").fill("editor")
    page.get_by_role("button", name="Sign in").click()
    return page


@pytest.fixture
def wide() -> dict[str, int]:
    return {"width": 1280, "height": 900}


def test_editors_read_it_while_they_type(
    editor: Page, charter: CookieCharterPage, visitor: Visitor
) -> None:
    said = editor.locator("[data-controller=wcc-asking]")
    site = "“localhost [default]”"
    expect(said).to_have_text(f"When you publish this, no visitor of {site} will be asked again.")
    visitor.open().accept()

    def rename(provider: str, other: str) -> None:
        for field in editor.locator("[name$='-provider']").all():
            if field.input_value() == provider:
                field.evaluate("(field, name) => (field.value = name)", other)

    editor.locator("[name$='-purpose']").first.evaluate("field => (field.value = 'Else.')")
    rename("Second Counter", "Hotjar")
    expect(said).to_contain_text("all visitors of “localhost [default]” will be asked again")
    expect(said.get_by_role("listitem")).to_have_text(["Statistics: Hotjar"])
    rename("Hotjar", "Second Counter")
    expect(said).to_contain_text("no visitor of")
    # It goes on asking, and would do so in the middle of what follows.
    editor.close()

    charter.title = "A better title"
    charter.save_revision().publish()
    publish_declarations()
    visitor.open()
    expect(visitor.banner).to_be_hidden()


def test_who_is_asked_again_is_told_why_before_answering(visitor: Visitor) -> None:
    """An editor adds a provider: asked again, and told. They mend a word: nobody is."""
    visitor.open().accept()
    ask_again(row(name="_hot", provider="Hotjar"))
    visitor.page.add_init_script(SHIFTS)
    visitor.open()
    expect(visitor.banner).to_be_visible()
    told = visitor.banner.get_by_role("listitem").filter(has_text="New in")
    expect(told).to_have_text(["New in “Advertising and social networks”: Hotjar"])
    assert visitor.page.evaluate("shifts") == 0

    visitor.accept()
    charter = CookieCharterPage.objects.first()
    assert charter is not None
    charter.introduction = "A mended word."
    charter.save_revision().publish()
    publish_declarations()
    visitor.open()
    expect(visitor.banner).to_be_hidden()


def test_who_was_never_asked_is_told_nothing(visitor: Visitor) -> None:
    ask_again(row(name="_hot", provider="Hotjar"))
    visitor.open()
    expect(visitor.banner).to_be_visible()
    expect(visitor.banner.get_by_text("New in")).to_have_count(0)


def test_only_what_came_since_the_answer_is_told(visitor: Visitor, site: str) -> None:
    ask_again(row(name="_hot", provider="Hotjar"))
    visitor.open().refuse()
    publish_declaration(Site.objects.get(is_default_site=True), reason="A wrong name.")
    publish_declarations()
    visitor.open()
    expect(visitor.banner).to_contain_text("The site asks all its visitors again.")
    expect(visitor.banner).not_to_contain_text("Hotjar")
    expect(visitor.banner).not_to_contain_text("A wrong name.")


def test_a_server_that_is_away_keeps_nobody_from_answering(visitor: Visitor) -> None:
    visitor.open().accept()
    ask_again(row(name="_hot", provider="Hotjar"))
    visitor.page.route("**/preferences/**", lambda route: route.abort())
    visitor.open()
    visitor.button("Refuse all").click()
    expect(visitor.banner).to_be_hidden()
    visitor.wait_until(lambda: visitor.grants == set())
