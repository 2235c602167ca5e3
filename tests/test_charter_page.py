"""The charter page: what an editor does with it in the admin, and what visitors then read."""

from __future__ import annotations

import copy
from typing import Any

from bs4 import BeautifulSoup, Tag
from django.conf import settings
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path, reverse
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.blocks.base import get_error_json_data
from wagtail.models import Page, Site
from wagtail.test.utils import WagtailPageTestCase
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from tests.factories import (
    Block,
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    make_site,
    row,
    table,
)
from tests.testapp.models import HomePage, OurCharterPage
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.models import CookieCharterPage, CookieCharterSettings

api = WagtailAPIRouter("wagtailapi")
api.register_endpoint("pages", PagesAPIViewSet)
#: The project's addresses with Wagtail's API beside them.
urlpatterns = [path("api/", api.urls), *project_urls]


def table_form(*rows: dict[str, Any], category: str = "statistics", **values: Any) -> Block:
    """A table as the admin's form posts it."""
    return "cookie_table", {
        "category": category,
        "introduction": rich_text(values.pop("introduction", "")),
        **values,
        "cookies": streamfield([("item", values) for values in rows]),
    }


def form(*parts: Block, **values: Any) -> dict[str, Any]:
    return nested_form_data(
        {
            "title": "Our cookies",
            "slug": "our-cookies",
            "introduction": "",
            "body": streamfield(list(parts)),
            "comments-TOTAL_FORMS": "0",
            "comments-INITIAL_FORMS": "0",
            **values,
        }
    )


def with_templates(**sources: str) -> override_settings:
    """The project's templates, these first."""
    engines = copy.deepcopy(settings.TEMPLATES)
    engines[0]["APP_DIRS"] = False
    engines[0]["OPTIONS"]["loaders"] = [
        (
            "django.template.loaders.locmem.Loader",
            {name.replace("__", "/") + ".html": source for name, source in sources.items()},
        ),
        "django.template.loaders.app_directories.Loader",
    ]
    return override_settings(TEMPLATES=engines)


class CharterTestCase(WagtailPageTestCase):
    home: HomePage

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.home = make_home()

    def read(self, page: Any) -> BeautifulSoup:
        """The page as a visitor gets it."""
        response = self.client.get(page.get_url())
        self.assertEqual(response.status_code, 200)
        return BeautifulSoup(response.content, "html.parser")

    def one(self, soup: BeautifulSoup, selector: str) -> Tag:
        found = soup.select(selector)
        self.assertEqual(len(found), 1, selector)
        return found[0]


