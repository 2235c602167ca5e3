"""Consent records: one answer by its receipt, and all that can be taken out (R44-R47, R84)."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import subprocess
import sys
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry, Site

from tests.answers import ask, ask_instead, code_of, latest
from tests.counted import administrator, event, person, signed_in
from tests.factories import make_asking_site, make_home, make_site, row, table
from wagtail_cookie_charter.consent import digest
from wagtail_cookie_charter.decision import RECEIPT_LENGTH
from wagtail_cookie_charter.models import ConsentEvent, CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.report.records import Period, event_lines, receipt_in
from wagtail_cookie_charter.report.register import COLUMNS, plain
from wagtail_cookie_charter.seal import FIELDS, seal

NOW = datetime.now(timezone.utc)
TODAY = NOW.date()
RECORDS = "cookie_charter_report:records"


@pytest.fixture
def asked(db: None) -> PublishedDeclaration:
    ask()
    return latest()


@pytest.fixture
def officer(db: None) -> Client:
    return signed_in(person("view_consentevent", "view_publisheddeclaration"))


def ask_for(client: Client, part: str, **values: Any) -> Any:
    prefix = part.partition("_")[0]
    data = {f"{prefix}-{name}": value for name, value in values.items()}
    return client.post(reverse(RECORDS), {"part": part, **data})


def noted() -> Any:
    """What the audit log has of our exports."""
    return ModelLogEntry.objects.filter(action__startswith="cookie_charter.export")


def looked_up() -> Any:
    return ModelLogEntry.objects.filter(action="cookie_charter.find_receipt")


def jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in text.split("\n") if one]


def lines(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return jsonl(b"".join(response.streaming_content).decode())


# --- One answer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["0123456789ab", " 0123 4567 89AB ", "0123-4567-89ab", "0123456789AB\n"]
)
def test_an_answer_is_found_by_its_receipt(
    asked: PublishedDeclaration, officer: Client, written: str
) -> None:
    """R47: as people write a number down, with spaces and capitals."""
    event(asked, f"media+{code_of('video-one')}.statistics")
    html = ask_for(officer, "receipt", receipt=written).content.decode()
    assert "Answer 0123456789ab" in html
    assert "No. 1 of localhost" in html
    assert "Own choice, saved" in html
    assert "English" in html
    assert "Granted only for Video One" in html
    assert "Anonymous audience measurement" in html


def test_an_answer_leads_to_its_declaration_for_who_may_read_it(
    asked: PublishedDeclaration, officer: Client
) -> None:
    event(asked, "media")
    address = f'href="{reverse("cookie_declarations:inspect", args=[asked.pk])}"'
    assert address in ask_for(officer, "receipt", receipt="0123456789ab").content.decode()
    other = signed_in(person("view_consentevent", name="other"))
    html = ask_for(other, "receipt", receipt="0123456789ab").content.decode()
    assert "No. 1 of localhost" in html
    assert address not in html


@pytest.mark.parametrize("written", ["", "0123", "0123456789ac", "%", "0123456789ab0"])
def test_no_other_answer_is_shown(
    asked: PublishedDeclaration, officer: Client, written: str
) -> None:
    event(asked, "media")
    event(asked, "")
    response = ask_for(officer, "receipt", receipt=written)
    assert response.status_code == 200
    assert "found" not in response.context
    assert response.context["receipt_form"].errors


def test_a_receipt_stands_in_no_address(officer: Client) -> None:
    html = officer.get(reverse(RECORDS)).content.decode()
    assert 'method="get"' not in html.partition('class="wcc-report"')[2]


@given(st.text(max_size=30))
def test_what_is_no_receipt_is_none(text: str) -> None:
    found = receipt_in(text)
    assert found == "" or (len(found) == RECEIPT_LENGTH and found.isascii() and found.isalnum())


# --- One answer, in DPV ---------------------------------------------------------------


def test_a_record_is_a_receipt_in_dpv(asked: PublishedDeclaration, officer: Client) -> None:
    """Terms of DPV's guide to ISO/IEC TS 27560; conformity is nowhere claimed."""
    event(asked, f"media-{code_of('video-two')}.audience", language="fr")
    response = ask_for(officer, "receipt_jsonld", receipt="0123456789ab")
    assert response["Content-Type"] == "application/ld+json"
    found = json.loads(response.content)
    assert found["@type"] == "dpv:ConsentReceipt"
    assert found["dpv:hasIdentifier"] == "0123456789ab"
    assert "dct:conformsTo" not in response.content.decode()
    records = [
        (
            record["dpv:hasProcess"]["dpv:hasPurpose"]["dct:identifier"],
            record["dpv:hasConsentStatus"]["@type"][0],
            [one["dpv:hasName"] for one in record["dpv:hasProcess"]["dpv:hasRecipient"]],
        )
        for record in found["dpv:hasRecordOfActivity"]
    ]
    assert sorted(records) == [
        ("media", "dpv:ConsentGiven", ["Video One", "Video Three"]),
        ("media", "dpv:ConsentRefused", ["Video Two"]),
        ("statistics", "dpv:ConsentRefused", ["Example Measurement"]),
    ]
    prefixes = {name for name in found["@context"] if ":" not in name}
    for term in _terms(found):
        assert term.partition(":")[0] in prefixes


