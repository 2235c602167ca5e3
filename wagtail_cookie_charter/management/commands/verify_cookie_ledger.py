"""Whether the ledger is as it was written."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext, ngettext
from wagtail.models import Site

from ...models import ConsentEvent, DailyCount, PublishedDeclaration
from ...models.ledger import Unreadable
from ...narrative import flaw_text
from ...seal import Link, verify

SEAL = re.compile(r"[0-9a-f]{64}")


class Command(BaseCommand):
    help = (
        "Recompute the seals of all published declarations, in the order in which they were "
        "stored, and name the first that does not fit. Prints the last seal: keep it elsewhere, "
        "and give it back as --seal later on. Nothing else shows that the newest declarations "
        "were removed, or that all were made anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seal", help="a seal that was noted earlier, which must still be in the chain"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        noted = options["seal"]
        if noted is not None:
            noted = noted.strip().lower()
            if not SEAL.fullmatch(noted):
                raise CommandError(
                    gettext("%(text)s is no seal: it has 64 characters, 0 to 9 and a to f.")
                    % {"text": repr(options["seal"])},
                    returncode=1,
                )
        self.good, self.noted, self.noted_at = 0, noted, 0
        try:
            chain = verify(self._links(), Site.objects.values_list("pk", flat=True))
        except Unreadable as unreadable:
            raise CommandError(
                gettext(
                    "The declaration stored as no. %(pk)d cannot be read (%(reason)s). "
                    "Declarations before it that are intact: %(good)d."
                )
                % {"pk": unreadable.pk, "reason": unreadable.reason, "good": self.good},
                returncode=1,
            ) from None
        broken = chain.broken
        if broken is not None and chain.flaw is not None:
            raise CommandError(
                gettext(
                    "The chain is broken at no. %(pk)d: %(site)s, number %(number)s, "
                    "%(date)s. %(flaw)s Declarations before it that are intact: %(good)d."
                )
                % {
                    "pk": broken.pk,
                    "site": broken.site,
                    "number": broken.fields["number"],
                    "date": broken.fields["created_at"],
                    "flaw": flaw_text(chain.flaw),
                    "good": chain.length,
                },
                returncode=1,
            )
        if noted is not None and not self.noted_at:
            raise CommandError(
                gettext(
                    "The seal %(seal)s is not in the chain: declarations were removed, or all "
                    "were sealed anew. Declarations that are there, and fit: %(good)d."
                )
                % {"seal": noted, "good": chain.length},
                returncode=1,
            )
        self._refuse_orphans()
        if not chain.length:
            self.stdout.write(gettext("Nothing has been published yet."))
            return
        self.stdout.write(
            ngettext(
                "%(count)d published declaration, as it was stored. Last seal: %(seal)s",
                "%(count)d published declarations, as they were stored. Last seal: %(seal)s",
                chain.length,
            )
            % {"count": chain.length, "seal": chain.seal}
        )
        if noted is not None:
            self.stdout.write(
                gettext("The seal that was noted is there: it is that of no. %(pk)d.")
                % {"pk": self.noted_at}
            )

    def _links(self) -> Iterator[Link]:
        for link in PublishedDeclaration.objects.links():
            if link.seal == self.noted:
                self.noted_at = link.pk
            yield link
            self.good += 1

    def _refuse_orphans(self) -> None:
        """No answer and no count may belong to a declaration that is not there.

        The database sees to it, unless somebody switched that off.
        """
        there = PublishedDeclaration.objects.filter(pk=OuterRef("declaration_id"))
        pks: set[int] = set()
        for model in (ConsentEvent, DailyCount):
            orphans = model._base_manager.filter(~Exists(there)).order_by()
            pks.update(orphans.values_list("declaration_id", flat=True).distinct())
        if pks:
            raise CommandError(
                gettext("There are answers to declarations that are not there: no. %(pks)s.")
                % {"pks": ", ".join(map(str, sorted(pks)))},
                returncode=1,
            )
