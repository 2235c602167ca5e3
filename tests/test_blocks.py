"""What an editor may write into a charter, and what the rest of the package reads out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from string import Formatter
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.migrations.writer import MigrationWriter
from django.utils.module_loading import import_string
from wagtail import blocks as wagtail_blocks
from wagtail.blocks.base import get_error_json_data

from tests.factories import Block, row, table
from wagtail_cookie_charter import blocks
from wagtail_cookie_charter.blocks import (
    CharterBodyBlock,
    CookieBlock,
    CookieTableBlock,
    declared_cookies,
)
from wagtail_cookie_charter.consent import Cookie, Duration, DurationKind
from wagtail_cookie_charter.fields import CharterBodyField

YEAR = {"kind": "fixed", "value": 1, "unit": "year"}


def body_of(*parts: Block) -> Any:
    raw = [
        {"type": kind, "value": value, "id": f"block-{place}"}
        for place, (kind, value) in enumerate(parts)
    ]
    return CharterBodyBlock().to_python(raw)


def problems(*parts: Block, draft: bool = False) -> dict[str, str]:
    """Path of a field -> the sentence an editor reads there. Empty: it can be published."""
    block = CharterBodyBlock()
    clean = block.clean_deferred if draft else block.clean
    try:
        clean(body_of(*parts))
    except ValidationError as error:
        return dict(flatten(get_error_json_data(error)))
    return {}


def flatten(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for message in data.get("messages", ()):
        yield path, message
    for key, child in data.get("blockErrors", {}).items():
        yield from flatten(child, f"{path}.{key}".strip("."))


# --- What publishing refuses, where, and in which words -------------------------------


@pytest.mark.parametrize(
    "category", ["necessary", "preferences", "audience", "statistics", "media", "marketing"]
)
def test_a_complete_row_can_be_published_in_any_category(category: str) -> None:
    """Refusing a correct row would send editors to their developers."""
    assert problems(table(row(retention_months=25), category=category)) == {}


def test_a_necessary_row_needs_only_its_name() -> None:
    """R2: what is strictly necessary is listed for openness; nothing forces more."""
    bare = {"name": "sessionid", "storage": "cookie"}
    assert problems(table(bare, category="necessary")) == {}


@pytest.mark.parametrize(
    ("category", "values", "field", "sentence"),
    [
        ("statistics", {"name": ""}, "name", "Give the name"),
        ("necessary", {"name": "  "}, "name", "Give the name"),
        ("statistics", {"name": "*"}, "name", "at least 3 characters"),
        ("statistics", {"name": "_g*"}, "name", "at least 3 characters"),
        ("statistics", {"name": "_pk*id"}, "name", "only stand at the end"),
        ("statistics", {"name": "_ga, _gid"}, "name", "one row for each cookie"),
        ("statistics", {"provider": ""}, "provider", "who sets or reads it"),
        ("statistics", {"provider": "   "}, "provider", "who sets or reads it"),
        ("marketing", {"purpose": ""}, "purpose", "what it is for"),
        ("audience", {"purpose": "", "retention_months": 6}, "purpose", "what it is for"),
        ("media", {"party": ""}, "party", "this site or to a third party"),
        ("media", {"duration": {}}, "duration.kind", "how long it stays"),
        ("media", {"duration": {"kind": "fixed", "unit": "day"}}, "duration.value", "13 months"),
        ("media", {"duration": {"kind": "fixed", "value": 3}}, "duration.unit", "13 months"),
        ("necessary", {"ground": "consent"}, "ground", "exempt from consent and cannot hold"),
        ("necessary", {"ground": "audience"}, "ground", "exempt from consent and cannot hold"),
        ("statistics", {"ground": "necessary"}, "ground", "This category asks for consent"),
        (
            "audience",
            {"duration": {"kind": "fixed", "value": 14, "unit": "month"}, "retention_months": 6},
            "duration.value",
            "only up to 13 months",
        ),
        (
            "audience",
            {"duration": {"kind": "persistent"}, "retention_months": 6},
            "duration.value",
            "only up to 13 months",
        ),
        ("audience", {"retention_months": 26}, "retention_months", "25 months at most"),
        ("audience", {}, "retention_months", "25 at most"),
    ],
)
def test_publishing_refuses_with_a_sentence_at_the_field(
    category: str, values: dict[str, Any], field: str, sentence: str
) -> None:
    """R1, R3, R32: an editor must see which field is wrong and what to do about it."""
    found = problems(table(row(**values), category=category))
    assert list(found) == [f"0.cookies.0.{field}"]
    assert sentence in found[f"0.cookies.0.{field}"]
    assert "%(" not in found[f"0.cookies.0.{field}"]


@pytest.mark.parametrize(
    ("category", "values"),
    [
        ("statistics", {"name": "_pk_id.*"}),
        ("statistics", {"name": "rc::a", "storage": "local"}),
        ("statistics", {"name": "wagtail:side panel", "storage": "local"}),
        ("statistics", {"ground": "consent"}),
        ("necessary", {"ground": "transmission"}),
        ("necessary", {"ground": "necessary", "reason": "Signing in."}),
        ("statistics", {"duration": {"kind": "session"}}),
        ("statistics", {"duration": {"kind": "persistent"}}),
        (
            "audience",
            {
                "duration": {"kind": "fixed", "value": 13, "unit": "month"},
                "retention_months": 25,
                "ground": "audience",
            },
        ),
    ],
)
def test_what_is_right_is_not_refused(category: str, values: dict[str, Any]) -> None:
    """R3, R12, R33: the limits themselves, other storage and exempt grounds are lawful."""
    assert problems(table(row(**values), category=category)) == {}


def test_a_category_that_the_settings_do_not_know_is_refused() -> None:
    """A table nobody can consent to would run nothing and say so to nobody."""
    assert list(problems(table(category="unheard_of"))) == ["0.category"]


def test_all_problems_of_a_table_are_told_at_once() -> None:
    """An editor with forty rows must not learn of forty mistakes in forty attempts."""
    found = problems(
        table(
            row(name="_a1", duration={"kind": "fixed"}),
            row(name="_b1", purpose="", party=""),
            row(name="_c1", policy_url="not an address"),
            row(name="*"),
        )
    )
    assert set(found) == {
        "0.cookies.0.duration.value",
        "0.cookies.0.duration.unit",
        "0.cookies.1.purpose",
        "0.cookies.1.party",
        "0.cookies.2.policy_url",
        "0.cookies.3.name",
    }


def test_problems_of_one_row_are_told_at_once() -> None:
    """A child's own complaint must not hide what else is missing in the same row."""
    found = problems(table(row(policy_url="no address", purpose="", duration={"kind": "fixed"})))
    assert set(found) == {
        "0.cookies.0.policy_url",
        "0.cookies.0.purpose",
        "0.cookies.0.duration.value",
        "0.cookies.0.duration.unit",
    }