def _terms(data: Any) -> list[str]:
    """All names of properties and types."""
    if isinstance(data, list):
        return [term for one in data for term in _terms(one)]
    if not isinstance(data, dict):
        return []
    found = []
    for name, value in data.items():
        if name == "@context":
            continue
        if name == "@type":
            found += value if isinstance(value, list) else [value]
        else:
            found += [name, *_terms(value)]
    return found


def controllers(receipt: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["dpv:hasDataController"] for one in receipt["dpv:hasRecordOfActivity"]]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_record_names_the_controller_of_its_time(
    asked: PublishedDeclaration, language: str
) -> None:
    """Who asked is who was named then, not who is responsible today (R5, R46)."""
    event(asked, "media", language=language)
    settings = CookieCharterSettings.objects.get()
    with translation.override(language):
        (now, *_rest) = controllers(json.loads(command("receipt", "0123456789ab")))
    assert now["dpv:hasName"] == "City of Example"
    assert now["dpv:hasContact"] == ["city@example.com"]
    settings.controller_name = "Region of Elsewhere"
    settings.contact_email = "region@example.com"
    settings.save()
    publish_declarations()
    with translation.override(language):
        (then, *_rest) = controllers(json.loads(command("receipt", "0123456789ab")))
    assert then["dpv:hasName"] == "City of Example"
    # How to reach it is not in the declaration, and what is in the settings is another's.
    assert "region@example.com" not in json.dumps(then)


def test_a_declaration_that_names_no_controller_takes_todays(
    asked: PublishedDeclaration,
) -> None:
    content = {**asked.content}
    content["languages"] = [
        {**one, "texts": {**one["texts"], "facts": ""}} for one in content["languages"]
    ]
    old = PublishedDeclaration(
        site=asked.site, number=1, digest="0" * 64, content=content, created_at=NOW
    )
    old.save()
    event(old, "media")
    (found, *_rest) = controllers(json.loads(command("receipt", "0123456789ab")))
    assert found["dpv:hasName"] == "City of Example"


def test_a_record_that_leaves_is_noted(asked: PublishedDeclaration, officer: Client) -> None:
    answer = event(asked, "media")
    ask_for(officer, "receipt", receipt="0123456789ab")
    assert not noted().exists()
    ask_for(officer, "receipt_jsonld", receipt="0123456789ab")
    entry = noted().get()
    assert (entry.action, entry.object_id) == ("cookie_charter.export_receipt", str(answer.pk))
    assert entry.user.username == "officer"
    assert "0123456789ab" not in f"{entry.label}{entry.data}"


