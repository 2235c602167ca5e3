"""Who is asked again, and who is not: numbers of declarations, of providers, and languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.models import Locale, Page

from tests.factories import (
    Block,
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    row,
    table,
)
from tests.ledger import Commit, banner_of, charter_of, history, keys, latest, one, publish, texts
from wagtail_cookie_charter import advice
from wagtail_cookie_charter.asking.outlook import outlooks
from wagtail_cookie_charter.consent import Declaration
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.notice import Notice
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.report.attention import needs
from wagtail_cookie_charter.report.records import granted
from wagtail_cookie_charter.report.register import register


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


# --- Who is asked again ---------------------------------------------------------------


AUDIENCE = one("own", "audience", retention_months=12)

#: What was published one after the other, and how many times everybody had been asked by then.
HISTORIES: dict[str, list[tuple[list[Block], int]]] = {
    "a new provider": [([one("a")], 1), ([one("a"), one("b")], 2)],
    "a new category": [([one("a")], 1), ([one("a"), one("a", "media")], 2)],
    "another category": [([one("a")], 1), ([one("a", "media")], 2)],
    "less and less": [([one("a"), one("b")], 1), ([one("a")], 1), ([], 1)],
    "removed and added again": [
        ([one("a"), one("b")], 1),
        ([one("a")], 1),
        ([one("a"), one("b")], 2),
    ],
    "everything gone and back": [([one("a"), one("b")], 1), ([], 1), ([one("a"), one("b")], 1)],
    "gone in two steps and back": [
        ([one("a"), one("b")], 1),
        ([one("a")], 1),
        ([], 1),
        ([one("a"), one("b")], 2),
    ],
    "only some come back": [([one("a"), one("b")], 1), ([], 1), ([one("b")], 1)],
    "back, and one more": [([one("a")], 1), ([], 1), ([one("a"), one("b")], 2)],
    "another cookie of the same provider": [
        ([one("a")], 1),
        ([one("a"), one("a", name="_a2")], 1),
    ],
    "another spelling": [([one("Video Host")], 1), ([one("VIDEO  host", name="_v")], 1)],
    "other words, another life": [
        ([one("a")], 1),
        ([one("a", purpose="Counts.", duration={"kind": "session"})], 1),
    ],
    "another order": [
        ([one("a"), one("b", "media")], 1),
        ([one("b", "media"), one("a")], 1),
    ],
    "something necessary more": [([one("a")], 1), ([one("a"), one("c", "necessary")], 1)],
    "exempt measurement more": [([one("a")], 1), ([one("a"), AUDIENCE], 1)],
    # Who switched the measurement off meanwhile was not asked about statistics.
    "gone while something else could be answered": [
        ([one("a"), AUDIENCE], 1),
        ([AUDIENCE], 1),
        ([one("a"), AUDIENCE], 2),
    ],
}


@pytest.mark.parametrize("steps", [pytest.param(HISTORIES[name], id=name) for name in HISTORIES])
def test_visitors_are_asked_again_exactly_when_they_must_be(
    commit: Commit, steps: list[tuple[list[Block], int]]
) -> None:
    """R65 and R66: not a purpose or provider more than was asked, not a banner more than due."""
    home = make_home()
    with commit():
        charter = make_charter(*steps[0][0], parent=home)
        settings = make_settings(banner=make_banner(charter))
    for blocks, times in steps:
        with commit():
            publish(settings, *blocks)
        published = history(settings.site)
        assert 1 + sum(one.asks_again for one in published) == times
        asked = [one.number for one in published if one.asks_again]
        assert published[-1].declaration.asked_since == (asked or [1])[-1]
    numbers = [one.number for one in history(settings.site)]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("steps", "numbers"),
    [
        ([[one("a"), one("b")], [one("a")], []], [1, 2, 3]),
        ([[one("a"), one("b")], [], [one("b")]], [1, 2, 2]),
        ([[one("a")], [one("a", name="_a2")], [one("a", purpose="Counts.", name="_a2")]], [1] * 3),
        ([[one("a")], [one("a", "necessary")]], [1, 2]),
        ([[one("a"), AUDIENCE], [one("a")]], [1, 2]),
        ([[one("a")], [one("a", "media")], [one("b", "media")]], [1, 2, 3]),
    ],
)
def test_what_is_offered_no_more_makes_answers_tell_the_pages_before(
    commit: Commit, steps: list[list[Block]], numbers: list[int]
) -> None:
    """R50: a page in a cache offers what is gone; by its number, answers given since differ."""
    home = make_home()
    with commit():
        settings = make_settings(banner=make_banner(make_charter(*steps[0], parent=home)))
    for blocks, number in zip(steps, numbers, strict=True):
        with commit():
            publish(settings, *blocks)
        assert latest(settings.site).number == number


def test_a_ground_that_becomes_consent_asks(commit: Commit) -> None:
    """R65: nobody consented to what was exempt; the settings decide, the next publication asks."""
    make_home()
    with commit():
        settings = make_asking_site(AUDIENCE, one("a"))
    stricter = {"CATEGORIES": {"audience": {"ground": "consent"}}}
    with override_settings(WAGTAIL_COOKIE_CHARTER=stricter):
        publish_declarations()
        assert latest(settings.site).number == 2
    publish_declarations()
    assert latest(settings.site).number == 2


def test_numbers_of_providers_are_never_used_again(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """A "but not 2" in a visitor's cookie must not come to spare somebody else."""
    for blocks in ([one("a"), one("b")], [one("b")], [], [one("c"), one("b")], [one("a")]):
        before = latest(asking.site).declaration.providers
        with commit():
            publish(asking, *blocks)
        after = latest(asking.site).declaration.providers
        assert {name: after[name] for name in before} == before
        assert len(set(after.values())) == len(after)
    assert {"a", "b", "c"} <= set(latest(asking.site).declaration.providers)


