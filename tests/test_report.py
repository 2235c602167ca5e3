"""The report "Consent": what it says, who may read it, what it costs (R86)."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Site
from wagtail.users.models import UserProfile

from tests.answers import ask, ask_instead, code_of, latest
from tests.counted import administrator, count, person, signed_in
from tests.factories import make_asking_site, make_site, row, table
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.report.charts import (
    COLUMNS,
    bars,
    ceiling,
    columns,
    points,
    share,
    shares,
)
from wagtail_cookie_charter.report.figures import Question, last_days
from wagtail_cookie_charter.report.views import limited

TODAY = datetime.now(timezone.utc).date()
INDEX = "cookie_charter_report:index"


def report(client: Client, **filters: str) -> Any:
    response = client.get(reverse(INDEX), filters)
    assert response.status_code == 200
    return response


def numbers(client: Client, **filters: str) -> list[int]:
    """Accepted all, chose a part, refused all."""
    return [
        number for _look, _title, number, _share in report(client, **filters).context["summary"]
    ]


def spreadsheet(client: Client, **filters: str) -> list[dict[str, str]]:
    response = client.get(reverse(INDEX), {"export": "csv", **filters})
    text = b"".join(response).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def asked(db: None) -> PublishedDeclaration:
    ask()
    return latest()


@pytest.fixture
def officer(db: None) -> Client:
    return signed_in(person("view_dailycount"))


# --- What it says ---------------------------------------------------------------------


def test_it_counts_answers_by_what_they_came_to(
    asked: PublishedDeclaration, officer: Client
) -> None:
    count(asked, "audience.media.statistics", 50, method="accept")
    count(asked, "", 30, method="refuse")
    count(asked, "media", 15)
    count(asked, "audience.media.statistics", 5)
    assert numbers(officer) == [55, 15, 30]
    html = report(officer).content.decode()
    for words in ("Answers by day", "Button “Accept all”", "Statistics", "Video One", "55 %"):
        assert words in html


def test_it_says_what_it_does_not_know(asked: PublishedDeclaration, officer: Client) -> None:
    html = report(officer).content.decode()
    assert "These are answers, not visitors" in html
    assert "are not counted" in html
    assert "Nobody answered in this period." in html


def test_each_chart_has_a_name_a_description_and_a_table(
    asked: PublishedDeclaration, officer: Client
) -> None:
    count(asked, "media", 15)
    html = report(officer).content.decode()
    soup = BeautifulSoup(html, "html.parser")
    charts = soup.select('main [role="img"]')
    assert len(charts) == 4
    for chart in charts:
        name, description = (soup.find(id=one) for one in str(chart["aria-labelledby"]).split())
        assert name is not None and name.get_text(strip=True)
        assert description is not None and description.get_text(strip=True)
    assert html.count('class="wcc-report__table"') == len(charts)
    assert " style=" not in html.partition('class="wcc-report"')[2].partition("</main>")[0]


def test_words_of_a_bar_stand_outside_the_svg(asked: PublishedDeclaration, officer: Client) -> None:
    """R10: text in SVG does not wrap, so long names were cut off on a small screen."""
    count(asked, "media", 15, method="placeholder")
    soup = BeautifulSoup(report(officer).content, "html.parser")
    labels = [label.get_text(strip=True) for label in soup.select(".wcc-bars__label")]
    assert "Allowed in a page, in place of the blocked content" in labels
    assert soup.select(".wcc-bars svg")
    assert soup.select(".wcc-bars svg text") == []


def test_a_comparison_that_was_asked_for_comes_first(
    asked: PublishedDeclaration, officer: Client
) -> None:
    count(asked, "media", 15)
    soup = BeautifulSoup(report(officer, compare=str(asked.pk)).content, "html.parser")
    order = [found["id"] for found in soup.select(".wcc-report h2")]
    assert order[:2] == ["wcc-compared", "wcc-time"]


def test_it_shows_the_last_30_days_unless_asked_for_others(
    asked: PublishedDeclaration, officer: Client
) -> None:
    count(asked, "", 1, TODAY)
    count(asked, "", 2, TODAY - timedelta(29))
    count(asked, "", 4, TODAY - timedelta(30))
    count(asked, "", 8, date(2024, 2, 29))
    assert numbers(officer)[2] == 3
    assert numbers(officer, day_from="2024-01-01", day_to="2024-12-31")[2] == 8
    assert numbers(officer, day_from="2024-01-01")[2] == 15
    assert numbers(officer, day_to="2024-03-01")[2] == 8


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01", "9999-12-31"),
        ("9999-12-31", "9999-12-31"),
        ("2025-12-31", "2024-01-01"),
        ("", "0001-01-01"),
        ("0001-01-01", ""),
        ("0001-01-01", "0001-01-01"),
        ("0001-01-01", "0001-01-02"),
        ("0001-01-02", "0001-01-01"),
        ("", "0009-12-31"),
        ("", "9999-12-31"),
        ("9999-12-31", ""),
        ("9999-12-31", "0001-01-01"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_no_period_breaks_it(officer: Client, start: str, end: str, zone: str) -> None:
    """Whatever the reader's own time zone: days are in UTC."""
    reader = User.objects.get(username="officer")
    UserProfile.objects.create(user=reader, current_time_zone=zone)
    response = report(officer, day_from=start, day_to=end)
    assert len(response.context["over_time"].columns) <= 124
    assert spreadsheet(officer, day_from=start, day_to=end) == []