def test_problems_of_several_tables_are_told_at_once() -> None:
    found = problems(
        table(row(purpose="")),
        ("text", {"heading": "Between", "text": ""}),
        table(row(provider="", name="_other"), category="media"),
    )
    assert set(found) == {"0.cookies.0.purpose", "2.cookies.0.provider"}


# --- Duplicates -----------------------------------------------------------------------


def test_a_row_declared_twice_is_refused_at_the_second() -> None:
    """Two rows with one identity: visitors could not tell which of the two is true."""
    found = problems(table(row(), row(name="_other"), row()))
    assert list(found) == ["0.cookies.2.name"]
    assert "declared twice" in found["0.cookies.2.name"]


def test_duplicates_are_found_across_tables() -> None:
    """The same tracker cannot be both necessary and optional (R32)."""
    found = problems(
        table(row(), category="necessary"),
        ("platform", {"name": "Portal"}),
        table(row(name="_first"), row(provider="EXAMPLE measurement ")),
    )
    assert list(found) == ["2.cookies.1.name"]


def test_duplicates_are_told_together_with_holes() -> None:
    found = problems(table(row(), row()), table(row(name="_x1", purpose=""), category="media"))
    assert set(found) == {"0.cookies.1.name", "1.cookies.0.purpose"}


@pytest.mark.parametrize("other", [{"provider": "Somebody else"}, {"storage": "local"}])
def test_one_name_may_belong_to_two_trackers(other: dict[str, Any]) -> None:
    """Several providers use one name; a name is no identity (requirements, part B)."""
    assert problems(table(row(), row(**other))) == {}


