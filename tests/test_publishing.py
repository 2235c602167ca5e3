"""From an editor's "Publish" to the ledger: what sets it off, and what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from wagtail.actions.unpublish_page import UnpublishPageAction
from wagtail.models import Page, Revision, Task, Workflow, WorkflowTask

from tests.factories import (
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    make_site,
    row,
    table,
)
from tests.ledger import Commit, banner_of, charter_of, history, keys, latest, one, publish, texts
from tests.testapp.models import HomePage, OurCharterPage
from wagtail_cookie_charter.consent import digest
from wagtail_cookie_charter.models import (
    ConsentBanner,
    ConsentEvent,
    CookieCharterSettings,
    DailyCount,
    Delivery,
    PublishedDeclaration,
)
from wagtail_cookie_charter.models.ledger import Immutable
from wagtail_cookie_charter.publishing import publish_declarations


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


# --- What sets it off -----------------------------------------------------------------


def test_the_first_publication_is_number_one(asking: CookieCharterSettings) -> None:
    (published,) = history(asking.site)
    assert published.number == 1
    assert [row.name for row in published.declaration.languages["en"].cookies] == [
        f"cookie-charter-{asking.site_id}",
        "_measure",
    ]
    assert published.digest == digest(published.content)


def test_a_site_that_declares_nothing_stores_nothing(commit: Commit) -> None:
    home = make_home()
    with commit():
        make_charter(table(), parent=home)
        make_banner()
        make_settings()
    assert PublishedDeclaration.objects.count() == 0


def test_the_same_again_is_not_stored_again(asking: CookieCharterSettings, commit: Commit) -> None:
    """R43: the ledger tells of changes, not of clicks."""
    with commit():
        charter_of(asking).save_revision().publish()
        banner_of(asking).save_revision().publish()
        asking.save()
    assert len(history(asking.site)) == 1


def test_a_draft_is_nobodys_business(asking: CookieCharterSettings, commit: Commit) -> None:
    charter, banner = charter_of(asking), banner_of(asking)
    charter.body = [table(category="marketing")]
    banner.title = "Draft"
    with commit():
        charter.save_revision()
        banner.save_revision()
        publish_declarations()
    assert len(history(asking.site)) == 1


def test_unpublishing_and_publishing_again_asks_nobody(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """R66: while nothing is asked, nobody can have answered anything else."""
    with commit():
        charter_of(asking).unpublish()
    assert keys(asking.site) == []
    with commit():
        charter_of(asking).save_revision().publish()
    assert keys(asking.site) == ["necessary", "statistics"]
    assert [published.asks_again for published in history(asking.site)] == [False] * 3
    assert latest(asking.site).declaration.asked_since == 1


def test_what_embeds_are_found_by_is_offered_too(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """R48: pages that a cache kept load from a domain that is gone, or is somebody else's now.

    The number goes up, so that they run nothing; nobody is asked again.
    """
    for number, domain in (
        (1, "video.example"),
        (1, "video.example, player.example"),
        (1, "https://www.player.example/x .video.example"),
        (2, "player.example"),
        (3, "elsewhere.example"),
        (4, ""),
    ):
        with commit():
            publish(asking, table(row(domain=domain), category="statistics"))
        published = latest(asking.site)
        assert (published.number, published.declaration.asked_since) == (number, 1), domain
        assert published.pairs == published.declaration.scope


def test_the_banner_can_be_switched_off_and_on(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        banner_of(asking).unpublish()
    assert keys(asking.site) == []
    with commit():
        banner_of(asking).save_revision().publish()
    assert keys(asking.site) == ["necessary", "statistics"]
    assert latest(asking.site).declaration.asked_since == 1


def test_new_words_in_the_banner_are_published_and_ask_nobody(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    banner = banner_of(asking)
    banner.title = "Choose"
    banner.days = 90
    with commit():
        banner.save_revision().publish()
    assert texts(asking.site)["title"] == "Choose"
    assert latest(asking.site).declaration.days == 90
    assert latest(asking.site).number == 1


@pytest.mark.parametrize("through", ["page", "base page", "ancestor", "queryset"])
def test_a_deleted_charter_asks_nobody_any_more(
    asking: CookieCharterSettings, commit: Commit, through: str
) -> None:
    """Promise 1: what is not on the page any longer is neither asked nor run."""
    charter = charter_of(asking)
    with commit():
        if through == "page":
            charter.delete()
        elif through == "base page":
            Page.objects.get(pk=charter.pk).delete()
        elif through == "queryset":
            Page.objects.filter(pk=charter.pk).delete()
        else:
            section = HomePage(title="Section")
            charter.get_parent().add_child(instance=section)
            charter.move(section, pos="last-child")
            section.refresh_from_db()
            section.delete()
    assert keys(asking.site) == []


def test_an_ancestor_unpublished_with_all_below_takes_the_charter_along(
    asking: CookieCharterSettings, commit: Commit, admin_user: Any
) -> None:
    section = HomePage(title="Section")
    asking.site.root_page.add_child(instance=section)
    with commit():
        charter_of(asking).move(section, pos="last-child")
    section = HomePage.objects.get(pk=section.pk)
    with commit():
        UnpublishPageAction(section, user=admin_user, include_descendants=True).execute(
            skip_permission_checks=True
        )
    assert keys(asking.site) == []


def test_a_deleted_banner_asks_nobody_any_more(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        banner_of(asking).delete()
    assert keys(asking.site) == []


@pytest.mark.parametrize("change", ["slug", "move", "ancestor's slug", "ancestor's move"])
def test_the_links_follow_the_charter(
    asking: CookieCharterSettings, commit: Commit, change: str
) -> None:
    """R13: a banner whose link is dead leads nobody to what they are asked to accept."""
    charter = charter_of(asking)
    home = charter.get_parent().specific
    section, other = HomePage(title="Section"), HomePage(title="Other")
    home.add_child(instance=section)
    home.add_child(instance=other)
    with commit():
        charter.move(section, pos="last-child")
    assert texts(asking.site)["charter_url"] == "/section/cookie-charter/"
    charter, section = charter_of(asking), HomePage.objects.get(pk=section.pk)
    with commit():
        if change == "slug":
            charter.slug = "cookies"
            charter.save_revision().publish()
        elif change == "move":
            charter.move(HomePage.objects.get(pk=other.pk), pos="last-child")
        elif change == "ancestor's slug":
            section.slug = "about"
            section.save_revision().publish()
        else:
            section.move(HomePage.objects.get(pk=other.pk), pos="last-child")
    assert texts(asking.site)["charter_url"] == charter_of(asking).get_url()
    assert texts(asking.site)["charter_url"] != "/section/cookie-charter/"
    assert latest(asking.site).number == 1


@pytest.mark.parametrize("change", ["slug", "unpublish", "delete"])
def test_the_link_to_the_privacy_policy_follows_its_page(
    asking: CookieCharterSettings, commit: Commit, change: str
) -> None:
    policy = HomePage(title="Privacy")
    asking.site.root_page.add_child(instance=policy)
    banner = banner_of(asking)
    banner.privacy_page_id = policy.pk
    with commit():
        banner.save_revision().publish()
    assert texts(asking.site)["privacy_url"] == "/privacy/"
    policy = HomePage.objects.get(pk=policy.pk)
    with commit():
        if change == "slug":
            policy.slug = "data"
            policy.save_revision().publish()
        elif change == "unpublish":
            policy.unpublish()
        else:
            policy.delete()
    assert texts(asking.site)["privacy_url"] == ("/data/" if change == "slug" else "")


@pytest.mark.parametrize("how", ["revision", "save", "off by save"])
def test_scripts_publish_like_editors(
    asking: CookieCharterSettings, commit: Commit, how: str
) -> None:
    """A script that edits a live page must not leave visitors with yesterday's question."""
    charter = charter_of(asking)
    with commit():
        if how == "off by save":
            charter.live = False
            charter.save()
        else:
            charter.body = [table(), table(row(name="_v", provider="Video"), category="media")]
            charter.save() if how == "save" else charter.save_revision().publish()
    if how == "off by save":
        assert keys(asking.site) == []
    else:
        assert keys(asking.site) == ["necessary", "statistics", "media"]
        assert latest(asking.site).number == 2


