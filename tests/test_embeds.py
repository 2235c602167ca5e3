"""Embeds wait, on each way that Wagtail has to a page, and open for whom the charter names."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from bs4 import BeautifulSoup, Tag
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template import engines
from django.test import AsyncClient, Client, RequestFactory
from wagtail.blocks import StreamBlock
from wagtail.embeds.blocks import EmbedBlock
from wagtail.embeds.embeds import get_embed
from wagtail.embeds.format import embed_to_editor_html
from wagtail.models import Site

from tests.factories import (
    make_asking_site,
    make_banner,
    make_charter,
    make_home,
    make_settings,
    make_site,
    row,
    table,
)
from tests.finder import VIDEO
from tests.ledger import publish
from wagtail_cookie_charter import checks, visitor
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations
from wagtail_cookie_charter.serving import served, serving

VIDEO_URL = "https://video.example/video"


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    make_home()
    settings = make_asking_site(
        table(row(name="_x", provider="Elsewhere", domain="elsewhere.example")),
        table(
            row(name="_v", provider="Video Host", domain=".video.example"),
            row(name="_p", provider="Post Host", domain="https://www.post.example/"),
            category="media",
        ),
        table(row(name="_s", provider="Script Host", domain="script.example", retention_months=1),
              category="audience"),
        table({"name": "_c", "domain": "cdn.example"}, category="necessary"),
    )  # fmt: skip
    publish_declarations()
    return settings


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def by_rich_text(url: str) -> str:
    source = "{% load wagtailcore_tags %}{{ text|richtext }}"
    text = f'<p>Before</p><embed embedtype="media" url="{url}"/>'
    return str(engines["django"].from_string(source).render({"text": text}))


def by_block(url: str) -> str:
    source = (
        "{% load wagtailcore_tags %}{% for block in body %}{% include_block block %}{% endfor %}"
    )
    body = StreamBlock([("embed", EmbedBlock())]).to_python([{"type": "embed", "value": url}])
    return str(engines["django"].from_string(source).render({"body": body}))


def by_tag(url: str, request: HttpRequest | None = None) -> str:
    source = "{% load wagtailembeds_tags %}{% embed url max_width=500 %}"
    return str(engines["django"].from_string(source).render({"url": url}, request))


def by_jinja2(url: str) -> str:
    text = f'<embed embedtype="media" url="{url}"/>'
    return str(engines["jinja2"].from_string("{{ text|richtext }}").render({"text": text}))


Way = Callable[[str], str]
WAYS = [by_rich_text, by_block, by_tag, by_jinja2]


@pytest.fixture(params=WAYS)
def way(request: Any) -> Way:
    found: Way = request.param
    return found


def gates(html: str) -> list[str]:
    return re.findall(r'<template data-cookie-charter="([^"]*)">', html)


def outside(html: str) -> str:
    """What a browser would take for content: all but what is in templates."""
    soup = BeautifulSoup(html, "html.parser")
    for template in soup.find_all("template"):
        template.decompose()
    return str(soup)


def card(html: str) -> Tag:
    found = BeautifulSoup(html, "html.parser").select_one("[data-cookie-charter-placeholder]")
    assert found is not None, html
    return found


def code(request: HttpRequest, provider: str, category: str = "media") -> str:
    found = visitor.gate(request, category, provider)
    assert found
    return found


# --- Both directions, on every way ----------------------------------------------------


def test_a_declared_embed_waits_for_its_provider(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way
) -> None:
    """R55: its host is named by a row, so it is there to be opened, and calls nobody before."""
    with serving(request_):
        html = way(VIDEO_URL)
    assert gates(html) == [code(request_, "Video Host")]
    assert VIDEO in html
    assert "video.example/embed" not in outside(html)
    assert "<iframe" not in outside(html)


def test_an_embed_that_nothing_declares_is_not_even_in_the_page(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way
) -> None:
    elsewhere = row(name="_v", provider="Video Host", domain="other.example")
    publish(asking, table(elsewhere, category="media"))
    publish_declarations()
    with serving(request_):
        html = way(VIDEO_URL)
    assert gates(html) == [] and "<iframe" not in html
    assert "www.video.example" in card(html).get_text()


def test_without_a_request_everything_is_shut(asking: CookieCharterSettings, way: Way) -> None:
    """Nobody knows whose page it is, so nobody knows what was declared there."""
    assert served() is None
    html = way(VIDEO_URL)
    assert gates(html) == [] and "<iframe" not in html


def test_what_is_exempt_or_our_own_does_not_wait(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way
) -> None:
    with serving(request_):
        for path in ("local", "own"):
            html = way(f"https://elsewhere.example/{path}")
            assert "<iframe" in outside(html), path
            assert "data-cookie-charter" not in html
        assert "Only words" in outside(way("https://cdn.example/words"))


def test_a_failed_embed_is_nothing_as_ever(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way
) -> None:
    with serving(request_):
        assert "wcc-embed" not in way("https://video.example/gone")


def test_an_embed_that_would_break_out_is_left_out(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way
) -> None:
    with serving(request_):
        html = way("https://video.example/breaks")
    assert gates(html) == [] and "<script" not in html


@pytest.mark.parametrize("host", ["cdn.example", "testserver"])
def test_what_cannot_be_read_is_never_shown_without_a_gate(
    asking: CookieCharterSettings, request_: HttpRequest, way: Way, host: str
) -> None:
    """R55: its own address may need none, and all that can be read in it be the page's own."""
    with serving(request_):
        html = way(f"https://{host}/doubtful")
        waiting = way("https://video.example/doubtful")
    assert gates(html) == [] and "pixel.example" not in html
    assert gates(waiting) == [code(request_, "Video Host")]
    assert "pixel.example" not in outside(waiting)