@pytest.mark.parametrize(
    ("written", "number", "said"),
    [
        ("0123 4567 89AB", 1, "Consent record looked up by its receipt number, and found"),
        ("0123456789ac", 0, "Receipt number looked up: no consent record has it"),
        ("rubbish", 0, "Receipt number looked up: no consent record has it"),
    ],
)
@pytest.mark.parametrize("part", ["receipt", "receipt_jsonld"])
def test_a_look_up_is_noted(
    asked: PublishedDeclaration, officer: Client, part: str, written: str, number: int, said: str
) -> None:
    """Who looked, when, and how many were found; never the number, which is the visitor's."""
    answer = event(asked, "media")
    ask_for(officer, part, receipt=written)
    if number and part == "receipt_jsonld":
        assert [entry.action for entry in looked_up()] == []
        assert noted().get().action == "cookie_charter.export_receipt"
        return
    assert not noted().exists()
    entry = looked_up().get()
    assert (entry.data, entry.message) == ({"found": number}, said)
    assert entry.user.username == "officer"
    assert entry.object_id == str(answer.pk if number else asked.site_id)
    for trace in ("0123456789a", written):
        assert trace not in f"{entry.label}{entry.data}{entry.message}"


def test_what_is_no_look_up_is_not_noted(asked: PublishedDeclaration, officer: Client) -> None:
    ask_for(officer, "receipt", receipt="")
    stranger = signed_in(person("view_publisheddeclaration", name="stranger"))
    ask_for(stranger, "receipt", receipt="0123456789ab")
    assert not looked_up().exists()


# --- A period -------------------------------------------------------------------------


def test_answers_of_a_period(asked: PublishedDeclaration, officer: Client) -> None:
    """Days in UTC, both included; what left is noted for the site (R46)."""
    first = datetime(2026, 3, 1, tzinfo=timezone.utc)
    last = datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
    event(asked, "", decided_at=first - timedelta(microseconds=1))
    event(asked, "", decided_at=first, method="refuse")
    event(asked, "media", decided_at=last)
    event(asked, "", decided_at=last + timedelta(microseconds=1))
    found = lines(ask_for(officer, "events", start="2026-03-01", end="2026-03-31"))
    assert [one["receipt"] for one in found] == [None, "0123456789ab"]
    assert found[1]["grants"] == "media"
    assert found[1]["declaration"] == {
        "id": asked.pk,
        "site": "localhost",
        "number": 1,
        "digest": asked.digest,
        "seal": asked.seal,
    }
    entry = noted().get()
    assert (entry.action, entry.data) == (
        "cookie_charter.export_events",
        {"start": "2026-03-01", "end": "2026-03-31"},
    )
    assert "2026-03-01" in entry.message


def test_answers_of_one_site(asked: PublishedDeclaration, officer: Client) -> None:
    event(asked, "")
    other = Site.objects.create(hostname="other.example", root_page_id=1)
    arguments = {"start": str(TODAY), "end": str(TODAY)}
    assert lines(ask_for(officer, "events", site=other.pk, **arguments)) == []
    assert len(lines(ask_for(officer, "events", site=asked.site_id, **arguments))) == 1


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [("2026-03-02", "2026-03-01", "end"), ("then", "2026-03-01", "start"), ("", "", "start")],
)
def test_a_wrong_period_is_said(officer: Client, start: str, end: str, field: str) -> None:
    response = ask_for(officer, "events", start=start, end=end)
    assert response.status_code == 200
    assert field in response.context["events_form"].errors
    assert not noted().exists()


def test_declarations_of_a_period_are_complete(
    asked: PublishedDeclaration, officer: Client
) -> None:
    """R43: enough to compute the digest again, without us."""
    (found,) = lines(ask_for(officer, "declarations", start=str(TODAY), end=str(TODAY)))
    assert found["content"] == asked.content
    assert {"id", "number", "digest", "seal", "asked", "shown", "version", "created_at"} <= set(
        found
    )


def assert_verifies(exported: list[dict[str, Any]]) -> None:
    """From the lines alone, with nothing but ``seal.py`` and ``consent.digest``."""
    for one in exported:
        assert one["digest"] == digest(one["content"])
        assert one["seal"] == seal(one["previous"], {name: one[name] for name in FIELDS})


@pytest.fixture
def ledger(asked: PublishedDeclaration) -> list[PublishedDeclaration]:
    """Two sites that published in turns: the first, the other, the first, the other."""
    first = CookieCharterSettings.objects.get()
    other = make_asking_site(table(row(provider="Élan «\u2028»")), site=make_site("other.example"))
    publish_declarations()
    ask_instead(first, table(row(name="_new", provider="New Inc."), category="marketing"))
    ask_instead(other, table(row(name="_new", provider="New Inc."), category="marketing"))
    found = list(PublishedDeclaration.objects.order_by("pk"))
    assert [one.site_id for one in found] == [first.site_id, other.site_id] * 2
    return found