def test_a_publication_that_is_rolled_back_was_none(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """The ledger must not prove what visitors never saw."""
    with commit(), pytest.raises(IntegrityError), transaction.atomic():
        publish(asking, table(category="marketing"))
        raise IntegrityError
    assert len(history(asking.site)) == 1


# --- Schedules and workflows ----------------------------------------------------------


def test_a_scheduled_charter_is_declared_when_it_goes_live(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    charter = charter_of(asking)
    charter.body = [table(category="marketing")]
    charter.go_live_at = timezone.now() + timedelta(days=1)
    with commit():
        charter.save_revision().publish()
    assert keys(asking.site) == ["necessary", "statistics"]
    # A day later.
    past = timezone.now() - timedelta(minutes=1)
    revision = Revision.objects.get(approved_go_live_at__isnull=False)
    revision.content["go_live_at"] = past.isoformat()
    revision.approved_go_live_at = past
    revision.save()
    with commit():
        call_command("publish_scheduled")
    assert keys(asking.site) == ["necessary", "marketing"]
    assert latest(asking.site).number == 2


@pytest.mark.parametrize("what", ["charter", "banner"])
def test_what_expires_is_not_asked_any_more(
    asking: CookieCharterSettings, commit: Commit, what: str
) -> None:
    scheduled = charter_of(asking) if what == "charter" else banner_of(asking)
    scheduled.expire_at = timezone.now() + timedelta(days=1)
    with commit():
        scheduled.save_revision().publish()
    type(scheduled).objects.filter(pk=scheduled.pk).update(
        expire_at=timezone.now() - timedelta(minutes=1)
    )
    with commit():
        call_command("publish_scheduled")
    assert keys(asking.site) == []


def test_a_workflows_approval_publishes(asking: CookieCharterSettings, commit: Commit) -> None:
    """Legal sign-off is the usual way to publish such a page."""
    user = get_user_model().objects.create_superuser("lawyer", "lawyer@example.org", "x")
    workflow = Workflow.objects.create(name="Sign-off")
    WorkflowTask.objects.create(
        workflow=workflow, task=Task.objects.create(name="Lawyer"), sort_order=1
    )
    charter = charter_of(asking)
    charter.body = [table(category="marketing")]
    with commit():
        charter.save_revision()
        state = workflow.start(charter, user)
    assert keys(asking.site) == ["necessary", "statistics"]
    with commit():
        state.current_task_state.approve(user=user)
    assert keys(asking.site) == ["necessary", "marketing"]


# --- Several sites, aliases, settings -------------------------------------------------


def test_two_sites_publish_each_for_itself(asking: CookieCharterSettings, commit: Commit) -> None:
    """R40: another site's editor must not make this site's banner come back."""
    with commit():
        other = make_asking_site(one("a", "media"), site=make_site("other.example"))
    assert len(history(asking.site)) == 1
    with commit():
        publish(other, one("a", "media"), one("b", "media"))
    assert (latest(asking.site).number, latest(other.site).number) == (1, 2)
    assert keys(asking.site) == ["necessary", "statistics"]
    assert keys(other.site) == ["necessary", "media"]
    names = {latest(each.site).declaration.cookie_name for each in (asking, other)}
    assert len(names) == 2
    assert "a" not in latest(asking.site).declaration.providers


def test_an_alias_declares_what_its_source_declares(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """Two sites can share one charter; publishing it must reach both."""
    other = make_site("other.example")
    with commit():
        alias = charter_of(asking).create_alias(parent=other.root_page)
        make_settings(other, banner=make_banner(alias))
    assert keys(other) == ["necessary", "statistics"]
    with commit():
        publish(asking, table(), one("v", "media"))
    assert keys(other) == ["necessary", "statistics", "media"]
    assert latest(other).number == 2
    assert texts(other)["charter_url"] == "/cookie-charter/"
    with commit():
        charter_of(asking).unpublish()
    assert keys(other) == []


def test_settings_reach_the_declaration(asking: CookieCharterSettings, commit: Commit) -> None:
    asking.controller_name = "Another City"
    with commit():
        asking.save()
    assert "Another City" in texts(asking.site)["facts"]
    asking.banner = None
    with commit():
        asking.save()
    assert keys(asking.site) == []
    asking.banner = ConsentBanner.objects.get()
    with commit():
        asking.save()
    assert latest(asking.site).declaration.asked_since == 1
    with commit():
        asking.delete()
    assert keys(asking.site) == []


def test_a_sites_new_address_reaches_the_declaration(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    site = asking.site
    site.hostname, site.port = "www.city.example", 443
    with commit():
        site.save()
    declaration = latest(site).declaration
    assert declaration.site == "www.city.example"
    assert declaration.languages["en"].cookies[0].name == f"__Host-cookie-charter-{site.pk}"
    # The cookie's own name stays, or every visitor would be asked again.
    assert declaration.cookie_name == f"cookie-charter-{site.pk}"
    assert latest(site).number == 1


def test_what_a_deleted_site_published_can_still_be_proved(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """R43: consents outlive the site they were given to."""
    with commit():
        asking.site.delete()
    (published,) = history(None)
    assert published.declaration.optional


# --- When something breaks ------------------------------------------------------------


def test_one_sites_failure_is_its_own(
    asking: CookieCharterSettings,
    commit: Commit,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug in one project's page must not stop editors, nor another site's publication."""
    broken_site = make_site("broken.example")
    with commit():
        charter = make_charter(table(), parent=broken_site.root_page, model=OurCharterPage)
        broken = make_settings(broken_site, banner=make_banner(charter))
    before = latest(broken_site)

    def fail(self: Any) -> Any:
        raise RuntimeError("a bug in the project's own page")

    monkeypatch.setattr(OurCharterPage, "declared_cookies", fail)
    with commit():
        publish(broken, one("a", "media"))
        publish(asking, table(), one("v", "media"))
    assert charter_of(broken).body[0].value["category"] == "media"
    assert latest(broken_site) == before
    assert keys(asking.site) == ["necessary", "statistics", "media"]
    assert "broken.example" in caplog.text and "a bug in the project's own page" in caplog.text
    monkeypatch.undo()
    publish_declarations()
    assert keys(broken_site) == ["necessary", "media"]


# --- The ledger -----------------------------------------------------------------------


def test_what_was_published_cannot_be_changed(asking: CookieCharterSettings) -> None:
    """R43: a proof that can be edited proves nothing."""
    published = latest(asking.site)
    published.number = 9
    with pytest.raises(Immutable):
        published.save()
    with pytest.raises(Immutable):
        published.save(update_fields=["number"])
    with pytest.raises(Immutable):
        published.delete()
    assert latest(asking.site).number == 1


def test_nor_can_it_be_changed_by_the_dozen(asking: CookieCharterSettings) -> None:
    published = latest(asking.site)
    published.number = 9
    rows = PublishedDeclaration.objects.filter(site=asking.site)
    with pytest.raises(Immutable):
        rows.update(number=9)
    with pytest.raises(Immutable):
        rows.delete()
    with pytest.raises(Immutable):
        PublishedDeclaration.objects.bulk_update([published], ["number"])
    assert latest(asking.site).number == 1


def test_the_ledger_holds_no_person() -> None:
    """Promise 7: not who published, not who read, not who answered."""

    def names(model: type[Model]) -> set[str]:
        return {field.name for field in model._meta.fields}

    assert names(PublishedDeclaration) == {
        *("id", "site", "number", "digest", "content", "asked", "created_at"),
        *("added", "reason", "shown", "version", "assets", "seal"),
    }
    assert names(ConsentEvent) == {
        *("id", "declaration", "grants", "method", "language", "decided_at", "receipt"),
    }
    assert names(DailyCount) == {"id", "declaration", "day", "method", "grants", "slot", "count"}
    assert names(Delivery) == {"number", "day"}
