from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from wagtail import blocks
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page

from wagtail_cookie_charter.consent_gate import ConsentGateBlock
from wagtail_cookie_charter.models import CookieCharterMixin


class FigureBlock(blocks.StructBlock):
    number = blocks.CharBlock()
    label = blocks.CharBlock()


class CardBlock(blocks.StructBlock):
    title = blocks.CharBlock()
    text = blocks.TextBlock()
    note = blocks.CharBlock(required=False)


class HomePage(Page):
    class Accent(models.TextChoices):
        BLUE = "blue"
        GREEN = "green"

    accent = models.CharField(max_length=8, choices=Accent.choices, default=Accent.BLUE)
    lead = models.TextField(blank=True)
    figures = StreamField([("figure", FigureBlock())], blank=True)
    cards_heading = models.CharField(max_length=100, blank=True)
    cards = StreamField([("card", CardBlock())], blank=True)
    articles_heading = models.CharField(max_length=100, blank=True)

    content_panels = [
        *Page.content_panels,
        "lead",
        "figures",
        "cards_heading",
        "cards",
        "articles_heading",
        "accent",
    ]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["articles"] = ArticlePage.objects.child_of(self).live().order_by("-date")
        return context

    @property
    def charters(self) -> Any:
        return self.get_children().live().type(CookieCharterMixin)


class ArticlePage(Page):
    date = models.DateField()
    lead = models.TextField(blank=True)
    body = RichTextField(blank=True)
    extras = StreamField([("code", ConsentGateBlock())], blank=True)
    video_title = models.CharField(max_length=100, blank=True)

    content_panels = [*Page.content_panels, "date", "lead", "body", "extras", "video_title"]
    parent_page_types = ["portal.HomePage"]
    subpage_types: list[str] = []
