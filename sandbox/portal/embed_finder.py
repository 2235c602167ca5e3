"""What an oEmbed service would answer, without a network, for the two hosts played here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils.html import format_html
from wagtail.embeds.finders.base import EmbedFinder

from .elsewhere import MAP, MAP_HOST, VIDEO, VIDEO_HOST

SERVICES = {VIDEO_HOST: ("video", VIDEO), MAP_HOST: ("rich", MAP)}


class ElsewhereFinder(EmbedFinder):
    def accept(self, url: str) -> bool:
        return urlsplit(url).hostname in SERVICES

    def find_embed(
        self, url: str, max_width: int | None = None, max_height: int | None = None
    ) -> dict[str, Any]:
        kind, provider = SERVICES[str(urlsplit(url).hostname)]
        frame = '<iframe src="{}" title="{}" width="640" height="360"></iframe>'
        return {
            "title": provider,
            "author_name": "",
            "provider_name": provider,
            "type": kind,
            "thumbnail_url": "",
            "width": 640,
            "height": 360,
            "html": format_html(frame, url, provider),
        }


embed_finder_class = ElsewhereFinder