class Editing(CharterTestCase):
    """A form that is really posted, as the editor's browser posts it."""

    def setUp(self) -> None:
        super().setUp()
        self.login()
        self.add_url = reverse(
            "wagtailadmin_pages:add",
            args=["wagtail_cookie_charter", "cookiecharterpage", self.home.pk],
        )

    def sentences(self, response: HttpResponse) -> str:
        """What the editor is told at the fields of the body."""
        errors = response.context["form"].errors.as_data()["body"]  # type: ignore[attr-defined]
        return str([get_error_json_data(error) for error in errors])

    def save_draft(self, *parts: Block, **values: Any) -> CookieCharterPage:
        response = self.client.post(self.add_url, form(*parts, **values))
        page = CookieCharterPage.objects.get()
        self.assertRedirects(response, reverse("wagtailadmin_pages:edit", args=[page.pk]))
        return page

    def test_a_charter_can_be_put_where_the_editor_wants_it(self) -> None:
        self.assertCanCreateAt(HomePage, CookieCharterPage)
        self.assertAllowedSubpageTypes(CookieCharterPage, [])
        response = self.client.get(self.add_url)
        self.assertContains(response, "One or two sentences: why this page, for whom.")

    def test_a_correct_charter_is_published(self) -> None:
        make_settings()
        self.assertCanCreate(
            self.home,
            CookieCharterPage,
            form(
                ("text", {"heading": "Why", "text": rich_text("<p>To <b>work</b>.</p>")}),
                table_form(row(), introduction="<p>Only if you agree.</p>"),
            ),
        )
        page = CookieCharterPage.objects.get()
        self.assertTrue(page.live)
        self.assertEqual([cookie.name for cookie in page.declared_cookies()], ["_measure"])
        words = self.read(page).get_text()
        self.assertIn("To work.", words)
        self.assertIn("Only if you agree.", words)

    def test_a_wrong_row_is_refused_at_its_field(self) -> None:
        """R1: without these facts consent is not informed, and the city is fined."""
        make_settings()
        response = self.client.post(
            self.add_url,
            {**form(table_form(row(purpose=""), row(name="*"))), "action-publish": "1"},
        )
        self.assertEqual(response.status_code, 200)
        self.assertFalse(CookieCharterPage.objects.exists())
        self.assertContains(response, "Say in plain words what it is for.")
        self.assertContains(response, "This pattern would take in too much.")
        told = self.sentences(response)
        self.assertIn("{'purpose': {'messages': ['Say in plain words what it is for.']}}", told)
        # What was typed is still there.
        self.assertContains(response, "Example Measurement")

    def test_a_draft_with_holes_is_saved_and_shown(self) -> None:
        """Stopping in the middle of a row must neither lose the work nor break the preview."""
        hollow = [
            table_form(row(name="_half", purpose="", provider="", duration={"kind": "fixed"})),
            table_form({}, row(name="_half", purpose="", provider=""), category="media"),
            table_form(category="audience"),
            ("kinds", {"introduction": rich_text(""), "kinds": streamfield([("item", {})])}),
            ("platform", {"text": rich_text("")}),
        ]
        page = self.save_draft(*hollow)
        self.assertFalse(page.live)

        preview = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
        response = self.client.post(preview, form(*hollow))
        self.assertJSONEqual(response.content, {"is_valid": True, "is_available": True})
        self.assertContains(self.client.get(preview), "_half")

        response = self.client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
        self.assertContains(response, "_half")

    def test_preview_works_before_the_first_save(self) -> None:
        preview = reverse(
            "wagtailadmin_pages:preview_on_add",
            args=["wagtail_cookie_charter", "cookiecharterpage", self.home.pk],
        )
        part = table_form(row(purpose=""))
        response = self.client.post(preview, form(part))
        self.assertJSONEqual(response.content, {"is_valid": True, "is_available": True})
        self.assertContains(self.client.get(preview), "_measure")

    def test_preview_offers_the_choices_that_the_draft_would_ask(self) -> None:
        """An editor sees the new purpose in the form before visitors do."""
        responsible: Any = make_asking_site()
        page = responsible.banner.charter_page.specific
        preview = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
        draft = table_form(row(name="_new", provider="Newcomer"), category="media")
        self.client.post(preview, form(draft))
        soup = BeautifulSoup(self.client.get(preview).content, "html.parser")
        choices = self.one(soup, "#wcc-choices")
        self.assertIn("Newcomer", choices.get_text())
        self.assertNotIn("Example Measurement", choices.get_text())

    def test_the_wagtail_way_works_on_a_published_charter(self) -> None:
        responsible: Any = make_asking_site(
            ("text", {"heading": "Why", "text": "<p>Because.</p>"}), table()
        )
        page = responsible.banner.charter_page.specific
        self.assertPageIsRoutable(page)
        self.assertPageIsRenderable(page)
        data = form(table_form(row()))
        self.assertPageIsEditable(page, post_data=data)
        self.assertPageIsPreviewable(page, post_data=data)

    def test_without_a_controller_nothing_is_published(self) -> None:
        """R6: a charter that names nobody responsible is unlawful."""
        other = make_site("other.example")
        make_settings(site=other)
        response = self.client.post(
            self.add_url, {**form(table_form(row())), "action-publish": "1"}
        )
        self.assertEqual(response.status_code, 200)
        self.assertFalse(CookieCharterPage.objects.exists())
        site = Site.objects.get(is_default_site=True)
        self.assertContains(response, "A charter must say who is responsible")
        # It says where to go.
        self.assertContains(
            response,
            reverse(
                "wagtailsettings:edit",
                args=["wagtail_cookie_charter", "cookiechartersettings", site.pk],
            ),
        )
        # The draft is not lost meanwhile, and looking did not write any settings.
        self.save_draft(table_form(row()))
        self.assertFalse(CookieCharterSettings.objects.filter(site=site).exists())

    def test_once_there_is_a_controller_the_draft_is_published(self) -> None:
        page = self.save_draft(table_form(row()))
        make_settings()
        self.client.post(
            reverse("wagtailadmin_pages:edit", args=[page.pk]),
            {**form(table_form(row())), "action-publish": "1"},
        )
        page.refresh_from_db()
        self.assertTrue(page.live)

    def test_an_editor_is_told_when_nobody_is_asked_yet(self) -> None:
        """Published is not yet in use: the banner and the settings are still to come."""
        make_settings()
        data = {**form(table_form(row())), "action-publish": "1"}
        response = self.client.post(self.add_url, data, follow=True)
        self.assertContains(response, "the site has no published consent banner yet")


