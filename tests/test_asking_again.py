"""Asking everybody again though nothing is new: allowed to few, with a reason, in the log (R66)."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import Commit, backdate, history, latest, one, publish
from wagtail_cookie_charter.consent import Declaration
from wagtail_cookie_charter.evidence import shown
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.notice import Notice
from wagtail_cookie_charter.publishing import publish_declaration

REASON = "The first charter named the wrong company."


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


@pytest.fixture
def url() -> str:
    return reverse("cookie_charter_admin:ask_again")


def editor(*codenames: str) -> Any:
    user = get_user_model().objects.create_user("editor", password="x")
    user.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", *codenames]))
    return user


def shown_second_layer(declaration: Declaration) -> BeautifulSoup:
    return BeautifulSoup(shown(declaration, 1, 1)["en"]["preferences"], "html.parser")


def news(declaration: Declaration) -> Any:
    return Notice(declaration, 1, 1, "").news


def test_the_number_goes_up_and_the_reason_is_kept(
    asking: CookieCharterSettings, admin_client: Client, admin_user: Any, url: str
) -> None:
    response = admin_client.post(url, {"site": asking.site.pk, "reason": REASON}, follow=True)
    assert "are asked again from now on" in response.content.decode()
    before, after = history(asking.site)
    assert (before.number, after.number) == (1, 2)
    assert after.reason == REASON
    assert after.declaration.scope == before.declaration.scope
    entry = ModelLogEntry.objects.get(action="wagtail_cookie_charter.ask_again")
    assert (entry.user, entry.comment) == (admin_user, REASON)
    assert entry.message == f"All visitors are asked again, under number 2: {REASON}"
    assert entry.label == "localhost, number 2"


def test_without_a_reason_nobody_is_asked(
    asking: CookieCharterSettings, admin_client: Client, url: str
) -> None:
    response = admin_client.post(url, {"site": asking.site.pk, "reason": "  "})
    assert "This field is required" in response.content.decode()
    assert latest(asking.site).number == 1


def test_where_nothing_is_optional_there_is_nothing_to_ask(
    asking: CookieCharterSettings, commit: Commit, admin_client: Client, url: str
) -> None:
    with commit():
        publish(asking, one("own", "necessary"))
    response = admin_client.post(url, {"site": asking.site.pk, "reason": REASON})
    assert "there is nothing to ask" in response.content.decode()
    other = make_site("silent.example")
    response = admin_client.post(url, {"site": other.pk, "reason": REASON})
    assert "Select a valid choice" in response.content.decode()
    assert latest(asking.site).declaration.asked_since == 1


@pytest.mark.parametrize(
    ("codenames", "allowed"),
    [
        ((), False),
        (("view_publisheddeclaration",), False),
        (("change_consentbanner",), False),
        (("ask_again_publisheddeclaration",), True),
    ],
)
def test_it_has_a_permission_of_its_own(
    asking: CookieCharterSettings,
    client: Client,
    url: str,
    codenames: tuple[str, ...],
    allowed: bool,
) -> None:
    client.force_login(editor(*codenames))
    client.post(url, {"site": asking.site.pk, "reason": REASON})
    assert (latest(asking.site).number == 2) is allowed
    assert (client.get(url).status_code == 200) is allowed


def test_the_button_is_there_for_who_may_press_it(
    asking: CookieCharterSettings, client: Client, url: str
) -> None:
    listing = reverse("cookie_declarations:index")
    user = editor("view_publisheddeclaration")
    client.force_login(user)
    assert url not in client.get(listing).content.decode()
    user.user_permissions.add(Permission.objects.get(codename="ask_again_publisheddeclaration"))
    assert url in client.get(listing).content.decode()


def menu(client: Client) -> str:
    return client.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.parametrize(
    ("codenames", "shown_in_the_menu"),
    [
        ((), False),
        (("view_publisheddeclaration",), False),
        (("ask_again_publisheddeclaration",), True),
        # The list of declarations has a button for these.
        (("ask_again_publisheddeclaration", "view_publisheddeclaration"), False),
    ],
)
def test_there_is_a_way_for_who_may_ask_and_may_not_read(
    asking: CookieCharterSettings,
    client: Client,
    url: str,
    codenames: tuple[str, ...],
    shown_in_the_menu: bool,
) -> None:
    client.force_login(editor(*codenames))
    assert (f'"url": "{url}"' in menu(client)) is shown_in_the_menu


def test_who_may_only_ask_gets_home_again(
    asking: CookieCharterSettings, client: Client, url: str
) -> None:
    client.force_login(editor("ask_again_publisheddeclaration"))
    response = client.post(url, {"site": asking.site.pk, "reason": REASON}, follow=True)
    assert response.redirect_chain == [(reverse("wagtailadmin_home"), 302)]
    assert "are asked again from now on" in response.content.decode()


def test_the_same_form_sent_twice_asks_once(
    asking: CookieCharterSettings, admin_client: Client, url: str
) -> None:
    """A second click, or a second editor: visitors are asked once for both."""
    other = make_asking_site(table(), site=make_site("other.example"))
    publish_declaration(other.site)
    data = {"site": asking.site.pk, "reason": REASON}
    admin_client.post(url, data)
    response = admin_client.post(url, data)
    assert response.status_code == 200
    (said,) = response.context["form"].errors["site"]
    assert "less than a minute ago" in said and "less than a minute ago" in response.text
    assert [published.number for published in history(asking.site)] == [1, 2]
    # Another site is another question.
    assert admin_client.post(url, {**data, "site": other.site.pk}).status_code == 302
    assert latest(other.site).number == 2


@pytest.mark.parametrize("seconds", [61, -61])
def test_a_minute_later_it_may_be_asked_again(
    asking: CookieCharterSettings, admin_client: Client, url: str, seconds: int
) -> None:
    """A clock that was wrong for a moment does not lock anybody out either."""
    data = {"site": asking.site.pk, "reason": REASON}
    admin_client.post(url, data)
    backdate(latest(asking.site), seconds)
    assert admin_client.post(url, data).status_code == 302
    assert latest(asking.site).number == 3


def test_what_a_publication_asked_just_now_does_not_stop_an_editor(
    asking: CookieCharterSettings, commit: Commit, admin_client: Client, url: str
) -> None:
    with commit():
        publish(asking, table(), one("Hotjar"))
    data = {"site": asking.site.pk, "reason": REASON}
    assert admin_client.post(url, data).status_code == 302
    assert latest(asking.site).reason == REASON


def test_it_is_decided_under_the_lock_of_whoever_publishes(
    asking: CookieCharterSettings, admin_client: Client, url: str
) -> None:
    """Else two that come at once both find nothing."""
    with CaptureQueriesContext(connection) as queries:
        admin_client.post(url, {"site": asking.site.pk, "reason": REASON})
    told = [query["sql"] for query in queries]
    looked = next(
        place
        for place, sql in enumerate(told)
        if "publisheddeclaration" in sql and "BETWEEN" in sql
    )
    locked = next(
        place
        for place, sql in enumerate(told)
        if "FOR UPDATE" in sql or sql.startswith('UPDATE "wagtailcore_site"')
    )
    assert locked < looked
    # Not in a transaction of its own, which would let the next one in before this one is done.
    assert not [sql for sql in told[locked:looked] if sql.startswith("RELEASE")]


def test_the_log_says_why_a_publication_asked_again(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """R66: what Wagtail's site history shows, where there is nothing but the message."""
    with commit():
        publish(asking, table(), one("Hotjar"), one("Vimeo", "media"))
    entry = ModelLogEntry.objects.get(action="wagtail_cookie_charter.ask_again")
    media = "Videos, maps and other content from elsewhere"
    assert entry.message == (
        "All visitors are asked again, under number 2. "
        f"New, needs consent: {media} (Vimeo), Statistics (Hotjar)."
    )


