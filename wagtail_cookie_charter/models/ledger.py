"""What can be proved: declarations, as they were published (R43)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from datetime import timezone as fixed
from functools import lru_cache
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connections, models, router, transaction
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ..consent import Declaration
from ..moments import stored, utc
from ..seal import Link, seal, sealed

logger = logging.getLogger(__name__)

#: How far a visitor's clock may be from ours, before their time is not taken for true.
CLOCK_SLACK = timedelta(minutes=5)


class Immutable(Exception):
    """Somebody tried to change or delete what must stay as it was published."""


class Unreadable(Exception):
    """What is stored under the key ``pk`` cannot be read as a declaration, for this ``reason``."""

    def __init__(self, pk: int, reason: str) -> None:
        super().__init__(f"The published declaration no. {pk} cannot be read: {reason}")
        self.pk = pk
        self.reason = reason

    @property
    def sentence(self) -> str:
        """The same for whoever looks after the site, in the active language."""
        return gettext(
            "The declaration no. %(pk)d cannot be read. The command verify_cookie_ledger says "
            "what is wrong."
        ) % {"pk": self.pk}


@contextmanager
def reading(pk: int, *more: type[Exception]) -> Iterator[None]:
    """What cannot be read within, as stored under ``pk``, is ``Unreadable``."""
    try:
        yield
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError, *more) as error:
        raise Unreadable(pk, f"{type(error).__name__}: {error}") from error


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ``ValueError`` where a key stands in it twice.

    Python reads the last of them and databases the first, so that no seal would tell.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(gettext("the key “%(key)s” is there twice") % {"key": twice})
    return found


JSON_FIELDS = ("content", "asked", "added", "shown")


class PublishedDeclarationQuerySet(models.QuerySet["PublishedDeclaration"]):
    def of_site(self, site: Site) -> PublishedDeclarationQuerySet:
        return self.filter(site_id=site.pk).order_by("-pk")

    def in_force(self) -> PublishedDeclarationQuerySet:
        """What each site declares now that still exists."""
        newest = self.filter(site__isnull=False).order_by().values("site")
        return self.filter(pk__in=newest.annotate(newest=models.Max("pk")).values("newest"))

    def answered(self, number: int, seconds: int) -> PublishedDeclaration | None:
        """What was in force for an answer to ``number`` given at ``seconds`` (UTC).

        Of one site's, the newest of that number that was published by then. Where there is none
        the visitor's clock is wrong: if only a little, the first of that number; else, since
        nobody can know when it was, the newest. None if the number was never published.
        """
        of_number = self.filter(number=number).order_by("-pk")
        # Within the same second, an answer comes after what it answers.
        at = _moment(seconds + 1)
        return (
            of_number.filter(created_at__lt=at).first()
            or of_number.filter(created_at__lt=at + CLOCK_SLACK).last()
            or of_number.first()
        )

    def links(self) -> Iterator[Link]:
        """The whole chain, oldest first; no more than one link at a time is in memory.

        Raises ``Unreadable``.
        """
        # As it is stored: one at a time, so that what cannot be read is known by its key.
        texts = {f"{name}_text": Cast(name, models.TextField()) for name in JSON_FIELDS}
        rows = self.defer(*JSON_FIELDS).annotate(**texts)
        for pk in self.order_by("pk").values_list("pk", flat=True).iterator():
            with reading(pk, DatabaseError):
                row = rows.get(pk=pk)
                for name in JSON_FIELDS:
                    text = getattr(row, f"{name}_text")
                    setattr(row, name, json.loads(text, object_pairs_hook=_whole))
                link = row.link
            yield link

    def wait_for_turn(self) -> None:
        """One at a time from here to the end of the transaction, in all processes.

        Else two could give out one number, or seal themselves to the same predecessor.
        """
        sites = Site.objects.using(router.db_for_write(self.model))
        if connections[sites.db].features.has_select_for_update:
            # All of them, so that no two that wait can miss each other when one is deleted.
            list(sites.select_for_update().order_by("pk").values_list("pk"))
        else:
            # SQLite: whoever begins with a write, though of nothing, waits for other writers;
            # whoever has read before is refused.
            sites.filter(pk=0).update(hostname="")

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable("A published declaration is never changed or deleted.")

    update = delete = bulk_update = _refuse


class PublishedDeclaration(models.Model):
    """One snapshot of what one site declared and asked. Written once, never changed.

    Sealed as it is stored (``seal.py``). ``number`` is what visitors answer to. It goes up when
    they must be asked again (R65), and when something is offered no more, so that an answer
    given after that opens nothing in an older page; several snapshots can share one.
    """

    site = models.ForeignKey(
        Site, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("site")
    )
    number = models.PositiveIntegerField(_("number"))
    digest = models.CharField(_("digest"), max_length=64)
    content = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    #: Pairs [category, provider number] that everybody who answered this number was asked.
    asked = models.JSONField(_("asked"), default=list)
    #: Those of them that made the number go up: why everybody was asked again (R65).
    added = models.JSONField(_("added"), default=list)
    #: What an editor gave as the reason for asking everybody again.
    reason = models.TextField(_("reason"), blank=True)
    #: Language -> the HTML of both layers, ``banner`` and ``preferences``, as it was shown.
    shown = models.JSONField(_("shown"), default=dict)
    #: The release of this package, and the SHA-256 of the scripts and styles it serves.
    version = models.CharField(_("version"), max_length=32, blank=True)
    assets = models.CharField(_("scripts and styles"), max_length=64, blank=True)
    #: SHA-256 over all of this and over the seal of the snapshot stored before it.
    seal = models.CharField(_("seal"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("published at"), default=timezone.now, editable=False)

    objects = PublishedDeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = _("published declaration")
        verbose_name_plural = _("published declarations")
        default_permissions = ("view",)
        permissions = [("ask_again_publisheddeclaration", _("Can ask all visitors again"))]
        indexes = [models.Index(fields=["site", "number"], name="wcc_declaration_site_number")]

    def __str__(self) -> str:
        return gettext("%(site)s, number %(number)d") % {"site": self.host, "number": self.number}

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable("A published declaration is never changed or deleted.")
        with transaction.atomic(using=kwargs.get("using") or router.db_for_write(type(self))):
            PublishedDeclaration.objects.wait_for_turn()
            seals = PublishedDeclaration.objects.order_by("-pk").values_list("seal", flat=True)
            previous = seals.first() or ""
            super().save(*args, **kwargs)
            # The key is under the seal, and only the database knows it.
            self.seal = seal(previous, self.link.fields)
            stored = PublishedDeclaration._base_manager.using(self._state.db)
            stored.filter(pk=self.pk).update(seal=self.seal)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise Immutable("A published declaration is never changed or deleted.")

    @property
    def published_at(self) -> datetime:
        """When it was published, in UTC, whether or not the project uses time zones."""
        return utc(self.created_at)

    @property
    def in_force_since(self) -> int:
        """The same in whole seconds (UTC)."""
        return int(self.published_at.timestamp())

    @property
    def link(self) -> Link:
        """It as a part of the chain."""
        fields = sealed(self, timezone.get_default_timezone())
        return Link(self.pk, fields, self.seal, self.site_id)

    @property
    def asks_again(self) -> bool:
        """Whether everybody was asked again with it (R65)."""
        return bool(self.added or self.reason)

    @property
    def pairs(self) -> frozenset[tuple[str, int]]:
        """``asked``, as ``Declaration.scope`` has it."""
        return frozenset((key, provider) for key, provider in self.asked)

    @property
    def host(self) -> str:
        """Of the site that it was made for, which may be gone; "" if it cannot be read."""
        return str(self.content.get("site", "")) if isinstance(self.content, dict) else ""

    @property
    def declaration(self) -> Declaration:
        """Raises ``Unreadable``."""
        return declaration_in(self.pk, self.content)


def declaration_in(pk: int, content: Any) -> Declaration:
    """The declaration that is stored under ``pk`` as ``content``. Raises ``Unreadable``."""
    with reading(pk):
        return Declaration.from_dict(content)


def _moment(seconds: int) -> datetime:
    """It, as this project's database compares times."""
    return stored(datetime.fromtimestamp(seconds, fixed.utc))


@lru_cache(maxsize=64)
def load_declaration(pk: int, digest: str) -> Declaration:
    """The declaration stored as ``pk``; in memory from the second call on.

    Raises ``PublishedDeclaration.DoesNotExist``, or ``Unreadable``, which is logged.

    It is immutable, so nothing ever has to be thrown away; the digest in the key makes that
    true even for a database that was restored or rolled back.
    """
    try:
        with reading(pk):
            row = PublishedDeclaration.objects.get(pk=pk, digest=digest)
        return row.declaration
    except Unreadable as unreadable:
        _report(pk, digest, unreadable.reason)
        raise


@lru_cache(maxsize=64)
def _report(pk: int, digest: str, reason: str) -> None:
    """Once a process: else with each page view."""
    logger.error(
        "The published declaration no. %d cannot be read (%s). Where it is in force, nobody is "
        "asked and nothing optional runs. See the command verify_cookie_ledger.",
        pk,
        reason,
    )
