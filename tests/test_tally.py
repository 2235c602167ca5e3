"""The figures of the report: they add up, whatever was answered (R86)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_cookie_charter.consent import Category, Cookie, Declaration, Ground, Wording
from wagtail_cookie_charter.decision import MAX_LENGTH, Decision, Method, encode, grants_for
from wagtail_cookie_charter.report.tally import (
    Count,
    Kind,
    Kinds,
    Level,
    Offer,
    Split,
    Tally,
    offer_of,
    read,
    tally,
)

OFFER: Offer = {"media": {3: "three", 4: "four"}, "statistics": {1: "one"}}
FIRST = date(2026, 1, 1)

offers = st.dictionaries(
    st.sampled_from(["media", "statistics", "marketing", "audience"]),
    st.dictionaries(st.integers(0, 40), st.sampled_from("abcdef"), max_size=3),
    max_size=4,
)
grant_texts = st.one_of(
    st.sampled_from(
        ["", "media", "media-3", "media+4.statistics", "media.statistics.marketing.audience"]
    ),
    st.text(max_size=MAX_LENGTH),
)
counts = st.lists(
    st.builds(
        Count,
        declaration=st.integers(0, 3),
        method=st.sampled_from([method.value for method in Method]),
        grants=grant_texts,
        answers=st.integers(0, 10_000),
        day=st.dates(FIRST, FIRST + timedelta(9)),
    ),
    max_size=20,
)


@pytest.mark.parametrize(
    ("text", "kind", "media", "statistics"),
    [
        ("", Kind.REFUSED, Level.REFUSED, Level.REFUSED),
        ("media.statistics", Kind.ACCEPTED, Level.GRANTED, Level.GRANTED),
        ("media", Kind.CHOSEN, Level.GRANTED, Level.REFUSED),
        ("media-3", Kind.CHOSEN, Level.PARTLY, Level.REFUSED),
        ("media+4.statistics", Kind.CHOSEN, Level.PARTLY, Level.GRANTED),
        ("media-3-4", Kind.REFUSED, Level.REFUSED, Level.REFUSED),
        ("media+3+4.statistics", Kind.ACCEPTED, Level.GRANTED, Level.GRANTED),
        ("marketing", Kind.REFUSED, Level.REFUSED, Level.REFUSED),
        ("no sense at all", Kind.REFUSED, Level.REFUSED, Level.REFUSED),
    ],
)
def test_an_answer_is_what_it_granted(
    text: str, kind: Kind, media: Level, statistics: Level
) -> None:
    """Whatever the button. What was not offered, or cannot be read, is not granted."""
    reading = read(text, OFFER)
    assert reading.kind is kind
    assert reading.categories == {"media": media, "statistics": statistics}


def test_a_provider_is_granted_with_its_category_or_by_itself() -> None:
    assert read("media+4", OFFER).providers == {
        ("media", "three"): False,
        ("media", "four"): True,
        ("statistics", "one"): False,
    }


def test_an_offer_is_what_a_declaration_asks() -> None:
    declaration = Declaration(
        "here",
        "cookie-charter-1",
        categories=(
            Category("necessary", Ground.EXEMPT),
            Category("audience", Ground.OPT_OUT),
            Category("media", Ground.CONSENT),
        ),
        providers={"city": 1, "films": 2},
        languages={
            "en": Wording(
                {},
                {},
                (
                    Cookie("sessionid", "necessary", provider_id=1),
                    Cookie("_own", "audience", provider_id=1),
                    Cookie("_film", "media", provider_id=2),
                ),
            )
        },
    )
    assert offer_of(declaration) == {"audience": {1: "city"}, "media": {2: "films"}}


@given(st.data())
def test_what_the_codec_wrote_is_read_again(data: st.DataObject) -> None:
    """The text in the table is the cookie's, and means here what it means there."""
    numbers = {key: frozenset(found) for key, found in OFFER.items()}
    declaration = Declaration(
        "here",
        "cookie-charter-1",
        categories=tuple(Category(key, Ground.CONSENT) for key in OFFER),
        languages={
            "en": Wording(
                {},
                {},
                tuple(
                    Cookie(f"{key}{number}", key, provider_id=number)
                    for key, found in numbers.items()
                    for number in found
                ),
            )
        },
    )
    pairs = sorted((key, number) for key, found in numbers.items() for number in found)
    chosen = data.draw(st.sets(st.sampled_from(pairs)))
    written = encode(Decision(0, 0, grants_for(declaration, [], chosen)))
    reading = read(written.removeprefix("1.0.0").removeprefix("."), OFFER)
    slugs = {(key, OFFER[key][number]) for key, number in chosen}
    assert {name for name, granted in reading.providers.items() if granted} == slugs


@given(counts, st.dictionaries(st.integers(0, 3), offers, max_size=4))
def test_all_sums_agree(answers: list[Count], offered: dict[int, Offer]) -> None:
    found = tally(answers, offered)
    total = sum(count.answers for count in answers)
    kinds = found.kinds
    assert kinds.accepted + kinds.chosen + kinds.refused == total == found.total
    assert sum(found.days.values(), Kinds()) == kinds
    for key, split in found.categories.items():
        asked = sum(count.answers for count in answers if key in offered.get(count.declaration, {}))
        assert split.granted + split.partly + split.refused == asked
    for (key, slug), split in found.providers.items():
        asked = sum(
            count.answers
            for count in answers
            if slug in offered.get(count.declaration, {}).get(key, {}).values()
        )
        assert split == Split(split.granted, 0, asked - split.granted)


@given(counts, counts, st.dictionaries(st.integers(0, 3), offers, max_size=4))
def test_two_tallies_add_up(
    first: list[Count], second: list[Count], offered: dict[int, Offer]
) -> None:
    assert tally(first, offered) + tally(second, offered) == tally([*first, *second], offered)


def test_nothing_is_a_tally_too() -> None:
    assert tally([], {}) == Tally()
    assert Tally().total == 0
