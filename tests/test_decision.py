"""A visitor's decision as the consent cookie holds it: the codec, and how long it counts.

The browser reads and writes the same values, and lets the same things run:
``decision_vectors.json`` and ``decision_rules.json`` hold both to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wagtail_cookie_charter.checks import ROOM_FOR_THE_REST
from wagtail_cookie_charter.consent import CATEGORY_KEY, Category, Declaration, Ground
from wagtail_cookie_charter.decision import (
    MAX_LENGTH,
    RECEIPT_LENGTH,
    ROOM,
    Decision,
    Grant,
    Method,
    State,
    TooManyExceptions,
    decode,
    encode,
    new_receipt,
    permits,
)


def shared(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((Path(__file__).parent / name).read_text("utf-8"))
    return found


VECTORS = shared("decision_vectors.json")
RULES = shared("decision_rules.json")

#: As long as our cookie's name gets: HTTPS, and a site number of five digits.
LONGEST_NAME = "__Host-cookie-charter-99999"

# --- What may stand in a decision -----------------------------------------------------

keys = st.from_regex(r"\A[a-z][a-z0-9_]{0,15}\Z")
numbers = st.integers(0, 36**7 - 1)
providers = st.frozensets(st.integers(1, 99_999), max_size=40)


@st.composite
def grants(draw: st.DrawFn) -> tuple[Grant, ...]:
    found = []
    for key in draw(st.lists(keys, unique=True, max_size=6)):
        exceptions = draw(providers)
        if draw(st.booleans()):
            found.append(Grant(key, but=exceptions))
        else:
            found.append(Grant(key, only=exceptions))
    return tuple(found)


receipts = st.just("") | st.from_regex(r"\A[0-9a-z]{12}\Z")
decisions = st.builds(Decision, numbers, numbers, grants(), st.booleans(), st.booleans(), receipts)

# --- The shared vectors ---------------------------------------------------------------


def decision_of(vector: Mapping[str, Any]) -> Decision:
    plain = vector["decision"]
    return Decision(
        plain["number"],
        plain["time"],
        tuple(
            Grant(grant["category"], frozenset(grant["but"]), frozenset(grant["only"]))
            for grant in plain["grants"]
        ),
        plain["delivered"],
        plain["despite_signal"],
        plain.get("receipt", ""),
    )


def named(kind: str) -> Any:
    return pytest.mark.parametrize(
        "vector", [pytest.param(vector, id=vector["why"]) for vector in VECTORS[kind]]
    )


@named("valid")
def test_a_shared_value_means_here_what_it_means_everywhere(vector: Mapping[str, Any]) -> None:
    """If browser and server read a cookie differently, something runs that was refused."""
    decision = decision_of(vector)
    assert decode(vector["value"]) == decision
    assert encode(decision) == vector["encoded"]
    assert (vector["value"] == vector["encoded"]) is vector["canonical"]
    for expected in vector["allows"]:
        answer = decision.allows(expected["category"], expected["provider"])
        assert answer is expected["allowed"], expected


@named("invalid")
def test_an_unreadable_shared_value_is_no_consent(vector: Mapping[str, Any]) -> None:
    """Promise 2: anything unreadable means "not granted"."""
    assert decode(vector["value"]) is None


def test_the_vectors_are_about_this_format() -> None:
    """A limit that is changed in one place only lets one side write what the other drops."""
    assert VECTORS["max_length"] == MAX_LENGTH
    assert VECTORS["room"] == ROOM
    assert max(len(vector["value"]) for vector in VECTORS["valid"]) == MAX_LENGTH


# --- The shared rules -----------------------------------------------------------------


def asked(page: Mapping[str, Any]) -> Declaration:
    """What a page of the table asks, and one exempt category that nobody is asked about."""
    grounds = {Ground.CONSENT: page["consent"], Ground.OPT_OUT: page["opt_out"]}
    return Declaration(
        site="city.example",
        cookie_name="cookie-charter-1",
        days=page["days"],
        categories=(
            Category("necessary", Ground.EXEMPT),
            *(Category(key, ground) for ground, keys in grounds.items() for key in keys),
        ),
        news=((page["since"], ()),),
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=case["why"]) for case in RULES["cases"]])
def test_the_server_decides_as_the_shared_rules_say(case: Mapping[str, Any]) -> None:
    """Promise 2: where server and browser differ, one of them runs what was refused."""
    page = RULES["pages"][case["page"]]
    for expected in case["allows"]:
        category = expected["category"]
        answer = permits(
            case["cookie"],
            asked(page),
            page["number"],
            category,
            expected["provider"],
            now=RULES["now"],
            objected=case["signal"] and category in page["gpc"],
        )
        assert answer is expected["allowed"], expected


# --- Codec ----------------------------------------------------------------------------


@given(decisions)
def test_what_is_written_is_read_again_or_refused(decision: Decision) -> None:
    """A choice that comes back as another one is consent that nobody gave."""
    try:
        value = encode(decision)
    except TooManyExceptions:
        return
    assert decode(value) == decision
    assert len(value) <= MAX_LENGTH


@given(decisions)
def test_the_whole_cookie_stays_small_at_any_number_of_providers(decision: Decision) -> None:
    """Issue: 120 bytes at most. Rivals overflow the 4 kB a browser takes, and ask for ever."""
    try:
        value = encode(decision)
    except TooManyExceptions:
        return
    assert len(f"{LONGEST_NAME}={value}".encode()) <= 120


@given(st.integers(60, 10_000))
def test_a_choice_that_does_not_fit_is_told_not_cut(count: int) -> None:
    everybody = frozenset(range(1, count + 1))
    with pytest.raises(TooManyExceptions):
        encode(Decision(1, 1_795_000_000, (Grant("media", but=everybody),)))


@given(st.text() | st.text(alphabet="1.media-+~*09az\n ", max_size=110))
@example("1.1.0.media\n")
@example("\ud800")
def test_reading_never_raises_and_grants_only_what_is_written(value: str) -> None:
    """A visitor's cookie can hold anything. It must break no page, and fail closed."""
    decision = decode(value)
    if decision is None:
        return
    for grant in decision.grants:
        assert grant.category in value
    # What was read can be said again, and then says the same.
    assert decode(encode(decision)) == decision


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], {}, b"1.1.0.media", object()])
def test_reading_something_else_than_text_gives_nothing(value: Any) -> None:
    assert decode(value) is None