# --- Who it waits for -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "provider", "category"),
    [
        ("https://anything.example/post", "Post Host", "media"),
        ("https://post.example/words", "Post Host", "media"),
        ("https://elsewhere.example/script", "Elsewhere", "statistics"),
        ("https://script.example/script", "Script Host", "audience"),
    ],
)
def test_the_hosts_it_calls_say_who_it_is(
    asking: CookieCharterSettings, request_: HttpRequest, url: str, provider: str, category: str
) -> None:
    """Not the address alone: what an inline script calls nobody knows, so that stands in."""
    with serving(request_):
        assert gates(by_rich_text(url)) == [code(request_, provider, category)]


def test_all_whose_rows_claim_the_host_must_be_allowed(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    publish(
        asking,
        table(row(name="_v", provider="Video Host", domain="video.example"), category="media"),
        table(row(name="_ad", provider="Ad Host", domain="video.example"), category="marketing"),
        table(row(name="_px", provider="Pixel", domain="pixel.example"), category="statistics"),
    )
    publish_declarations()
    with serving(request_):
        html = by_rich_text("https://video.example/two")
    wanted = {
        code(request_, "Video Host"),
        code(request_, "Ad Host", "marketing"),
        code(request_, "Pixel", "statistics"),
    }
    assert len(gates(html)) == 3 and set(gates(html)) == wanted
    template = BeautifulSoup(html, "html.parser").find("template")
    for waits_for in gates(html):
        assert isinstance(template, Tag) and template["data-cookie-charter"] == waits_for
        before = template.find_previous_sibling()
        assert isinstance(before, Tag) and before.has_attr("data-cookie-charter-placeholder")
        assert before.find("button", attrs={"data-cookie-charter-allow": waits_for})
        inner = template.find("template")
        if inner is None:
            assert "<iframe" in str(template)
        template = inner


def test_one_host_that_nothing_declares_shuts_the_whole(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    with serving(request_):
        html = by_rich_text("https://video.example/two")
    assert gates(html) == [] and "pixel.example" in card(html).get_text()


# --- What visitors read ---------------------------------------------------------------


def test_the_card_says_who_and_why_and_offers_three_ways(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    """R57, R58: one provider, the whole category, or the content where it comes from."""
    with serving(request_):
        html = by_rich_text(VIDEO_URL)
    found = card(html)
    waits_for = code(request_, "Video Host")
    buttons = {one["data-cookie-charter-allow"]: one for one in found.find_all("button")}
    assert list(buttons) == [waits_for, "media"]
    assert buttons[waits_for].get_text() == "Allow Video Host"
    assert buttons["media"].get_text().startswith("Always allow: Videos, maps")
    assert all(button["type"] == "button" for button in buttons.values())
    (link,) = found.select('a[rel="noopener"]')
    assert link["href"] == VIDEO_URL and link.get_text() == "Open on video.example"
    assert found["role"] == "group" and found["aria-label"] == "Video Host"
    assert "video.example" not in str(found).replace(str(link), "")
    template = found.find_next_sibling()
    assert isinstance(template, Tag) and template.name == "template"


def test_nothing_in_it_needs_an_exception_from_a_strict_policy(
    asking: CookieCharterSettings, request_: HttpRequest, settings: Any, way: Way
) -> None:
    """R62: Wagtail's own template has an inline style, which ours has not."""
    settings.WAGTAILEMBEDS_RESPONSIVE_HTML = True
    with serving(request_):
        waiting, straight = way(VIDEO_URL), way("https://elsewhere.example/local")
    for html in (waiting, straight):
        assert "style=" not in html and "<script" not in outside(html)


def test_the_room_is_kept(
    asking: CookieCharterSettings, request_: HttpRequest, settings: Any
) -> None:
    with serving(request_):
        fixed = card(by_rich_text(VIDEO_URL)).find("svg")
        settings.WAGTAILEMBEDS_RESPONSIVE_HTML = True
        html = by_rich_text(VIDEO_URL)
        unknown = card(by_rich_text("https://post.example/post"))
    assert isinstance(fixed, Tag) and fixed["height"] == "315"
    fluid = card(html).find("svg")
    assert isinstance(fluid, Tag) and fluid.get("viewbox") == "0 0 560 315"
    template = BeautifulSoup(html, "html.parser").find("template")
    assert isinstance(template, Tag)
    shape = template.select_one(".responsive-object > svg")
    assert shape is not None and shape["viewbox"] == "0 0 560 315" and shape["width"] == "100%"
    assert unknown.find("svg") is None


def test_editors_are_told_which_row_is_missing_in_a_page_that_is_the_same_for_all(
    asking: CookieCharterSettings, rf: RequestFactory
) -> None:
    visiting, editing, preview = rf.get("/"), rf.get("/"), rf.get("/")
    editing.user = User.objects.create_superuser("editor")
    vars(preview)["is_preview"] = True
    pages = []
    for request in (visiting, editing, preview):
        with serving(request):
            pages.append(by_rich_text("https://video.example/two"))
    assert pages[0] == pages[1]
    hint, revealed = (card(page).select_one(".wcc-embed-hint") for page in pages[1:])
    assert hint is not None and hint.has_attr("hidden") and "pixel.example" in hint.get_text()
    assert revealed is not None and not revealed.has_attr("hidden")


def test_an_address_that_is_a_script_is_no_link(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    with serving(request_):
        html = by_tag("javascript:alert(1)//video.example/video")
    assert "javascript:" not in outside(html)


def test_the_card_speaks_the_pages_language(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    """The category has the banner's own title, whatever the default is."""
    banner = asking.banner
    assert banner is not None
    with serving(request_):
        notice = visitor.notice(request_)
        assert notice is not None
        (media,) = [one for one in notice.categories if one.key == "media"]
        assert media.title in card(by_rich_text(VIDEO_URL)).get_text()


# --- In the admin, nothing changes ----------------------------------------------------


def test_editors_see_what_wagtail_shows_them(asking: CookieCharterSettings) -> None:
    assert "wcc-" not in embed_to_editor_html(VIDEO_URL)
    assert "A title" in embed_to_editor_html(VIDEO_URL)


def test_an_embed_block_takes_what_can_be_found(asking: CookieCharterSettings) -> None:
    block = EmbedBlock()
    assert block.clean(block.to_python("https://unknown.example/video")).url
    with pytest.raises(Exception, match="Cannot find an embed"):
        block.clean(block.to_python("https://video.example/gone"))


# --- Whose page it is -----------------------------------------------------------------


def two_sites() -> tuple[Site, Site]:
    """Two sites with one video; each declares somebody else for it."""
    text = '<embed embedtype="media" url="https://video.example/video"/>'
    section = ("text", {"heading": "x", "text": text})
    sites = []
    for hostname, provider, category in (
        ("one.example", "Video Host", "media"),
        ("two.example", "Another Name", "marketing"),
    ):
        site = make_site(hostname)
        charter = make_charter(
            section,
            table(row(name="_v", provider=provider, domain="video.example"), category=category),
            parent=site.root_page,
        )
        make_settings(site, banner=make_banner(charter))
        sites.append(site)
    publish_declarations()
    return sites[0], sites[1]


def charter_path(site: Site) -> str:
    return f"/{site.root_page.get_children().get().slug}/"


def test_each_site_has_its_own_gates(db: None, client: Client) -> None:
    one, two = two_sites()
    for site, category in 2 * ((one, "media"), (two, "marketing")):
        response = client.get(charter_path(site), headers={"host": site.hostname})
        (waits_for,) = gates(response.content.decode())
        assert waits_for.split()[0] == category
        # Nothing of one request is left to the next in this thread.
        assert served() is None


def test_requests_at_the_same_time_keep_apart(db: None, settings: Any) -> None:
    """ASGI: tasks of one loop take turns in the same thread."""
    # Django's asynchronous test client only adds to the host that it has.
    settings.USE_X_FORWARDED_HOST = True
    one, two = two_sites()
    asked = [(charter_path(site), site.hostname) for site in (one, two, one, two)]

    async def both() -> list[str]:
        answers = await asyncio.gather(
            *(AsyncClient().get(path, headers={"x-forwarded-host": host}) for path, host in asked)
        )
        return [answer.content.decode() for answer in answers]

    found = [gates(html)[0].split()[0] for html in async_to_sync(both)()]
    assert found == ["media", "marketing", "media", "marketing"]
    assert served() is None


# --- The check ------------------------------------------------------------------------


def test_the_right_order_passes_the_check(db: None) -> None:
    assert checks.check_embed_template() == []


def test_a_template_that_stands_before_ours_is_told(settings: Any, tmp_path: Any) -> None:
    folder = tmp_path / "wagtailembeds"
    folder.mkdir()
    (folder / "embed_frontend.html").write_text("{{ embed.html|safe }}")
    django, *others = settings.TEMPLATES
    settings.TEMPLATES = [{**django, "DIRS": [tmp_path]}, *others]
    (message,) = checks.check_embed_template()
    assert message.id == "wagtail_cookie_charter.W003"
    assert str(folder) in message.msg and "wagtail.embeds" in str(message.hint)


def test_the_wrong_order_is_told() -> None:
    """In a process of its own: which template is found is settled when the apps load."""
    code = """
import django
from tests import settings
ours = "wagtail_cookie_charter"
settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != ours] + [ours]
django.setup()
from wagtail_cookie_charter import checks
print([message.id for message in checks.check_embed_template()])
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "['wagtail_cookie_charter.W003']", done.stderr


def test_wagtails_own_embed_is_what_is_gated(asking: CookieCharterSettings) -> None:
    """The finder's HTML is stored as it came: nothing of ours in the database."""
    assert get_embed(VIDEO_URL).html == VIDEO
