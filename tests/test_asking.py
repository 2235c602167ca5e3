"""Before publishing, editors read whether visitors will be asked again, and why (R65)."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from wagtail.models import GroupPagePermission, Page
from wagtail.test.utils.form_data import nested_form_data, querydict_from_html

from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import Commit, banner_of, charter_of, history, latest, one
from wagtail_cookie_charter.asking.outlook import outlooks
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


def draft(settings: CookieCharterSettings, *blocks: Any) -> Any:
    charter = charter_of(settings)
    charter.body = list(blocks)
    return charter


def test_a_new_provider_asks_again_and_is_named(asking: CookieCharterSettings) -> None:
    (outlook,) = outlooks(draft(asking, table(row(), row(name="_hot", provider="Hotjar"))))
    assert outlook.asks and not outlook.first
    assert outlook.new == (("Statistics", ("Hotjar",)),)


def test_a_new_category_asks_again(asking: CookieCharterSettings) -> None:
    (outlook,) = outlooks(draft(asking, table(), one("Video", "media")))
    assert outlook.new == (("Videos, maps and other content from elsewhere", ("Video",)),)


@pytest.mark.parametrize(
    "blocks",
    [
        [table(row(purpose="Counts pages."))],
        [table(row(), row(name="_other"))],
        [table(row(duration={"kind": "session", "value": 0, "unit": ""}))],
        [table(), one("own", "necessary")],
        [],
    ],
    ids=["words", "another cookie of theirs", "duration", "necessary", "nothing left"],
)
def test_anything_else_asks_nobody(asking: CookieCharterSettings, blocks: list[Any]) -> None:
    (outlook,) = outlooks(draft(asking, *blocks))
    assert not outlook.asks
    assert outlook.new == ()


@pytest.mark.parametrize(
    "blocks", [[table(), one("Hotjar")], [table(row(purpose="Other words."))]], ids=["new", "words"]
)
def test_what_is_said_is_what_happens(
    asking: CookieCharterSettings, commit: Commit, blocks: list[Any]
) -> None:
    charter = draft(asking, *blocks)
    before = latest(asking.site).number
    (outlook,) = outlooks(charter)
    with commit():
        charter.save_revision().publish()
    assert (latest(asking.site).number > before) is outlook.asks


def test_a_look_ahead_stores_nothing(asking: CookieCharterSettings) -> None:
    outlooks(draft(asking, table(), one("Hotjar")))
    assert len(history(asking.site)) == 1
    assert PublishedDeclaration.objects.count() == 1


def test_the_first_time_is_called_so(commit: Commit) -> None:
    make_home()
    with commit():
        settings = make_asking_site(one("own", "necessary"))
    (outlook,) = outlooks(draft(settings, table()))
    assert outlook.asks and outlook.first


def test_each_site_that_shares_the_banner_is_told_of(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        other = make_site("other.example")
        CookieCharterSettings.objects.create(site=other, banner=asking.banner)
    found = outlooks(draft(asking, table(), one("Hotjar")))
    assert [outlook.site for outlook in found] == [asking.site, other]


def test_a_banner_that_names_another_charter(asking: CookieCharterSettings, commit: Commit) -> None:
    banner = banner_of(asking)
    assert [outlook.asks for outlook in outlooks(banner)] == [False]
    other = charter_of(asking).copy(update_attrs={"slug": "other", "title": "Other"})
    other.body = [one("Hotjar")]
    other.save_revision().publish()
    banner.charter_page = Page.objects.get(pk=other.pk)
    (outlook,) = outlooks(banner)
    assert outlook.new == (("Statistics", ("Hotjar",)),)


def test_what_no_site_uses_asks_nobody(asking: CookieCharterSettings) -> None:
    other = charter_of(asking).copy(update_attrs={"slug": "other", "title": "Other"})
    assert outlooks(other) == []


# --- In the editor --------------------------------------------------------------------


def charter_url(settings: CookieCharterSettings) -> str:
    return reverse("cookie_charter_admin:charter_asking", args=[charter_of(settings).pk])


def edited(client: Client, settings: CookieCharterSettings, **changed: Any) -> dict[str, Any]:
    """The editor's form as the browser posts it, with some fields changed."""
    url = reverse("wagtailadmin_pages:edit", args=[charter_of(settings).pk])
    html = client.get(url).content.decode()
    data = querydict_from_html(html, form_id="page-edit-form")
    return {**data.dict(), **body(**changed)}


def body(**changed: Any) -> dict[str, Any]:
    """A table of one row in the fields of the form, which the browser's script makes."""
    values = {**row(), **changed}
    duration = values.pop("duration")
    fields = {
        "category": "statistics",
        "introduction": "null",
        "cookies-count": "1",
        "cookies-0-deleted": "",
        "cookies-0-order": "0",
        "cookies-0-type": "item",
        "cookies-0-id": "",
        **{f"cookies-0-value-{name}": value for name, value in values.items()},
        **{f"cookies-0-value-duration-{name}": value for name, value in duration.items()},
    }
    return {
        "body-count": "1",
        "body-0-deleted": "",
        "body-0-order": "0",
        "body-0-type": "cookie_table",
        "body-0-id": "",
        **{f"body-0-value-{name}": value for name, value in fields.items()},
    }


def said(response: Any) -> str:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser").get_text(" ", strip=True)


