"""The panel on the admin's home: a few numbers, and what needs attention (R68)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import GroupPagePermission, Locale, Page, Site

from tests.answers import latest
from tests.counted import administrator, count, person, signed_in
from tests.factories import make_asking_site, make_charter, make_home, make_site, row, table
from tests.ledger import banner_of, charter_of
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.report.attention import needs
from wagtail_cookie_charter.report.homepage import ConsentPanel

NOW = datetime.now(timezone.utc)
LONG_AGO = NOW - timedelta(400)
SETTINGS_URL = "/admin/settings/wagtail_cookie_charter/cookiechartersettings/{}/"


@pytest.fixture
def settings_(db: None) -> CookieCharterSettings:
    make_home()
    found = make_asking_site(table(row(last_checked=str(NOW.date()))))
    publish_declarations()
    return found


def sentences(user: Any) -> list[str]:
    return [need.sentence for need in needs(user, NOW)]


def panel(user: User) -> str:
    html = signed_in(user).get(reverse("wagtailadmin_home")).content.decode()
    return html.partition('id="cookie-charter-section"')[2].partition("</section>")[0]


def editor(page: Page, name: str = "editor") -> User:
    user = person(name=name)
    group = user.groups.get()
    GroupPagePermission.objects.create(
        group=group, page=page, permission=Permission.objects.get(codename="change_page")
    )
    return user


def date_back(charter: Page) -> None:
    Page.objects.filter(pk=charter.pk).update(
        first_published_at=LONG_AGO, last_published_at=LONG_AGO
    )


def test_all_is_well(settings_: CookieCharterSettings) -> None:
    """Nothing to say, and no answers: no panel."""
    admin = administrator()
    assert sentences(admin) == []
    assert panel(admin) == ""


def test_where_there_is_no_charter_there_is_no_panel(db: None) -> None:
    assert panel(administrator()) == ""


def test_numbers_are_for_those_who_may_see_them(settings_: CookieCharterSettings) -> None:
    count(latest(), "statistics", 60, method="accept")
    count(latest(), "", 40, method="refuse")
    count(latest(), "", 1000, NOW.date() - timedelta(31), method="refuse")
    html = panel(person("view_dailycount"))
    assert "100 answers: 60 % accepted all, 0 % chose some, 40 % refused all" in " ".join(
        html.split()
    )
    assert panel(person(name="stranger")) == ""


def test_a_charter_that_nobody_has_read_for_a_year(settings_: CookieCharterSettings) -> None:
    charter = charter_of(settings_)
    date_back(charter)
    (sentence,) = sentences(administrator())
    assert "“Cookie charter” was last published on" in sentence
    assert reverse("wagtailadmin_pages:edit", args=[charter.pk]) in panel(User.objects.get())


def test_a_project_without_time_zones_has_a_home_too(
    settings_: CookieCharterSettings, settings: Any
) -> None:
    charter = charter_of(settings_)
    settings.USE_TZ = False
    long_ago = LONG_AGO.replace(tzinfo=None)
    Page.objects.filter(pk=charter.pk).update(
        first_published_at=long_ago, last_published_at=long_ago
    )
    assert "was last published on" in panel(administrator())


def test_rows_that_nobody_checked_for_a_year(db: None) -> None:
    """A row without a date is as old as the charter; our own cookie's row is nobody's work."""
    make_home()
    settings = make_asking_site(
        table(
            row(name="_old", last_checked=str(LONG_AGO.date())),
            row(name="_new", last_checked=str(NOW.date())),
            row(name="_none"),
        )
    )
    publish_declarations()
    admin = administrator()
    assert ["1 row that nobody" in one for one in sentences(admin)] == [True]
    Page.objects.filter(pk=charter_of(settings).pk).update(first_published_at=LONG_AGO)
    assert ["2 rows that nobody" in one for one in sentences(admin)] == [True]


def audited(settings: CookieCharterSettings, day: date | None) -> None:
    CookieCharterSettings.objects.filter(pk=settings.pk).update(last_audit=day)


def test_a_site_that_nobody_has_ever_audited(settings_: CookieCharterSettings) -> None:
    """R85: what it really sets was never compared with what it says."""
    audited(settings_, None)
    (sentence,) = sentences(administrator())
    assert "No audit of localhost is noted yet" in sentence
    html = panel(User.objects.get())
    assert SETTINGS_URL.format(settings_.site_id) in html
    assert "Last audit:" not in html


def test_a_site_that_nobody_has_audited_for_a_year(settings_: CookieCharterSettings) -> None:
    admin = administrator()
    audited(settings_, NOW.date() - timedelta(365))
    assert sentences(admin) == []
    audited(settings_, NOW.date() - timedelta(366))
    (sentence,) = sentences(admin)
    assert "localhost was last audited on" in sentence


def test_the_panel_says_when_the_last_audit_was(settings_: CookieCharterSettings) -> None:
    """Once for all is enough where there is one site; else, which is meant."""
    audited(settings_, date(2026, 3, 3))
    charter = charter_of(settings_)
    mine = editor(charter)
    date_back(charter)
    words = " ".join(panel(mine).split())
    assert "Last audit: March 3, 2026" in words
    other = make_site("other.example", site_name="The library")
    make_asking_site(table(), site=other)
    assert "The library" not in panel(mine)
    words = " ".join(panel(administrator()).split())
    assert "Last audit of localhost: March 3, 2026" in words
    assert "Last audit of The library:" in words
    audited(CookieCharterSettings.objects.get(site=other), None)
    words = " ".join(panel(User.objects.get(username="admin")).split())
    assert "Last audit of localhost: March 3, 2026" in words
    assert "Last audit of The library:" not in words


def test_only_who_may_note_an_audit_is_asked_for_one(settings_: CookieCharterSettings) -> None:
    audited(settings_, None)
    mine = editor(charter_of(settings_))
    assert sentences(mine) == []
    mine.groups.get().permissions.add(
        Permission.objects.get(codename="change_cookiechartersettings")
    )
    (sentence,) = sentences(User.objects.get(pk=mine.pk))
    assert "No audit" in sentence


def test_a_language_of_the_site_that_has_no_charter(settings_: CookieCharterSettings) -> None:
    french = Locale.objects.create(language_code="fr")
    home = settings_.site.root_page.copy_for_translation(french)
    admin = administrator()
    assert sentences(admin) == []
    home.save_revision().publish()
    first, second = sentences(admin)
    assert "its charter “Cookie charter” is not" in first
    assert "its consent banner is not" in second
    translated = charter_of(settings_).copy_for_translation(french)
    translated.save_revision().publish()
    banner = banner_of(settings_).copy_for_translation(french)
    banner.save()
    banner.save_revision().publish()
    assert sentences(admin) == []


def test_optional_rows_that_nobody_is_asked_about(settings_: CookieCharterSettings) -> None:
    banner_of(settings_).unpublish()
    (sentence,) = sentences(administrator())
    assert "no published consent banner yet" in sentence


def test_necessary_rows_need_no_banner(db: None) -> None:
    make_home()
    make_charter(table(row(name="sessionid"), category="necessary"))
    assert sentences(administrator()) == []


def test_only_those_who_edit_a_charter_hear_of_it(settings_: CookieCharterSettings) -> None:
    """Site by site, as Wagtail's page permissions say."""
    other = make_site("other.example")
    make_asking_site(table(), site=other)
    publish_declarations()
    for site in Site.objects.all():
        date_back(charter_of(CookieCharterSettings.objects.get(site=site)))
    mine = editor(other.root_page)
    found = needs(mine, NOW)
    assert found
    theirs = charter_of(CookieCharterSettings.objects.get(site=other)).pk
    assert {need.url for need in found} == {reverse("wagtailadmin_pages:edit", args=[theirs])}
    assert "To check" in panel(mine)
    assert sentences(person(name="stranger")) == []


def test_it_is_cheap(settings_: CookieCharterSettings) -> None:
    """On each view of the admin's home: a fixed number of queries, however many sites."""
    request = type("Request", (), {"user": administrator()})()

    def queries() -> int:
        ConsentPanel().render_html({"request": request})
        with CaptureQueriesContext(connection) as found:
            ConsentPanel().render_html({"request": request})
        return len(found)

    count(latest(), "statistics", 60, method="accept")
    first = queries()
    assert first <= 10
    for number in range(3):
        make_asking_site(
            table(row(last_checked=str(NOW.date()))), site=make_site(f"{number}.example")
        )
    publish_declarations()
    assert queries() == first
