"""The consent banner as editors live with it: form, advice, preview, life cycle, permissions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Locale, Site, Workflow, WorkflowContentType
from wagtail.test.utils import WagtailTestUtils
from wagtail.test.utils.form_data import inline_formset, nested_form_data, querydict_from_html

from tests.factories import (
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    row,
    table,
)
from tests.testapp.models import HomePage, OurCharterPage
from wagtail_cookie_charter.models import BannerCategory, ConsentBanner

NAMESPACE = "wagtailsnippets_wagtail_cookie_charter_consentbanner"


def url(name: str, *args: Any) -> str:
    return reverse(f"{NAMESPACE}:{name}", args=args)


def form(categories: list[dict[str, Any]] | None = None, **values: Any) -> dict[str, Any]:
    """What the editor's browser posts."""
    return nested_form_data(
        {
            "name": "Consent banner",
            "title": "",
            "text": "",
            "accept_label": "",
            "refuse_label": "",
            "customise_label": "",
            "save_label": "",
            "placement": "bottom",
            "days": "182",
            "charter_page": "",
            "privacy_page": "",
            "privacy_url": "",
            "go_live_at": "",
            "expire_at": "",
            "categories": inline_formset(categories or []),
            **values,
        }
    )


PUBLISH: dict[str, Any] = {"action-publish": "1"}


class BannerTestCase(WagtailTestUtils, TestCase):
    home: HomePage

    @classmethod
    def setUpTestData(cls) -> None:
        cls.home = make_home()

    def setUp(self) -> None:
        self.user = self.login()

    def errors(self, response: Any) -> dict[str, list[str]]:
        self.assertEqual(response.status_code, 200)
        return dict(response.context["form"].errors)

    def only_with(self, *codenames: str) -> None:
        """From here on the user may enter the admin and do this, and nothing else."""
        self.user.is_superuser = False
        self.user.save()
        names = [("wagtailadmin", "access_admin")]
        names += [("wagtail_cookie_charter", codename) for codename in codenames]
        for app, codename in names:
            self.user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )


