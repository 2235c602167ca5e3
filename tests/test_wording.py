"""The package's own words: whole in every shipped language, plain, and what machines expect."""

from __future__ import annotations

import pytest
from django.utils import translation

from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.consent import UNIT_SECONDS, Duration, DurationKind, Ground
from wagtail_cookie_charter.labels import UNCLEAR_LABELS, label_advice, label_problems
from wagtail_cookie_charter.wording import (
    BANNER_DEFAULTS,
    duration_text,
    ground_text,
)

LASTING = (DurationKind.SESSION, DurationKind.PERSISTENT)
BUTTONS = ("accept_label", "refuse_label", "customise_label", "save_label")


def default(name: str, language: str) -> str:
    with translation.override(language):
        return str(BANNER_DEFAULTS[name])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_field_an_editor_leaves_empty_is_an_empty_button(language: str) -> None:
    """Issue: every text has a good default in every shipped language."""
    words = {name: default(name, language) for name in BANNER_DEFAULTS}
    assert all(text.strip() for text in words.values())
    labels = [words[name] for name in BUTTONS]
    assert len(set(labels)) == len(labels)
    # As long as the banner's own fields allow, so that they fit where editors' words fit.
    assert all(len(label) <= 40 for label in labels)
    assert len(words["title"]) <= 120
    assert len(words["text"]) <= 700


@pytest.mark.parametrize("name", BANNER_DEFAULTS)
def test_french_visitors_read_french(name: str) -> None:
    """R11: a notice in a language that its reader does not speak informs nobody."""
    assert default(name, "fr") != default(name, "en")


def test_buttons_say_what_browsers_and_scanners_look_for() -> None:
    """Design §6: a browser that refuses for its user knows these words, and only whole labels."""
    assert default("accept_label", "en") == "Accept all"
    assert default("refuse_label", "en") in ("Refuse all", "Reject all")
    assert default("accept_label", "fr") == "Tout accepter"
    assert default("refuse_label", "fr") == "Tout refuser"


def test_the_text_is_recognised_as_asking_for_consent() -> None:
    """Design §6 and R20: both a machine and a court look for it."""
    assert "we use cookies" in default("text", "en")
    assert "consent" in default("text", "en")
    french = default("text", "fr")
    assert "nous utilisons des cookies" in french or "votre consentement" in french
    assert "consentement" in french


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_text_promises_no_better_experience_and_names_withdrawal(language: str) -> None:
    """R19, R20: no "optimal experience"; the right to change one's mind stands in the text."""
    text = default("text", language).lower()
    assert not any(word in text for word in ("optimal", "experience", "expérience", "better"))
    withdrawal = {"en": "withdraw", "fr": "retirer"}[language]
    assert withdrawal in text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_text_names_the_link_that_is_really_there(language: str) -> None:
    """R48: who looks for "Manage cookies" must find a link of that name at the foot."""
    with translation.override(language):
        assert translation.gettext("Manage cookies") in str(BANNER_DEFAULTS["text"])


# --- Labels that are no clear answer --------------------------------------------------


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("refuse_label", "Continue without accepting"),
        ("refuse_label", "  CONTINUE WITHOUT ACCEPTING  "),
        ("refuse_label", "Continuer sans accepter"),
        ("refuse_label", "Continuer sans accepter →"),
        ("refuse_label", "Je décline les finalités non essentielles"),
        ("refuse_label", "OK"),
        ("refuse_label", "Plus d'options"),
        ("refuse_label", "Plus d’options"),
        ("refuse_label", "Fermer"),
        ("accept_label", "OK"),
        ("accept_label", "Ok!"),
        ("accept_label", "J'ai compris"),
        ("accept_label", "J’ai compris."),
        ("accept_label", "Got it"),
        ("accept_label", "Oui"),
    ],
)
def test_a_label_that_is_no_clear_answer_gets_advice(field: str, label: str) -> None:
    """R17: regulators fined these very words."""
    advice = label_advice(field, label)
    assert advice is not None
    assert label.strip() in advice
    assert str(BANNER_DEFAULTS[field]) in advice


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("accept_label", ""),
        ("accept_label", "Accept all"),
        ("accept_label", "Tout accepter"),
        ("accept_label", "OK, accept all"),
        ("refuse_label", ""),
        ("refuse_label", "Tout refuser"),
        ("refuse_label", "Reject all"),
        ("customise_label", "OK"),
        ("save_label", "OK"),
        ("title", "OK"),
    ],
)
def test_a_clear_label_gets_none(field: str, label: str) -> None:
    """Advice on everything is advice on nothing."""
    assert label_advice(field, label) is None


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("field", UNCLEAR_LABELS)
def test_our_own_labels_follow_our_advice(field: str, language: str) -> None:
    with translation.override(language):
        assert label_advice(field, str(BANNER_DEFAULTS[field])) is None
        assert label_advice(field, "OK") is not None