def test_a_period_that_cannot_be_read_is_said(officer: Client) -> None:
    assert "A filter cannot be read" in report(officer, day_from="tomorrow").content.decode()


def test_a_period_is_put_in_order() -> None:
    assert limited(date(2025, 12, 31), date(2024, 1, 1), TODAY) == Question(
        date(2024, 1, 1), date(2025, 12, 31)
    )
    assert limited(None, None, TODAY) == last_days(TODAY)
    # What is to come has no answers, and is not filled with today's.
    tomorrow = TODAY + timedelta(1)
    assert limited(date(9999, 1, 1), None, TODAY) == Question(tomorrow, tomorrow)


@pytest.mark.parametrize(
    ("days", "unit", "periods"), [(30, "day", 30), (120, "week", 18), (730, "month", 25)]
)
def test_long_periods_are_shown_by_week_or_month(days: int, unit: str, periods: int) -> None:
    question = Question(date(2026, 11, 25) - timedelta(days - 1), date(2026, 11, 25))
    assert question.unit == unit
    assert len(question.periods) == periods


@pytest.mark.parametrize("days", [30, 120, 730])
def test_every_answer_stands_in_one_column(
    asked: PublishedDeclaration, officer: Client, days: int
) -> None:
    start = TODAY - timedelta(days - 1)
    for distance in range(0, days, 7):
        count(asked, "media", 1, start + timedelta(distance))
    response = report(officer, day_from=str(start), day_to=str(TODAY))
    drawn = sum(column.total for column in response.context["over_time"].columns)
    assert drawn == response.context["total"] == len(range(0, days, 7))


def test_one_site_or_all(asked: PublishedDeclaration, officer: Client) -> None:
    """R45: providers of two sites are one where they have one name, whatever their numbers."""
    other = make_site("other.example")
    make_asking_site(
        table(
            row(name="_x", provider="Other Inc."),
            row(name="_y", provider="Video One"),
            category="media",
        ),
        site=other,
    )
    publish_declarations()
    theirs = PublishedDeclaration.objects.get(site=other)
    count(asked, "media.statistics", 3)
    count(theirs, "media", 4)
    first = Site.objects.get(is_default_site=True)
    assert numbers(officer) == [4, 3, 0]
    assert numbers(officer, site=str(first.pk)) == [0, 3, 0]
    assert numbers(officer, site=str(other.pk)) == [4, 0, 0]
    section = report(officer).context["sections"][2]
    totals = {line.label: line.total for line in section.lines}
    media = "Videos, maps and other content from elsewhere"
    assert totals[f"Video One ({media})"] == 7
    assert totals[f"Other Inc. ({media})"] == 4