@pytest.mark.parametrize("microsecond", [0, 1, 123456, 999999])
def test_exported_declarations_can_be_verified_from_the_file_alone(
    db: None, monkeypatch: pytest.MonkeyPatch, microsecond: int
) -> None:
    """R43, R46: to the microsecond, which is what the seal covers."""
    at = NOW.replace(microsecond=microsecond)
    monkeypatch.setattr("wagtail_cookie_charter.publishing.timezone.now", lambda: at)
    ask()
    (found,) = jsonl(command("declarations"))
    assert found["created_at"] == at.isoformat(timespec="microseconds")
    assert found["previous"] == ""
    assert_verifies([found])


def test_an_export_of_all_is_one_chain(ledger: list[PublishedDeclaration], officer: Client) -> None:
    found = lines(ask_for(officer, "declarations", start=str(TODAY), end=str(TODAY)))
    assert found == jsonl(command("declarations"))
    assert [one["id"] for one in found] == [one.pk for one in ledger]
    assert [one["previous"] for one in found] == ["", *(one["seal"] for one in found[:-1])]
    assert_verifies(found)


def test_what_the_documentation_says_verifies_a_file(
    ledger: list[PublishedDeclaration], tmp_path: Path
) -> None:
    """docs/report.md: by somebody who has the file and two of our modules, and no Django."""
    root = Path(__file__).parent.parent
    documentation = (root / "docs/report.md").read_text(encoding="utf-8")
    code = documentation.partition("```python\n")[2].partition("```")[0]
    checked = f"{code}\nimport sys\nassert 'django' not in sys.modules"
    good = command("declarations", "--site", "localhost")
    for text, expected in (
        (good, ["fits", "fits"]),
        (good.replace("New Inc.", "Old Inc."), ["fits", "CHANGED"]),
    ):
        (tmp_path / "declarations.jsonl").write_text(text, encoding="utf-8", newline="\n")
        done = subprocess.run(
            [sys.executable, "-c", checked],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [told.split()[-1] for told in done.stdout.splitlines()] == expected


def test_an_export_of_one_site_of_two_can_be_verified(
    ledger: list[PublishedDeclaration],
) -> None:
    """The chain runs through all sites: what stands before may be another site's."""
    found = jsonl(command("declarations", "--site", "other.example"))
    assert [one["previous"] for one in found] == [ledger[0].seal, ledger[2].seal]
    assert_verifies(found)


def test_an_export_of_a_period_can_be_verified(ledger: list[PublishedDeclaration]) -> None:
    """What stands before may be of another time. (Each is sealed as it was, so none is moved.)"""
    last = ledger[-1]
    later = PublishedDeclaration(
        site=last.site,
        number=last.number,
        digest=last.digest,
        content=last.content,
        created_at=NOW + timedelta(days=40),
    )
    later.save()
    day = str(TODAY + timedelta(days=40))
    (found,) = jsonl(command("declarations", "--from", day, "--to", day))
    assert (found["id"], found["previous"]) == (later.pk, last.seal)
    assert_verifies([found])


def test_a_changed_line_does_not_verify(ledger: list[PublishedDeclaration]) -> None:
    first, *_rest = jsonl(command("declarations"))
    for changed in (
        {"created_at": "2020-01-01T00:00:00.000000+00:00"},
        {"previous": "0" * 64},
        {"content": {**first["content"], "days": 999}},
    ):
        with pytest.raises(AssertionError):
            assert_verifies([{**first, **changed}])


def test_answers_name_their_declaration_when_the_site_is_gone(
    ledger: list[PublishedDeclaration],
) -> None:
    """Several snapshots share a number, and a host may go: key and seal say which it was."""
    event(ledger[1], "statistics")
    Site.objects.filter(hostname="other.example").delete()
    (found,) = jsonl(command("events"))
    assert found["declaration"] == {
        "id": ledger[1].pk,
        "site": "other.example",
        "number": 1,
        "digest": ledger[1].digest,
        "seal": ledger[1].seal,
    }
    notice = json.loads(command("receipt", "0123456789ab"))["dpv:hasRecordOfActivity"][0][
        "dpv:hasNotice"
    ]
    assert notice["dct:identifier"] == f"other.example/1/{ledger[1].pk}"
    assert notice["dct:source"] == f"sha256:{ledger[1].digest}"
    assert notice["dct:provenance"] == f"seal:{ledger[1].seal}"


def test_without_time_zones_there_are_exports_too(db: None) -> None:
    with override_settings(USE_TZ=False, TIME_ZONE="Europe/Paris"):
        ask()
        event(latest(), "media", decided_at=datetime(2026, 7, 1, 1, 30))
        (answer,) = jsonl(command("events", "--from", "2026-06-30", "--to", "2026-06-30"))
        assert answer["decided_at"] == "2026-06-30T23:30:00Z"
        assert_verifies(jsonl(command("declarations")))


def test_exports_need_no_more_memory_for_more_lines(asked: PublishedDeclaration) -> None:
    """30 times as many answers; they would be some 20 megabytes in memory."""

    def fill(number: int) -> None:
        ConsentEvent.objects.bulk_create(
            (
                ConsentEvent(declaration=asked, grants="", method="refuse", decided_at=NOW)
                for _ in range(number)
            ),
            batch_size=1000,
        )

    def peak() -> int:
        tracemalloc.start()
        for _line in event_lines(Period(TODAY, TODAY)):
            pass
        _now, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    fill(2000)
    peak()
    few = peak()
    fill(58_000)
    assert peak() < few + 1_000_000


# --- The register ---------------------------------------------------------------------


def register_of(client: Client, **values: str) -> Any:
    site = Site.objects.get(is_default_site=True)
    return ask_for(
        client, "register", **{"site": site.pk, "language": "en", "format": "json", **values}
    )


def test_the_register_says_who_what_why_and_how_long(officer: Client) -> None:
    """R84, R87: what GDPR article 30(1) asks for, as far as a charter knows it."""
    settings = ask()
    CookieCharterSettings.objects.filter(pk=settings.pk).update(dpo_email="dpo@example.com")
    found = json.loads(register_of(officer).content)
    assert found["contacts"]["controller"]["name"] == "City of Example"
    (own,) = [one for one in found["trackers"] if one["name"] == "_own"]
    assert own["legal_ground"] == "Active unless you refuse"
    assert (own["duration"], own["retention_months"]) == ("6 months", 12)
    text = b"".join(register_of(officer, format="csv").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(found["trackers"])
    assert {one["data_protection_officer"] for one in rows} == {"dpo@example.com"}


def test_the_register_speaks_the_language_asked_for(officer: Client) -> None:
    ask()
    found = json.loads(register_of(officer, language="fr").content)
    assert found["language"] == "en"  # There is no French charter: what is there is told.


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(begin: str) -> None:
    """CWE-1236: an editor's text must not run in the officer's spreadsheet."""
    assert plain(f"{begin}cmd") == f"'{begin}cmd"
    assert plain(f"a{begin}") == f"a{begin}"
    assert plain(-1) == -1


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢"])
@pytest.mark.parametrize(
    "before", [" ", "\u00a0", "\u200b", "\ufeff", "\u2060", "\t", "\r", " \u200d "]
)
def test_what_a_spreadsheet_would_strip_hides_no_formula(before: str, begin: str) -> None:
    """CWE-1236."""
    assert plain(f"{begin}cmd") == f"'{begin}cmd"
    assert plain(f"{before}{begin}cmd") == f"'{before}{begin}cmd"
    assert str(plain(f"{before}cmd{begin}")).lstrip("'") == f"{before}cmd{begin}"


def test_an_editor_cannot_write_a_formula(officer: Client) -> None:
    make_home()
    make_asking_site(table(row(purpose='=HYPERLINK("https://evil.example")')))
    publish_declarations()
    text = b"".join(register_of(officer, format="csv").streaming_content).decode("utf-8-sig")
    for one in csv.DictReader(io.StringIO(text)):
        assert not any(str(cell).startswith(("=", "+", "@")) for cell in one.values())


def test_a_site_without_a_declaration_is_said(db: None, officer: Client) -> None:
    response = register_of(officer)
    assert "has not published a declaration yet" in response.content.decode()


# --- Who may --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("view_consentevent", {"receipt", "receipt_jsonld", "events"}),
        ("view_publisheddeclaration", {"declarations", "register"}),
        ("view_dailycount", set()),
    ],
)
def test_each_part_has_its_permission(
    asked: PublishedDeclaration, permission: str, allowed: set[str]
) -> None:
    event(asked, "media")
    client = signed_in(person(permission))
    values: dict[str, dict[str, Any]] = {
        "receipt": {"receipt": "0123456789ab"},
        "receipt_jsonld": {"receipt": "0123456789ab"},
        "events": {"start": str(TODAY), "end": str(TODAY)},
        "declarations": {"start": str(TODAY), "end": str(TODAY)},
        "register": {"site": asked.site_id, "language": "en", "format": "csv"},
    }
    given_ = {
        part for part, data in values.items() if ask_for(client, part, **data).status_code == 200
    }
    assert given_ == allowed
    page = client.get(reverse(RECORDS))
    assert page.status_code == (200 if allowed else 302)
    shown = {part for part in values if f'value="{part}"' in page.content.decode()}
    assert shown == allowed - {"receipt_jsonld"}