class Form(BannerTestCase):
    def test_an_editor_publishes_a_banner(self) -> None:
        charter = make_charter(table())
        categories = [
            {"key": "media", "title": "Films", "summary": "Shows films."},
            {"key": "statistics"},
        ]
        data = form(categories, title="Hello", charter_page=charter.pk, **PUBLISH)
        response = self.client.post(url("add"), data)
        self.assertRedirects(response, url("list") + "?locale=en")
        banner = ConsentBanner.objects.get()
        self.assertTrue(banner.live)
        self.assertEqual(banner.days, 182)
        self.assertEqual(banner.title, "Hello")
        self.assertEqual(banner.charter_page_id, charter.pk)
        found = [(child.key, child.title) for child in banner.categories.all()]
        self.assertEqual(found, [("media", "Films"), ("statistics", "")])

    def test_empty_fields_show_what_visitors_will_read(self) -> None:
        """Issue: an empty field is never an empty button; editors see what it will be."""
        response = self.client.get(url("add"))
        for words in ("Accept all", "Refuse all", "Customise", "Save my choices"):
            self.assertContains(response, f'placeholder="{words}"')

    def test_the_words_shown_are_those_of_the_banners_language(self) -> None:
        """An English-speaking admin must not take English buttons for the French banner's."""
        french = Locale.objects.create(language_code="fr")
        banner = make_banner(locale=french)
        response = self.client.get(url("edit", banner.pk))
        self.assertContains(response, 'placeholder="Tout accepter"')
        self.assertContains(response, 'placeholder="Tout refuser"')
        self.assertNotContains(response, 'placeholder="Accept all"')

    def test_a_category_is_listed_once(self) -> None:
        """Two titles for one category: visitors would get either."""
        data = form([{"key": "media", "title": "A"}, {"key": "media", "title": "B"}], **PUBLISH)
        response = self.client.post(url("add"), data)
        errors = response.context["form"].formsets["categories"].non_form_errors()
        self.assertIn("duplicate", str(errors))
        self.assertFalse(ConsentBanner.objects.exists())

    def test_an_unknown_category_is_refused(self) -> None:
        data = form([{"key": "unheard_of"}], **PUBLISH)
        response = self.client.post(url("add"), data)
        self.assertContains(response, "There is no category “unheard_of”")
        self.assertFalse(ConsentBanner.objects.exists())

    def test_an_answer_is_kept_for_13_months_at_most(self) -> None:
        """R36: six months are recommended, more than thirteen months never lawful."""
        for days in ("0", "396", "10000"):
            self.assertIn("days", self.errors(self.client.post(url("add"), form(days=days))))
        self.client.post(url("add"), form(days="395"))
        self.assertEqual(ConsentBanner.objects.get().days, 395)

    def test_a_placement_nobody_styled_is_refused(self) -> None:
        response = self.client.post(url("add"), form(placement="sideways"))
        self.assertIn("placement", self.errors(response))

    def test_one_privacy_policy(self) -> None:
        data = form(privacy_page=self.home.pk, privacy_url="https://example.org/privacy")
        found = self.errors(self.client.post(url("add"), data))
        self.assertIn("not both", str(found["privacy_url"]))

    def test_only_charters_are_offered_ours_and_the_customers(self) -> None:
        response = self.client.get(url("add"))
        soup = BeautifulSoup(response.content, "html.parser")
        (chooser,) = [
            script.get_text()
            for script in soup.select("script")
            if 'new PageChooser("id_charter_page"' in script.get_text()
        ]
        for model in ("wagtail_cookie_charter.cookiecharterpage", "testapp.ourcharterpage"):
            self.assertIn(model, chooser)
        self.assertNotIn("homepage", chooser)

    def test_a_page_that_is_no_charter_is_refused(self) -> None:
        """A banner that names the home page would ask nothing, and not say why."""
        found = self.errors(self.client.post(url("add"), form(charter_page=self.home.pk)))
        self.assertIn("charter_page", found)

    def test_a_customers_charter_is_taken(self) -> None:
        charter = make_charter(model=OurCharterPage)
        self.client.post(url("add"), form(charter_page=charter.pk))
        self.assertEqual(ConsentBanner.objects.get().charter_page_id, charter.pk)

    def test_a_draft_may_be_hollow(self) -> None:
        """The name is all it takes to save; the list would have nothing to click otherwise."""
        response = self.client.post(url("add"), form([{"key": ""}, {"key": "media"}]))
        banner = ConsentBanner.objects.get()
        self.assertRedirects(response, url("edit", banner.pk))
        self.assertContains(self.client.get(url("edit", banner.pk)), "Consent banner")
        self.assertIn("name", self.errors(self.client.post(url("add"), form(name=""))))

    def test_a_hollow_category_is_not_published(self) -> None:
        response = self.client.post(url("add"), form([{"key": ""}], **PUBLISH))
        self.assertEqual(response.status_code, 200)
        self.assertFalse(ConsentBanner.objects.exists())


class Advice(BannerTestCase):
    """R17: unclear labels are explained, never refused."""

    unclear = (
        ("accept_label", "OK"),
        ("accept_label", " ok! "),
        ("accept_label", "J’ai compris"),
        ("refuse_label", "Continue without accepting"),
        ("refuse_label", "Continuer sans accepter →"),
        ("refuse_label", "Close"),
    )

    def test_unclear_labels_are_explained_after_saving_and_in_the_form(self) -> None:
        for field, label in self.unclear:
            with self.subTest(label=label):
                words: dict[str, Any] = {field: label}
                response = self.client.post(url("add"), form(**words), follow=True)
                banner = ConsentBanner.objects.latest("pk")
                self.assertEqual(response.redirect_chain[-1][0], url("edit", banner.pk))
                expected = "Accept all" if field == "accept_label" else "Refuse all"
                soup = BeautifulSoup(response.content, "html.parser")
                said = " ".join(found.get_text() for found in soup.select(".messages .warning"))
                shown = " ".join(found.get_text() for found in soup.select(".help-warning"))
                for sentence in (said, shown):
                    self.assertIn(f"“{label.strip()}”", sentence)
                    self.assertIn(f"“{expected}”", sentence)

    def test_clear_labels_are_left_alone(self) -> None:
        labels: dict[str, Any] = {"accept_label": "Tout accepter", "refuse_label": "Reject all"}
        response = self.client.post(url("add"), form(**labels), follow=True)
        self.assertNotContains(response, "help-warning")
        soup = BeautifulSoup(response.content, "html.parser")
        self.assertEqual(soup.select(".messages .warning"), [])

    def test_unclear_labels_can_be_published(self) -> None:
        data = form(refuse_label="Continue without accepting", **PUBLISH)
        response = self.client.post(url("add"), data, follow=True)
        self.assertTrue(ConsentBanner.objects.get().live)
        self.assertContains(response, "is not seen as a clear refusal")

    def test_a_banner_that_asks_nobody_says_so(self) -> None:
        """Published is not yet in use: without this an editor believes that visitors are asked."""
        response = self.client.post(url("add"), form(**PUBLISH), follow=True)
        self.assertContains(response, "No site uses this banner yet")


