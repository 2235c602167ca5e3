"""Who is asked again, and who is not: numbers of declarations, of providers, and languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings
from wagtail.models import Locale, Page

from tests.factories import (
    Block,
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    table,
)
from tests.ledger import Commit, banner_of, charter_of, history, keys, latest, one, publish, texts
from wagtail_cookie_charter.models import (
    CookieCharterSettings,
)
from wagtail_cookie_charter.publishing import publish_declarations


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


# --- Who is asked again ---------------------------------------------------------------


AUDIENCE = one("own", "audience", retention_months=12)

#: What was published one after the other, and which number it was asked under.
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
    for blocks, number in steps:
        with commit():
            publish(settings, *blocks)
        assert latest(settings.site).number == number
    numbers = [published.number for published in history(settings.site)]
    assert numbers == sorted(numbers)


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
