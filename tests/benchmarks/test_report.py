"""The report over a million answers: under a second (issue 4, "Must be true" 2; R86).

On whatever database the settings name. The counts are those that a million answers in two
years leave behind; the answers themselves are never read, so they are not made.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.counted import administrator, signed_in
from tests.factories import make_asking_site, make_home, row, table
from wagtail_cookie_charter.decision import base36
from wagtail_cookie_charter.models import DailyCount, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.recording import SLOTS
from wagtail_cookie_charter.report import figures as figures_module
from wagtail_cookie_charter.report.figures import numbered, today

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db]

ANSWERS = 1_000_000
DAYS = 730
#: Publications in these two years, each of a charter with as many rows as a city has.
DECLARATIONS = 24
SECONDS = 1.0


def charter() -> None:
    make_home()
    make_asking_site(
        *(
            table(
                *(
                    row(
                        name=f"_{category}{number}",
                        provider=f"Provider {number % 8}",
                        **({"retention_months": 12} if category == "audience" else {}),
                    )
                    for number in range(20)
                ),
                category=category,
            )
            for category in ("statistics", "media", "marketing", "preferences", "audience")
        )
    )
    publish_declarations()


def declarations() -> list[PublishedDeclaration]:
    first = PublishedDeclaration.objects.get()
    return [first] + [
        PublishedDeclaration.objects.create(
            site=first.site, number=2 + number // 4, digest=f"{number:064}", content=first.content
        )
        for number in range(DECLARATIONS - 1)
    ]


def fill(published: list[PublishedDeclaration]) -> None:
    """A million answers: most to all or nothing, the others as different as they can be."""
    chance = random.Random(4)
    optional = [category.key for category in published[0].declaration.optional]
    numbers = {key: sorted(published[0].declaration.providers_of(key)) for key in optional}
    a_day = ANSWERS // DAYS
    several = SLOTS if connection.features.has_select_for_update else 1
    rows = []
    for day in range(DAYS):
        declaration = published[day * len(published) // DAYS]
        kinds = {
            ("accept", ".".join(optional)): a_day * 40 // 100,
            ("refuse", ""): a_day * 45 // 100,
        }
        left = a_day - sum(kinds.values())
        while left > 0:
            some = chance.sample(optional, chance.randint(1, len(optional) - 1))
            # In the declaration's order, as the codec writes them.
            chosen = [key for key in optional if key in some]
            if chance.random() < 0.5:
                place = chance.randrange(len(chosen))
                one = base36(chance.choice(numbers[chosen[place]]))
                chosen[place] = f"{chosen[place]}+{one}"
            kind = chance.choice(["choice", "placeholder"]), ".".join(chosen)
            kinds[kind] = kinds.get(kind, 0) + 1
            left -= 1
        for (method, grants), answers in kinds.items():
            # As processes come and go, on all the slots that the recorder has.
            slots = Counter(chance.randrange(several) for _answer in range(answers))
            rows += [
                DailyCount(
                    declaration=declaration,
                    day=today() - timedelta(day),
                    method=method,
                    grants=grants,
                    slot=slot,
                    count=number,
                )
                for slot, number in slots.items()
            ]
    DailyCount.objects.bulk_create(rows, batch_size=2000)


def seconds(client: Client, query: dict[str, str], restarted: bool = False) -> float:
    """The best of three; where that is too long, of ten, as a busy machine has bad moments."""
    taken: list[float] = []
    while len(taken) < 3 or (len(taken) < 10 and min(taken) >= SECONDS):
        if restarted:
            figures_module._known.clear()
        started = time.perf_counter()
        response = client.get(reverse("cookie_charter_report:index"), query)
        taken.append(time.perf_counter() - started)
        assert response.status_code == 200
    return min(taken)


def test_a_million_answers_in_a_second() -> None:
    charter()
    fill(declarations())
    client = signed_in(administrator())
    client.get(reverse("wagtailadmin_home"))
    two_years = {"day_from": str(today() - timedelta(DAYS)), "day_to": str(today())}
    compared = str(numbered()[1].pk)
    response = client.get(reverse("cookie_charter_report:index"), two_years)
    assert response.context["total"] == ANSWERS // DAYS * DAYS
    found = {
        "two years, after a restart": seconds(client, two_years, restarted=True),
        "two years": seconds(client, two_years),
        "two years and a comparison": seconds(client, {**two_years, "compare": compared}),
        "30 days": seconds(client, {}),
    }
    print(
        connection.vendor,
        DailyCount.objects.count(),
        "counts;",
        {key: round(one, 3) for key, one in found.items()},
    )
    assert all(taken < SECONDS for taken in found.values()), found
