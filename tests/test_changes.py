"""What differs between two declarations, and which of it asks visitors again (R65)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_cookie_charter.changes import Change, Kind, changes, provider_name
from wagtail_cookie_charter.consent import (
    Category,
    Cookie,
    Declaration,
    Duration,
    DurationKind,
    Ground,
    Wording,
)

NAMES = {"One": 1, "Two": 2, "Hotjar": 3}


def row(name: str = "_a", category: str = "statistics", provider: str = "One", **v: Any) -> Cookie:
    return Cookie(name, category, provider=provider, provider_id=NAMES[provider], **v)


def declare(
    *rows: Cookie, grounds: dict[str, Ground] | None = None, words: str = "Hello", **values: Any
) -> Declaration:
    """A declaration in English with these rows, and the categories that they use."""
    known = {cookie.category: Ground.CONSENT for cookie in rows} | (grounds or {})
    wording = Wording(
        {"title": words}, {key: (key.title(), "") for key in known}, rows, cookies_language="en"
    )
    return replace(
        Declaration(
            "example.org",
            "cookie-charter-1",
            categories=tuple(Category(key, ground) for key, ground in known.items()),
            providers={name.lower(): number for name, number in NAMES.items()},
            languages={"en": wording},
        ),
        **values,
    )


def translated(declaration: Declaration, language: str, *rows: Cookie) -> Declaration:
    words = replace(declaration.languages["en"], cookies=rows, cookies_language=language)
    return replace(declaration, languages={**declaration.languages, language: words})


# --- What is found --------------------------------------------------------------------


def test_the_first_declaration_is_all_new() -> None:
    assert changes(None, declare(row())) == (
        Change(Kind.CATEGORY_ADDED, True, "statistics", after="consent"),
        Change(Kind.PROVIDER_ADDED, True, "statistics", 1),
        Change(Kind.ROW_ADDED, category="statistics", row="_a", language="en"),
        Change(Kind.LANGUAGE_ADDED, language="en"),
    )


def test_a_provider_in_a_category() -> None:
    before, after = declare(row()), declare(row(), row("_hj", provider="Hotjar"))
    added = Change(Kind.PROVIDER_ADDED, True, "statistics", 3)
    assert changes(before, after)[0] == added
    assert changes(after, before)[0] == Change(Kind.PROVIDER_REMOVED, False, "statistics", 3)


@pytest.mark.parametrize("ground", [Ground.EXEMPT, Ground.OPT_OUT])
def test_a_ground_that_became_consent_is_material_and_one_that_ceased_is_not(
    ground: Ground,
) -> None:
    before = declare(row(), grounds={"statistics": ground})
    after = declare(row())
    assert changes(before, after) == (
        Change(
            Kind.GROUND_CHANGED, True, "statistics", before=ground.value, after=Ground.CONSENT.value
        ),
    )
    assert [change.material for change in changes(after, before)] == [False]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"purpose": "Other"}, ("purpose",)),
        ({"duration": Duration(DurationKind.FIXED, 2, "day"), "party": "third"}, None),
        ({"name": "_b"}, ("name",)),
        ({"category": "media"}, ("category",)),
    ],
)
def test_a_row_is_known_again_by_its_id(
    values: dict[str, Any], fields: tuple[str, ...] | None
) -> None:
    old = row(row_id="x")
    found = [
        change
        for change in changes(declare(old), declare(replace(old, **values)))
        if change.kind in (Kind.ROW_ADDED, Kind.ROW_REMOVED, Kind.ROW_CHANGED)
    ]
    assert [change.kind for change in found] == [Kind.ROW_CHANGED]
    assert found[0].fields == (fields or ("duration", "party"))


def test_a_row_without_an_id_is_known_by_its_name() -> None:
    (change,) = changes(declare(row()), declare(row(purpose="Counts.")))
    assert (change.kind, change.row, change.fields) == (Kind.ROW_CHANGED, "_a", ("purpose",))
    assert change.values == ((row().purpose, "Counts."),)


def test_a_table_that_was_copied_is_the_same_table() -> None:
    """Wagtail gives a block that is copied a new id."""
    assert changes(declare(row(row_id="x")), declare(row(row_id="y"))) == ()


def test_what_happened_in_all_languages_is_told_once_and_a_translation_by_itself() -> None:
    old = row(row_id="x", purpose="Counts", duration=Duration(DurationKind.SESSION))
    french = replace(old, purpose="Compte")
    before = translated(declare(old), "fr", french)
    longer = Duration(DurationKind.PERSISTENT)
    after = translated(
        declare(replace(old, duration=longer)), "fr", replace(french, duration=longer)
    )
    (change,) = changes(before, after)
    assert change.fields == ("duration",)
    (change,) = changes(before, translated(declare(old), "fr", replace(french, purpose="Mesure")))
    assert (change.language, change.fields) == ("fr", ("purpose",))


def test_a_new_language_is_one_change() -> None:
    before = declare(row(row_id="x", purpose="Counts"))
    after = translated(before, "fr", row(row_id="x", purpose="Compte"))
    assert changes(before, after) == (Change(Kind.LANGUAGE_ADDED, language="fr"),)
    assert changes(after, before) == (Change(Kind.LANGUAGE_REMOVED, language="fr"),)


def test_words_are_told_with_what_they_were() -> None:
    before, after = declare(row()), declare(row(), words="Good day")
    assert changes(before, after) == (
        Change(
            Kind.TEXT_CHANGED, language="en", fields=("title",), before="Hello", after="Good day"
        ),
    )
    words = replace(before.languages["en"], categories={"statistics": ("Figures", "How many")})
    kinds = [
        (change.kind, change.category, change.fields, change.after)
        for change in changes(before, replace(before, languages={"en": words}))
    ]
    assert kinds == [
        (Kind.CATEGORY_WORDS_CHANGED, "statistics", ("title",), "Figures"),
        (Kind.CATEGORY_WORDS_CHANGED, "statistics", ("summary",), "How many"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("days", 90, Kind.DAYS_CHANGED),
        ("placement", "corner", Kind.PLACEMENT_CHANGED),
        ("site", "example.com", Kind.SITE_CHANGED),
        ("cookie_name", "cookie-charter-2", Kind.SITE_CHANGED),
    ],
)
def test_what_is_set_for_the_whole(name: str, value: Any, kind: Kind) -> None:
    before = declare(row())
    (change,) = changes(before, replace(before, **{name: value}))
    assert change == Change(kind, fields=(name,), before=getattr(before, name), after=value)


# --- Who is it? -----------------------------------------------------------------------


def test_a_providers_name_is_looked_up_in_the_language_then_anywhere() -> None:
    french = replace(row(), provider="Un")
    declaration = translated(declare(row(), row("_h", provider="Hotjar")), "fr", french)
    assert provider_name(declaration, 1, "fr") == "Un"
    assert provider_name(declaration, 1, "fr-ca") == "Un"
    assert provider_name(declaration, 1, "de") == "One"
    assert provider_name(declaration, 3, "fr") == "Hotjar"
    assert provider_name(declaration, 2) == "two"
    assert provider_name(declaration, 99) == ""
    assert provider_name(declaration, 0) == ""
    unnamed = replace(row(), provider="")
    assert provider_name(declare(unnamed), 1) == "_a"


# --- Whatever anybody declares --------------------------------------------------------

kept = st.sampled_from([True, True, True, False])
texts = st.sampled_from(["", "a", "b", "c"])
rows = st.builds(
    row,
    st.sampled_from(["_a", "_b", "_c*"]),
    st.sampled_from(["statistics", "media", "chat"]),
    st.sampled_from(sorted(NAMES)),
    purpose=texts,
    row_id=texts,
    duration=st.none() | st.just(Duration(DurationKind.SESSION)),
)
wordings = st.builds(
    Wording,
    texts=st.dictionaries(st.sampled_from(["title", "text", "facts"]), texts),
    categories=st.dictionaries(
        st.sampled_from(["statistics", "media", "chat"]), st.tuples(texts, texts)
    ),
    cookies=st.lists(rows, max_size=5).map(tuple),
    cookies_language=st.sampled_from(["en", "fr"]),
)
declarations = st.builds(
    Declaration,
    site=st.just("example.org"),
    cookie_name=st.just("cookie-charter-1"),
    days=st.sampled_from([90, 182]),
    placement=st.sampled_from(["bottom", "corner"]),
    categories=st.dictionaries(
        st.sampled_from(["statistics", "media", "chat"]), st.sampled_from(list(Ground))
    ).map(lambda grounds: tuple(Category(key, ground) for key, ground in grounds.items())),
    providers=st.just({name.lower(): number for name, number in NAMES.items()}),
    languages=st.dictionaries(st.sampled_from(["en", "fr"]), wordings),
)


@given(declarations)
def test_what_is_equal_does_not_differ(declaration: Declaration) -> None:
    assert changes(declaration, declaration) == ()
    assert changes(declaration, Declaration.from_dict(declaration.as_dict())) == ()


@given(st.none() | declarations, declarations)
def test_something_is_material_exactly_if_something_more_is_asked(
    before: Declaration | None, after: Declaration
) -> None:
    """R65, for every declaration there can be: nobody is asked for nothing, or not asked."""
    earlier = before.scope if before else frozenset()
    found = changes(before, after)
    assert any(change.material for change in found) is not (after.scope <= earlier)
    named = {change.provider for change in found if change.material and change.provider}
    assert named <= {provider for _category, provider in after.scope - earlier}


@given(declarations, st.data())
def test_nothing_that_visitors_see_differs_in_silence(
    before: Declaration, data: st.DataObject
) -> None:
    languages = {
        language: replace(
            wording,
            cookies=tuple(
                replace(row, purpose=data.draw(texts)) for row in wording.cookies if data.draw(kept)
            ),
        )
        for language, wording in before.languages.items()
        if data.draw(kept)
    }
    after = replace(before, languages=languages)

    def seen(declaration: Declaration) -> dict[str, list[str]]:
        return {
            language: sorted(repr(replace(row, row_id="")) for row in wording.cookies)
            for language, wording in declaration.languages.items()
        }

    assert (changes(before, after) == ()) is (seen(before) == seen(after))


@given(declarations, st.data())
def test_removing_is_never_material(declaration: Declaration, data: st.DataObject) -> None:
    kept = {
        language: replace(
            wording,
            cookies=tuple(row for row in wording.cookies if data.draw(st.booleans())),
        )
        for language, wording in declaration.languages.items()
        if data.draw(st.booleans())
    }
    categories = tuple(one for one in declaration.categories if data.draw(st.booleans()))
    found = changes(declaration, replace(declaration, categories=categories, languages=kept))
    assert not any(change.material for change in found)


@given(declarations, declarations, st.randoms(use_true_random=False))
def test_order_is_nothing(before: Declaration, after: Declaration, dice: random.Random) -> None:
    def shuffled(values: Any) -> list[Any]:
        values = list(values)
        dice.shuffle(values)
        return values

    def mixed(declaration: Declaration) -> Declaration:
        languages = {
            language: Wording(
                dict(shuffled(wording.texts.items())),
                dict(shuffled(wording.categories.items())),
                tuple(shuffled(wording.cookies)),
                wording.cookies_language,
            )
            for language, wording in declaration.languages.items()
        }
        return replace(
            declaration,
            categories=tuple(shuffled(declaration.categories)),
            providers=dict(shuffled(declaration.providers.items())),
            languages=languages,
        )

    assert changes(before, mixed(before)) == ()
    assert set(changes(mixed(before), mixed(after))) == set(changes(before, after))


@given(declarations, st.data())
def test_words_and_translations_are_never_material(
    declaration: Declaration, data: st.DataObject
) -> None:
    languages = {
        language: Wording(
            {**wording.texts, "title": data.draw(texts)},
            {key: (data.draw(texts), data.draw(texts)) for key in wording.categories},
            tuple(
                replace(row, purpose=data.draw(texts), provider=data.draw(texts))
                for row in wording.cookies
            ),
            wording.cookies_language,
        )
        for language, wording in declaration.languages.items()
    }
    found = changes(declaration, replace(declaration, languages=languages))
    assert not any(change.material for change in found)
