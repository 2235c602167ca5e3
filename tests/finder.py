"""What providers of embeds would answer, without asking them: one answer for each path."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from wagtail.embeds.exceptions import EmbedNotFoundException
from wagtail.embeds.finders.base import EmbedFinder

VIDEO = '<iframe width="560" height="315" src="https://www.video.example/embed/1"></iframe>'

ANSWERS: dict[str, dict[str, Any]] = {
    "/video": {"html": VIDEO, "width": 560, "height": 315, "provider_name": "Video Host"},
    "/post": {
        "html": '<blockquote>Hello</blockquote><script async src="//js.post.example/w.js"></script>'
    },
    "/script": {"html": "<div id=x></div><script>load('x')</script>"},
    "/words": {"html": "<blockquote>Only words</blockquote>"},
    "/local": {"html": '<iframe src="/map/"></iframe>'},
    "/own": {"html": '<iframe src="http://testserver:8000/map/"></iframe>'},
    "/two": {"html": VIDEO + '<img src="https://pixel.example/p.gif">'},
    "/doubtful": {
        "html": '<img src="/own.png"><p style="background:u\\72l(//pixel.example)">x</p>'
    },
    "/breaks": {"html": VIDEO + "</template><script src='https://video.example/x.js'></script>"},
}


class Finder(EmbedFinder):
    def accept(self, url: str) -> bool:
        return True

    def find_embed(
        self, url: str, max_width: int | None = None, max_height: int | None = None
    ) -> dict[str, Any]:
        answer = ANSWERS.get(urlsplit(url).path)
        if answer is None:
            raise EmbedNotFoundException
        return {
            "title": "A title",
            "author_name": "",
            "provider_name": "",
            "type": "rich",
            "width": None,
            "height": None,
            **answer,
        }


embed_finder_class = Finder