# --- Languages ------------------------------------------------------------------------


@pytest.fixture
def french(asking: CookieCharterSettings, commit: Commit) -> Any:
    """The published French translation of the charter."""
    locale = Locale.objects.create(language_code="fr")
    with commit():
        publish(asking, table())
        home = asking.site.root_page.specific.copy_for_translation(locale)
        home.save_revision().publish()
        charter = charter_of(asking).copy_for_translation(locale)
        charter.title = "Charte cookies"
        charter.body[0].value["cookies"][0].update(
            {"provider": "Exemple de mesure", "purpose": "Compte les visites."}
        )
        charter.save_revision().publish()
    return Page.objects.get(pk=charter.pk).specific


def test_a_translation_is_declared_and_asks_nobody(
    asking: CookieCharterSettings, french: Any
) -> None:
    """R11, R66: French readers get French; nobody gets the banner again for it."""
    declaration = latest(asking.site).declaration
    assert list(declaration.languages) == ["en", "fr"]
    assert texts(asking.site, "fr")["accept_label"] == "Tout accepter"
    assert texts(asking.site, "fr")["charter_url"].startswith("/fr/")
    (row,) = [row for row in declaration.languages["fr"].cookies if row.name == "_measure"]
    assert row.purpose == "Compte les visites."
    assert latest(asking.site).number == 1


def test_a_provider_keeps_its_number_in_translation(
    asking: CookieCharterSettings, french: Any
) -> None:
    """Else who refused "Example Measurement" would have allowed "Exemple de mesure"."""
    declaration = latest(asking.site).declaration
    numbers = {
        (code, row.provider): row.provider_id
        for code, wording in declaration.languages.items()
        for row in wording.cookies
        if row.name == "_measure"
    }
    assert set(numbers) == {("en", "Example Measurement"), ("fr", "Exemple de mesure")}
    assert len(set(numbers.values())) == 1
    assert "exemple-de-mesure" not in declaration.providers


