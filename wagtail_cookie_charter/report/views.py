"""The report "Consent" in Wagtail's admin, and the page for records and exports.

Built on Wagtail's own report view: its filters, its header, its spreadsheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFromToRangeFilter, ModelChoiceFilter
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.reports import ReportView
from wagtail.models import Site
from wagtail.permission_policies import ModelPermissionPolicy

from ..decision import Method
from ..models import DailyCount
from ..wording import method_text
from . import charts
from .downloads import Download
from .figures import (
    Comparison,
    Figures,
    Numbered,
    Question,
    Words,
    comparison,
    days_before,
    declared,
    figures,
    last_days,
    numbered,
    today,
    unreadable,
    words,
)
from .homepage import VIEW_COUNTS
from .register import plain
from .tally import Kind, Kinds, Level, Split, read

#: The longest period that is shown, in days: a mistyped year is no reason to draw centuries.
LONGEST = 3660


class PeriodWidget(DateRangePickerWidget):
    """Wagtail's, with names: a placeholder is none to who does not see it (WCAG 4.1.2)."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for widget in self.widgets:
            widget.attrs["aria-label"] = widget.attrs.get("placeholder", "")


class ConsentReportFilterSet(WagtailFilterSet):
    day = DateFromToRangeFilter(label=_("Period"), widget=PeriodWidget, method="as_it_is")
    site = ModelChoiceFilter(label=_("Site"), queryset=Site.objects.all(), method="as_it_is")
    declaration = ChoiceFilter(label=_("Answers to declaration"), method="as_it_is")
    compare = ChoiceFilter(label=_("Compare before and after"), method="as_it_is")

    class Meta:
        model = DailyCount
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = numbered()
        self.numbered = {str(one.pk): one for one in found}
        several = len({one.site for one in found}) > 1
        choices = [(key, _label(one, several)) for key, one in self.numbered.items()]
        for name in ("declaration", "compare"):
            self.filters[name].extra["choices"] = choices

    def as_it_is(self, queryset: Any, name: str, value: Any) -> Any:
        """The view asks the database by itself, once, for what was chosen here."""
        return queryset


def _label(one: Numbered, several: bool) -> str:
    values = {
        "number": one.number,
        "date": date_format(one.since, "DATE_FORMAT"),
        "site": one.site_name or gettext("deleted site"),
    }
    if several:
        return gettext("%(site)s: no. %(number)d, since %(date)s") % values
    return gettext("No. %(number)d, since %(date)s") % values


def limited(start: date | None, end: date | None, now: date) -> Question:
    """A period as it can be shown: in order, not for ever, with no empty days to come."""
    if start is not None and end is not None and start > end:
        start, end = end, start
    if start is not None and start > now:
        return Question(now + timedelta(1), now + timedelta(1))
    end = min(end or now, now)
    if start is None:
        return last_days(end)
    return Question(max(min(start, end), days_before(end, LONGEST)), end)


@dataclass(frozen=True)
class Line:
    """A row of a table beside a chart: a name, numbers, and each one's share of the total."""

    label: str
    numbers: tuple[tuple[int, str], ...]
    total: int


@dataclass(frozen=True)
class Section:
    """A chart and its table: what is counted, in three looks, for each line."""

    name: str
    title: str
    #: What the first column has.
    subject: str
    looks: tuple[tuple[str, str], ...]
    chart: list[charts.Bar]
    lines: tuple[Line, ...]
    explanation: str = ""


VIEW_EVENTS = "wagtail_cookie_charter.view_consentevent"
LOOKS = ("solid", "hatched", "hollow")


def kind_titles() -> dict[Kind, str]:
    return {
        Kind.ACCEPTED: gettext("Accepted all"),
        Kind.CHOSEN: gettext("Chose some"),
        Kind.REFUSED: gettext("Refused all"),
    }


def level_titles() -> dict[Level, str]:
    return {
        Level.GRANTED: gettext("Granted"),
        Level.PARTLY: gettext("Partly"),
        Level.REFUSED: gettext("Refused"),
    }


