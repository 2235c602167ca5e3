"""What changed, in sentences that an editor and a visitor can read (R46, R65)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import translation

from tests.test_changes import declare, row, translated
from wagtail_cookie_charter.changes import Kind, changes
from wagtail_cookie_charter.consent import (
    Category,
    Declaration,
    Duration,
    DurationKind,
    Ground,
)
from wagtail_cookie_charter.models import PublishedDeclaration
from wagtail_cookie_charter.narrative import (
    FLAWS,
    SENTENCES,
    asked_again,
    change_text,
    flaw_text,
    language_name,
    pairs_text,
    record_story,
    story,
)
from wagtail_cookie_charter.seal import Flaw

before = declare(row())


def sentences(after: Declaration, earlier: Declaration | None = before) -> list[str]:
    return [sentence for sentence, _material in story(earlier, after)]


def test_every_kind_and_every_flaw_has_its_sentence() -> None:
    assert {*SENTENCES} == {*Kind}
    assert {*FLAWS} == {*Flaw}
    assert all(flaw_text(flaw) for flaw in Flaw)


def test_the_issues_own_example() -> None:
    after = declare(row(), row("_hj", provider="Hotjar"))
    assert story(before, after)[0] == ("Provider Hotjar was added to Statistics.", True)
    assert "Provider Hotjar was removed from Statistics." in sentences(before, after)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (declare(row(), row("_v", "media")), "The category “Media” was added: Only with your con"),
        (declare(row(), row("_b")), "Tracker _b was added to Statistics."),
        (declare(), "Tracker _a was removed from Statistics."),
        (declare(), "The category “Statistics” was removed."),
        (
            declare(row(purpose="x")),
            "Tracker _a was changed (English): Purpose, from “–” to “x”.",
        ),
        (declare(row(), words="Hi"), "Title (English) was changed from “Hello” to “Hi”."),
        (declare(row(), words=""), "Title (English) was changed from “Hello” to “–”."),
        (replace(before, days=90), "An answer is kept for 90 days; it was 182."),
        (replace(before, placement="corner"), "from “Bar at the bottom” to “Card in the corner”."),
        (replace(before, site="b.org"), "The site's address was changed from “example.org” to"),
        (translated(before, "fr", row()), "The language French was added."),
        (
            replace(before, categories=(Category("statistics", Ground.EXEMPT),)),
            "from “Only with your consent” to “No consent needed”.",
        ),
    ],
)
def test_each_change_is_a_sentence(after: Declaration, expected: str) -> None:
    assert any(expected in sentence for sentence in sentences(after)), sentences(after)


def test_what_a_row_said_before_and_says_now() -> None:
    """R46: whole, and in words: neither cut short nor a key."""
    long = "Counts how often each page is read. " * 20
    old = row(row_id="x", purpose=long, party="third", retention_months=3)
    new = row(
        row_id="x",
        purpose=f"{long}Twice.",
        party="first",
        storage="local",
        retention_months=25,
        duration=Duration(DurationKind.FIXED, 13, "month"),
    )
    (told,) = sentences(declare(new), declare(old))
    for part in (
        f"Purpose, from “{long}” to “{long}Twice.”",
        "Party, from “Third party” to “This site”",
        "Kind of storage, from “Cookie” to “Local storage”",
        "Data kept on servers (months), from “3” to “25”",
        "Duration, from “–” to “13 months”",
    ):
        assert part in told, told
    moved = sentences(declare(row(category="media", row_id="x")), declare(row(row_id="x")))
    assert any("Category, from “Statistics” to “Media”" in sentence for sentence in moved), moved


def test_names_are_those_of_the_readers_language() -> None:
    after = translated(declare(row(), row("_hj", provider="Hotjar")), "fr", row())
    words = after.languages["fr"]
    after = replace(
        after,
        languages={
            **after.languages,
            "fr": replace(words, categories={"statistics": ("Mesure", "")}),
        },
    )
    (change,) = [c for c in changes(before, after) if c.kind is Kind.PROVIDER_ADDED]
    with translation.override("fr"):
        assert "Mesure" in change_text(change, before, after)


def test_what_has_no_name_is_called_by_its_key() -> None:
    nameless = Declaration("example.org", "cookie-charter-1")
    assert pairs_text(nameless, [("chat", 9), ("statistics", 8)]) == "chat (9), Statistics (8)"
    assert language_name("tlh") == "tlh"


def test_why_visitors_were_asked_again() -> None:
    def again(**values: object) -> str:
        return asked_again(PublishedDeclaration(**values), before)

    assert again() == ""
    assert again(added=[["statistics", 1]]) == "New, needs consent: Statistics (One)."
    assert again(reason="New policy.") == "New policy."
    assert again(reason="New policy.", added=[["statistics", 1]]).startswith(
        "New policy. New, needs"
    )


def test_what_changed_around_the_words() -> None:
    old = PublishedDeclaration(version="1", assets="a", shown={}, digest="d")
    assert record_story(old, old) == []
    new = PublishedDeclaration(version="2", assets="b", shown={"en": {}}, digest="d")
    assert len(record_story(old, new)) == 3
    new.digest = "e"
    assert len(record_story(old, new)) == 2
