from __future__ import annotations

from wagtail.models import Page

from wagtail_cookie_charter.models import CookieCharterMixin


class HomePage(Page):
    """A page that is no charter: the banner must stand on it too."""


class OurCharterPage(CookieCharterMixin, Page):
    """What a customer writes who wants a charter page of their own."""

    content_panels = [*Page.content_panels, *CookieCharterMixin.charter_panels]
    search_fields = [*Page.search_fields, *CookieCharterMixin.charter_search_fields]