@given(decisions)
def test_all_characters_are_legal_in_a_cookie(decision: Decision) -> None:
    """RFC 6265: else one of browser, proxy or framework quotes or drops the value."""
    try:
        value = encode(decision)
    except TooManyExceptions:
        return
    assert set(value) <= set("0123456789abcdefghijklmnopqrstuvwxyz_.-+!~*")


@given(st.lists(keys, unique=True, min_size=1, max_size=8))
def test_categories_that_the_checks_let_pass_always_fit(found: list[str]) -> None:
    """E004 promises room for "Accept all", for ever, with every mark there is."""
    if sum(len(key) + 1 for key in found) > ROOM - ROOM_FOR_THE_REST:
        return
    everything = tuple(Grant(key) for key in found)
    decision = Decision(36**7 - 1, 36**7 - 1, everything, False, True, new_receipt())
    assert decode(encode(decision)) == decision


@given(decisions)
def test_what_fits_can_bear_every_mark(decision: Decision) -> None:
    """Whatever the browser could store, the server can confirm or leave unconfirmed (R37)."""
    try:
        encode(decision)
    except TooManyExceptions:
        return
    marked = replace(decision, delivered=False, despite_signal=True, receipt=new_receipt())
    assert decode(encode(marked)) == marked


def test_no_two_receipts_are_alike() -> None:
    """Else two visitors' answers would be one event."""
    assert len({new_receipt() for _answer in range(10_000)}) == 10_000


@pytest.mark.parametrize("method", [None, *Method])
def test_a_receipt_begins_with_how_the_answer_was_given(method: Method | None) -> None:
    """As the browser's does, which reads it there when it sends the answer again."""
    for _answer in range(50):
        found = new_receipt(method)
        assert found[0] == (method.value[0] if method else "x")
        assert re.fullmatch(rf"[0-9a-z]{{{RECEIPT_LENGTH}}}", found)
    assert len({one.value[0] for one in Method} | {"x"}) == len(Method) + 1


# --- State ----------------------------------------------------------------------------

DAY = 86_400


@pytest.mark.parametrize(
    ("answered", "asked", "age", "state"),
    [
        (4, 4, 0, State.CURRENT),
        (5, 4, 0, State.CURRENT),
        (4, 5, 0, State.OUTDATED),
        (4, 4, 182 * DAY - 1, State.CURRENT),
        # The second in which the browser drops the cookie (RFC 6265, 5.3).
        (4, 4, 182 * DAY, State.UNDECIDED),
        (4, 4, 182 * DAY + 1, State.UNDECIDED),
        (5, 4, 182 * DAY + 1, State.UNDECIDED),
        (4, 4, -DAY, State.CURRENT),
    ],
)
def test_an_answer_holds_for_its_question_and_its_time(
    answered: int, asked: int, age: int, state: State
) -> None:
    """R65, R66: asked again when due and not before; a cached page must not make it flap."""
    now = 1_795_000_000
    declaration = Declaration("city.example", "cookie-charter-1", 182, news=((asked, ()),))
    assert Decision(answered, now - age).state(declaration, now=now) is state


def test_keys_are_what_the_format_can_hold() -> None:
    """A key with a dot, a sign or a capital would break every cookie that carries it."""
    for key in ("media", "a", "x" * 16, "a_1"):
        assert CATEGORY_KEY.match(key)
    for key in ("", "1a", "Media", "a-b", "a+b", "a.b", "x" * 17, "média", "a\n", "_a"):
        assert not CATEGORY_KEY.match(key)