def test_what_is_not_offered_is_refused(db: None) -> None:
    client = signed_in(administrator())
    assert client.post(reverse(RECORDS), {"part": "dispatch"}).status_code == 302
    assert client.post(reverse(RECORDS), {}).status_code == 302


# --- The command ----------------------------------------------------------------------


def command(*arguments: str) -> str:
    written = io.StringIO()
    call_command("export_cookie_records", *arguments, stdout=written)
    return written.getvalue()


def test_the_command_writes_the_same(asked: PublishedDeclaration) -> None:
    event(asked, "media")
    assert json.loads(command("events"))["receipt"] == "0123456789ab"
    assert json.loads(command("declarations", "--site", "localhost"))["digest"] == asked.digest
    assert json.loads(command("register", "--format", "json"))["site"] == "localhost"
    assert command("register").startswith("\ufeffsite,declaration,")
    receipt = json.loads(command("receipt", "0123 4567 89AB"))
    assert receipt["@type"] == "dpv:ConsentReceipt"
    assert command("events", "--from", "2020-01-01", "--to", "2020-01-31") == ""


@pytest.mark.parametrize("part", ["events", "declarations"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "0001-01-01"],
        ["--to", "0001-01-02"],
        ["--from", "0001-01-01", "--to", "0001-01-01"],
        ["--to", "9999-12-31"],
        ["--from", "9999-12-31", "--to", "9999-12-31"],
    ],
)
@pytest.mark.parametrize("zones", [True, False])
def test_no_day_is_too_far_away(
    officer: Client, part: str, arguments: list[str], zones: bool
) -> None:
    with override_settings(USE_TZ=zones, TIME_ZONE="Pacific/Kiritimati"):
        assert command(part, *arguments) == ""
    end = arguments[-1]
    assert lines(ask_for(officer, part, start=end, end=end)) == []


