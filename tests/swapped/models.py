from __future__ import annotations

from django.db import models
from wagtail.models import AbstractPage

from wagtail_cookie_charter.models import CookieCharterMixin


class OurPage(AbstractPage):
    """The base of every page of this project, in place of Wagtail's."""

    keywords = models.CharField(max_length=255, blank=True)


class OurCharterPage(CookieCharterMixin, OurPage):
    """The two lines that such a project writes."""

    content_panels = [*OurPage.content_panels, *CookieCharterMixin.charter_panels]
    search_fields = [*OurPage.search_fields, *CookieCharterMixin.charter_search_fields]
