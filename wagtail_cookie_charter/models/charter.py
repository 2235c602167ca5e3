"""The charter: a page that says what the site keeps on a visitor's device, and why."""

from __future__ import annotations

from typing import Any

import swapper
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.template import Engine
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.fields import Field
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import FieldPanel, Panel
from wagtail.api import APIField
from wagtail.models import Page, Site
from wagtail.search import index

from ..asking.panel import AskingPanel
from ..blocks import declared_cookies
from ..conf import conf
from ..consent import Cookie
from ..fields import CharterBodyField
from .site import CookieCharterSettings

swapper.set_app_prefix("wagtailcore", "wagtail")

SETTINGS_PERMISSION = "wagtail_cookie_charter.change_cookiechartersettings"


class CharterForm(WagtailAdminPageForm):
    """Refuses to publish a charter that cannot say who is responsible (R6)."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        site = self.parent_page.get_site() if self.parent_page is not None else None
        if site is not None and not self.is_deferred_validation:
            responsible = CookieCharterSettings.existing(site)
            if responsible is None or not responsible.says_who:
                self.add_error(None, ValidationError(self._who(site), code="no_controller"))
        return cleaned

    def _who(self, site: Site) -> str:
        name = site.site_name or site.hostname
        if not self.for_user or self.for_user.has_perm(SETTINGS_PERMISSION):
            return format_html(
                gettext(
                    "A charter must say who is responsible for “{site}” and how to reach them. "
                    'Fill in the controller and a contact in <a href="{url}">Settings › Cookie '
                    "charter</a>, then publish. Your draft can be saved meanwhile."
                ),
                site=name,
                url=reverse(
                    "wagtailsettings:edit",
                    args=["wagtail_cookie_charter", "cookiechartersettings", site.pk],
                ),
            )
        return format_html(
            gettext(
                "A charter must say who is responsible for “{site}” and how to reach them. Ask an "
                "administrator to fill in the controller and a contact in Settings › Cookie "
                "charter, then publish. Your draft can be saved meanwhile."
            ),
            site=name,
        )


class CharterBody(Field):
    """A charter's body in Wagtail's API, its durations and titles in the page's language."""

    def to_representation(self, page: Any) -> list[dict[str, Any]]:
        with translation.override(page.locale.language_code):
            block = page.body.stream_block
            found: list[dict[str, Any]] = block.get_api_representation(page.body, self.context)
            return found


class CharterContacts(Field):
    """Who is responsible for a charter's site, in Wagtail's API; None if nobody is named (R6)."""

    def to_representation(self, page: Any) -> dict[str, dict[str, str]] | None:
        site = page.get_site()
        responsible = CookieCharterSettings.existing(site) if site is not None else None
        return responsible.contacts if responsible is not None else None


class CookieCharterMixin(models.Model):
    """Everything a charter is, for a page of any base::

    class OurCharter(CookieCharterMixin, OurBasePage):
        content_panels = OurBasePage.content_panels + CookieCharterMixin.charter_panels
        search_fields = OurBasePage.search_fields + CookieCharterMixin.charter_search_fields
    """

    # Help texts are in the panels: here they would be in the migrations of every project
    # that has a page of its own.
    introduction = models.TextField(_("introduction"), blank=True)
    body = CharterBodyField(_("content"), blank=True)

    charter_panels: list[Panel] = [
        FieldPanel("introduction", help_text=_("One or two sentences: why this page, for whom.")),
        FieldPanel("body"),
        AskingPanel("cookie_charter_admin:charter_asking"),
    ]

    base_form_class = CharterForm
    page_description = _("What the site keeps in its visitors' browsers, and their choice.")
    charter_search_fields = [index.SearchField("introduction"), index.SearchField("body")]
    api_fields = [
        APIField("introduction"),
        APIField("body", serializer=CharterBody(source="*", read_only=True)),
        APIField("last_published_at"),
        APIField("contacts", serializer=CharterContacts(source="*", read_only=True)),
    ]

    class Meta:
        abstract = True

    def declared_cookies(self) -> list[Cookie]:
        """Every named row of every table, in order."""
        return declared_cookies(self.body)

    def get_template(self, request: HttpRequest, *args: Any, **kwargs: Any) -> list[str]:
        """The project's own template for its page model, else ours."""
        own: str = super().get_template(request, *args, **kwargs)  # type: ignore[misc]
        return [own, "wagtail_cookie_charter/cookie_charter_page.html"]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)  # type: ignore[misc]
        # Ours is a Django template, and can only extend one.
        context["layout"] = Engine.get_default().select_template(
            [conf.base_template, "wagtail_cookie_charter/base.html"]
        )
        return context


if not swapper.is_swapped("wagtailcore", "Page"):
    # Where a project has its own base page model, there is nothing to inherit from here:
    # it makes its own page from the mixin, in two lines.

    class CookieCharterPage(CookieCharterMixin, Page):  # noqa: DJ008
        """A charter ready for use, where the base page model is Wagtail's own."""

        content_panels = [*Page.content_panels, *CookieCharterMixin.charter_panels]
        search_fields = [*Page.search_fields, *CookieCharterMixin.charter_search_fields]
        subpage_types: list[str] = []

        class Meta:
            verbose_name = _("cookie charter")
            verbose_name_plural = _("cookie charters")
