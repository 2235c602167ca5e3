"""Delete answers that are past their time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...conf import conf
from ...retention import delete, due_deliveries, due_events, longest_validity

#: Rows in one transaction: their keys are in memory, and who answers may wait for its end.
MOST = 100_000


class Command(BaseCommand):
    help = (
        "Delete visitors' answers that have been kept for their time (RETENTION_DAYS), and the "
        "numbers of refusals. Counts a day stay. Safe to interrupt, to repeat, and to run while "
        "visitors answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch", type=int, default=10_000, help="rows in one transaction (default: 10000)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many would go, and delete nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        batch = options["batch"]
        if not 1 <= batch <= MOST:
            raise CommandError(f"--batch is to be 1 to {MOST:,}.")
        valid = longest_validity()
        if conf.retention_days(valid) < valid:
            self.stderr.write(
                f"RETENTION_DAYS is {conf.retention_days(valid)}: answers that are still valid, "
                f"for up to {valid} days, lose their proof."
            )
        for what, found in (
            ("answers", list(due_events())),
            ("numbers of refusals", [due_deliveries()]),
        ):
            if options["dry_run"]:
                self.stdout.write(f"{sum(due.count() for due in found)} {what} would be deleted.")
                continue
            gone = 0
            for due in found:
                for count in delete(due, batch):
                    gone += count
                    if options["verbosity"] > 0:
                        self.stdout.write(f"{gone} {what} so far.")
            if options["verbosity"] > 0:
                self.stdout.write(f"{gone} {what} deleted.")
