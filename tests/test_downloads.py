"""Exports are sent as they are made, by WSGI and by ASGI."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse
from wagtail.users.models import UserProfile

from tests.answers import ask, latest
from tests.counted import administrator, count, event, signed_in
from wagtail_cookie_charter.report.downloads import PIECE, Download
from wagtail_cookie_charter.report.figures import today


def sent(response: Any) -> bytes:
    """As Django's ASGI handler reads a response."""

    async def read() -> bytes:
        content: AsyncIterator[bytes]
        async with aclosing(aiter(response)) as content:
            return b"".join([piece async for piece in content])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return async_to_sync(read)()


def test_the_first_piece_goes_out_before_the_last_is_made() -> None:
    made: list[int] = []

    def chunks() -> Iterator[str]:
        for number in range(100):
            made.append(number)
            yield "x" * (PIECE // 4)

    async def first() -> bytes:
        content: AsyncIterator[bytes]
        async with aclosing(aiter(Download(chunks(), "text/plain", "x"))) as content:
            return await anext(content)

    assert async_to_sync(first)() == b"x" * PIECE
    assert len(made) == 4
    made.clear()
    assert next(iter(Download(chunks(), "text/plain", "x")))
    assert len(made) == 1


@pytest.mark.parametrize("chunks", [[], ["a"], ["a", "b"], ["x" * PIECE, "é"], ["", "x" * 200_000]])
def test_nothing_is_lost(chunks: list[str]) -> None:
    whole = "".join(chunks).encode()
    assert sent(Download(chunks, "text/plain", "x")) == whole
    assert b"".join(Download(chunks, "text/plain", "x")) == whole


@pytest.fixture
def admin(db: None) -> Client:
    ask()
    event(latest(), "media")
    count(latest(), "media", 3)
    return signed_in(administrator())


@pytest.mark.parametrize("part", ["events", "declarations", "register"])
def test_records_are_sent_alike_both_ways(admin: Client, part: str) -> None:
    data = {"part": part, f"{part}-site": str(latest().site_id)}
    if part == "register":
        data |= {"register-language": "en", "register-format": "csv"}
    else:
        data |= {f"{part}-{name}": str(today()) for name in ("start", "end")}
    url = reverse("cookie_charter_report:records")
    whole = sent(admin.post(url, data))
    assert whole and whole == b"".join(admin.post(url, data))  # type: ignore[arg-type]


def test_the_reports_spreadsheet_is_sent_alike_both_ways(admin: Client) -> None:
    url = reverse("cookie_charter_report:index")
    whole = sent(admin.get(url, {"export": "csv"}))
    assert len(whole.splitlines()) == 2
    assert whole == b"".join(admin.get(url, {"export": "csv"}))  # type: ignore[arg-type]


def test_a_spreadsheet_speaks_one_language(admin: Client) -> None:
    """Its reader's, to the last line: it is made after the view that knows it has ended."""
    UserProfile.objects.update_or_create(
        user_id=admin.session["_auth_user_id"], defaults={"preferred_language": "fr"}
    )
    response = admin.get(reverse("cookie_charter_report:index"), {"export": "csv"})
    head, line = b"".join(response).decode().splitlines()  # type: ignore[arg-type]
    assert "Résultat" in head
    assert "Choix" in line or "choix" in line
