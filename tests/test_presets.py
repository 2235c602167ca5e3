"""The setting ``PRESET``, and templates that a project replaces in small parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.template import engines
from django.test import Client, RequestFactory, override_settings
from wagtail.models import Site

import wagtail_cookie_charter
from tests.factories import make_asking_site, make_home, row, table
from wagtail_cookie_charter import presets
from wagtail_cookie_charter.conf import PRESETS, conf
from wagtail_cookie_charter.frontend.build import STATIC
from wagtail_cookie_charter.notice import version_of
from wagtail_cookie_charter.publishing import publish_declarations

TEMPLATES = Path(wagtail_cookie_charter.__file__).parent / "templates"
OURS = TEMPLATES / "wagtail_cookie_charter"


def preset(name: Any) -> override_settings:
    return override_settings(WAGTAIL_COOKIE_CHARTER={"PRESET": name})


# --- The setting ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "right"),
    [*((name, True) for name in PRESETS), ("bootsrap", False), (None, False), (["dsfr"], False)],
)
def test_e012_how_it_looks(value: Any, right: bool) -> None:
    with preset(value):
        found = [one for one in run_checks() if one.id == "wagtail_cookie_charter.E012"]
        assert (found == []) is right
        assert conf.preset == (value if right else "default")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("part", ["banner", "preferences", "page", "embed", "button"])
@pytest.mark.parametrize("placement", ["", "bottom", "center"])
def test_each_stylesheet_is_there(name: str, part: str, placement: str) -> None:
    with preset(name):
        address = presets.stylesheet(part, placement)
    assert (STATIC / address.rpartition("/")[2]).is_file()


def test_who_chose_nothing_pays_for_nothing() -> None:
    assert presets.stylesheet("banner", "corner").endswith("/cookie-charter.css")
    assert presets.stylesheet("banner", "center").endswith("/cookie-charter-center.css")
    assert presets.templates("_actions.html") == ["wagtail_cookie_charter/_actions.html"]


def test_the_second_layer_has_another_address_in_another_look() -> None:
    """Browsers keep it for a year: a new look must not wait for that."""
    before = version_of("0" * 64, 7)
    with preset("dsfr"):
        assert version_of("0" * 64, 7) != before


# --- Specificity ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bootstrap", "unstyled", "dsfr", "center"])
def test_presets_use_no_force(name: str) -> None:
    """What a site's own class says must win: `!important` only where `hidden` must hold."""
    text = (Path(wagtail_cookie_charter.__file__).parent / "frontend" / f"{name}.css").read_text()
    for rule in re.findall(r"([^{}]*)\{[^{}]*!important", text):
        assert "[hidden]" in rule


# --- Templates, replaced --------------------------------------------------------------

#: Rendered by Wagtail's admin, or standing alone; each has a test where it is used.
ELSEWHERE = {"base.html", "signals.html"}

NAMES = sorted(
    str(path.relative_to(TEMPLATES))
    for path in OURS.rglob("*.html")
    if "admin" not in path.parts and path.name not in ELSEWHERE
)
MARK = "<!--replaced-->"


@pytest.fixture
def charter(db: None) -> str:
    """A site whose charter has every kind of block, and its address."""
    make_home()
    kinds = ("definition", "kinds", "platform", "text", "choices", "contacts")
    values: dict[str, dict[str, Any]] = {
        "definition": {"heading": "", "text": ""},
        "kinds": {"heading": "", "introduction": "", "kinds": []},
        "platform": {"name": "Portal", "url": "", "text": "<p>Words</p>"},
        "text": {"heading": "More", "text": "<p>Words</p>"},
        "choices": {"heading": "", "text": ""},
        "contacts": {"heading": "", "text": ""},
    }
    make_asking_site(
        *((kind, values[kind]) for kind in kinds),
        table(row(provider="Film Host", controller="Film Host Ltd"), category="marketing"),
        table(
            row(name="_film", provider="Film Host", controller="Film Host Ltd"), category="media"
        ),
    )
    publish_declarations()
    return "/cookie-charter/"


PAGE = """{% load cookie_charter wagtailembeds_tags %}{% cookie_banner %}{% cookie_settings_link %}
{% cookie_settings_button %}{% cookie_table %}{{ card }}{{ gate }}"""


def everything(client: Client, charter: str) -> str:
    """All that visitors get of ours, in one string."""
    from wagtail_cookie_charter import visitor
    from wagtail_cookie_charter.gating import Card
    from wagtail_cookie_charter.models import ConsentBanner

    site = Site.objects.get(is_default_site=True)
    request = RequestFactory().get("/", HTTP_HOST=site.hostname)
    found = visitor.current(request)
    assert found is not None
    code = next(one for one in found.notice().categories if one.key == "media").providers[0].code
    card = Card("Film", "https://film.example/1", "film.example").asking(request, f"media {code}")
    engine = engines["django"]
    pages = [
        engine.from_string(PAGE).render({"card": card}, request),
        client.get(charter).content.decode(),
        client.get(found.notice().preferences_url).content.decode(),
        client.get(found.notice().record_url).content.decode(),
    ]
    banner = ConsentBanner.objects.get()
    preview = engine.get_template("wagtail_cookie_charter/preview.html")
    for layer in ("banner", "preferences"):
        pages.append(preview.render({"object": banner, "layer": layer}, request))
    nothing = ConsentBanner(locale=banner.locale)
    pages.append(preview.render({"object": nothing, "layer": "banner"}, request))
    gate = (
        '{% load cookie_charter %}{% include "wagtail_cookie_charter/blocks/consent_gate.html" %}'
    )
    pages.append(engine.from_string(gate).render({"value": GATE}, request))
    return "\n".join(pages)


GATE = {"category": "media", "provider": "Film Host", "html": "<p>Film</p>", "title": "Film"}


@pytest.mark.parametrize("name", NAMES)
def test_a_project_can_replace_each_template(
    client: Client, charter: str, tmp_path: Path, name: str
) -> None:
    """A file of the same name in the project's own folder takes its place, and only its own."""
    look = "dsfr" if "/dsfr/" in name else "default"
    with preset(look):
        assert MARK not in everything(client, charter)
        own = tmp_path / name
        own.parent.mkdir(parents=True)
        text = (TEMPLATES / name).read_text()
        # What extends another template says nothing outside its blocks.
        start = "{% block content %}"
        own.write_text(text.replace(start, start + MARK) if start in text else text + MARK)
        templates = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}, *settings.TEMPLATES[1:]]
        with override_settings(TEMPLATES=templates):
            assert MARK in everything(client, charter)