def test_what_an_earlier_release_logged_is_read(asking: CookieCharterSettings) -> None:
    old = {"number": 2, "reason": ""}
    entry = ModelLogEntry(action="wagtail_cookie_charter.ask_again", data=old)
    assert entry.message == "All visitors are asked again, under number 2"
    assert ModelLogEntry(action=entry.action, data={}).message


def test_the_site_history_shows_the_reason(
    asking: CookieCharterSettings, admin_client: Client, url: str
) -> None:
    admin_client.post(url, {"site": asking.site.pk, "reason": REASON})
    html = admin_client.get(reverse("wagtailadmin_reports:site_history")).content.decode()
    assert REASON in html and "localhost, number 2" in html


def test_publishing_is_in_the_log(asking: CookieCharterSettings, commit: Commit) -> None:
    with commit():
        publish(asking, table(), one("Hotjar"))
    with commit():
        publish(asking, table(row(purpose="Better words.")), one("Hotjar"))
    actions = ModelLogEntry.objects.order_by("pk").values_list("action", flat=True)
    assert [action for action in actions if action.startswith("wagtail_cookie_charter.")] == [
        "wagtail_cookie_charter.declare",
        "wagtail_cookie_charter.ask_again",
        "wagtail_cookie_charter.declare",
    ]


# --- What visitors are told ------------------------------------------------------------


def test_each_time_is_remembered_with_what_was_new(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    assert news(latest(asking.site).declaration) == []
    with commit():
        publish(asking, table(), one("Hotjar"))
    with commit():
        publish(asking, table(row(purpose="Better words.")), one("Hotjar"))
    publish_declaration(asking.site, reason=REASON)
    declaration = latest(asking.site).declaration
    assert news(declaration) == [(2, (("Statistics", ("Hotjar",)),)), (3, ())]
    assert Declaration.from_dict(declaration.as_dict()) == declaration


def test_what_is_gone_again_is_not_named(asking: CookieCharterSettings, commit: Commit) -> None:
    with commit():
        publish(asking, table(), one("Hotjar"))
    with commit():
        publish(asking, table())
    declaration = latest(asking.site).declaration
    # Nor is it said that the site asks all again: no editor did.
    assert news(declaration) == []
    assert Notice(declaration, 1, 3, "").outdated == 2
    page = shown_second_layer(declaration)
    assert [item.get_text() for item in page.select(".wcc-news li")] == [
        "The list of what is asked has changed."
    ]
    with commit():
        publish(asking, table(), one("Matomo"))
    declaration = latest(asking.site).declaration
    assert news(declaration) == [(4, (("Statistics", ("Matomo",)),))]
    assert Notice(declaration, 1, 4, "").outdated == 0
    assert "has changed" not in str(shown_second_layer(declaration))


def test_a_declaration_from_before_there_were_news_is_read(asking: CookieCharterSettings) -> None:
    content = latest(asking.site).content
    del content["news"]
    assert Declaration.from_dict(content).news == ()
