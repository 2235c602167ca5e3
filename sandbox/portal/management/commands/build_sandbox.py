from __future__ import annotations

import json
import re
from functools import partial
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from wagtail.models import GroupPagePermission, Locale, Page, Site

from sandbox.portal.content import SITES, in_language
from sandbox.portal.models import ArticlePage, HomePage
from wagtail_cookie_charter.models import (
    BannerCategory,
    ConsentBanner,
    CookieCharterPage,
    CookieCharterSettings,
)


class Command(BaseCommand):
    help = "Makes the sandbox's two sites. What exists already stays as its editors left it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    @transaction.atomic
    def handle(self, *args: Any, port: int, **options: Any) -> None:
        locales = [Locale.objects.get_or_create(language_code=code)[0] for code in ("fr", "en")]
        root = Page.get_first_root_node()
        assert root is not None
        for content in SITES:
            home = HomePage.objects.filter(slug=content["slug"]).first()
            if home is None:
                self.stdout.write(f"    {content['home']['title'].fr}: creating pages")
                site = build_site(root, content, locales)
            else:
                self.stdout.write(f"    {home.title}: already there")
                site = Site.objects.get(root_page=home)
            Site.objects.filter(pk=site.pk).update(hostname=content["host"], port=port)
        Site.clear_site_root_paths_cache()
        move_embeds(port)
        people()


def build_site(root: Page, content: dict[str, Any], locales: list[Locale]) -> Site:
    """Pages, banner and settings of one site, in every language."""
    home = build_home(root, content, locales[0])
    if content["default"]:
        # Wagtail's own first page made room for ours.
        site = Site.objects.get(is_default_site=True)
        welcome = site.root_page
        site.root_page = home
        site.site_name = content["home"]["title"].fr
        site.save()
        welcome.delete()
    else:
        site = Site.objects.create(
            hostname=content["host"], root_page=home, site_name=content["home"]["title"].fr
        )
    settings, _ = CookieCharterSettings.objects.update_or_create(
        site=site, defaults=content["settings"]
    )

    homes = [home, *(translated(home, locale, content["home"]) for locale in locales[1:])]
    charters = build_in_every_language(homes, locales, CookieCharterPage, charter_of(content, site))
    for article in content["articles"]:
        build_in_every_language(homes, locales, ArticlePage, {**article, "show_in_menus": True})
    settings.banner = build_banner(content["banner"], locales, charters)
    settings.save()
    return site


def charter_of(content: dict[str, Any], site: Site) -> dict[str, Any]:
    return {**content["charter"], "body": content["charter"]["body"](site.pk)}


def fields(content: dict[str, Any], locale: Locale) -> dict[str, Any]:
    """What to set on a page: words in its language, streams as StreamField reads them."""
    words = in_language(content, locale.language_code)
    for name, block in (("figures", "figure"), ("cards", "card"), ("extras", "code")):
        if name in words:
            words[name] = json.dumps([{"type": block, "value": value} for value in words[name]])
    if isinstance(words.get("body"), list):
        words["body"] = json.dumps([with_ids(block) for block in words["body"]])
    return words


def with_ids(block: dict[str, Any]) -> dict[str, Any]:
    """A charter's block as an editor's would be: translations of a row share its id."""
    value = block["value"]
    if block["type"] == "cookie_table":
        rows = [
            {"type": "item", "id": str(uuid5(NAMESPACE_DNS, row["name"])), "value": row}
            for row in value["cookies"]
        ]
        value = {**value, "cookies": rows}
    return {**block, "value": value}


def move_embeds(port: int) -> None:
    """What is embedded lives on this server, at whatever port it is served today."""
    here = partial(re.sub, r"(\w\.localhost):\d+(?=/sandbox/)", rf"\1:{port}")
    for article in ArticlePage.objects.all():
        body, extras = here(article.body), json.dumps(list(article.extras.raw_data))
        if body != article.body or here(extras) != extras:
            article.body, article.extras = body, here(extras)
            publish(article)


def publish(page: Page) -> None:
    page.save_revision().publish()


def build_home(root: Page, content: dict[str, Any], locale: Locale) -> HomePage:
    home = HomePage(slug=content["slug"], locale=locale, **fields(content["home"], locale))
    root.add_child(instance=home)
    publish(home)
    return home


def build_in_every_language(
    homes: list[Any], locales: list[Locale], model: type[Any], content: dict[str, Any]
) -> list[Any]:
    page = model(locale=locales[0], **fields(content, locales[0]))
    homes[0].add_child(instance=page)
    publish(page)
    return [page, *(translated(page, locale, content) for locale in locales[1:])]


def translated(page: Any, locale: Locale, content: dict[str, Any]) -> Any:
    """A page's translation, with the words of its language instead of copied ones."""
    copy = page.copy_for_translation(locale)
    for name, value in fields(content, locale).items():
        if name != "slug":
            setattr(copy, name, value)
    publish(copy)
    return copy


def build_banner(
    content: dict[str, Any], locales: list[Locale], charters: list[CookieCharterPage]
) -> ConsentBanner:
    first, *others = locales
    banner = ConsentBanner(locale=first, charter_page=charters[0])
    banner.categories = [
        BannerCategory(key=category["key"], locale=first) for category in content["categories"]
    ]
    banner.save()
    put_words(banner, content)
    for locale, charter in zip(others, charters[1:], strict=True):
        copy = banner.copy_for_translation(locale)
        copy.charter_page = charter
        copy.save()
        put_words(copy, content)
    return banner


def put_words(banner: ConsentBanner, content: dict[str, Any]) -> None:
    words = in_language(content, banner.locale.language_code)
    by_key = {category["key"]: category for category in words.pop("categories")}
    children = list(banner.categories.all())
    for child in children:
        child.title, child.summary = by_key[child.key]["title"], by_key[child.key]["summary"]
    banner.categories = children
    for name, value in words.items():
        setattr(banner, name, value)
    banner.save_revision().publish()


def people() -> None:
    """admin/admin may do everything; editor/editor edits and publishes pages and banners."""
    if not User.objects.filter(username="admin").exists():
        User.objects.create_superuser("admin", "admin@clairval-sur-marne.example", "admin")
    editors = Group.objects.get(name="Editors")
    for action in ("add", "change", "publish"):
        GroupPagePermission.objects.get_or_create(
            group=editors,
            page=Page.get_first_root_node(),
            permission=Permission.objects.get(
                content_type__app_label="wagtailcore", codename=f"{action}_page"
            ),
        )
    editors.permissions.add(
        *Permission.objects.filter(
            content_type__app_label="wagtail_cookie_charter",
            content_type__model__in=["consentbanner", "cookiechartersettings"],
        )
    )
    editor, new = User.objects.get_or_create(
        username="editor", defaults={"email": "editor@clairval-sur-marne.example"}
    )
    if new:
        editor.set_password("editor")
        editor.save()
    editor.groups.add(editors)