def _numbers(found: Kinds | Split) -> tuple[int, int, int]:
    if isinstance(found, Kinds):
        return found.accepted, found.chosen, found.refused
    return found.granted, found.partly, found.refused


def section(
    name: str,
    title: str,
    subject: str,
    titles: Iterable[str],
    rows: Mapping[str, Kinds | Split],
    explanation: str = "",
    whole: int = 0,
) -> Section:
    """``rows`` has a label for each line, in order; ``titles`` says what the numbers are.

    With ``whole``, each line is shown as a part of that; else by what it is made of.
    """
    looks = tuple(zip(LOOKS, titles, strict=True))
    lines, drawn = [], []
    for label, found in rows.items():
        numbers = _numbers(found)
        shares = tuple(zip(numbers, charts.shares(numbers, found.total), strict=True))
        lines.append(Line(label, shares, found.total))
        note = " · ".join(
            gettext("%(title)s %(share)s %%") % {"title": name_, "share": share}
            for (_look, name_), (number, share) in zip(looks, shares, strict=True)
            if number
        )
        if whole:
            note = gettext("%(share)s %% of all answers") % {
                "share": charts.share(found.total, whole)
            }
        drawn.append((label, dict(zip(LOOKS, numbers, strict=True)), note))
    longest = max((line.total for line in lines), default=0) if whole else 0
    chart = charts.bars(drawn, longest)
    return Section(name, title, subject, looks, chart, tuple(lines), explanation)


def sections(found: Figures) -> list[Section]:
    """Charts and tables of what was answered: how, and to what."""
    tally, names = found.tally, found.words
    methods = sorted(tally.methods.items(), key=lambda row: -row[1].total)
    providers = sorted(
        tally.providers.items(), key=lambda row: (list(tally.categories).index(row[0][0]), row[0])
    )
    kinds = [*kind_titles().values()]
    levels = [*level_titles().values()]
    return [
        section(
            "methods",
            gettext("How people answered"),
            gettext("Way of answering"),
            kinds,
            {method_text(method): kinds_ for method, kinds_ in methods},
            whole=tally.total,
        ),
        section(
            "categories",
            gettext("What they said to each category"),
            gettext("Category"),
            levels,
            {category_name(key, names): split for key, split in tally.categories.items()},
            gettext(
                "Partly: for some of its providers only. Each category has the answers of those "
                "who were asked about it."
            ),
        ),
        section(
            "providers",
            gettext("What they said to each provider"),
            gettext("Provider"),
            levels,
            {
                f"{names.providers.get(slug, slug)} ({category_name(key, names)})": split
                for (key, slug), split in providers
            },
        ),
    ]


def category_name(key: str, names: Words) -> str:
    return names.categories.get(key) or key


@dataclass(frozen=True)
class Change:
    """An answer's share before and after; None where it was not asked for."""

    label: str
    before: str | None
    after: str | None

    @property
    def points(self) -> int | None:
        if self.before is None or self.after is None:
            return None
        return charts.points(self.before, self.after)


def changes(found: Comparison) -> list[Change]:
    """For all answers, and for each category asked about on either side."""
    before, after = found.before.tally, found.after.tally
    names = Words(
        {**found.before.words.categories, **found.after.words.categories},
        {},
    )
    rows = [
        Change(title, old, new)
        for title, old, new in zip(
            kind_titles().values(), _shares(before.kinds), _shares(after.kinds), strict=True
        )
    ]
    for key in dict.fromkeys([*before.categories, *after.categories]):
        label = gettext("“%(category)s” granted") % {"category": category_name(key, names)}
        rows.append(
            Change(
                label,
                _shares(before.categories.get(key))[0],
                _shares(after.categories.get(key))[0],
            )
        )
    return rows


def _shares(found: Kinds | Split | None) -> Sequence[str | None]:
    if found is None or not found.total:
        return (None, None, None)
    return charts.shares(_numbers(found), found.total)


