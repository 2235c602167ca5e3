"""How visitors answered (R44): no address, no browser, no user, no page.

Three tables without a column that joins them into a person: the answers, the numbers of their
deliveries, and what remains of them for good, counts a day.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..decision import MAX_LENGTH, RECEIPT_LENGTH
from .ledger import PublishedDeclaration


class ConsentEvent(models.Model):
    """One answer to one declaration.

    ``grants`` is what was granted as the consent cookie writes it (``media.statistics-3``), ""
    for a refusal. Only an answer that granted something has a ``receipt``: the number in the
    visitor's own cookie, by which they can point to it (R47). A refusal has none.
    """

    declaration = models.ForeignKey(
        PublishedDeclaration,
        on_delete=models.PROTECT,
        related_name="events",
        verbose_name=_("declaration"),
    )
    grants = models.CharField(_("granted"), max_length=MAX_LENGTH, blank=True)
    method = models.CharField(_("method"), max_length=16)
    language = models.CharField(_("language"), max_length=16, blank=True)
    decided_at = models.DateTimeField(_("answered at"), db_index=True)
    receipt = models.CharField(
        _("receipt"), max_length=RECEIPT_LENGTH, null=True, blank=True, unique=True
    )

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.decided_at:%Y-%m-%d} {self.method}"


class Delivery(models.Model):
    """That a refusal was counted, so that it is counted once; or an answer from a wrong clock.

    ``number`` is a digest of the one-time number that the browser sent it under and forgets as
    soon as it knows that the refusal has arrived, or with its first page view after a day. No
    column leads from here to the answer, or back. Both are written in one transaction, though:
    the order of the rows may tell who reads the database's own files or hidden columns which
    belong together. That leads to a browser only while it still has the number.
    """

    number = models.CharField(primary_key=True, max_length=RECEIPT_LENGTH)
    day = models.DateField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}"


class DailyCount(models.Model):
    """How many answered a declaration alike on one day (UTC): anonymous, and kept (R86).

    In several rows, to be summed up: one for each ``slot``, so that answers of the same moment
    need not wait for each other's row until it is on disk.
    """

    declaration = models.ForeignKey(
        PublishedDeclaration,
        on_delete=models.PROTECT,
        related_name="daily_counts",
        verbose_name=_("declaration"),
    )
    day = models.DateField(_("day"))
    method = models.CharField(_("method"), max_length=16)
    grants = models.CharField(_("granted"), max_length=MAX_LENGTH, blank=True)
    slot = models.PositiveSmallIntegerField(default=0, editable=False)
    count = models.PositiveBigIntegerField(_("answers"), default=0)

    class Meta:
        verbose_name = _("answers a day")
        verbose_name_plural = _("answers a day")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "day", "method", "grants", "slot"], name="wcc_daily_count"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.method}: {self.count}"
