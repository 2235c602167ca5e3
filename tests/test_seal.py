"""Whoever changes what was published is found out (R43; promise 7)."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.counted import count, event
from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import Commit, banner_of, history, one, publish
from wagtail_cookie_charter.consent import digest
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    DailyCount,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import publish_declaration
from wagtail_cookie_charter.seal import FIELDS, Chain, Flaw, Link, moment, seal, verify

TABLE = PublishedDeclaration._meta.db_table


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    """A site that published three times."""
    make_home()
    with commit():
        settings = make_asking_site(table())
    for provider in ("Hotjar", "Matomo"):
        with commit():
            publish(settings, table(), one(provider))
    assert len(history(settings.site)) == 3
    return settings


def verified(**options: Any) -> str:
    out = StringIO()
    call_command("verify_cookie_ledger", stdout=out, **options)
    return out.getvalue()


def found_out(**options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        call_command("verify_cookie_ledger", **options)
    assert refused.value.returncode == 1
    return str(refused.value)


def write(sql: str, *values: Any, column: str = "", value: str = "") -> None:
    """Behind Django's back, as somebody with the database's password would."""
    with connection.cursor() as cursor:
        cursor.execute(sql.format(table=TABLE, column=column, value=value), values)
        assert cursor.rowcount == 1


# --- The chain by itself --------------------------------------------------------------

contents = st.fixed_dictionaries({"site": st.text(), "cookie_name": st.just("cookie-charter-1")})


def links(contents: list[dict[str, str]]) -> list[Link]:
    made: list[Link] = []
    for pk, content in enumerate(contents, start=1):
        fields = {
            **dict.fromkeys(FIELDS, ""),
            "content": content,
            "digest": digest(content),
        }
        made.append(Link(pk, fields, seal(made[-1].seal if made else "", fields), 1))
    return made


@given(st.lists(contents, max_size=6))
def test_what_was_sealed_in_order_holds(contents: list[dict[str, str]]) -> None:
    chain = links(contents)
    assert verify(iter(chain)) == Chain(len(chain), chain[-1].seal if chain else "")


@given(st.lists(contents, min_size=2, max_size=6, unique_by=repr), st.data())
def test_whatever_is_moved_or_missing_breaks_it_there(
    contents: list[dict[str, str]], data: st.DataObject
) -> None:
    chain = links(contents)
    place = data.draw(st.integers(0, len(chain) - 2))
    for tampered in (
        [*chain[:place], *chain[place + 1 :]],
        [*chain[:place], chain[place + 1], chain[place], *chain[place + 2 :]],
    ):
        broken = verify(tampered)
        assert (broken.flaw, broken.broken) == (Flaw.SEAL, chain[place + 1])
        assert broken.length == place


def test_a_missing_tail_shows_in_the_last_seal_only() -> None:
    """What is documented: keep the last seal elsewhere."""
    chain = links([{"site": name, "cookie_name": "cookie-charter-1"} for name in "abc"])
    shortened = verify(chain[:-1])
    assert shortened.broken is None
    assert shortened.seal != verify(chain).seal


def test_verifying_keeps_nothing() -> None:
    """Constant memory: of the links that are behind, none is held."""
    behind: list[weakref.ref[Link]] = []
    alive: list[int] = []

    def made() -> Iterator[Link]:
        previous = ""
        for pk in range(20):
            content = {"site": str(pk), "cookie_name": "cookie-charter-1"}
            fields = {**dict.fromkeys(FIELDS, ""), "content": content, "digest": digest(content)}
            previous = seal(previous, fields)
            link = Link(pk, fields, previous)
            behind.append(weakref.ref(link))
            yield link
            del link
            alive.append(sum(ref() is not None for ref in behind))

    assert verify(made()).length == 20
    assert max(alive) <= 1


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc), "UTC", "2026-01-02T03:04:05.000006+00:00"),
        (
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
            "Europe/Paris",
            "2026-01-02T01:00:00.000000+00:00",
        ),
        (datetime(2026, 7, 2, 3), "Europe/Paris", "2026-07-02T01:00:00.000000+00:00"),
        # The hour that comes twice: databases do not know which, so neither do we.
        (datetime(2026, 10, 25, 2, 30), "Europe/Paris", "2026-10-25T00:30:00.000000+00:00"),
        (datetime(2026, 10, 25, 2, 30, fold=1), "Europe/Paris", "2026-10-25T00:30:00.000000+00:00"),
        (None, "UTC", ""),
    ],
)
def test_a_moment_is_the_same_whatever_the_settings(
    at: datetime | None, zone: str, expected: str
) -> None:
    assert moment(SimpleNamespace(created_at=at), ZoneInfo(zone)) == expected


# --- The ledger -----------------------------------------------------------------------


def test_what_is_published_is_sealed_and_verified(asking: CookieCharterSettings) -> None:
    last = history(asking.site)[-1]
    assert len({published.seal for published in history(asking.site)}) == 3
    assert last.seal in verified()
    assert "3 published declarations" in verified()


def test_nothing_published_is_no_failure(db: None) -> None:
    assert "Nothing" in verified()


def test_one_chain_runs_through_all_sites(asking: CookieCharterSettings, commit: Commit) -> None:
    with commit():
        other = make_asking_site(one("Other"), site=make_site("other.example"))
    with commit():
        publish(asking, table(), one("Vimeo"))
    assert "5 published declarations" in verified()
    middle = history(other.site)[0]
    write("DELETE FROM {table} WHERE id = %s", middle.pk)
    assert f"no. {history(asking.site)[-1].pk}" in found_out()


#: Column -> another value, as the database keeps it.
TAMPERED: dict[str, Any] = {
    "number": 7,
    "digest": "0" * 64,
    "content": None,
    "asked": json.dumps([]),
    "added": json.dumps([["statistics", 9]]),
    "reason": "Because",
    "shown": json.dumps({}),
    "version": "0.0.1",
    "assets": "0" * 64,
    "seal": "0" * 64,
    "created_at": "2020-01-01 00:00:00",
}


def test_every_sealed_column_is_tampered_with_below() -> None:
    assert {*FIELDS, "seal"} == {*TAMPERED, "id"}


@pytest.mark.parametrize("column", TAMPERED)
def test_one_changed_column_is_found_and_named(asking: CookieCharterSettings, column: str) -> None:
    """Issue: tampering with one stored declaration is found and named."""
    middle = history(asking.site)[1]
    value = TAMPERED[column]
    if column == "content":
        value = json.dumps({**middle.content, "days": 999})
    assert verified()
    write("UPDATE {table} SET {column} = %s WHERE id = %s", value, middle.pk, column=column)
    told = found_out()
    assert f"no. {middle.pk}:" in told
    assert "localhost" in told and "that are intact: 1" in told
    assert ("digest" in told) is (column in ("content", "digest"))


def test_words_and_digest_changed_together_are_found(asking: CookieCharterSettings) -> None:
    """Whoever knows how a digest is made still cannot make the seal that follows from it."""
    first = history(asking.site)[0]
    content = {**first.content, "days": 999}
    whole = digest(content)
    write(
        "UPDATE {table} SET content = %s, digest = %s WHERE id = %s",
        json.dumps(content),
        whole,
        first.pk,
    )
    assert f"no. {first.pk}:" in found_out()


def test_a_forged_seal_breaks_the_next(asking: CookieCharterSettings) -> None:
    first, second, _third = history(asking.site)
    forged = {**first.link.fields, "reason": "x"}
    write("UPDATE {table} SET reason = 'x', seal = %s WHERE id = %s", seal("", forged), first.pk)
    assert f"no. {second.pk}:" in found_out()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_seal_that_was_noted_is_found_again(asking: CookieCharterSettings, place: int) -> None:
    """Copied from the admin or from a mail, with whatever stands around it."""
    noted = history(asking.site)[place]
    told = verified(seal=f" {noted.seal.upper()}\n")
    assert "3 published declarations" in told
    assert f"no. {noted.pk}" in told


def test_that_the_newest_were_cut_off_is_found_by_a_seal(asking: CookieCharterSettings) -> None:
    """What the chain by itself cannot show: what is left of it holds."""
    last = history(asking.site)[-1]
    write("DELETE FROM {table} WHERE id = %s", last.pk)
    assert "2 published declarations" in verified()
    assert last.seal in found_out(seal=last.seal)


def test_that_all_were_cut_off_is_found_by_a_seal(db: None) -> None:
    assert "not in the chain" in found_out(seal="0" * 64)


def test_that_the_chain_was_made_anew_is_found_by_a_seal(asking: CookieCharterSettings) -> None:
    """Whoever can write all of the database can recompute all of it."""
    *_earlier, last = history(asking.site)
    made = seal(history(asking.site)[1].seal, {**last.link.fields, "reason": "x"})
    write("UPDATE {table} SET reason = 'x', seal = %s WHERE id = %s", made, last.pk)
    assert verified()
    assert "not in the chain" in found_out(seal=last.seal)


def test_a_broken_chain_is_told_first(asking: CookieCharterSettings) -> None:
    first, second, _third = history(asking.site)
    write("UPDATE {table} SET reason = 'x' WHERE id = %s", second.pk)
    assert f"no. {second.pk}:" in found_out(seal=first.seal)


@pytest.mark.parametrize("wrong", ["", "abc", "0" * 63, "0" * 65, "g" * 64, "0" * 32 + " " * 32])
def test_what_is_no_seal_is_refused(asking: CookieCharterSettings, wrong: str) -> None:
    assert "no seal" in found_out(seal=wrong)


@pytest.mark.parametrize("kind", [ConsentEvent, DailyCount])
def test_answers_to_a_declaration_that_is_not_there_are_told(
    asking: CookieCharterSettings, kind: Any
) -> None:
    """The newest can be cut off only with constraints off, and then its answers tell."""
    last = history(asking.site)[-1]
    event(last, "statistics") if kind is ConsentEvent else count(last, "statistics", 3)
    assert verified()
    # Checked at the end of the transaction, which the test does not reach.
    write("DELETE FROM {table} WHERE id = %s", last.pk)
    told = found_out()
    assert "declarations that are not there" in told and f"no. {last.pk}" in told
    kind.objects.all().delete()
    assert verified()


def test_a_removed_seal_is_found(asking: CookieCharterSettings) -> None:
    write("UPDATE {table} SET seal = '' WHERE id = %s", history(asking.site)[0].pk)
    assert "without a seal" in found_out()


def test_a_deleted_declaration_is_found_at_the_next(asking: CookieCharterSettings) -> None:
    _first, second, third = history(asking.site)
    write("DELETE FROM {table} WHERE id = %s", second.pk)
    assert f"no. {third.pk}:" in found_out()


def test_two_that_changed_places_are_found(asking: CookieCharterSettings) -> None:
    first, second, _third = history(asking.site)
    for old, new in ((first.pk, 10_000), (second.pk, first.pk), (10_000, second.pk)):
        write("UPDATE {table} SET id = %s WHERE id = %s", new, old)
    assert f"no. {first.pk}:" in found_out()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_got_another_key_is_found(asking: CookieCharterSettings, place: int) -> None:
    """Answers point to keys: so whoever changes one changes what was answered."""
    moved = history(asking.site)[place]
    write("UPDATE {table} SET id = %s WHERE id = %s", 10_000, moved.pk)
    assert "broken at no. " in found_out()


def test_keys_that_were_never_given_break_nothing(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    """A transaction that was rolled back leaves such a gap."""
    with commit():
        last = history(asking.site)[-1]
        copy = PublishedDeclaration(
            pk=last.pk + 20,
            **{
                field.attname: getattr(last, field.attname)
                for field in last._meta.concrete_fields
                if not field.primary_key
            },
        )
        copy.save()
    assert "4 published declarations" in verified()


def test_one_that_was_taken_from_its_site_is_found(asking: CookieCharterSettings) -> None:
    """Else it would be neither in force nor answered there, though the site is."""
    last = history(asking.site)[-1]
    write("UPDATE {table} SET site_id = NULL WHERE id = %s", last.pk)
    told = found_out()
    assert f"no. {last.pk}:" in told and "another site" in told


def test_a_declaration_filed_under_another_site_is_found(asking: CookieCharterSettings) -> None:
    other = make_site("other.example")
    write("UPDATE {table} SET site_id = %s WHERE id = %s", other.pk, history(asking.site)[1].pk)
    assert "belongs to another site" in found_out()


def test_a_deleted_site_breaks_nothing(asking: CookieCharterSettings, commit: Commit) -> None:
    with commit():
        asking.site.delete()
    assert "3 published declarations" in verified()


@contextmanager
def constraints_off() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


#: What only SQLite stores: a column, and its value in SQL.
UNREADABLE = [
    ("content", "'rubbish'"),
    ("shown", "'rubbish'"),
    ("created_at", "'rubbish'"),
    ("created_at", "'0000-00-00 00:00:00'"),
    ("number", "'rubbish'"),
    # Deeper than Python reads.
    ("content", "replace(hex(zeroblob(50000)), '0', '[')"),
    # No UTF-8, no text, and half a character.
    ("content", "CAST(x'ff' AS TEXT)"),
    ("reason", "CAST(x'ff' AS TEXT)"),
    ("reason", "x'41'"),
    ("content", """'{"site":"\\ud800"}'"""),
]


@pytest.mark.parametrize(("column", "value"), UNREADABLE)
def test_what_cannot_be_read_is_named_without_a_traceback(
    asking: CookieCharterSettings, column: str, value: str
) -> None:
    if connection.vendor != "sqlite":
        return  # Such a value cannot be stored there.
    last = history(asking.site)[-1]
    with constraints_off():
        write(
            "UPDATE {table} SET {column} = {value} WHERE id = %s",
            last.pk,
            column=column,
            value=value,
        )
    told = found_out()
    assert f"no. {last.pk}" in told
    assert "that are intact: 2" in told


@pytest.mark.parametrize("content", [[1], 1, None, "text"])
def test_what_is_no_declaration_is_told_though_its_seal_fits(
    asking: CookieCharterSettings, content: Any
) -> None:
    last = history(asking.site)[-1]
    fields = {**last.link.fields, "content": content, "digest": digest(content)}
    made = seal(history(asking.site)[1].seal, fields)
    write(
        "UPDATE {table} SET content = %s, digest = %s, seal = %s WHERE id = %s",
        json.dumps(content),
        digest(content),
        made,
        last.pk,
    )
    assert f"no. {last.pk}:" in found_out()


@pytest.mark.parametrize("column", ["content", "shown"])
@pytest.mark.parametrize(
    "before",
    [
        '"site":"evil.example","en":{}',
        # Written otherwise, and within.
        r'"s\u0069te":"evil.example","\u0065n":{}',
        '"a":[{"b":1,"b":2}]',
    ],
)
def test_a_doubled_key_is_found(asking: CookieCharterSettings, column: str, before: str) -> None:
    """Of two that are alike Python reads the last and databases the first: no seal tells."""
    if connection.vendor != "sqlite":
        return  # PostgreSQL keeps the last only; what is stored is what is read.
    wrong = history(asking.site)[1]
    write(
        "UPDATE {table} SET {column} = %s || substr({column}, 2) WHERE id = %s",
        f"{{{before},",
        wrong.pk,
        column=column,
    )
    told = found_out()
    assert f"no. {wrong.pk}" in told
    assert "twice" in told and "that are intact: 1" in told


def test_the_seal_does_not_depend_on_the_language_or_zone_of_the_day(
    asking: CookieCharterSettings,
) -> None:
    with override_settings(TIME_ZONE="Asia/Tokyo", LANGUAGE_CODE="fr"):
        assert history(asking.site)[-1].seal in verified()


def test_without_time_zones_the_chain_holds_too(commit: Commit) -> None:
    with override_settings(USE_TZ=False):
        make_home()
        with commit():
            settings = make_asking_site(table())
        with commit():
            publish(settings, table(row(name="_other")))
        assert history(settings.site)[0].created_at.tzinfo is None
        assert "2 published declarations" in verified()


def test_the_migration_seals_what_was_there_before(asking: CookieCharterSettings) -> None:
    """An installation from before there were seals starts its chain with its oldest row."""
    before = [published.seal for published in history(asking.site)]
    for published in history(asking.site):
        write("UPDATE {table} SET seal = '' WHERE id = %s", published.pk)
    migration = import_module("wagtail_cookie_charter.migrations.0003_ledger")
    editor = SimpleNamespace(connection=connection)

    class Historical:
        """The model as a migration has it: without our manager."""

        objects = PublishedDeclaration._base_manager

    known = SimpleNamespace(get_model=lambda *names: Historical)
    migration.seal_what_is_there(known, editor)
    assert [published.seal for published in history(asking.site)] == before
    assert "3 published declarations" in verified()


def test_the_banner_can_still_be_published_after_that(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    banner = banner_of(asking)
    banner.title = "Choose"
    with commit():
        banner.save_revision().publish()
    assert "4 published declarations" in verified()


def test_who_publishes_takes_their_turn_before_they_read(asking: CookieCharterSettings) -> None:
    """Else two that publish at once seal themselves to the same predecessor."""
    with CaptureQueriesContext(connection) as queries:
        publish_declaration(asking.site, reason="Again")
    told = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    if connection.features.has_select_for_update:
        assert "FOR UPDATE" in told[0]
    else:
        assert told[0].startswith("UPDATE")
    assert any(sql.startswith("INSERT") for sql in told)
