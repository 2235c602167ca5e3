"""The report's figures out of the database: daily counts only, never single answers (R86)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from django.db.models import Case, IntegerField, Min, Sum, Value, When
from django.utils.translation import get_language

from ..consent import Declaration
from ..models import DailyCount, PublishedDeclaration
from ..models.ledger import Unreadable, declaration_in
from ..moments import utc
from .tally import Count, Offer, Tally, offer_of, tally

#: Days that a report covers unless somebody asks for others.
DEFAULT_DAYS = 30
#: The longest periods that are shown by day and by week; longer ones are shown by month.
BY_DAY, BY_WEEK = 62, 366
#: Days compared before and after a declaration, at most.
COMPARED_DAYS = 30


def today() -> date:
    """Counts are by day in UTC."""
    return datetime.now(timezone.utc).date()


@dataclass(frozen=True)
class Question:
    """What a report is about: the days from ``start`` to ``end``, of all sites or of one."""

    start: date
    end: date
    site: int | None = None
    number: int | None = None

    @property
    def unit(self) -> str:
        """``day``, ``week`` or ``month``: what the report shows the period in."""
        days = (self.end - self.start).days + 1
        if days <= BY_DAY:
            return "day"
        return "week" if days <= BY_WEEK else "month"

    @property
    def periods(self) -> list[date]:
        """The first day of each day, week or month, whether or not anybody answered in it."""
        return list(_periods(self.start, self.end, self.unit))

    def counts(self) -> Any:
        """The rows that it is answered from."""
        found = DailyCount.objects.filter(day__range=(self.start, self.end))
        if self.site is not None:
            found = found.filter(declaration__site_id=self.site)
        if self.number is not None:
            found = found.filter(declaration__number=self.number)
        return found


def days_before(day: date, days: int) -> date:
    """So many days earlier; the first day that there is, where there are not so many."""
    return date.fromordinal(max(day.toordinal() - days, 1))


def last_days(today: date, days: int = DEFAULT_DAYS) -> Question:
    """The last ``days`` days, today among them."""
    return Question(days_before(today, days - 1), today)


def _periods(start: date, end: date, unit: str) -> Iterator[date]:
    if unit == "week":
        start -= timedelta(start.weekday())
    elif unit == "month":
        start = start.replace(day=1)
    while start <= end:
        yield start
        if unit == "month":
            start = (start + timedelta(31)).replace(day=1)
        else:
            start += timedelta(7 if unit == "week" else 1)


# --- What was asked -------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """The little of a published declaration that figures need. It never changes."""

    number: int
    site: str
    #: What its site's consent cookie is called: the same in all that a site ever declared.
    cookie_name: str
    offer: Offer
    #: Language -> category -> title; the source language first.
    titles: Mapping[str, Mapping[str, str]]
    #: Provider, as ``offer`` calls it -> its name in the source language.
    providers: Mapping[str, str]


#: What was read already, by key and digest: a database may have been restored.
_known: dict[tuple[int, str], Declared] = {}
_MOST_KNOWN = 5000


def declared(pks: Iterable[int]) -> dict[int, Declared]:
    """The declarations with these keys, as far as they can be read.

    Two queries at most, and one when they are known.
    """
    found: dict[int, Declared] = {}
    missing = []
    rows = PublishedDeclaration.objects.filter(pk__in=set(pks)).values_list("pk", "digest")
    for pk, digest in rows:
        if (pk, digest) in _known:
            found[pk] = _known[pk, digest]
        else:
            missing.append(pk)
    if missing:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        contents = PublishedDeclaration.objects.filter(pk__in=missing).values_list(
            "pk", "digest", "number", "content"
        )
        # One at a time: a charter with thousands of rows is some megabytes.
        for pk, digest, number, content in contents.iterator(chunk_size=20):
            try:
                declaration = declaration_in(pk, content)
            except Unreadable:
                continue
            found[pk] = _known[pk, digest] = _declared(number, declaration)
    return dict(sorted(found.items()))


def _declared(number: int, declaration: Declaration) -> Declared:
    names = {number: slug for slug, number in declaration.providers.items()}
    providers: dict[str, str] = {}
    for wording in declaration.languages.values():
        for cookie in wording.cookies:
            slug = names.get(cookie.provider_id, "")
            providers.setdefault(slug, cookie.provider or cookie.name)
    return Declared(
        number,
        declaration.site,
        declaration.cookie_name,
        offer_of(declaration),
        {
            language: {key: title for key, (title, _summary) in wording.categories.items()}
            for language, wording in declaration.languages.items()
        },
        providers,
    )


def unreadable(asked: Iterable[int]) -> list[Unreadable]:
    """Those with the keys ``asked``, and those in force, that cannot be read."""
    pks = {*asked, *PublishedDeclaration.objects.in_force().values_list("pk", flat=True)}
    return [Unreadable(pk, "") for pk in sorted(pks - declared(pks).keys())]


@dataclass(frozen=True)
class Words:
    """How categories and providers are called, most recently, in the active language."""

    categories: Mapping[str, str]
    providers: Mapping[str, str]


def words(declarations: Iterable[Declared]) -> Words:
    """``declarations`` are in the order in which they were published."""
    language = get_language() or ""
    categories: dict[str, str] = {}
    providers: dict[str, str] = {}
    for one in declarations:
        first = next(iter(one.titles), "")
        known = [code for code in (language, language.split("-")[0], first) if code in one.titles]
        categories.update(one.titles[known[0]] if known else {})
        providers.update(one.providers)
    return Words(categories, providers)


# --- Figures --------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    tally: Tally
    words: Words
    #: Keys of the declarations that were answered.
    answered: frozenset[int]


def figures(question: Question, *, over_time: bool = True) -> Figures:
    """Three queries, however many answers, days and declarations there are.

    The database adds up; what is left to read grows with the kinds of answers. Without
    ``over_time``, the days are left out.
    """
    fields = ["declaration_id", "method", "grants"]
    rows = question.counts()
    periods = question.periods
    if over_time:
        rows = rows.annotate(period=_place(periods))
        fields.append("period")
    added = rows.order_by().values_list(*fields).annotate(Sum("count"))
    counts = [
        Count(pk, method, grants, answers, day=periods[rest[0]] if rest else None)
        for pk, method, grants, *rest, answers in added
    ]
    answered = frozenset(count.declaration for count in counts)
    known = declared(answered)
    offers = {pk: one.offer for pk, one in known.items()}
    # What answers to one that cannot be read came to, nobody knows.
    counts = [count for count in counts if count.declaration in offers]
    return Figures(tally(counts, offers), words(known.values()), answered)


def _place(periods: list[date]) -> Case:
    """Which of ``periods``, each by its first day, a row's day is in.

    In plain SQL: SQLite would call Python for each row to find a month by itself.
    """
    places = [When(day__lt=first, then=Value(place)) for place, first in enumerate(periods[1:])]
    return Case(*places, default=Value(len(periods) - 1), output_field=IntegerField())


@dataclass(frozen=True)
class Numbered:
    """A declaration number of a site, and since when it was asked."""

    #: Of its first snapshot; what a filter sends.
    pk: int
    site: int | None
    site_name: str
    number: int
    since: date


def numbered() -> list[Numbered]:
    """All declaration numbers of all sites, the newest first. One query.

    A site that was deleted cannot be asked for; its answers are in the figures of all sites.
    """
    rows = (
        PublishedDeclaration.objects.filter(site__isnull=False)
        .order_by()
        .values_list("site_id", "site__site_name", "site__hostname", "number")
        .annotate(pk_=Min("pk"), since=Min("created_at"))
    )
    found = [
        Numbered(pk, site, name or host or "", number, utc(since).date())
        for site, name, host, number, pk, since in rows
    ]
    return sorted(found, key=lambda one: (one.since, one.pk), reverse=True)


@dataclass(frozen=True)
class Comparison:
    """The same number of days on both sides of the day on which a declaration was published.

    That day itself belongs to both, so to neither.
    """

    declaration: Numbered
    days: int
    before: Figures
    after: Figures


def comparison(one: Numbered, since: date, today: date) -> Comparison | None:
    """Before and after ``one``; None where there is no day on one of the sides.

    ``since`` is the day of the site's first declaration.
    """
    day = timedelta(1)
    days = min(COMPARED_DAYS, (today - one.since).days, (one.since - since).days)
    if days < 1:
        return None
    before = Question(one.since - days * day, one.since - day, one.site)
    after = Question(one.since + day, one.since + days * day, one.site)
    return Comparison(one, days, figures(before, over_time=False), figures(after, over_time=False))
