"""When two names mean one provider: who is asked again hangs on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import Block, make_asking_site, make_home, row, table
from tests.ledger import Commit, charter_of, latest, publish
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.providers import LEGAL_FORMS, provider_slug, respelled

names = st.text(alphabet="abcdeé1 .-&", max_size=12) | st.text(max_size=12)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Hotjar", "HOTJAR"),
        ("You Tube", "YouTube"),
        ("Carte Exemple", "Carte Exemple SAS"),
        ("Carte Exemple", "Carte Exemple S.A.S."),
        ("Google, LLC", "Google"),
        ("Hotjra", "Hotjar"),
        ("Exemple Mesur", "Exemple Mesure"),
        ("Exempple Mesure SA", "Exemple Mesure SA"),
        ("Dailymotoin", "Dailymotion"),
    ],
)
def test_a_corrected_name_is_the_same_provider(before: str, now: str) -> None:
    assert respelled(before, now) and respelled(now, before)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("Hotjar", "Matomo"),
        ("Google LLC", "Google Ltd"),
        ("Google Ads", "Google Maps"),
        ("Google Ireland", "Google"),
        ("Meta", "Mata"),
        ("Counter A", "Counter B"),
        ("Counter1", "Counter2"),
        ("Counters", "Counters 2"),
        ("Hotjra Maesure", "Hotjar Mesure"),
        ("Hojtra", "Hotjar"),
        ("SAS", "Oracle SAS"),
        ("SAS", "SA"),
        ("", "Hotjar"),
        ("X", "Y"),
    ],
)
def test_what_goes_further_may_be_somebody_else(before: str, now: str) -> None:
    """Promise 2: nobody was asked about them."""
    assert not respelled(before, now) and not respelled(now, before)


@given(names, names)
def test_it_does_not_matter_which_came_first(one: str, other: str) -> None:
    assert respelled(one, one)
    assert respelled(one, other) == respelled(other, one)
    if provider_slug(one) == provider_slug(other):
        assert respelled(one, other)


def test_legal_forms_are_written_as_slugs_are() -> None:
    assert all(provider_slug(form) == form for form in LEGAL_FORMS)


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(optional("Hotjra"))


def optional(*providers: str) -> Block:
    return table(*(row(name=f"_{name}", provider=name) for name in providers))


def rename(settings: CookieCharterSettings, commit: Commit, name: str) -> int:
    """Give the first row another provider, as an editor does; the number in force then."""
    charter = charter_of(settings)
    charter.body[0].value["cookies"][0]["provider"] = name
    with commit():
        charter.save_revision().publish()
    assert latest(settings.site).declaration.languages["en"].cookies[-1].provider == name
    return latest(settings.site).number


def test_who_corrects_a_name_asks_nobody(asking: CookieCharterSettings, commit: Commit) -> None:
    """R65: and who puts it back, neither. Gates that name either one open."""
    number = latest(asking.site).declaration.providers["hotjra"]
    for name in ("Hotjar", "Hotjar Ltd", "Hotjar", "Hotjra"):
        assert rename(asking, commit, name) == 1
        providers = latest(asking.site).declaration.providers
        assert providers[provider_slug(name)] == providers["hotjra"] == number
    # The row may go: both names are known.
    with commit():
        publish(asking, optional("Hotjar Ltd"))
    assert latest(asking.site).number == 1


def test_who_names_somebody_else_asks(asking: CookieCharterSettings, commit: Commit) -> None:
    assert rename(asking, commit, "Matomo") == 2
    providers = latest(asking.site).declaration.providers
    assert providers["matomo"] != providers["hotjra"]


def test_a_new_row_with_a_name_like_another_asks(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """Only a row that stays can say that its provider has."""
    with commit():
        publish(asking, optional("Hotjra", "Hotjar"))
    assert latest(asking.site).number == 2