# --- Drafts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [table({})],
        [("cookie_table", {})],
        [("cookie_table", {"category": "", "cookies": []})],
        [table(row(), row())],
        [table(row(name="*", purpose="", duration={"kind": "fixed"}))],
        [table(row(retention_months=40), category="audience")],
        [("kinds", {}), ("text", {}), ("platform", {}), ("choices", {}), ("contacts", {})],
    ],
)
def test_a_draft_may_have_any_hole(parts: list[Block]) -> None:
    """Editors stop in the middle of a row; their work must not be lost for that."""
    assert problems(*parts, draft=True) == {}


# --- Rows as the core reads them ------------------------------------------------------


def test_a_row_arrives_whole() -> None:
    """Promise 1: a field that gets lost here is missing in banner, audit and proof alike."""
    values = row(
        name="_measure ",
        domain=".example.org",
        controller="Example Measurement Ltd",
        country="Ireland",
        policy_url="https://example.com/privacy",
        recipients="Example Ads",
        transfer="United States",
        safeguard="Standard contractual clauses",
        ground="consent",
        reason="Follows visitors from site to site.",
        retention_months=14,
        opt_out="https://example.com/opt-out",
        last_checked="2026-11-02",
        duration=YEAR,
    )
    item = {"type": "item", "id": "row-1", "value": values}
    body = body_of(("cookie_table", {"category": "statistics", "cookies": [item]}))
    (cookie,) = declared_cookies(body)
    assert cookie == Cookie(
        name="_measure",
        category="statistics",
        storage="cookie",
        provider="Example Measurement",
        service="Statistics (front office)",
        purpose="Counts how often each page is read.",
        duration=Duration(DurationKind.FIXED, 1, "year"),
        party="third",
        domain=".example.org",
        controller="Example Measurement Ltd",
        country="Ireland",
        policy_url="https://example.com/privacy",
        recipients="Example Ads",
        transfer="United States",
        safeguard="Standard contractual clauses",
        ground="consent",
        reason="Follows visitors from site to site.",
        retention_months=14,
        opt_out="https://example.com/opt-out",
        last_checked="2026-11-02",
        row_id="row-1",
    )


def test_every_field_of_a_row_can_be_edited() -> None:
    """A field the core reads and the editor lacks could never be filled in."""
    given_elsewhere = {"category", "row_id", "provider_id", "language"}
    read = {field.name for field in fields(Cookie)} - given_elsewhere
    assert read == set(CookieBlock().child_blocks)


def test_a_date_arrives_in_either_form() -> None:
    """The database keeps text, an unsaved form has a date."""
    block = CookieBlock()
    assert block.to_python({"name": "a", "last_checked": "2026-11-02"}).cookie().last_checked == (
        "2026-11-02"
    )
    value = block.normalize({"name": "a", "last_checked": date(2026, 11, 2)})
    assert value.cookie().last_checked == "2026-11-02"


@pytest.mark.parametrize(
    "duration",
    [None, {}, {"kind": ""}, {"kind": "fixed"}, {"kind": "fixed", "value": 0, "unit": "day"}],
)
def test_half_a_duration_is_none(duration: dict[str, Any] | None) -> None:
    cookie = CookieBlock().to_python({"name": "a", "duration": duration or {}}).cookie()
    assert cookie.duration is None


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"category": "statistics", "cookies": []},
        {"category": "statistics", "cookies": [{}]},
        {"category": "gone", "cookies": [{"name": None, "storage": None, "duration": {}}]},
    ],
)
def test_readers_tolerate_blanks(raw: dict[str, Any]) -> None:
    """Drafts and pages older than a rule: preview and publication must not crash on them."""
    value = CookieTableBlock().to_python(raw)
    assert value.named_rows() == []
    assert all(cookie.name == "" for cookie in value.rows())
    assert value.render_as_block()


