"""`manage.py init_cookie_charter`: from nothing to a charter, without overwriting anything."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from wagtail.models import Locale, Page, Site

from tests.factories import make_banner, make_charter, make_home, make_settings, make_site, table
from tests.testapp.models import HomePage
from wagtail_cookie_charter.consent import Cookie, Duration, DurationKind
from wagtail_cookie_charter.models import (
    ConsentBanner,
    CookieCharterMixin,
    CookieCharterSettings,
    PublishedDeclaration,
)

pytestmark = pytest.mark.django_db

SESSION = Duration(DurationKind.SESSION)


@pytest.fixture
def home() -> HomePage:
    return make_home()


@pytest.fixture
def french(home: HomePage) -> HomePage:
    """The home page in a second language."""
    locale = Locale.objects.create(language_code="fr")
    page: HomePage = home.copy_for_translation(locale)
    page.save_revision().publish()
    return page


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("init_cookie_charter", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def charters() -> dict[str, Any]:
    """Language -> its charter, each once."""
    pages = list(Page.objects.type(CookieCharterMixin).specific())
    found = {page.locale.language_code: page for page in pages}
    assert len(found) == len(pages)
    return found


def rows() -> dict[str, Cookie]:
    (page,) = charters().values()
    return {cookie.name: cookie for cookie in page.declared_cookies()}


def everything() -> tuple[int, ...]:
    return (
        Page.objects.count(),
        ConsentBanner.objects.count(),
        CookieCharterSettings.objects.count(),
        PublishedDeclaration.objects.count(),
    )


# --- What it makes --------------------------------------------------------------------


def test_it_makes_drafts(home: HomePage) -> None:
    """Nothing goes live that nobody has read."""
    said = run()
    page = charters()["en"]
    banner = ConsentBanner.objects.get()
    settings = CookieCharterSettings.objects.get()
    assert page.get_parent().pk == home.pk
    assert (page.live, banner.live) == (False, False)
    assert banner.charter_page_id == page.pk
    assert settings.banner_id == banner.pk
    assert settings.controller_name
    assert not PublishedDeclaration.objects.exists()
    assert "drafts; publish them in the admin" in said
    # The editor finds them as drafts that can be edited.
    assert page.latest_revision is not None
    assert banner.latest_revision is not None


def test_it_publishes_when_told_to(home: HomePage) -> None:
    said = run("--publish")
    assert "published" in said
    page = charters()["en"]
    assert page.live
    assert ConsentBanner.objects.get().live
    assert PublishedDeclaration.objects.exists()
    response = Client().get(page.get_url())
    assert response.status_code == 200
    assert "sessionid" in response.content.decode()
    # R26: only necessary cookies, so nobody is asked anything.
    assert "Accept all" not in Client().get(home.get_url()).content.decode()


def test_it_makes_all_languages_translations_of_each_other(french: HomePage) -> None:
    run("--publish")
    found = charters()
    assert set(found) == {"en", "fr"}
    assert found["en"].translation_key == found["fr"].translation_key
    assert found["fr"].get_parent().pk == french.pk
    assert {banner.locale.language_code for banner in ConsentBanner.objects.all()} == {"en", "fr"}
    assert len({banner.translation_key for banner in ConsentBanner.objects.all()}) == 1
    # R11: the words are those of the page's language.
    assert found["en"].title == "Cookie charter"
    assert found["fr"].title != "Cookie charter"
    purposes = {code: page.declared_cookies()[0].purpose for code, page in found.items()}
    assert purposes["en"] != purposes["fr"]
    # The settings point at the banner of the site's own language.
    assert CookieCharterSettings.objects.get().banner.locale.language_code == "en"


def test_one_language_now_another_later(french: HomePage) -> None:
    run("--locale", "en")
    before = charters()["en"]
    assert set(charters()) == {"en"}
    said = run("--locale", "fr")
    assert charters()["fr"].translation_key == before.translation_key
    assert ConsentBanner.objects.count() == 2
    assert "(en)" not in said


def test_a_language_without_a_home_page_is_left_out(home: HomePage) -> None:
    Locale.objects.create(language_code="fr")
    said = run()
    assert "Left out fr: the site has no home page in this language." in said
    assert set(charters()) == {"en"}


def test_what_it_publishes_an_editor_can_publish_again(home: HomePage) -> None:
    """The table it writes must satisfy the rules it is judged by."""
    run("--publish")
    page = charters()["en"]
    body = page._meta.get_field("body").stream_block
    assert len(body.clean(page.body)) == len(page.body)
    page.full_clean()


# --- Twice, and beside what is there --------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--publish"]])
def test_twice_changes_nothing_and_says_so(french: HomePage, arguments: list[str]) -> None:
    run(*arguments)
    before = everything()
    said = run(*arguments)
    assert "Nothing to do" in said
    assert everything() == before


def test_what_an_editor_changed_is_left_alone(home: HomePage) -> None:
    run("--publish")
    page = charters()["en"]
    page.title = "Our own title"
    page.save_revision().publish()
    CookieCharterSettings.objects.update(controller_name="The true controller")
    run("--publish")
    assert charters()["en"].title == "Our own title"
    assert CookieCharterSettings.objects.get().controller_name == "The true controller"


def test_a_banner_without_a_charter_gets_one_and_only_one(home: HomePage) -> None:
    """Else every run would add one more charter that nothing points at."""
    make_settings(banner=make_banner())
    run()
    run()
    page = charters()["en"]
    banner = ConsentBanner.objects.get()
    assert banner.get_latest_revision_as_object().charter_page_id == page.pk


def test_so_does_each_language(french: HomePage) -> None:
    run("--publish")
    for charter in charters().values():
        charter.delete()
    assert run("--publish").count("Gave the banner") == 2
    for banner in ConsentBanner.objects.all():
        assert banner.charter_page.locale == banner.locale
    assert "Nothing to do" in run("--publish")


def test_settings_without_a_banner_keep_their_controller(home: HomePage) -> None:
    make_settings(controller_name="The true controller")
    run()
    settings = CookieCharterSettings.objects.get()
    assert settings.controller_name == "The true controller"
    assert settings.banner is not None


def test_a_taken_address_is_not_taken_away(home: HomePage) -> None:
    other = HomePage(title="Another page", slug="cookie-charter")
    home.add_child(instance=other)
    run()
    assert charters()["en"].slug == "cookie-charter-2"


def test_a_charter_of_the_projects_own_model_is_made_where_there_is_one(home: HomePage) -> None:
    """The test project has `OurCharterPage`: a project with a page of its own wants that one."""
    run()
    assert charters()["en"]._meta.label == "testapp.OurCharterPage"


# --- Which site -----------------------------------------------------------------------


@pytest.mark.parametrize("by", ["hostname", "pk"])
def test_a_site_is_named_by_host_or_id(home: HomePage, by: str) -> None:
    other = make_site("other.example", site_name="The library")
    run("--site", str(getattr(other, by)))
    settings = CookieCharterSettings.objects.get()
    assert settings.site_id == other.pk
    assert settings.controller_name == "The library"
    assert charters()["en"].get_site() == other


def test_two_sites_get_a_charter_each(home: HomePage) -> None:
    make_charter(table())
    other = make_site("other.example")
    run("--site", "other.example")
    assert CookieCharterSettings.existing(other) is not None
    assert Page.objects.type(CookieCharterMixin).count() == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--site", "nowhere.example"], "There is no site 'nowhere.example'. There are: localhost"),
        (["--site", "987654"], "There is no site '987654'. There are: localhost"),
        (["--locale", "de"], "There is no locale de. There are: en"),
    ],
)
def test_mistakes_get_a_sentence(home: HomePage, arguments: list[str], sentence: str) -> None:
    before = everything()
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
    assert everything() == before


def test_no_site_at_all_gets_a_sentence(home: HomePage) -> None:
    Site.objects.all().delete()
    with pytest.raises(CommandError, match="There is no site. Create one"):
        run()


def test_a_language_without_a_home_page_alone_gets_a_sentence(home: HomePage) -> None:
    Locale.objects.create(language_code="fr")
    with pytest.raises(CommandError, match="no home page in any of these languages"):
        run("--locale", "fr")


# --- The necessary table is read from the project -------------------------------------


def test_djangos_defaults(home: HomePage) -> None:
    """R1, R2: names and ages as the project really sets them."""
    run()
    found = rows()
    site = Site.objects.get()
    assert set(found) == {
        "sessionid",
        "csrftoken",
        "django_language",
        "messages",
        f"cookie-charter-{site.pk}",
    }
    assert found["sessionid"].duration == Duration(DurationKind.FIXED, 2, "week")
    assert found["csrftoken"].duration == Duration(DurationKind.FIXED, 52, "week")
    assert found["django_language"].duration == SESSION
    assert found["messages"].duration == SESSION
    assert found[f"cookie-charter-{site.pk}"].duration == Duration(DurationKind.FIXED, 6, "month")
    for cookie in found.values():
        assert cookie.category == "necessary"
        assert cookie.party == "first"
        assert cookie.purpose
        assert cookie.provider


def test_names_and_ages_of_the_project(home: HomePage, settings: Any) -> None:
    settings.SESSION_COOKIE_NAME = "city_session"
    settings.SESSION_COOKIE_AGE = 90 * 60
    settings.CSRF_COOKIE_NAME = "city_csrf"
    settings.CSRF_COOKIE_AGE = None
    settings.LANGUAGE_COOKIE_NAME = "city_language"
    settings.LANGUAGE_COOKIE_AGE = 366 * 86_400
    run()
    found = rows()
    assert found["city_session"].duration == Duration(DurationKind.FIXED, 90, "minute")
    assert found["city_csrf"].duration == SESSION
    assert found["city_language"].duration is not None
    assert abs(found["city_language"].duration.seconds - 366 * 86_400) < 86_400
    assert not {"sessionid", "csrftoken", "django_language"} & set(found)


def test_a_session_that_ends_with_the_browser(home: HomePage, settings: Any) -> None:
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    run()
    assert rows()["sessionid"].duration == SESSION


def test_cookies_that_are_never_set_are_not_declared(home: HomePage, settings: Any) -> None:
    """A declared cookie that does not exist is a false statement too."""
    settings.CSRF_USE_SESSIONS = True
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
    settings.LANGUAGES = [("en", "English")]
    settings.WAGTAIL_CONTENT_LANGUAGES = [("en", "English")]
    run()
    site = Site.objects.get()
    assert set(rows()) == {"sessionid", f"cookie-charter-{site.pk}"}


def test_over_https_our_own_cookie_has_its_safe_name(home: HomePage, settings: Any) -> None:
    """R39: the declared name is the one the browser has."""
    settings.SESSION_COOKIE_SECURE = True
    run()
    assert f"__Host-cookie-charter-{Site.objects.get().pk}" in rows()
