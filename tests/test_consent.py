"""The pure core: patterns, durations, what a row must say, and what is asked of whom.

Everything a visitor was promised hangs on these few functions, so they are tried with what
nobody would think of writing. The consent cookie's own tests are in ``test_decision.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_cookie_charter.consent import (
    UNIT_SECONDS,
    Category,
    Cookie,
    Declaration,
    Duration,
    DurationKind,
    Ground,
    Problem,
    Wording,
    digest,
    duration_of_days,
    matches,
    number_providers,
    pattern_problem,
    row_problems,
)
from wagtail_cookie_charter.decision import Decision, Grant, grants_for

# --- Patterns -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("_ga", "_ga", True),
        ("_ga", "_ga_X1", False),
        ("_ga", "_GA", False),
        ("_ga_*", "_ga_X1", True),
        ("_ga_*", "_ga_", True),
        ("_ga_*", "_ga", False),
        ("_pk_id.*", "_pk_id.1.1fff", True),
        ("_pk_id.*", "_pk_idx1", False),
        ("*", "sessionid", False),
        ("a*", "abc", False),
        ("ab*", "abc", False),
        ("a*c", "abc", False),
        ("a*c", "a*c", False),
        ("   *", "   x", False),
        ("", "", False),
        (" ", " ", False),
    ],
)
def test_a_pattern_means_what_editors_are_told(pattern: str, name: str, expected: bool) -> None:
    """R50: what matches is deleted. A pattern that takes too much logs people out."""
    assert matches(pattern, name) is expected


@given(st.text(max_size=20), st.text(max_size=30))
def test_what_may_not_be_published_matches_nothing(pattern: str, name: str) -> None:
    """A page from before a rule, or an imported one, must not delete what it never meant."""
    if pattern_problem(pattern, "other"):
        assert not matches(pattern, name)
    elif matches(pattern, name):
        assert name.startswith(pattern.removesuffix("*"))


@pytest.mark.parametrize(
    ("name", "storage", "problem"),
    [
        ("_ga", "cookie", None),
        ("_ga_*", "cookie", None),
        ("abc*", "cookie", None),
        ("", "cookie", Problem.MISSING),
        ("  ", "cookie", Problem.MISSING),
        ("*", "cookie", Problem.TOO_WIDE),
        ("_*", "cookie", Problem.TOO_WIDE),
        ("_g*", "cookie", Problem.TOO_WIDE),
        ("  a*", "local", Problem.TOO_WIDE),
        ("_g*a", "cookie", Problem.STAR_INSIDE),
        ("**", "cookie", Problem.STAR_INSIDE),
        ("_ga**", "cookie", Problem.STAR_INSIDE),
        ("_ga, _gid", "cookie", Problem.BAD_CHARACTER),
        ("_ga;", "cookie", Problem.BAD_CHARACTER),
        ("_ga _gid", "cookie", Problem.BAD_CHARACTER),
        ("_ga=1", "cookie", Problem.BAD_CHARACTER),
        ("visitor settings", "local", None),
        ("player/volume", "local", None),
        ("https://example.org/pixel.gif", "pixel", None),
    ],
)
def test_a_name_is_usable_or_says_why_not(name: str, storage: str, problem: Problem | None) -> None:
    """Issue: a pattern that would swallow everything is refused before anybody's cookies go."""
    assert pattern_problem(name, storage) is problem


# --- Durations ------------------------------------------------------------------------


def lasting(value: int, unit: str) -> Duration:
    return Duration(DurationKind.FIXED, value, unit)


@pytest.mark.parametrize(
    ("duration", "outlasts"),
    [
        (lasting(13, "month"), False),
        (lasting(14, "month"), True),
        (lasting(1, "year"), False),
        (lasting(2, "year"), True),
        (lasting(395, "day"), False),
        (lasting(396, "day"), True),
        (lasting(56, "week"), False),
        (lasting(57, "week"), True),
        (lasting(9_490, "hour"), False),
        (lasting(34_000_000, "second"), False),
        (lasting(35_000_000, "second"), True),
        (lasting(600_000, "minute"), True),
        (Duration(DurationKind.SESSION), False),
        (Duration(DurationKind.PERSISTENT), True),
    ],
)
def test_13_months_are_13_months_in_any_unit(duration: Duration, outlasts: bool) -> None:
    """R3: an exempt audience cookie lives 13 months at most, however an editor writes it."""
    assert duration.outlasts(13) is outlasts