def test_only_named_rows_are_declared_in_the_order_of_the_page() -> None:
    body = body_of(
        table(row(name="_b1"), row(name=""), category="media"),
        ("text", {"heading": "_not_a_row"}),
        table(row(name="_a1")),
    )
    assert [(cookie.name, cookie.category) for cookie in declared_cookies(body)] == [
        ("_b1", "media"),
        ("_a1", "statistics"),
    ]
    assert declared_cookies(None) == []


# --- The editor's form ----------------------------------------------------------------


def all_blocks(block: Any) -> Iterator[Any]:
    yield block
    children = getattr(block, "child_blocks", {}).values()
    for child in [*children, *filter(None, [getattr(block, "child_block", None)])]:
        yield from all_blocks(child)


def test_labels_of_collapsed_blocks_name_fields_that_exist() -> None:
    """Collapsed rows are found by their label; a wrong name in it shows nothing."""
    for block in all_blocks(CharterBodyBlock()):
        label = getattr(block.meta, "label_format", None)
        if label:
            names = {name for _text, name, _spec, _conversion in Formatter().parse(label) if name}
            assert names <= set(block.child_blocks), (block, label)


def test_a_collapsed_row_is_told_by_name_and_provider() -> None:
    label = CookieBlock().meta.label_format
    assert "{name}" in label
    assert "{provider}" in label
    # An empty row must not be labelled with punctuation alone.
    assert label.format(name="", provider="").strip() == ""


def test_a_new_table_starts_with_nothing_hidden() -> None:
    """A first row that is folded away looks like a table without fields."""
    rows = CookieTableBlock().child_blocks["cookies"]
    assert not rows.meta.collapsed or len(rows.get_default()) == 0


def test_rare_fields_are_folded_and_none_is_lost() -> None:
    """A field that the layout forgets can never be filled in."""
    block = CookieBlock()
    layout = block.meta.form_layout
    shown = [child for child in layout.children if isinstance(child, str)]
    (details,) = [child for child in layout.children if not isinstance(child, str)]
    assert sorted([*shown, *details.children]) == sorted(block.child_blocks)
    assert "collapsed" in details.classname
    # What publication demands of every optional row is in sight.
    assert {"name", "provider", "purpose", "duration", "party"} <= set(shown)


def test_a_trackers_name_is_not_given_to_translators() -> None:
    """Translated, `_ga` would no longer be the cookie the browser has."""
    name = CookieBlock().child_blocks["name"]
    assert name.get_translatable_segments("_ga") == []


# --- Migrations see none of this ------------------------------------------------------


def test_blocks_are_opaque_in_migrations() -> None:
    """A label in a customer's migration would come back as a new one with every release."""
    for block in all_blocks(CharterBodyBlock()):
        if not type(block).__module__.startswith("wagtail_cookie_charter"):
            continue
        if isinstance(block, blocks.TrackerNameBlock):
            continue  # Only ever inside an opaque block.
        path, args, kwargs = block.deconstruct_with_lookup(None)
        assert import_string(path) is type(block)
        assert args == []
        rebuilt = type(block).construct_from_lookup({}, *args, **kwargs)
        assert set(getattr(rebuilt, "child_blocks", {})) == set(getattr(block, "child_blocks", {}))


def test_a_customers_block_is_named_by_its_own_path() -> None:
    path, args, kwargs = OurTableBlock(label="Ours").deconstruct()
    assert path == f"{__name__}.OurTableBlock"
    assert args == []
    assert kwargs == {"label": "Ours"}


class OurTableBlock(CookieTableBlock):
    footnote = wagtail_blocks.CharBlock(required=False)


def test_the_field_is_one_line_in_a_migration() -> None:
    written, imports = MigrationWriter.serialize(CharterBodyField("content", blank=True))
    assert written == "wagtail_cookie_charter.fields.CharterBodyField(blank=True)"
    assert imports == {"import wagtail_cookie_charter.fields"}