def test_an_unknown_language_is_no_reason_for_another(asked: PublishedDeclaration) -> None:
    for known in ("en", "en-gb"):
        written = command("register", "--language", known, "--format", "json")
        assert json.loads(written)["language"] == "en"
    for unknown in ("xx", "", "fr"):
        with pytest.raises(CommandError, match=f"'{unknown}'.*: en\\."):
            command("register", "--language", unknown)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_what_cannot_be_written_is_said(asked: PublishedDeclaration, number: int) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(number, os.strerror(number))

    with pytest.raises(CommandError, match=os.strerror(number)):
        call_command("export_cookie_records", "declarations", stdout=Full())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["receipt", "nothing"], "No answer has this receipt number."),
        (["events", "--from", "2026-02-01", "--to", "2026-01-01"], "ends before it begins"),
        (["events", "--from", "then"], "invalid day value"),
        (["events", "--site", "nowhere"], "There is no site 'nowhere'."),
        (["events", "--site", ""], "There is no site ''."),
        (["declarations", "--site", ""], "There is no site ''."),
        (["register", "--site", "99999"], "There is no site '99999'."),
        (["register"], "has not published a declaration yet"),
        ([], "required"),
    ],
)
def test_the_command_says_what_is_wrong(db: None, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        command(*arguments)