def test_a_row_of_one_translation_only_is_asked_about(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    """R65: consent is one for all languages, so it must have been asked in full."""
    french.body.append(one("carte", "media"))
    with commit():
        french.save_revision().publish()
    assert latest(asking.site).number == 2
    assert "media" in keys(asking.site)


def test_a_translation_that_goes_is_no_longer_declared(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    with commit():
        french.unpublish()
    assert list(latest(asking.site).declaration.languages) == ["en"]
    assert latest(asking.site).number == 1


def test_a_translated_banner_brings_its_words_when_it_is_published(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    with commit():
        banner = banner_of(asking).copy_for_translation(french.locale)
        banner.title = "Vos cookies"
        banner.save()
        revision = banner.save_revision()
    assert texts(asking.site, "fr")["title"] != "Vos cookies"
    with commit():
        revision.publish()
    assert texts(asking.site, "fr")["title"] == "Vos cookies"
    assert texts(asking.site)["title"] != "Vos cookies"
    assert latest(asking.site).number == 1


# --- What only one language declares --------------------------------------------------

MEDIA = "Videos, maps and other content from elsewhere"


@pytest.fixture
def uneven(asking: CookieCharterSettings, french: Any, commit: Commit) -> CookieCharterSettings:
    """The French charter alone has one provider more; visitors of both are asked again."""
    french.body.append(one("Carte", "media", purpose="Montre une carte."))
    with commit():
        french.save_revision().publish()
    assert latest(asking.site).number == 2
    return asking


def test_what_one_language_declares_is_shown_in_all(uneven: CookieCharterSettings) -> None:
    """R65: nobody consents to what was not shown; in the language that it is written in."""
    declaration = latest(uneven.site).declaration
    english, french = (declaration.languages[code].cookies for code in ("en", "fr"))
    (row,) = [row for row in english if row.category == "media"]
    assert (row.provider, row.purpose, row.language) == ("Carte", "Montre une carte.", "fr")
    assert [row.language for row in french] == [""] * len(french)
    assert Declaration.from_dict(declaration.as_dict()) == declaration
    assert "2 third parties" in texts(uneven.site)["facts"]
    page = BeautifulSoup(latest(uneven.site).shown["en"]["preferences"], "html.parser")
    (shown,) = page.select("tr[data-name=_Carte]")
    # Its own words, and not those that are the page's (WCAG 3.1.2).
    assert {part["lang"] for part in shown.select("[lang]")} == {"fr"}
    assert "Montre une carte." in [part.get_text() for part in shown.select("[lang]")]
    assert not shown.select("td[data-label=Duration] [lang], td[data-label=Party] [lang]")
    assert not page.select("tr[lang], tbody[lang], td[lang]")
    assert not page.select("tr[data-name=_measure] [lang]")
    (told,) = page.select(".wcc-news li")
    assert told.get_text() == f"New in “{MEDIA}”: Carte"
    assert "asks all its visitors" not in str(page)


def test_every_language_shows_all_that_is_asked(uneven: CookieCharterSettings) -> None:
    declaration = latest(uneven.site).declaration
    for wording in declaration.languages.values():
        pairs = {(row.category, row.provider_id) for row in wording.cookies}
        assert declaration.scope <= pairs


def test_records_and_register_name_it_in_all_languages(uneven: CookieCharterSettings) -> None:
    published = latest(uneven.site)
    answers = granted(published.declaration, "media", "en")
    assert [answer.granted for answer in answers if answer.key == "media"] == [("Carte",)]
    trackers = register(published, "en")["trackers"]
    assert {one["name"]: one["language"] for one in trackers}["_Carte"] == "fr"
    assert {one["name"]: one["language"] for one in trackers}["_measure"] == "en"


def test_a_row_made_anew_in_the_translation_is_the_same(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    """Copied by hand it has another id, and is known by its name."""
    french.body = [table(row(purpose="Compte les visites."))]
    with commit():
        french.save_revision().publish()
    for wording in latest(asking.site).declaration.languages.values():
        assert len([row for row in wording.cookies if row.name == "_measure"]) == 1
    assert latest(asking.site).number == 1


def test_a_translated_site_name_makes_no_second_row_of_ours(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    own = latest(asking.site).declaration.cookie_name
    french.body.append(one("La ville", "necessary", name=own))
    with commit():
        french.save_revision().publish()
    assert not any(row.language for row in latest(asking.site).declaration.languages["en"].cookies)


def test_what_was_published_with_holes_is_named_all_the_same(
    uneven: CookieCharterSettings,
) -> None:
    """Content from before: the English rows lack what is asked, but neither news nor records."""
    declaration = latest(uneven.site).declaration
    english = declaration.languages["en"]
    own = tuple(row for row in english.cookies if not row.language)
    older = replace(
        declaration, languages={**declaration.languages, "en": replace(english, cookies=own)}
    )
    assert Notice(older, 1, 2, "").news == [(2, ((MEDIA, ("Carte",)),))]
    assert [answer.granted for answer in granted(older, "media", "en")][-1] == ("Carte",)


def test_editors_are_told_what_a_translation_lacks(
    uneven: CookieCharterSettings, commit: Commit
) -> None:
    sentence, *others = advice.on_charter(charter_of(uneven))
    assert sentence.startswith("“Cookie charter” (English) lacks 1 tracker ")
    assert not any("lacks" in other for other in others)
    charter = charter_of(uneven)
    charter.body.append(one("Carte", "media"))
    with commit():
        charter.save_revision().publish()
    # In a table with an id of its own: known by its name.
    assert not any("lacks" in sentence for sentence in advice.on_charter(charter_of(uneven)))


@pytest.mark.parametrize("renamed", ["source", "translation"])
def test_nobody_is_asked_about_one_under_the_name_of_another(
    asking: CookieCharterSettings, french: Any, commit: Commit, renamed: str
) -> None:
    """R65: a row got another provider, and its translation was left as it was.

    Until somebody translates it, its readers read it in the language that says it right. (The
    banner's own language says which it is.)
    """
    french.body[0].value["cookies"][0]["provider"] = "Example Measurement"
    with commit():
        french.save_revision().publish()
    page = charter_of(asking) if renamed == "source" else french
    before = latest(asking.site)
    page.body[0].value["cookies"][0]["provider"] = "Hotjar"
    with commit():
        page.save_revision().publish()
    after = latest(asking.site)
    if renamed == "translation":
        assert after.number == before.number
        return
    assert after.number == before.number + 1
    for code, wording in after.declaration.languages.items():
        (cookie,) = [one for one in wording.cookies if one.name == "_measure"]
        assert (cookie.provider, cookie.language) == ("Hotjar", "" if code == "en" else "en")
        with translation.override(code):
            news = Notice(after.declaration, asking.site_id, after.number, "").news
            assert "Hotjar" in str(news) and cookie.provider in str(news)
    assert any("(French) lacks 1 tracker" in one for one in advice.on_charter(charter_of(asking)))
    # Whatever is published next, and until it is translated.
    french.body[0].value["heading"] = "Ce que nous mesurons"
    for name in ("Example Measurement", "Hotjar"):
        french.body[0].value["cookies"][0]["provider"] = name
        with commit():
            french.save_revision().publish()
        (cookie,) = [
            one
            for one in latest(asking.site).declaration.languages["fr"].cookies
            if one.name == "_measure"
        ]
        assert (cookie.provider, cookie.language) == ("Hotjar", "" if name == "Hotjar" else "en")
    assert latest(asking.site).number == after.number


def test_editors_are_told_that_a_translation_names_another_third_party(
    asking: CookieCharterSettings, french: Any, commit: Commit
) -> None:
    """R65: nobody is asked about whom only a translation names in place of another."""
    assert list(advice.on_charter(charter_of(asking)))[-1:] == [
        "“_measure” is of “Example Measurement” in English, and of “Exemple de mesure” in French. "
        "Visitors are asked about one provider: if these are two, give the other a row of its own."
    ]
    french.body[0].value["cookies"][0]["provider"] = "Example Measurement, Inc."
    with commit():
        french.save_revision().publish()
    assert list(advice.on_charter(charter_of(asking))) == []


def test_the_admins_home_tells_it_too(
    uneven: CookieCharterSettings, django_user_model: Any
) -> None:
    """R68: with the address of the very page that lacks it, for who may edit that."""
    charter = charter_of(uneven)
    user = django_user_model.objects.create_superuser("root", password="x")
    found = [need for need in needs(user, timezone.now()) if "lacks" in need.sentence]
    assert [need.url for need in found] == [reverse("wagtailadmin_pages:edit", args=[charter.pk])]
    nobody = django_user_model.objects.create_user("nobody", password="x")
    assert not needs(nobody, timezone.now())


def test_the_draft_of_one_language_says_what_is_new(
    asking: CookieCharterSettings, french: Any
) -> None:
    """The editor reads English, and edits the French charter."""
    french.body.append(one("Carte", "media"))
    (found,) = outlooks(french)
    assert found.asks
    assert found.new == ((MEDIA, ("Carte",)),)