class Preview(BannerTestCase):
    """Both layers, as visitors would meet them, from whatever the form holds now."""

    def preview(self, banner: ConsentBanner, mode: str, data: dict[str, Any]) -> BeautifulSoup:
        address = url("preview_on_edit", banner.pk)
        response = self.client.post(address, data)
        self.assertJSONEqual(response.content, {"is_valid": True, "is_available": True})
        response = self.client.get(address, {"mode": mode})
        self.assertEqual(response.status_code, 200)
        return BeautifulSoup(response.content, "html.parser")

    def test_the_first_layer_shows_unsaved_words(self) -> None:
        banner: Any = make_asking_site(table(), table(row(name="_m"), category="media")).banner
        data = form(
            [{"key": "media", "title": "Films"}, {"key": "statistics"}],
            title="Draft title",
            accept_label="Yes to all",
            charter_page=banner.charter_page_id,
        )
        soup = self.preview(banner, "", data)
        words = soup.get_text(" ")
        for expected in ("Draft title", "Yes to all", "Refuse all", "Films", "Statistics"):
            self.assertIn(expected, words)
        self.assertLess(words.index("Films"), words.index("Statistics"))
        self.assertEqual(soup.select("section[hidden]"), [])
        # R26, promise 2: a category without a row is not asked about.
        self.assertNotIn("Advertising", words)

    def test_the_second_layer_shows_the_rows(self) -> None:
        banner: Any = make_asking_site(table(row(name="_seen"))).banner
        soup = self.preview(banner, "preferences", form(charter_page=banner.charter_page_id))
        dialog = soup.select_one("dialog[open]")
        assert dialog is not None
        self.assertIn("_seen", dialog.get_text())
        self.assertIn("Save my choices", dialog.get_text())
        self.assertEqual(dialog.select("input[checked]"), [])

    def test_both_layers_stand_drafts_with_holes(self) -> None:
        banner: Any = make_asking_site().banner
        hollow = form([{"key": ""}], charter_page=banner.charter_page_id, title="Half")
        for mode in ("", "preferences"):
            self.assertIn("Half", self.preview(banner, mode, hollow).get_text())

    def test_where_nothing_is_declared_the_editor_is_told(self) -> None:
        """An empty white panel would look like a broken one."""
        charter = make_charter()
        cases = {
            "no charter": form(),
            "nothing optional": form(charter_page=charter.pk),
            "a charter that is a draft": form(
                charter_page=make_charter(table(), publish=False, slug="draft").pk
            ),
        }
        banner = make_banner()
        make_settings(banner=banner)
        for name, data in cases.items():
            for mode in ("", "preferences"):
                with self.subTest(name, mode=mode):
                    body = self.preview(banner, mode, data).body
                    assert body is not None
                    self.assertNotEqual(body.get_text().strip(), "")

    def test_preview_works_before_the_first_save_and_without_a_site(self) -> None:
        Site.objects.all().delete()
        address = url("preview_on_add")
        response = self.client.post(address, form())
        self.assertJSONEqual(response.content, {"is_valid": True, "is_available": True})
        for mode in ("", "preferences"):
            self.assertEqual(self.client.get(address, {"mode": mode}).status_code, 200)