def test_answers_to_one_declaration(officer: Client) -> None:
    settings = ask()
    first = latest()
    ask_instead(settings, table(row(name="_new", provider="New Inc."), category="marketing"))
    second = latest()
    count(first, "media", 3)
    count(second, "marketing", 4)
    assert second.number == 2
    assert numbers(officer, declaration=str(first.pk)) == [0, 3, 0]
    assert numbers(officer, declaration=str(second.pk)) == [4, 0, 0]
    lines = report(officer).context["sections"][1].lines
    assert {line.label: line.total for line in lines}["Advertising and social networks"] == 4


def test_before_and_after_a_declaration(officer: Client) -> None:
    """The same number of days on both sides; the day of publication is on neither."""
    settings = ask()
    first = latest()
    ask_instead(settings, table(row(name="_new", provider="New Inc."), category="media"))
    second = latest()
    made = datetime.now(timezone.utc) - timedelta(10)
    _dated(first, made - timedelta(60))
    _dated(second, made)
    day = made.date()
    count(first, "", 1000, day - timedelta(11))
    count(first, "media", 3, day - timedelta(10))
    count(first, "", 1, day - timedelta(1))
    count(second, "media", 500, day)
    count(second, "media", 1, day + timedelta(1))
    count(second, "", 1, day + timedelta(10))
    context = report(officer, compare=str(second.pk)).context
    assert context["comparison"].days == 10
    assert context["comparison"].before.tally.total == 4
    assert context["comparison"].after.tally.total == 2
    found = {
        change.label: (change.before, change.after, change.points) for change in context["changes"]
    }
    assert found["Refused all"] == ("25", "50", 25)
    assert found["“Videos, maps and other content from elsewhere” granted"] == ("75", "50", -25)
    assert found["“Statistics” granted"] == ("0", None, None)


@override_settings(USE_TZ=False, TIME_ZONE="Pacific/Kiritimati")
def test_a_comparison_is_about_days_in_utc_whatever_the_project(officer: Client) -> None:
    """There it is tomorrow already, and what was counted was counted in UTC."""
    settings = ask()
    first = latest()
    ask_instead(settings, table(row(name="_new", provider="New Inc."), category="media"))
    second = latest()
    day = TODAY - timedelta(10)
    published = datetime(day.year, day.month, day.day, 12) + timedelta(hours=14)
    _dated(first, published - timedelta(60))
    _dated(second, published)
    count(first, "media", 3, day - timedelta(1))
    count(second, "media", 500, day)
    count(second, "media", 1, day + timedelta(1))
    compared = report(officer, compare=str(second.pk)).context["comparison"]
    assert compared.declaration.since == day
    assert compared.before.tally.total == 3
    assert compared.after.tally.total == 1


def _dated(declaration: PublishedDeclaration, when: datetime) -> None:
    """Published some time ago: nothing but a test changes a declaration."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wagtail_cookie_charter_publisheddeclaration SET created_at = %s WHERE id = %s",
            [when.replace(tzinfo=None), declaration.pk],
        )


def test_days_are_said_to_be_in_utc(asked: PublishedDeclaration, officer: Client) -> None:
    """The archive has the reader's own days: the same publication can be of two."""
    ask_instead(
        CookieCharterSettings.objects.get(),
        table(row(name="_new", provider="New"), category="media"),
    )
    response = report(officer, compare=str(latest().pk))
    soup = BeautifulSoup(response.content, "html.parser")
    heading = soup.select_one("#wcc-compared")
    assert heading is not None and "(UTC)" in heading.get_text()
    form = response.context["filters"].form
    assert "(UTC)" in str(form.fields["day"].label)
    for name in ("declaration", "compare"):
        named = [label for key, label in form.fields[name].choices if key]
        assert named and all("(UTC)" in label for label in named)