class Reading(CharterTestCase):
    """What the law wants on the page is there, whatever the editor put in or left out."""

    def test_every_part_of_the_reference_charter_is_shown(self) -> None:
        """The charter this project started from must be expressible without a developer."""
        make_settings()
        kinds = ["Necessary", "Statistical", "First-party", "Third-party"]
        page = make_charter(
            ("definition", {"heading": "What is that?", "text": "<p>A small named note.</p>"}),
            (
                "kinds",
                {
                    "heading": "The kinds there are",
                    "introduction": "<p>Four of them.</p>",
                    "kinds": [{"name": kind, "text": f"About {kind}."} for kind in kinds],
                },
            ),
            (
                "platform",
                {
                    "name": "the open data portal",
                    "url": "https://opendata.noisylegrand.fr",
                    "text": "<p>What follows is about it.</p>",
                },
            ),
            table(
                row(
                    name="csrftoken",
                    provider="Opendatasoft",
                    service="API (front and back office)",
                    purpose="Fetches data through the API.",
                ),
                row(name="cookies_preferences", provider="Opendatasoft"),
                category="necessary",
                heading="Needed by the platform",
                platform_name="Portal",
                platform_url="https://opendata.noisylegrand.fr",
                introduction="<p>No consent.</p>",
            ),
            ("text", {"heading": "More", "text": '<p><a href="/rights/">Your rights</a></p>'}),
            introduction="So that the site works.",
        )
        soup = self.read(page)
        article = self.one(soup, "article")
        words = article.get_text(" ")
        self.assertEqual(self.one(soup, "h1").get_text(), "Cookie charter")
        for expected in (
            "So that the site works.",
            "What is that?",
            "A small named note.",
            "The kinds there are",
            "Four of them.",
            *(f"About {kind}." for kind in kinds),
            "the open data portal",
            "What follows is about it.",
            "Needed by the platform",
            "No consent.",
            "Opendatasoft",
            "API (front and back office)",
            "Fetches data through the API.",
            "cookies_preferences",
            "Your rights",
        ):
            self.assertIn(expected, words)
        self.assertTrue(article.select('a[href="https://opendata.noisylegrand.fr"]'))
        order = [words.index(kind) for kind in ("What is that?", "The kinds", "Needed by", "More")]
        self.assertEqual(order, sorted(order))

    def test_an_empty_charter_is_still_lawful(self) -> None:
        """R5, R6, R8: choices, controller and date come by themselves, once each."""
        make_settings(
            controller_address="1 Town Square",
            contact_email="town@example.org",
            dpo_name="Officer",
            dpo_email="dpo@example.org",
            authority_name="CNIL",
            authority_url="https://www.cnil.fr/plaintes",
        )
        soup = self.read(make_charter())
        self.one(soup, "#wcc-choices")
        contacts = self.one(soup, "#wcc-contacts").get_text(" ")
        for expected in ("City of Example", "1 Town Square", "Officer", "CNIL"):
            self.assertIn(expected, contacts)
        self.assertTrue(soup.select('a[href="mailto:dpo@example.org"]'))
        self.assertTrue(soup.select('a[href="https://www.cnil.fr/plaintes"]'))
        self.one(soup, "article time[datetime]")

    def test_a_charter_with_only_a_table_gets_a_working_form(self) -> None:
        """R4, R5, R61: without the block, and without JavaScript, visitors still choose."""
        with self.captureOnCommitCallbacks(execute=True):
            responsible: Any = make_asking_site()
        page = responsible.banner.charter_page
        soup = self.read(page)
        choices = self.one(soup, "#wcc-choices form[method=post]")
        self.assertEqual(str(choices["action"]).partition("?")[0], "/cookie-charter/decide/")
        labels = [button.get_text() for button in choices.select("button:not([aria-hidden])")]
        self.assertEqual(labels, ["Accept all", "Refuse all", "Save my choices"])
        self.assertEqual(choices.select("input[checked]"), [])
        self.one(soup, "#wcc-contacts")
        # R2: our own cookie is declared though the editor's tables leave it out.
        site = Site.objects.get(is_default_site=True)
        self.assertIn(f"cookie-charter-{site.pk}", soup.get_text())

    def test_blocks_of_the_editor_replace_what_comes_by_itself(self) -> None:
        make_settings()
        soup = self.read(
            make_charter(
                ("contacts", {"heading": "Write to us", "text": "<p>Do.</p>"}),
                ("choices", {"heading": "You decide", "text": "<p>Here.</p>"}),
            )
        )
        self.assertEqual(self.one(soup, "#wcc-contacts h2").get_text(), "Write to us")
        self.assertEqual(self.one(soup, "#wcc-choices h2").get_text(), "You decide")
        self.assertIn("City of Example", self.one(soup, "#wcc-contacts").get_text())

    def test_an_empty_definition_explains_all_the_same(self) -> None:
        soup = self.read(make_charter(("definition", {})))
        self.assertIn("A cookie is a small piece of information", soup.get_text())

    def test_a_table_is_a_real_table(self) -> None:
        """R9: screen readers announce which provider and purpose a cell belongs to."""
        full = row(
            policy_url="https://example.com/privacy",
            transfer="United States",
            safeguard="Standard clauses",
            recipients="Partner",
            retention_months=14,
            controller="Measurement Ltd",
            country="Ireland",
        )
        soup = self.read(make_charter(table(full, row(name="_b*", storage="local"))))
        found = self.one(soup, "article table")
        self.assertEqual(self.one(soup, "article table caption").get_text(), "Statistics")
        head = [cell for line in found.select("thead tr") for cell in line.find_all(True)]
        self.assertTrue(all(cell.name == "th" and cell["scope"] == "col" for cell in head))
        lines = found.select("tbody tr")
        self.assertEqual(len(lines), 2)
        for line in lines:
            cells = line.find_all(["th", "td"], recursive=False)
            self.assertEqual(len(cells), len(head))
            self.assertEqual((cells[0].name, cells[0]["scope"]), ("th", "row"))
            self.assertTrue(all(cell.name == "td" for cell in cells[1:]))
            # On a narrow screen each cell stands under its own name (R10).
            self.assertEqual(
                [cell["data-label"] for cell in cells[1:]], [cell.get_text() for cell in head[1:]]
            )
        words = found.get_text(" ")
        for expected in (
            "6 months",
            "Third party",
            "United States",
            "Standard clauses",
            "Partner",
            "14 months",
            "Measurement Ltd",
            "Ireland",
            "Local storage",
        ):
            self.assertIn(expected, words)

    def test_a_table_without_heading_bears_the_banners_name_for_the_category(self) -> None:
        """Promise 1: the table and the question about it must not have two names."""
        with self.captureOnCommitCallbacks(execute=True):
            page = make_charter(table())
            banner = make_banner(page, publish=False)
            banner.categories.create(key="statistics", title="Counting visits")
            banner.save_revision().publish()
            make_settings(banner=banner)
        soup = self.read(page)
        captions = [
            caption.get_text() for caption in soup.select("article section > table caption")
        ]
        self.assertEqual(captions[0], "Counting visits")
        self.assertNotIn("Statistics", captions)

    def test_what_editors_write_is_text(self) -> None:
        """A pasted tag must not become a script on every visitor's screen."""
        bad = "<script>alert(1)</script>"
        make_settings(controller_name=bad)
        page = make_charter(
            table(row(purpose=bad, provider=bad, opt_out=bad), heading=bad),
            ("kinds", {"kinds": [{"name": bad, "text": bad}]}),
            ("platform", {"name": bad}),
            introduction=bad,
        )
        soup = self.read(page)
        self.assertEqual([tag for tag in soup.find_all("script") if tag.get("src") is None], [])
        self.assertIn(bad, soup.get_text())

    def test_a_charter_without_site_settings_does_not_break(self) -> None:
        """Published by a script, before anybody filled in the settings."""
        soup = self.read(make_charter(table()))
        self.assertIn("_measure", soup.get_text())