@given(st.sampled_from(sorted(UNIT_SECONDS)), st.integers(1, 100_000))
def test_any_fixed_duration_stands_between_session_and_for_ever(unit: str, value: int) -> None:
    session, forever = Duration(DurationKind.SESSION), Duration(DurationKind.PERSISTENT)
    assert session.seconds < lasting(value, unit).seconds < forever.seconds
    assert lasting(value, unit).seconds < lasting(value + 1, unit).seconds


def test_a_year_is_twelve_months() -> None:
    assert lasting(1, "year").seconds == lasting(12, "month").seconds


@pytest.mark.parametrize(
    ("days", "duration"),
    [
        (182, lasting(6, "month")),
        (183, lasting(6, "month")),
        (365, lasting(12, "month")),
        (395, lasting(13, "month")),
        (30, lasting(1, "month")),
        (180, lasting(180, "day")),
        (14, lasting(14, "day")),
        (1, lasting(1, "day")),
    ],
)
def test_our_own_life_is_told_in_months_where_it_is_months(days: int, duration: Duration) -> None:
    assert duration_of_days(days) == duration


# --- What a row must say --------------------------------------------------------------

COMPLETE = Cookie(
    "_ga",
    provider="Example",
    purpose="Counts visits.",
    duration=lasting(13, "month"),
    party="third",
    retention_months=25,
)


@pytest.mark.parametrize("ground", list(Ground))
def test_a_complete_row_has_no_problem(ground: Ground) -> None:
    assert row_problems(COMPLETE, ground) == {}


@pytest.mark.parametrize("ground", [Ground.CONSENT, Ground.OPT_OUT])
@pytest.mark.parametrize(
    ("field", "blank"), [("provider", ""), ("purpose", ""), ("duration", None), ("party", "")]
)
def test_an_optional_row_says_who_why_and_how_long(field: str, blank: Any, ground: Ground) -> None:
    """R1: consent to something that was not told is none."""
    changed = replace(COMPLETE, **{field: blank})
    assert row_problems(changed, ground) == {field: Problem.MISSING}
    assert row_problems(changed, Ground.EXEMPT) == {}


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"duration": lasting(14, "month")}, {"duration": Problem.AUDIENCE_TOO_LONG}),
        (
            {"duration": Duration(DurationKind.PERSISTENT)},
            {"duration": Problem.AUDIENCE_TOO_LONG},
        ),
        ({"retention_months": 26}, {"retention_months": Problem.RETENTION_TOO_LONG}),
        ({"retention_months": None}, {"retention_months": Problem.MISSING}),
        ({"retention_months": 0}, {}),
        ({"duration": Duration(DurationKind.SESSION)}, {}),
        (
            {"duration": lasting(2, "year"), "retention_months": 50},
            {
                "duration": Problem.AUDIENCE_TOO_LONG,
                "retention_months": Problem.RETENTION_TOO_LONG,
            },
        ),
    ],
)
def test_exempt_audience_measurement_keeps_its_limits(
    changes: Mapping[str, Any], problems: Mapping[str, Problem]
) -> None:
    """R3: 13 months on the device, 25 on the server. Beyond, it needs consent."""
    changed = replace(COMPLETE, **changes)
    assert row_problems(changed, Ground.OPT_OUT) == problems
    assert row_problems(changed, Ground.CONSENT) == {}


#: (ground of the category, ground of the row) -> whether it may stand there (R32, R33).
STANDS: Mapping[tuple[Ground, str], bool] = {
    (Ground.EXEMPT, ""): True,
    (Ground.EXEMPT, "necessary"): True,
    (Ground.EXEMPT, "transmission"): True,
    (Ground.EXEMPT, "consent"): False,
    (Ground.EXEMPT, "audience"): False,
    (Ground.OPT_OUT, ""): True,
    (Ground.OPT_OUT, "audience"): True,
    (Ground.OPT_OUT, "consent"): False,
    (Ground.OPT_OUT, "necessary"): False,
    (Ground.CONSENT, ""): True,
    (Ground.CONSENT, "consent"): True,
    (Ground.CONSENT, "necessary"): False,
    (Ground.CONSENT, "transmission"): False,
    (Ground.CONSENT, "audience"): False,
    (Ground.EXEMPT, "legitimate_interest"): False,
    (Ground.OPT_OUT, "legitimate_interest"): False,
    (Ground.CONSENT, "legitimate_interest"): False,
}


@pytest.mark.parametrize(("place", "stands"), STANDS.items())
def test_necessary_hides_nothing_optional(place: tuple[Ground, str], stands: bool) -> None:
    """R32: Condé Nast paid for "always active" rows that were not. R33: no other ground."""
    category, own = place
    assert ("ground" not in row_problems(replace(COMPLETE, ground=own), category)) is stands