def test_the_form_as_it_stands_is_judged(
    asking: CookieCharterSettings, admin_client: Client
) -> None:
    url = charter_url(asking)
    name = str(asking.site)
    same = said(admin_client.post(url, edited(admin_client, asking)))
    assert same == f"When you publish this, no visitor of “{name}” will be asked again."
    new = said(admin_client.post(url, edited(admin_client, asking, provider="<b>Hotjar</b>")))
    assert new.startswith(f"When you publish this, all visitors of “{name}” will be asked again")
    assert "Statistics: <b>Hotjar</b>" in new


def test_a_form_that_cannot_be_read_is_no_error(
    asking: CookieCharterSettings, admin_client: Client
) -> None:
    data = {**edited(admin_client, asking), "title": "x" * 300}
    assert "has errors to correct first" in said(admin_client.post(charter_url(asking), data))


def test_a_form_that_cannot_be_published_has_no_outlook(
    asking: CookieCharterSettings, admin_client: Client
) -> None:
    """A draft may have holes; what would be asked with them is never asked."""
    for holes in ({"provider": ""}, {"provider": "", "name": "_new"}, {"purpose": ""}):
        text = said(admin_client.post(charter_url(asking), edited(admin_client, asking, **holes)))
        assert "has errors to correct first" in text
        assert "When you publish this" not in text


@pytest.mark.parametrize(
    ("months", "value", "sentence"),
    [
        ("25", "6", "When you publish this"),
        ("26", "6", "has errors to correct first"),
        ("25.5", "6", "has errors to correct first"),
        ("many", "6", "has errors to correct first"),
        ("25", "1.5", "has errors to correct first"),
        ("25", "long", "has errors to correct first"),
    ],
)
def test_numbers_are_judged_as_forms_send_them(
    asking: CookieCharterSettings, admin_client: Client, months: str, value: str, sentence: str
) -> None:
    """As text, before anything has checked them: no error of the server's (R3)."""
    data = edited(
        admin_client,
        asking,
        retention_months=months,
        duration={"kind": "fixed", "value": value, "unit": "month"},
    )
    data["body-0-value-category"] = "audience"
    assert sentence in said(admin_client.post(charter_url(asking), data))
    url = reverse("wagtailadmin_pages:edit", args=[charter_of(asking).pk])
    published = admin_client.post(url, {**data, "action-publish": "on"})
    assert published.status_code == (302 if sentence.startswith("When") else 200)


def test_the_banner_s_form_too(asking: CookieCharterSettings, admin_client: Client) -> None:
    banner = banner_of(asking)
    url = reverse("wagtailsnippets_wagtail_cookie_charter_consentbanner:asking", args=[banner.pk])
    edit = reverse(banner.snippet_viewset.get_url_name("edit"), args=[banner.pk])
    page = admin_client.get(edit)
    soup = BeautifulSoup(page.content, "html.parser")
    assert [
        found["data-wcc-asking-url-value"] for found in soup.select("[data-wcc-asking-url-value]")
    ] == [url]
    # On whichever tab the editor is: the charter is chosen on the second.
    assert not soup.select("[role=tabpanel] [data-wcc-asking-url-value]")
    data = nested_form_data(
        {
            "name": "Banner",
            "charter_page": str(banner.charter_page_id),
            "placement": "bottom",
            "days": "182",
            "categories-TOTAL_FORMS": "0",
            "categories-INITIAL_FORMS": "0",
        }
    )
    assert "no visitor of" in said(admin_client.post(url, data))


def test_the_notice_is_at_the_end_of_the_charter_s_form(
    asking: CookieCharterSettings, admin_client: Client
) -> None:
    """Where it stays in sight above the buttons, however long the form."""
    url = reverse("wagtailadmin_pages:edit", args=[charter_of(asking).pk])
    soup = BeautifulSoup(admin_client.get(url).content, "html.parser")
    panels = soup.select("#tab-content section.w-panel")
    assert "wcc-asking-panel" in panels[-1]["class"]
    assert panels[-1].select("[data-wcc-asking-url-value]")
    assert soup.select('link[href*="cookie-charter-admin.css"]')


def test_a_page_that_was_never_saved_has_no_panel(
    asking: CookieCharterSettings, admin_client: Client
) -> None:
    home = charter_of(asking).get_parent()
    args = ["wagtail_cookie_charter", "cookiecharterpage", home.pk]
    page = admin_client.get(reverse("wagtailadmin_pages:add", args=args))
    assert b"wcc-asking" not in page.content


def test_only_who_may_edit_gets_an_answer(asking: CookieCharterSettings, client: Client) -> None:
    url = charter_url(asking)
    assert client.post(url).status_code == 302
    user = get_user_model().objects.create_user("reader", password="x")
    group = Group.objects.create(name="Elsewhere")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    user.groups.add(group)
    client.force_login(user)
    assert client.post(url, {"title": "x"}).status_code in (302, 403)
    GroupPagePermission.objects.create(
        group=group,
        page=charter_of(asking).get_parent(),
        permission=Permission.objects.get(
            content_type__app_label="wagtailcore", codename="change_page"
        ),
    )
    response = client.post(url, {"title": "x"})
    assert (response.status_code, response.content) == (400, b"The form cannot be read.")


def test_other_pages_have_no_outlook(asking: CookieCharterSettings, admin_client: Client) -> None:
    home = charter_of(asking).get_parent()
    url = reverse("cookie_charter_admin:charter_asking", args=[home.pk])
    assert admin_client.post(url, {"title": "x"}).status_code == 404
    assert admin_client.get(charter_url(asking)).status_code == 405