def test_bars_are_parts_of_the_whole_and_add_up(
    asked: PublishedDeclaration, officer: Client
) -> None:
    for method, answers in (("accept", 1), ("refuse", 1), ("choice", 1)):
        count(asked, "", answers, method=method)
    soup = BeautifulSoup(report(officer).content, "html.parser")
    chart = soup.select_one('[aria-labelledby^="wcc-methods-title"]')
    assert chart is not None
    assert [bar["width"] for bar in chart.select("rect")] == ["33.33%"] * 3
    notes = [note.get_text() for note in chart.select(".wcc-bars__note")]
    assert sorted(notes) == ["33 % of all answers"] * 2 + ["34 % of all answers"]


def test_providers_are_never_granted_partly(asked: PublishedDeclaration, officer: Client) -> None:
    count(asked, "media", 3)
    count(asked, "", 1)
    found = {one.name: one for one in report(officer).context["sections"]}
    assert [title for _look, title in found["categories"].looks][1] == "Partly"
    assert [title for _look, title in found["providers"].looks] == ["Granted", "Refused"]
    line = next(one for one in found["providers"].lines if one.label.startswith("Video One"))
    assert line.numbers == ((3, "75"), (1, "25"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_filter_that_cannot_be_read_makes_no_file(
    asked: PublishedDeclaration, officer: Client, kind: str
) -> None:
    response = report(officer, export=kind, day_from="tomorrow", day_to="2024-12-31")
    assert "A filter cannot be read" in response.content.decode()


def test_there_is_nothing_before_the_first_declaration(
    asked: PublishedDeclaration, officer: Client
) -> None:
    html = report(officer, compare=str(asked.pk)).content.decode()
    assert "There is nothing to compare yet" in html


def test_a_deleted_site_keeps_its_figures(asked: PublishedDeclaration, officer: Client) -> None:
    count(asked, "media", 3)
    other = make_site("other.example")
    other.is_default_site = False
    Site.objects.filter(pk=asked.site_id).delete()
    assert numbers(officer) == [0, 3, 0]


# --- Charts ---------------------------------------------------------------------------


def test_shares_never_say_none_or_all_of_what_is_not() -> None:
    found = [share(part, 1000) for part in (0, 1, 9, 10, 500, 990, 991, 999, 1000)]
    assert found == ["0", "< 1", "< 1", "1", "50", "99", "> 99", "> 99", "100"]
    assert share(0, 0) == "0"
    assert share(1, 15_297) == "< 1"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((1, 15_296, 0), ["< 1", "> 99", "0"]),
        ((335, 665, 0), ["34", "66", "0"]),
        ((1, 1, 1), ["34", "33", "33"]),
        ((4, 498, 498), ["< 1", "50", "50"]),
        ((6, 6, 988), ["< 1", "< 1", "99"]),
        ((0, 0, 0), ["0", "0", "0"]),
        ((7, 0, 0), ["100", "0", "0"]),
    ],
)
def test_shares_of_one_line_add_up(parts: tuple[int, ...], expected: list[str]) -> None:
    assert shares(parts, sum(parts)) == expected


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=3).filter(any))
def test_no_share_is_further_off_than_one_per_cent(parts: list[int]) -> None:
    numbers = [text for text in shares(parts, sum(parts)) if text not in ("< 1", "> 99")]
    assert sum(map(int, numbers)) <= 100
    for part, text in zip(parts, shares(parts, sum(parts)), strict=True):
        exact = 100 * part / sum(parts)
        if text == "< 1":
            assert 0 < exact < 1
        elif text == "> 99":
            assert 99 < exact < 100
        else:
            assert abs(exact - int(text)) < 1
            assert (exact in (0, 100)) == (text in ("0", "100"))


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [("25", "50", 25), ("< 1", "5", 5), ("0", "< 1", 0), ("> 99", "98", -2), ("100", "0", -100)],
)
def test_points_are_those_of_the_shares_that_are_shown(
    before: str, after: str, difference: int
) -> None:
    assert points(before, after) == difference


def test_a_small_share_is_shown_as_such(asked: PublishedDeclaration, officer: Client) -> None:
    """Neither 1 % of 15,297 nor a sum of 101 %."""
    count(asked, "audience.media.statistics", 15_296, method="accept")
    count(asked, "", 1, method="refuse")
    soup = BeautifulSoup(report(officer).content, "html.parser")
    assert [line.get_text() for line in soup.select(".wcc-report__figures .wcc-report__share")] == [
        "> 99 %",
        "0 %",
        "< 1 %",
    ]
    assert "Granted > 99 % · Refused < 1 %" in soup.get_text()
    assert "< 1 % of all answers" in soup.get_text()