@given(st.builds(Cookie, name=st.text(), storage=st.text(), ground=st.text()))
def test_no_row_whatever_breaks_the_rules(cookie: Cookie) -> None:
    """Drafts have holes and imports have worse: editors get sentences, never a traceback."""
    for ground in Ground:
        assert all(isinstance(found, Problem) for found in row_problems(cookie, ground).values())


# --- Declarations ---------------------------------------------------------------------

CONSENT, EXEMPT, OPT_OUT = Ground.CONSENT, Ground.EXEMPT, Ground.OPT_OUT


def declared(name: str, category: str, provider: int, **values: Any) -> Cookie:
    return replace(
        COMPLETE, name=name, category=category, provider_id=provider, row_id=name, **values
    )


def wording(*cookies: Cookie, title: str = "Your choice") -> Wording:
    return Wording(
        texts={"title": title, "text": "We use cookies."},
        categories={key: (key.title(), "Why.") for key in ("necessary", "statistics", "media")},
        cookies=cookies,
        cookies_language="en",
    )


ROWS = (
    declared("sessionid", "necessary", 1),
    declared("_ga", "statistics", 2),
    declared("_pk", "statistics", 3),
    declared("_video", "media", 4),
    declared("_own", "audience", 5),
)
BASE = Declaration(
    site="www.example.org",
    cookie_name="cookie-charter-1",
    categories=(
        Category("necessary", EXEMPT),
        Category("statistics", CONSENT),
        Category("media", CONSENT),
        Category("audience", OPT_OUT),
    ),
    providers={"city": 1, "example": 2, "matomo": 3, "video": 4, "own": 5},
    languages={"en": wording(*ROWS), "fr": wording(*ROWS, title="Votre choix")},
)


def shuffled(data: Any, backwards: Callable[[Any], Any] = lambda items: reversed(items)) -> Any:
    """The same, every mapping in another order."""
    if isinstance(data, dict):
        return {key: shuffled(data[key]) for key in backwards(list(data))}
    if isinstance(data, list):
        return [shuffled(item) for item in data]
    return data


def test_a_declaration_comes_back_from_storage_as_it_was() -> None:
    """R43: what is proved is what was published."""
    stored = json.loads(json.dumps(BASE.as_dict()))
    assert Declaration.from_dict(stored) == BASE
    assert Declaration.from_dict(shuffled(stored)).digest == BASE.digest


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_the_digest_does_not_know_the_order_of_keys(data: Any) -> None:
    """Databases reorder JSON: a digest that follows would see changes that never were."""
    if "\\ud" in json.dumps(data):
        return
    assert digest(data) == digest(shuffled(data))
    assert digest(data) == digest(json.loads(json.dumps(data)))
    assert digest([data]) != digest([data, data])


def test_the_digest_knows_every_word() -> None:
    changed = replace(BASE, languages={**BASE.languages, "en": wording(*ROWS, title="Choose")})
    assert changed.digest != BASE.digest
    # Which language comes first is content: it is the one that others fall back to.
    turned = replace(BASE, languages=dict(reversed(list(BASE.languages.items()))))
    assert turned.digest != BASE.digest


def with_rows(*cookies: Cookie) -> Declaration:
    return replace(BASE, languages={"en": wording(*cookies)})


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(with_rows(*ROWS), id="a translation removed"),
        pytest.param(replace(BASE, days=90), id="another life of the answer"),
        pytest.param(replace(BASE, placement="corner"), id="another place"),
        pytest.param(replace(BASE, site="example.org"), id="another host name"),
        pytest.param(
            replace(BASE, categories=BASE.categories[::-1]), id="another order of categories"
        ),
        pytest.param(with_rows(*ROWS[::-1]), id="another order of rows"),
        pytest.param(
            replace(
                BASE,
                languages={"en": wording(*ROWS, title="Choose"), "de": wording(*ROWS, title="Ja")},
            ),
            id="other words, another language",
        ),
        pytest.param(
            with_rows(*(replace(row, duration=lasting(1, "day"), purpose="Else.") for row in ROWS)),
            id="other durations and purposes",
        ),
        pytest.param(
            with_rows(*ROWS, declared("_ga_2", "statistics", 2)),
            id="one more cookie of a known provider",
        ),
        pytest.param(
            with_rows(*ROWS, declared("csrftoken", "necessary", 6)),
            id="a new provider in an exempt category",
        ),
        pytest.param(
            with_rows(*ROWS, declared("_own2", "audience", 6)),
            id="a new provider in exempt audience measurement",
        ),
    ],
)
def test_no_editing_makes_a_new_question(changed: Declaration) -> None:
    """R65, R66: who fixes a typo must not ask the whole city again."""
    assert changed.digest != BASE.digest
    assert changed.scope == BASE.scope