class Life(BannerTestCase):
    """Drafts, publication, schedule, workflow, lock, history, usage, copy, deletion."""

    def test_a_draft_leaves_the_live_banner_alone(self) -> None:
        banner = make_banner(title="Live")
        self.client.post(url("edit", banner.pk), form(title="Draft"))
        banner.refresh_from_db()
        self.assertEqual(banner.title, "Live")
        self.assertTrue(banner.has_unpublished_changes)
        self.client.post(url("edit", banner.pk), form(title="Draft", **PUBLISH))
        banner.refresh_from_db()
        self.assertEqual(banner.title, "Draft")

    def test_unpublish(self) -> None:
        banner = make_banner()
        self.assertContains(self.client.get(url("unpublish", banner.pk)), "Consent banner")
        self.client.post(url("unpublish", banner.pk))
        banner.refresh_from_db()
        self.assertFalse(banner.live)

    def test_scheduled_publication_and_expiry(self) -> None:
        banner = make_banner(publish=False)
        now = timezone.now()
        later = (now + timedelta(days=2)).strftime("%Y-%m-%d %H:%M")
        end = (now + timedelta(days=9)).strftime("%Y-%m-%d %H:%M")
        data = form(title="Later", go_live_at=later, expire_at=end, **PUBLISH)
        self.client.post(url("edit", banner.pk), data)
        banner.refresh_from_db()
        self.assertFalse(banner.live)
        call_command("publish_scheduled")
        banner.refresh_from_db()
        self.assertFalse(banner.live)

        with patch("django.utils.timezone.now", return_value=now + timedelta(days=3)):
            call_command("publish_scheduled")
        banner.refresh_from_db()
        self.assertEqual((banner.live, banner.title), (True, "Later"))

        with patch("django.utils.timezone.now", return_value=now + timedelta(days=10)):
            call_command("publish_scheduled")
        banner.refresh_from_db()
        self.assertFalse(banner.live)

    def test_a_workflow_must_agree(self) -> None:
        """Legal wording often needs a second pair of eyes."""
        WorkflowContentType.objects.create(
            content_type=ContentType.objects.get_for_model(ConsentBanner),
            workflow=Workflow.objects.get(),
        )
        banner = make_banner(publish=False)
        data = {**form(title="Please"), "action-submit": "1"}
        self.client.post(url("edit", banner.pk), data)
        banner.refresh_from_db()
        self.assertFalse(banner.live)
        task = banner.current_workflow_task_state
        assert task is not None
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(url("workflow_action", banner.pk, "approve", task.pk), {"comment": ""})
        banner.refresh_from_db()
        self.assertEqual((banner.live, banner.title), (True, "Please"))

    def test_a_locked_banner_is_not_changed_by_others(self) -> None:
        banner = make_banner(title="Mine")
        self.client.post(url("lock", banner.pk))
        banner.refresh_from_db()
        self.assertTrue(banner.locked)
        self.login(self.create_superuser("somebody", password="password"))
        self.client.post(url("edit", banner.pk), form(title="Theirs", **PUBLISH))
        banner.refresh_from_db()
        self.assertEqual(banner.title, "Mine")

    def test_history_and_return_to_an_earlier_version(self) -> None:
        banner = make_banner(title="First")
        first = banner.latest_revision
        self.client.post(url("edit", banner.pk), form(title="Second", **PUBLISH))
        self.assertContains(self.client.get(url("history", banner.pk)), "Published")
        response = self.client.get(url("revisions_revert", banner.pk, first.pk))
        self.assertContains(response, 'value="First"')

    def test_usage_is_shown_before_deletion(self) -> None:
        """Deleting what a site asks with must not be a surprise."""
        responsible: Any = make_asking_site()
        banner = responsible.banner
        self.assertContains(self.client.get(url("usage", banner.pk)), "Cookie charter")
        charter = banner.charter_page
        response = self.client.get(reverse("wagtailadmin_pages:usage", args=[charter.pk]))
        self.assertContains(response, "Consent banner")
        self.client.post(url("delete", banner.pk))
        responsible.refresh_from_db()
        self.assertIsNone(responsible.banner_id)
        self.assertEqual(self.client.get(charter.get_url()).status_code, 200)

    def test_a_copy_is_a_banner_of_its_own(self) -> None:
        banner = make_banner(title="Original", publish=False)
        banner.categories.create(key="media", title="Films")
        banner.save_revision().publish()
        response = self.client.get(url("copy", banner.pk))
        self.assertContains(response, "Original")
        soup = BeautifulSoup(response.content, "html.parser")
        forms = soup.select("form")
        place = next(i for i, found in enumerate(forms) if found.select("[name=accept_label]"))
        data = querydict_from_html(response.content.decode(), form_index=place).dict()
        self.client.post(str(forms[place]["action"]), {**data, **PUBLISH})
        twin = ConsentBanner.objects.exclude(pk=banner.pk).get()
        self.assertNotEqual(twin.translation_key, banner.translation_key)
        self.assertEqual(twin.title, "Original")
        banner.refresh_from_db()
        self.assertEqual([child.key for child in banner.categories.all()], ["media"])

    def test_the_list_says_which_are_live(self) -> None:
        make_banner(name="Now")
        make_banner(name="Not yet", publish=False)
        response = self.client.get(url("list"))
        soup = BeautifulSoup(response.content, "html.parser")
        lines = {line.get_text(" ", strip=True) for line in soup.select("tbody tr")}
        self.assertTrue(any("Now" in line and "live" in line.lower() for line in lines), lines)
        self.assertTrue(any("Not yet" in line and "draft" in line.lower() for line in lines), lines)


