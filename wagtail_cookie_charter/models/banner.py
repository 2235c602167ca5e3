"""The consent banner: how visitors are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import swapper
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    PreviewableMixin,
    RevisionMixin,
    TranslatableMixin,
    WorkflowMixin,
)
from wagtail.search import index

from ..conf import conf
from ..labels import label_problems, says_something
from ..wording import BANNER_DEFAULTS
from .charter import CookieCharterMixin

swapper.set_app_prefix("wagtailcore", "wagtail")

#: The exempt life of a tracker, and the longest an answer may be kept (R36).
MAX_DAYS = 395


def validate_category_key(key: str) -> None:
    if key not in conf.categories:
        raise ValidationError(
            _("There is no category “%(key)s”. Choose one of the list."), params={"key": key}
        )


class ConsentBanner(
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    TranslatableMixin,
    PreviewableMixin,
    index.Indexed,
    ClusterableModel,
):
    """How visitors are asked: words, order of the categories, place, and for how long.

    All words may stay empty: ``wording.py`` has good ones in every shipped language. What is
    asked about is not here; it is what the charter's tables declare.
    """

    class Placement(models.TextChoices):
        BOTTOM = "bottom", _("Bar at the bottom")
        CORNER = "corner", _("Card in the corner")
        CENTER = "center", _("Card in the middle")

    name = models.CharField(
        _("name"), max_length=255, help_text=_("For editors only; visitors never see it.")
    )
    title = models.CharField(_("title"), max_length=120, blank=True)
    text = models.TextField(
        _("text"),
        blank=True,
        max_length=700,
        help_text=_(
            "Say that you ask for consent, and that it can be withdrawn at any time. The "
            "purposes, third parties and links follow by themselves."
        ),
    )
    accept_label = models.CharField(_("button: accept all"), max_length=60, blank=True)
    refuse_label = models.CharField(_("button: refuse all"), max_length=60, blank=True)
    customise_label = models.CharField(_("button: customise"), max_length=60, blank=True)
    save_label = models.CharField(_("button: save choices"), max_length=60, blank=True)
    # Not TextChoices in the column: a translated label in ``choices`` would be a migration.
    placement = models.CharField(_("placement"), max_length=20, default=Placement.BOTTOM)
    days = models.PositiveSmallIntegerField(
        _("days until we ask again"),
        default=182,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)],
        help_text=_(
            "For a refusal and for an acceptance alike. Six months (182 days) is recommended."
        ),
    )
    charter_page = models.ForeignKey(
        swapper.get_model_name("wagtailcore", "Page"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("charter"),
        help_text=_("The page whose tables say what visitors are asked about."),
    )
    privacy_page = models.ForeignKey(
        swapper.get_model_name("wagtailcore", "Page"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("privacy policy (page)"),
    )
    privacy_url = models.URLField(
        _("privacy policy (address)"), blank=True, help_text=_("If it is not a page of this site.")
    )

    search_fields = [index.AutocompleteField("name"), index.SearchField("name")]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("consent banner")
        verbose_name_plural = _("consent banners")

    def __str__(self) -> str:
        return str(self.name)

    def clean(self) -> None:
        super().clean()
        errors = {}
        page = self.charter_page
        if page is not None and not issubclass(page.specific_class, CookieCharterMixin):
            errors["charter_page"] = ValidationError(
                _("“%(page)s” is not a cookie charter. Choose a page that has cookie tables."),
                params={"page": page.title},
            )
        if self.placement not in self.Placement.values:
            errors["placement"] = ValidationError(_("Choose one of the placements."))
        if self.privacy_page_id and self.privacy_url:
            errors["privacy_url"] = ValidationError(
                _("Give either a page or an address for the privacy policy, not both.")
            )
        said = words(self)
        labels = {name: said[name] for name in BANNER_DEFAULTS if name.endswith("_label")}
        errors |= {name: ValidationError(why) for name, why in label_problems(labels).items()}
        if errors:
            raise ValidationError(errors)

    def copy_for_translation(self, *args: Any, **kwargs: Any) -> ConsentBanner:
        """A draft, as the translation of a page is: nobody has read it yet, let alone published.

        Until somebody does, its language gets the default words.
        """
        copy: ConsentBanner = super().copy_for_translation(*args, **kwargs)
        copy.live = False
        copy.has_unpublished_changes = True
        copy.first_published_at = copy.last_published_at = None
        copy.live_revision = copy.latest_revision = None
        return copy

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [("", _("First layer")), ("preferences", _("Second layer"))]

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        return "wagtail_cookie_charter/preview.html"

    def get_preview_context(self, request: HttpRequest, mode_name: str) -> dict[str, Any]:
        context: dict[str, Any] = super().get_preview_context(request, mode_name)
        return {**context, "layer": mode_name or "banner"}


class BannerCategory(TranslatableMixin, Orderable):
    """The words a banner has for one category. The key is the contract with templates."""

    banner = ParentalKey(ConsentBanner, on_delete=models.CASCADE, related_name="categories")
    key = models.CharField(_("category"), max_length=16, validators=[validate_category_key])
    title = models.CharField(_("title"), max_length=120, blank=True)
    summary = models.CharField(
        _("description"), max_length=250, blank=True, help_text=_("One line, in plain words.")
    )

    class Meta(TranslatableMixin.Meta, Orderable.Meta):
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        unique_together = [*TranslatableMixin.Meta.unique_together, ("banner", "key")]

    def __str__(self) -> str:
        return str(self.title or self.key)


def words(banner: ConsentBanner | None) -> Mapping[str, str]:
    """A banner's words in the active language, its own where they say something."""
    own = {name: str(getattr(banner, name, "")) for name in BANNER_DEFAULTS}
    return {
        name: own[name] if says_something(own[name]) else str(default)
        for name, default in BANNER_DEFAULTS.items()
    }