def period_label(first: date, unit: str) -> str:
    if unit == "month":
        return date_format(first, "YEAR_MONTH_FORMAT")
    if unit == "week":
        return gettext("Week of %(date)s") % {"date": date_format(first, "SHORT_DATE_FORMAT")}
    return date_format(first, "SHORT_DATE_FORMAT")


class ConsentReportView(ReportView):
    """What visitors answered, in numbers. Whoever may view daily counts may see it."""

    model = DailyCount
    permission_policy = ModelPermissionPolicy(DailyCount)
    permission_required = "view"
    page_title = _("Consent")
    header_icon = "wcc-cookie"
    index_url_name = "cookie_charter_report:index"
    index_results_url_name = "cookie_charter_report:results"
    template_name = "wagtail_cookie_charter/admin/report.html"
    results_template_name = "wagtail_cookie_charter/admin/report_results.html"
    filterset_class = ConsentReportFilterSet
    paginate_by = None
    export_filename = "consent"
    #: What each line of a spreadsheet begins with; the categories follow.
    list_export = ["day", "site", "declaration", "method", "result", "answers"]

    def get_queryset(self) -> Any:
        return self.model.objects.none()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.is_export:
            return self.as_spreadsheet(self.export(), request.GET["export"])
        return super().get(request, *args, **kwargs)

    @property
    def chosen(self) -> dict[str, Any]:
        """What the filters say; nothing, if they cannot be read."""
        found: dict[str, Any] = self.filters.form.cleaned_data if self.filters.is_valid() else {}
        return found

    @property
    def question(self) -> Question:
        chosen = self.chosen
        day = chosen.get("day")
        period = limited(
            day.start.date() if day and day.start else None,
            day.stop.date() if day and day.stop else None,
            today(),
        )
        number = self.filters.numbered.get(chosen.get("declaration") or "")
        site = chosen.get("site")
        site_id = site.pk if site else None
        if number is None:
            return Question(period.start, period.end, site_id)
        # A number is one site's; with another site chosen as well, nothing is both.
        if site_id not in (None, number.site):
            return Question(period.start, period.end, site_id, -1)
        return Question(period.start, period.end, number.site, number.number)

    @property
    def comparison(self) -> tuple[Numbered, Comparison | None] | None:
        one = self.filters.numbered.get(self.chosen.get("compare") or "")
        if one is None:
            return None
        first = min(
            other.since for other in self.filters.numbered.values() if other.site == one.site
        )
        return one, comparison(one, first, today())

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        question = self.question
        found = figures(question)
        tally = found.tally
        titles = [*kind_titles().values()]
        numbers = _numbers(tally.kinds)
        periods = [
            (period_label(first, question.unit), tally.days.get(first, Kinds()))
            for first in question.periods
        ]
        context.update(
            {
                "question": question,
                "unreadable": not self.filters.is_valid(),
                "unreadable_declarations": unreadable(found.answered),
                "total": tally.total,
                "summary": [
                    *zip(LOOKS, titles, numbers, charts.shares(numbers, tally.total), strict=True)
                ],
                "over_time": charts.columns(
                    [
                        (label, dict(zip(LOOKS, _numbers(kinds), strict=True)))
                        for label, kinds in periods
                    ]
                ),
                "over_time_rows": [
                    (label, _numbers(kinds), kinds.total) for label, kinds in periods
                ],
                "unit_title": {
                    "day": gettext("Answers by day"),
                    "week": gettext("Answers by week"),
                    "month": gettext("Answers by month"),
                }[question.unit],
                "unit_subject": {
                    "day": gettext("Day"),
                    "week": gettext("Week"),
                    "month": gettext("Month"),
                }[question.unit],
                "looks": [*zip(LOOKS, titles, strict=True)],
                "sections": sections(found) if tally.total else [],
                "can_find_receipts": self.request.user.has_perm(VIEW_EVENTS),
            }
        )
        if compared := self.comparison:
            one, both = compared
            context["compared"] = one
            if both is not None:
                context["comparison"] = both
                context["comparison_section"] = section(
                    "comparison",
                    "",
                    gettext("Days"),
                    titles,
                    {
                        gettext("Before"): both.before.tally.kinds,
                        gettext("After"): both.after.tally.kinds,
                    },
                )
                context["changes"] = changes(both)
        return context

    # --- Spreadsheets ---

    def export(self) -> Iterator[dict[str, Any]]:
        """A line for each day, declaration, method and answer; columns for the categories.

        Snapshots of one site with one number are one declaration, and answers are alike that
        read the same in all columns.
        """
        question = self.question
        asked = question.counts().order_by().values_list("declaration_id", flat=True).distinct()
        known = declared(asked)
        categories = dict.fromkeys(key for one in known.values() for key in one.offer)
        names = words(known.values())
        self.list_export = [*type(self).list_export, *(f"category_{key}" for key in categories)]
        self.export_headings: dict[str, str | Promise] = {
            "day": gettext("Day (UTC)"),
            "site": gettext("Site"),
            "declaration": gettext("Declaration"),
            "method": gettext("Way of answering"),
            "result": gettext("Result"),
            "answers": gettext("Answers"),
            **{f"category_{key}": str(plain(category_name(key, names))) for key in categories},
        }
        # In the reader's language: the lines are made when the view has ended, in another one.
        titles = kind_titles(), level_titles(), {one.value: method_text(one) for one in Method}
        return self._lines(question, known, *titles)

    def _lines(
        self,
        question: Question,
        known: Mapping[int, Any],
        kinds: Mapping[Kind, str],
        levels: Mapping[Level, str],
        methods: Mapping[str, str],
    ) -> Iterator[dict[str, Any]]:
        rows = (
            question.counts()
            .order_by("day", "declaration_id", "method", "grants")
            .values_list("day", "declaration_id", "method", "grants")
            .annotate(Sum("count"))
        )
        for day, of_day in groupby(rows.iterator(chunk_size=2000), itemgetter(0)):
            # Of one day at a time, so that years need no more memory.
            lines: dict[Any, dict[str, Any]] = {}
            for _day, pk, method, grants, answers in of_day:
                asked = known.get(pk)
                if asked is None:
                    continue
                reading = read(grants, asked.offer)
                said = frozenset(reading.categories.items())
                alike = (asked.cookie_name, asked.number, method, said)
                line = {
                    "day": day,
                    "site": asked.site,
                    "declaration": asked.number,
                    "method": methods.get(method, method),
                    "result": kinds[reading.kind],
                    "answers": 0,
                    **{f"category_{key}": levels[of] for key, of in reading.categories.items()},
                }
                lines.setdefault(alike, line)["answers"] += answers
            yield from lines.values()

    def to_row_dict(self, item: dict[str, Any]) -> dict[str, Any]:
        """Empty where a category was not asked about."""
        return {name: item.get(name, "") for name in self.list_export}

    def write_csv_response(self, queryset: Any) -> Download:
        return Download(self.stream_csv(queryset), "text/csv", f"{self.get_filename()}.csv")

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        found = super().preprocess_field_value(field, value, export_format)
        return plain(found) if export_format == self.FORMAT_CSV else found


class PermittedMenuItem(MenuItem):
    """Shown to whoever has one of these permissions, and to nobody else."""

    def __init__(self, *args: Any, permissions: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.permissions = tuple(permissions)

    def is_shown(self, request: HttpRequest) -> bool:
        return any(request.user.has_perm(permission) for permission in self.permissions)


def report_menu_item() -> MenuItem:
    return PermittedMenuItem(
        _("Consent"),
        reverse("cookie_charter_report:index"),
        name="cookie-charter-report",
        icon_name="wcc-cookie",
        order=1400,
        permissions=[VIEW_COUNTS],
    )