def test_a_removed_row_asks_less_and_never_more() -> None:
    assert with_rows(*ROWS[:3]).scope < BASE.scope


@pytest.mark.parametrize(
    ("changed", "added"),
    [
        pytest.param(
            with_rows(*ROWS, declared("_new", "media", 6)), ("media", 6), id="a new provider"
        ),
        pytest.param(
            with_rows(*ROWS, declared("_ga", "media", 2)),
            ("media", 2),
            id="a known provider for a new purpose",
        ),
        pytest.param(
            replace(
                with_rows(*ROWS, declared("_ad", "marketing", 6)),
                categories=(*BASE.categories, Category("marketing", CONSENT)),
            ),
            ("marketing", 6),
            id="a new category",
        ),
        pytest.param(
            replace(BASE, categories=(*BASE.categories[:3], Category("audience", CONSENT))),
            ("audience", 5),
            id="a ground that becomes consent",
        ),
        pytest.param(
            replace(
                BASE,
                languages={
                    **BASE.languages,
                    "fr": wording(*ROWS, declared("_carte", "media", 6)),
                },
            ),
            ("media", 6),
            id="a provider that only a translation names",
        ),
    ],
)
def test_whatever_nobody_was_asked_is_a_new_question(
    changed: Declaration, added: tuple[str, int]
) -> None:
    """R65: a consent does not stretch to a purpose or a provider it was not asked for."""
    assert changed.scope == BASE.scope | {added}


def test_only_consent_is_in_the_scope() -> None:
    assert BASE.scope == {("statistics", 2), ("statistics", 3), ("media", 4)}


@pytest.mark.parametrize(
    ("asked", "found"), [("fr", "fr"), ("fr-ca", "fr"), ("de", "en"), ("", "en"), ("en-gb", "en")]
)
def test_the_closest_language_is_found(asked: str, found: str) -> None:
    answer = BASE.wording(asked)
    assert answer is not None
    assert answer[0] == found


def test_nothing_declared_has_no_words() -> None:
    assert Declaration(site="", cookie_name="").wording("en") is None


# --- Providers' numbers ---------------------------------------------------------------

slugs = st.lists(st.text(min_size=1, max_size=5), max_size=8)


@given(st.lists(slugs, max_size=6))
def test_a_number_never_comes_to_mean_somebody_else(publications: list[list[str]]) -> None:
    """A "refused 3" of last year must not turn into a "refused" of who is 3 today."""
    known: dict[str, int] = {}
    for published in publications:
        numbered = number_providers(known, published)
        assert {slug: numbered[slug] for slug in known} == known
        assert set(numbered) == {*known, *published}
        assert len(set(numbered.values())) == len(numbered)
        assert all(number > 0 for number in numbered.values())
        known = numbered


# --- From what was chosen to grants ---------------------------------------------------


@given(
    st.frozensets(st.sampled_from(["statistics", "media", "audience", "necessary", "unknown"])),
    st.frozensets(
        st.tuples(
            st.sampled_from(["statistics", "media", "audience", "necessary", "unknown"]),
            st.integers(0, 40),
        ),
        max_size=40,
    ),
    st.integers(0, 30),
)
def test_grants_are_exactly_what_was_chosen(
    categories: frozenset[str], chosen: frozenset[tuple[str, int]], more: int
) -> None:
    """Not one provider more than was ticked, and not one less, however many there are."""
    many = tuple(declared(f"_m{number}", "statistics", number) for number in range(6, 6 + more))
    declaration = with_rows(*ROWS, *many)
    decision = Decision(1, 0, grants_for(declaration, categories, chosen))
    for category in declaration.optional:
        offered = declaration.providers_of(category.key)
        for provider in offered:
            wanted = category.key in categories or (category.key, provider) in chosen
            assert decision.allows(category.key, provider) is wanted
        whole = category.key in categories or {(category.key, one) for one in offered} <= chosen
        assert decision.allows(category.key) is whole
    assert not decision.allows("necessary")
    assert not decision.allows("unknown")


def test_of_two_ways_to_say_it_the_shorter_is_taken() -> None:
    """The cookie has room for few exceptions; they must not be wasted."""
    many = tuple(declared(f"_m{number}", "media", number) for number in range(10, 20))
    declaration = with_rows(*many)
    pairs = {("media", number) for number in range(10, 20)}
    (but_one,) = grants_for(declaration, (), pairs - {("media", 12)})
    (one_only,) = grants_for(declaration, (), {("media", 12)})
    assert but_one == Grant("media", but=frozenset({12}))
    assert one_only == Grant("media", only=frozenset({12}))
