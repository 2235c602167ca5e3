"""Per site: which banner asks, and who answers for it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting


class CookieCharterSettings(BaseSiteSetting):
    """Pointers and contacts of one site. What is published lives in page and banner."""

    banner = models.ForeignKey(
        "wagtail_cookie_charter.ConsentBanner",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("consent banner"),
        help_text=_("In its original language; translations are found by themselves."),
    )
    controller_name = models.CharField(
        _("controller"),
        max_length=255,
        help_text=_("The body that is responsible for this site, for example the city."),
    )
    controller_address = models.TextField(_("address"), blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    contact_url = models.URLField(_("contact page"), blank=True)
    dpo_name = models.CharField(
        _("name"),
        max_length=255,
        blank=True,
        help_text=_("A public body has a data protection officer. A role is enough."),
    )
    dpo_email = models.EmailField(_("e-mail"), blank=True)
    dpo_url = models.URLField(_("contact page"), blank=True)
    authority_name = models.CharField(
        _("supervisory authority"),
        max_length=255,
        blank=True,
        help_text=_("Where visitors may complain, for example the CNIL in France."),
    )
    authority_url = models.URLField(_("complaints page"), blank=True)

    last_audit = models.DateField(_("last audit"), null=True, blank=True)

    select_related = ["banner"]

    panels = [
        HelpPanel(
            _("Visitors read these on the cookie charter. They are shown as soon as you save.")
        ),
        FieldPanel("banner"),
        MultiFieldPanel(
            [
                FieldPanel("controller_name"),
                FieldPanel("controller_address"),
                FieldRowPanel([FieldPanel("contact_email"), FieldPanel("contact_url")]),
            ],
            heading=_("Who is responsible"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("dpo_name"),
                FieldRowPanel([FieldPanel("dpo_email"), FieldPanel("dpo_url")]),
            ],
            heading=_("Data protection officer"),
        ),
        MultiFieldPanel(
            [FieldPanel("authority_name"), FieldPanel("authority_url")],
            heading=_("Supervisory authority"),
        ),
        FieldPanel(
            "last_audit",
            help_text=_(
                "The day on which somebody last compared, in a browser, what the site really sets "
                "with what is published. Visitors do not see it."
            ),
        ),
    ]

    class Meta(BaseSiteSetting.Meta):
        verbose_name = _("Cookie charter")
        verbose_name_plural = _("Cookie charter settings")

    @classmethod
    def existing(cls, site: models.Model) -> CookieCharterSettings | None:
        """The settings of ``site`` if there are any; unlike ``for_site``, never writes."""
        found: CookieCharterSettings | None = cls.base_queryset().filter(site_id=site.pk).first()
        return found

    def clean(self) -> None:
        """An audit that is still to come has compared nothing (R85)."""
        super().clean()
        # Where the day begins first it is not the future yet, whatever the server's time zone.
        today = (datetime.now(timezone.utc) + timedelta(hours=14)).date()
        if self.last_audit is not None and self.last_audit > today:
            error = ValidationError(gettext("This day is still to come."), code="future")
            raise ValidationError({"last_audit": error})

    @property
    def says_who(self) -> bool:
        """Whether a charter can name who is responsible, and a way to reach them (R6)."""
        ways = (self.controller_address, self.contact_email, self.contact_url)
        return bool(self.controller_name and any((*ways, self.dpo_email, self.dpo_url)))

    @property
    def contacts(self) -> dict[str, dict[str, str]]:
        """What visitors read, ready for JSON; what is not filled in is ""."""
        return {
            "controller": {
                "name": self.controller_name,
                "address": self.controller_address,
                "email": self.contact_email,
                "url": self.contact_url,
            },
            "data_protection_officer": {
                "name": self.dpo_name,
                "email": self.dpo_email,
                "url": self.dpo_url,
            },
            "authority": {"name": self.authority_name, "url": self.authority_url},
        }