class Overriding(CharterTestCase):
    """What a project replaces without touching the package."""

    def test_the_page_stands_in_the_projects_base(self) -> None:
        soup = self.read(make_charter())
        self.one(soup, "main#content article.wcc-page")

    def test_another_base_can_be_named(self) -> None:
        page = make_charter()
        with (
            with_templates(special="<b>special</b>{% block content %}{% endblock %}"),
            override_settings(WAGTAIL_COOKIE_CHARTER={"BASE_TEMPLATE": "special.html"}),
        ):
            soup = self.read(page)
        self.assertEqual(self.one(soup, "b").get_text(), "special")
        self.one(soup, "article.wcc-page")

    @override_settings(WAGTAIL_COOKIE_CHARTER={"BASE_TEMPLATE": "nowhere.html"})
    def test_without_a_base_the_package_has_one(self) -> None:
        soup = self.read(make_charter())
        self.one(soup, "main > article.wcc-page")
        self.assertEqual(self.one(soup, "title").get_text(), "Cookie charter")

    def test_a_small_part_can_be_replaced(self) -> None:
        page = make_charter(table())
        with with_templates(wagtail_cookie_charter___row="<tr><td>OURS</td></tr>"):
            self.assertIn("OURS", self.read(page).get_text())

    def test_a_customers_page_is_a_charter_like_ours(self) -> None:
        """The mixin is the product: a page of the project's own loses nothing."""
        self.assertCanCreateAt(HomePage, OurCharterPage)
        with self.captureOnCommitCallbacks(execute=True):
            page = make_charter(table(), model=OurCharterPage)
            make_settings(banner=make_banner(page))
        soup = self.read(page)
        self.one(soup, "article.wcc-page")
        self.one(soup, "#wcc-choices form")
        data = form(table_form(row()))
        self.assertPageIsEditable(page, post_data=data)
        self.assertPageIsPreviewable(page, post_data=data)

    def test_a_customers_page_is_refused_for_the_same_reasons(self) -> None:
        self.login()
        url = reverse("wagtailadmin_pages:add", args=["testapp", "ourcharterpage", self.home.pk])
        response = self.client.post(
            url, {**form(table_form(row(purpose=""))), "action-publish": "1"}
        )
        self.assertContains(response, "Say in plain words what it is for.")
        self.assertContains(response, "A charter must say who is responsible")
        self.assertFalse(OurCharterPage.objects.exists())

    def test_a_customers_page_has_a_template_of_its_own(self) -> None:
        page = make_charter(model=OurCharterPage)
        with with_templates(testapp__our_charter_page="<i>{{ page.title }}</i>"):
            soup = self.read(page)
        self.assertEqual(str(soup), "<i>Cookie charter</i>")

    @override_settings(ROOT_URLCONF=__name__)
    def test_the_api_gives_rows_by_name(self) -> None:
        """Other programs (an app, an audit) read the same rows as visitors."""
        page = make_charter(table(), introduction="Why.")
        data = self.client.get(
            f"/api/pages/{page.pk}/", {"format": "json", "fields": "introduction,body"}
        ).json()
        self.assertEqual(data["introduction"], "Why.")
        (block,) = data["body"]
        self.assertEqual(block["type"], "cookie_table")
        self.assertEqual(block["value"]["category"], "statistics")
        (cookie,) = block["value"]["cookies"]
        cookie = cookie.get("value", cookie)
        self.assertEqual(cookie["name"], "_measure")
        self.assertEqual(cookie["duration"], {"kind": "fixed", "value": 6, "unit": "month"})

    def test_an_alias_shows_what_its_source_shows(self) -> None:
        page = make_charter(table())
        alias = page.create_alias(update_slug="again", parent=self.home)
        self.assertIn("_measure", self.read(Page.objects.get(pk=alias.pk)).get_text())