@pytest.mark.parametrize("highest", [0, 1, 9, 10, 11, 99, 101, 4321, 10**9 + 1])
def test_the_top_of_a_chart_is_round_and_high_enough(highest: int) -> None:
    top = ceiling(highest)
    assert max(highest, 1) <= top <= max(10, 5 * highest)


def test_columns_stand_on_the_ground_and_fit() -> None:
    drawn = columns([("a", {"solid": 3, "hatched": 0, "hollow": 7}), ("b", {})])
    first = drawn.columns[0]
    assert [part.look for part in first.parts] == ["solid", "hollow"]
    assert float(first.parts[0].start) + float(first.parts[0].size) == COLUMNS
    assert float(first.parts[1].start) == 0
    assert drawn.columns[1].parts == []


def test_bars_are_as_long_as_all_their_parts() -> None:
    (bar,) = bars([("a", {"solid": 1, "hatched": 2, "hollow": 1}, "")])
    assert [part.start for part in bar.parts] == ["0.00%", "25.00%", "75.00%"]
    assert [part.size for part in bar.parts] == ["25.00%", "50.00%", "25.00%"]


# --- Spreadsheets ---------------------------------------------------------------------


def test_its_spreadsheet_has_a_line_for_each_kind_of_answer(
    asked: PublishedDeclaration, officer: Client
) -> None:
    count(asked, f"media-{code_of('video-one')}", 3)
    count(asked, "", 2, TODAY - timedelta(1), method="refuse")
    count(asked, "", 9, TODAY - timedelta(99), method="refuse")
    refused, chosen = spreadsheet(officer)
    media = "Videos, maps and other content from elsewhere"
    assert refused["Day (UTC)"] == str(TODAY - timedelta(1))
    assert (refused["Result"], refused["Answers"], refused[media]) == (
        "Refused all",
        "2",
        "Refused",
    )
    assert chosen["Declaration"] == "1"
    assert chosen["Way of answering"] == "Own choice, saved"
    assert (chosen[media], chosen["Statistics"]) == ("Partly", "Refused")


def test_its_spreadsheet_adds_up_what_is_alike(officer: Client) -> None:
    """A line for each day, declaration, method and answer, whatever it is stored in (R86).

    Neither the rows that answers of one moment are counted in, nor the snapshots that share a
    number, are anything to a reader; a site of the same name on another port is.
    """
    settings = ask()
    first = latest()
    ask_instead(
        settings,
        table(row(name="_stat*"), category="statistics"),
        table(
            *(row(name=f"_{name}", provider=f"Video {name}") for name in ("One", "Two", "Three")),
            category="media",
        ),
        table(row(name="_new", provider="New Inc."), category="marketing"),
    )
    second = latest()
    assert (first.number, second.number) == (1, 2)
    same = PublishedDeclaration(
        site=second.site, number=second.number, digest=second.digest, content=second.content
    )
    same.save()
    other = make_site("localhost", port=8001)
    elsewhere = PublishedDeclaration(
        site=other,
        number=second.number,
        digest=second.digest,
        content={**second.content, "cookie_name": f"cookie-charter-{other.pk}"},
    )
    elsewhere.save()
    for slot in range(3):
        count(second, "media", 10, slot=slot)
    count(same, "media", 5)
    # Of all that the lines show, these two are the same answer.
    count(same, f"media-{code_of('video-one')}", 1)
    count(same, f"media-{code_of('video-two')}", 1)
    count(same, "media", 7, method="placeholder")
    count(same, "media", 100, TODAY - timedelta(1))
    count(first, "media", 1000)
    count(elsewhere, "media", 10_000)
    found = spreadsheet(officer)
    seen = [
        (one["Day (UTC)"], one["Declaration"], one["Way of answering"], one["Result"],
         one["Videos, maps and other content from elsewhere"], int(one["Answers"]))
        for one in found
    ]  # fmt: skip
    now, before = str(TODAY), str(TODAY - timedelta(1))
    own = "Own choice, saved"
    place = next(name for _day, _no, name, *_rest in seen if name != own)
    number = str(second.number)
    expected = [
        (before, number, own, "Chose some", "Granted", 100),
        (now, str(first.number), own, "Chose some", "Granted", 1000),
        (now, number, own, "Chose some", "Granted", 35),
        (now, number, own, "Chose some", "Partly", 2),
        (now, number, place, "Chose some", "Granted", 7),
        (now, number, own, "Chose some", "Granted", 10_000),
    ]
    assert sorted(seen) == sorted(expected)
    assert [one[0] for one in seen] == sorted(one[0] for one in seen)