class Permissions(BannerTestCase):
    def test_without_permission_the_banner_is_out_of_reach(self) -> None:
        banner = make_banner(title="As it was")
        self.only_with()
        for address in (
            url("list"),
            url("add"),
            url("edit", banner.pk),
            url("delete", banner.pk),
            url("unpublish", banner.pk),
            url("copy", banner.pk),
        ):
            with self.subTest(address):
                self.assertRedirects(self.client.get(address), reverse("wagtailadmin_home"))
                self.client.post(address, form(title="Mine", **PUBLISH))
        banner = ConsentBanner.objects.get()
        self.assertEqual((banner.live, banner.title), (True, "As it was"))

    def test_who_may_change_may_not_yet_publish(self) -> None:
        banner = make_banner(title="As it was")
        self.only_with("change_consentbanner")
        self.client.post(url("edit", banner.pk), form(title="Mine", **PUBLISH))
        banner.refresh_from_db()
        self.assertEqual(banner.title, "As it was")
        self.assertEqual(banner.get_latest_revision_as_object().title, "Mine")

    def test_who_may_publish_does(self) -> None:
        banner = make_banner()
        self.only_with("change_consentbanner", "publish_consentbanner")
        self.client.post(url("edit", banner.pk), form(title="Mine", **PUBLISH))
        banner.refresh_from_db()
        self.assertEqual(banner.title, "Mine")


class Translation(BannerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.french = Locale.objects.create(language_code="fr")
        self.banner = make_banner(title="English", publish=False)
        self.banner.categories.create(key="media", title="Films")
        self.banner.categories.create(key="statistics", title="Counting")
        self.banner.save_revision().publish()

    def test_a_translation_takes_its_categories_along(self) -> None:
        """Children too: else the French banner would lose its order and words."""
        copy = self.banner.copy_for_translation(self.french)
        copy.save()
        copy.refresh_from_db()
        self.assertEqual(copy.translation_key, self.banner.translation_key)
        theirs = {
            (child.key, child.translation_key)
            for child in BannerCategory.objects.filter(banner=copy, locale=self.french)
        }
        ours = {(child.key, child.translation_key) for child in self.banner.categories.all()}
        self.assertEqual(theirs, ours)

    def test_a_translation_starts_as_a_draft(self) -> None:
        """English words must not go live on the French site because someone began to translate."""
        copy = self.banner.copy_for_translation(self.french)
        copy.save()
        copy.refresh_from_db()
        self.assertFalse(copy.live)
        self.banner.refresh_from_db()
        self.assertTrue(self.banner.live)

    def test_a_translation_is_edited_and_published_on_its_own(self) -> None:
        copy = self.banner.copy_for_translation(self.french)
        copy.save()
        response = self.client.post(url("edit", copy.pk), form(title="Français", **PUBLISH))
        self.assertEqual(response.status_code, 302)
        copy.refresh_from_db()
        self.banner.refresh_from_db()
        self.assertEqual((copy.title, self.banner.title), ("Français", "English"))
