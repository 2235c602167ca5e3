"""What can be proved: declarations, as they were published (R43)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ..consent import Declaration


class Immutable(Exception):
    """Somebody tried to change or delete what must stay as it was published."""


class PublishedDeclarationQuerySet(models.QuerySet["PublishedDeclaration"]):
    def of_site(self, site: Site) -> PublishedDeclarationQuerySet:
        return self.filter(site_id=site.pk).order_by("-pk")

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable("A published declaration is never changed or deleted.")

    update = delete = bulk_update = _refuse


class PublishedDeclaration(models.Model):
    """One snapshot of what one site declared and asked. Written once, never changed.

    ``number`` is what visitors answer to. It goes up only when they must be asked again
    (R65); several snapshots can share one.
    """

    site = models.ForeignKey(
        Site, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("site")
    )
    number = models.PositiveIntegerField(_("number"))
    digest = models.CharField(_("digest"), max_length=64)
    content = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    #: Pairs [category, provider number] that everybody who answered this number was asked.
    asked = models.JSONField(_("asked"), default=list)
    created_at = models.DateTimeField(_("published at"), auto_now_add=True)

    objects = PublishedDeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = _("published declaration")
        verbose_name_plural = _("published declarations")
        indexes = [models.Index(fields=["site", "number"], name="wcc_declaration_site_number")]

    def __str__(self) -> str:
        return f"{self.content.get('site', '')} {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable("A published declaration is never changed or deleted.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise Immutable("A published declaration is never changed or deleted.")

    @property
    def declaration(self) -> Declaration:
        return Declaration.from_dict(self.content)


@lru_cache(maxsize=64)
def load_declaration(pk: int, digest: str) -> Declaration:
    """The declaration stored as ``pk``; in memory from the second call on.

    Raises ``PublishedDeclaration.DoesNotExist``.

    It is immutable, so nothing ever has to be thrown away; the digest in the key makes that
    true even for a database that was restored or rolled back.
    """
    return PublishedDeclaration.objects.get(pk=pk, digest=digest).declaration