def test_its_spreadsheet_is_one_of_excel_too(asked: PublishedDeclaration, officer: Client) -> None:
    count(asked, "media", 3)
    response = officer.get(reverse(INDEX), {"export": "xlsx"})
    assert response.status_code == 200
    assert b"".join(response).startswith(b"PK")


# --- Who may read it ------------------------------------------------------------------

URLS = [
    (INDEX, {}),
    (INDEX, {"export": "csv"}),
    (INDEX, {"export": "xlsx"}),
    ("cookie_charter_report:results", {}),
    ("cookie_charter_report:records", {}),
]


@pytest.mark.parametrize(("name", "query"), URLS)
def test_nobody_else_reads_it(
    asked: PublishedDeclaration, name: str, query: dict[str, str]
) -> None:
    """Wagtail's usual refusal: back to the admin's home, with a sentence."""
    stranger = signed_in(person(name="stranger"))
    response = stranger.get(reverse(name), query)
    assert response.status_code == 302
    assert response["Location"] == reverse("wagtailadmin_home")
    visitor = Client().get(reverse(name), query)
    assert visitor.status_code == 302
    assert reverse("wagtailadmin_login") in visitor["Location"]


def menu(client: Client) -> str:
    return client.get(reverse("wagtailadmin_home")).content.decode()


def test_the_menu_shows_what_one_may_read(asked: PublishedDeclaration, officer: Client) -> None:
    report_url = f'"url": "{reverse(INDEX)}"'
    records_url = f'"url": "{reverse("cookie_charter_report:records")}"'
    mine = menu(officer)
    assert report_url in mine
    assert records_url not in mine
    theirs = menu(signed_in(person("view_consentevent", name="other")))
    assert report_url not in theirs
    assert records_url in theirs
    assert reverse(INDEX) not in menu(signed_in(person(name="stranger")))


def test_groups_can_be_given_the_permission(db: None) -> None:
    html = signed_in(administrator()).get(reverse("wagtailusers_groups:add")).content.decode()
    for codename in ("view_dailycount", "view_consentevent", "view_publisheddeclaration"):
        permission = _permission(codename)
        assert f'value="{permission}"' in html


def _permission(codename: str) -> int:
    return Permission.objects.get(codename=codename).pk


# --- What it costs --------------------------------------------------------------------


def test_its_queries_do_not_grow(asked: PublishedDeclaration, officer: Client) -> None:
    """Neither with days nor with declarations; single answers are never looked at."""
    count(asked, "media", 3)
    report(officer)
    with CaptureQueriesContext(connection) as few:
        report(officer)
    for place in range(30):
        copy = PublishedDeclaration.objects.create(
            site=asked.site,
            number=place + 2,
            digest=f"{place:064}",
            content=asked.content,
        )
        for distance in range(20):
            count(copy, "media", 3, TODAY - timedelta(distance))
    with CaptureQueriesContext(connection) as cold:
        report(officer)
    with CaptureQueriesContext(connection) as warm:
        report(officer)
    assert len(warm) == len(few)
    assert len(cold) == len(few) + 1
    assert not [query for query in cold.captured_queries if "consentevent" in query["sql"]]
    assert not [query for query in warm.captured_queries if '"content"' in query["sql"]]