# --- Durations and grounds ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (1, "second", "1 second", "1 seconde"),
        (30, "minute", "30 minutes", "30 minutes"),
        (1, "hour", "1 hour", "1 heure"),
        (2, "day", "2 days", "2 jours"),
        (52, "week", "52 weeks", "52 semaines"),
        (1, "month", "1 month", "1 mois"),
        (13, "month", "13 months", "13 mois"),
        (1, "year", "1 year", "1 an"),
        (2, "year", "2 years", "2 ans"),
    ],
)
def test_a_duration_is_told_in_the_readers_language(
    value: int, unit: str, english: str, french: str
) -> None:
    """R1: how long is one of the four things that must be told, so it must be read right."""
    duration = Duration(DurationKind.FIXED, value, unit)
    with translation.override("en"):
        assert duration_text(duration) == english
    with translation.override("fr"):
        assert duration_text(duration) == french


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_unit_and_kind_has_words(language: str) -> None:
    """A unit without words would break the charter that uses it."""
    with translation.override(language):
        fixed = [duration_text(Duration(DurationKind.FIXED, 3, unit)) for unit in UNIT_SECONDS]
        others = [duration_text(Duration(kind)) for kind in LASTING]
    assert all("3" in text for text in fixed)
    assert len({*fixed, *others}) == len(UNIT_SECONDS) + 2


def test_an_unknown_duration_is_blank_not_zero() -> None:
    """A draft has holes; "0 months" would be a false statement."""
    assert duration_text(None) == ""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_grounds_are_told_apart_in_words(language: str) -> None:
    """R35: not by colour alone."""
    with translation.override(language):
        assert len({ground_text(ground) for ground in Ground}) == len(Ground)


@pytest.mark.parametrize("key", ["preferences", "audience", "statistics", "media", "marketing"])
def test_every_category_has_a_title_and_one_line_in_every_language(key: str) -> None:
    """R18: purposes are named before the buttons. A banner without them was fined."""
    words = {}
    for language in ("en", "fr"):
        with translation.override(language):
            category = conf.categories[key]
            words[language] = (str(category.title), str(category.summary))
        title, summary = words[language]
        assert title and summary
        assert len(title) <= 120 and len(summary) <= 250 and "\n" not in summary
    assert words["en"][1] != words["fr"][1]


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        (
            {"accept_label": "Refuse all", "refuse_label": "Accept all"},
            {"accept_label", "refuse_label"},
        ),
        ({"accept_label": "Tout Refuser."}, {"accept_label"}),
        ({"refuse_label": "ACCEPTER"}, {"refuse_label"}),
        ({"accept_label": "Fine  with me", "refuse_label": "fine with me"}, {"refuse_label"}),
        ({"customise_label": "Refuse all"}, {"customise_label"}),
        ({"accept_label": "I agree", "refuse_label": "I disagree"}, set()),
        ({}, set()),
    ],
)
def test_each_button_says_what_it_does(labels: dict[str, str], wrong: set[str]) -> None:
    """R14, R17: else who presses “Refuse all” may grant everything."""
    met = {name: default(name, "en") for name in BUTTONS}
    assert label_problems({**met, **labels}).keys() == wrong


def test_the_defaults_are_in_no_ones_way() -> None:
    for language in ("en", "fr"):
        with translation.override(language):
            assert label_problems({name: default(name, language) for name in BUTTONS}) == {}
