"""Take out what can be proved: the register, answers, declarations, one record (R46, R84)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from wagtail.models import Site

from ...models.ledger import Unreadable
from ...report.figures import DEFAULT_DAYS, days_before, today
from ...report.records import (
    Period,
    consent_receipt,
    declaration_lines,
    event_lines,
    find_event,
    register_csv,
    site_register,
)


def day(text: str) -> date:
    """An ISO date from the command line; ``ValueError`` if it is none."""
    return date.fromisoformat(text)


class Command(BaseCommand):
    help = (
        "Write to the standard output: the register of trackers (CSV or JSON), the consent "
        "events or the declarations of a period (JSON Lines), or one consent record by its "
        "receipt number (JSON-LD)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        register = parts.add_parser("register", help="the trackers that a site declares now")
        register.add_argument("--site", help="host name or id (default: the default site)")
        register.add_argument("--language", default=settings.LANGUAGE_CODE)
        register.add_argument("--format", choices=["csv", "json"], default="csv")
        for part, words in (
            ("events", "the answers of a period"),
            ("declarations", "what was published in a period, complete"),
        ):
            period = parts.add_parser(part, help=words)
            period.add_argument("--site", help="host name or id (default: all sites)")
            period.add_argument(
                "--from", dest="start", type=day, help="first day, 2026-01-31 (default: 30 ago)"
            )
            period.add_argument("--to", dest="end", type=day, help="last day (default: today)")
        receipt = parts.add_parser("receipt", help="one consent record, as W3C DPV JSON-LD")
        receipt.add_argument("number")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for chunk in self._chunks(options):
                self.stdout.write(chunk, ending="")
        except Unreadable as unreadable:
            raise CommandError(unreadable.sentence) from None

    def _chunks(self, options: dict[str, Any]) -> Iterable[str]:
        part = options["part"]
        if part == "receipt":
            return self._receipt(options["number"])
        if part == "register":
            return self._register(options)
        end = options["end"] or today()
        start = options["start"] or days_before(end, DEFAULT_DAYS)
        if start > end:
            raise CommandError("The period ends before it begins.")
        site = self._site(options["site"]) if options["site"] else None
        period = Period(start, end, site.pk if site else None)
        return event_lines(period) if part == "events" else declaration_lines(period)

    def _receipt(self, number: str) -> Iterator[str]:
        event = find_event(number)
        if event is None:
            raise CommandError("No answer has this receipt number.")
        yield json.dumps(consent_receipt(event), ensure_ascii=False, indent=2) + "\n"

    def _register(self, options: dict[str, Any]) -> Iterable[str]:
        site = self._site(options["site"])
        found = site_register(site, options["language"])
        if found is None:
            raise CommandError(f"{site.hostname} has not published a declaration yet.")
        if options["format"] == "json":
            return [json.dumps(found, ensure_ascii=False, indent=2) + "\n"]
        return register_csv(found)

    def _site(self, given: str | None) -> Site:
        if given is None:
            found = Site.objects.filter(is_default_site=True)
        elif given.isdecimal():
            found = Site.objects.filter(pk=int(given))
        else:
            found = Site.objects.filter(hostname=given)
        sites = list(found[:2])
        if len(sites) != 1:
            raise CommandError(
                f"There is no site {given!r}." if not sites else f"Several sites are {given!r}."
            )
        return sites[0]
