"""Other people's sites: what our parts have to fit into, and words that we do not ship.

``/sites/<kind>/`` is a page of that kind with the banner, a card and the charter's form on it.
``?words=`` chooses the language, ``?placement=`` the banner's place, ``?theme=dark`` the site's
own dark theme where it has one. How all of it looks is for the setting ``PRESET`` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext
from django.views.static import serve

from tests.browser.engines import PACKAGES
from wagtail_cookie_charter import visitor
from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.consent import Declaration, duration_of_days
from wagtail_cookie_charter.gating import Card
from wagtail_cookie_charter.headless import render_banner
from wagtail_cookie_charter.notice import Notice
from wagtail_cookie_charter.wording import BANNER_DEFAULTS, duration_text

# --- Words ----------------------------------------------------------------------------

#: Language -> the banner's texts; then category key -> title and summary.
WORDS: Mapping[str, tuple[Mapping[str, str], Mapping[str, tuple[str, str]]]] = {
    "de": (
        {
            "title": "Ihre Privatsphäre, Ihre Entscheidung",
            "text": "Mit Ihrer Einwilligung verwenden wir Cookies für die folgenden Zwecke. Sie "
            "können Ihre Einwilligung jederzeit widerrufen.",
            "facts": "Verantwortlich ist die Stadtverwaltung. Ihre Wahl gilt sechs Monate.",
            "accept_label": "Alle akzeptieren",
            "refuse_label": "Alles ablehnen",
            "customise_label": "Datenschutzeinstellungen anpassen",
            "charter_title": "Cookie-Richtlinie",
        },
        {
            "audience": (
                "Anonyme Reichweitenmessung",
                "Besuche zählen, ohne Sie wiederzuerkennen.",
            ),
            "statistics": ("Statistik", "Verstehen, wie die Website genutzt wird."),
            "media": (
                "Videos, Karten und andere eingebundene Inhalte",
                "Inhalte anderer Anbieter.",
            ),
            "marketing": ("Werbung und soziale Netzwerke", "Werbung messen und anpassen."),
        },
    ),
    "pl": (
        {
            "title": "Twoja prywatność, Twój wybór",
            "text": "Za Twoją zgodą używamy plików cookie do poniższych celów. Zgodę możesz "
            "wycofać w każdej chwili.",
            "facts": "Administratorem jest Urząd Miasta. Wybór pamiętamy przez sześć miesięcy.",
            "accept_label": "Zaakceptuj wszystkie",
            "refuse_label": "Odrzuć wszystkie",
            "customise_label": "Dostosuj ustawienia",
            "charter_title": "Polityka plików cookie",
        },
        {
            "audience": ("Anonimowy pomiar oglądalności", "Liczymy wizyty bez rozpoznawania Cię."),
            "statistics": ("Statystyki", "Aby zrozumieć, jak używana jest strona."),
            "media": ("Filmy, mapy i inne treści", "Treści dostarczane przez inne strony."),
            "marketing": ("Reklama i media społecznościowe", "Mierzenie i dopasowanie reklam."),
        },
    ),
}


def worded(declaration: Declaration, language: str) -> Declaration:
    """``declaration`` in ``language``: its own words, else those above over the first it has."""
    if language in declaration.languages:
        return declaration
    first = next(iter(declaration.languages.values()))
    with translation.override(language):
        texts, purposes = WORDS.get(language) or catalogued(declaration)
    wording = replace(
        first,
        texts={**first.texts, **texts},
        categories={**first.categories, **purposes},
    )
    return replace(declaration, languages={language: wording})


def catalogued(declaration: Declaration) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Our own words in the active language, for which a catalogue is in ``tests/locale``."""
    texts = {name: str(words) for name, words in BANNER_DEFAULTS.items()}
    six_months = duration_text(duration_of_days(declaration.days))
    facts = gettext("Your answer is kept for %(time)s.") % {"time": six_months}
    charter = {"facts": facts, "charter_title": gettext("Cookie charter")}
    purposes = {one.key: (str(one.title), str(one.summary)) for one in conf.categories.values()}
    return {**texts, **charter}, purposes


# --- Sites ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """What a kind of site brings along: stylesheets from npm, a style of its own, its dark side."""

    sheets: tuple[str, ...] = ()
    style: str = ""
    dark: str = ""
    header: str = '<header><a href="#content">Example City</a></header>'
    footer: str = "<footer>{% cookie_settings_link %}</footer>"


#: As strict as they come: every element loses what the browser gave it.
RESET = """*, *::before, *::after { margin: 0; padding: 0; border: 0; box-sizing: border-box;
font: inherit; vertical-align: baseline; list-style: none; text-decoration: none }
body { font: 16px/1.5 sans-serif; background: #fff; color: #222 }
button, input { appearance: none; background: none; color: inherit; border-radius: 0 }
ul, ol { list-style: none } a { color: inherit } :focus { outline: none }
table { border-collapse: collapse; border-spacing: 0 } em, strong { font: inherit }
input[type=checkbox] { appearance: auto }"""

CITY = """:root { color-scheme: light dark; background: canvas; color: canvastext }
body { margin: 0; font: 100%/1.5 system-ui, sans-serif }
header, main, footer { padding: 1rem max(1rem, 50% - 34rem) }
header { border-block-end: 1px solid #8886 } footer { border-block-start: 1px solid #8886 }
main { max-inline-size: 68rem }"""

FIXED = """body { margin: 0; padding-block: 4rem; font: 100%/1.5 sans-serif;
background: #fff; color: #222 }
:root { scroll-padding-block-start: 5rem }
header, .bar { position: fixed; inset-inline: 0; z-index: 1000; padding: 1rem;
background: #223; color: #fff } header { inset-block-start: 0 } .bar { inset-block-end: 0 }
header a, .bar a { color: #fff } main { padding: 1rem }"""

SITES: Mapping[str, Site] = {
    "city": Site(style=CITY),
    "plain": Site(style="body { font-family: serif }"),
    "bootstrap": Site(
        sheets=("bootstrap/dist/css/bootstrap.min.css",),
        dark='data-bs-theme="dark"',
        header='<header class="navbar bg-body-tertiary"><div class="container">'
        '<a class="navbar-brand" href="#content">Example City</a></div></header>',
    ),
    "tailwind": Site(
        sheets=("tailwindcss/preflight.css",),
        style="body { font-family: system-ui; background: #fff; color: #111 }"
        " header, main, footer { max-width: 64rem; margin: auto; padding: 1rem }"
        " h1 { font-size: 1.875rem; font-weight: 700 } main > * + * { margin-top: 1rem }",
    ),
    "dsfr": Site(
        sheets=("@gouvfr/dsfr/dist/dsfr.min.css",),
        dark='data-fr-scheme="dark" data-fr-theme="dark"',
        header='<header role="banner" class="fr-header"><div class="fr-container">'
        '<p class="fr-header__service-title fr-py-2w">Service d’exemple</p></div></header>',
    ),
    "reset": Site(style=RESET),
    "fixed": Site(style=FIXED, footer='<footer class="bar">{% cookie_settings_link %}</footer>'),
}

DOCUMENT = """{% load cookie_charter %}<!doctype html>
<html lang="{{ language }}"{% if language == "ar" %} dir="rtl"{% endif %} {{ dark|safe }}>
<head><meta charset="utf-8"><title>Site</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
{% for sheet in site.sheets %}<link rel="stylesheet" href="/npm/{{ sheet }}">
{% endfor %}<link rel="stylesheet" href="/sites/{{ kind }}/style.css">
<link rel="stylesheet" href="{% cookie_style 'page' %}"></head>
<body>{{ banner }}HEADER<main id="content" class="container fr-container">
<h1>{{ heading }}</h1>{% for part in "123" %}<p>{{ lead }}</p>{% endfor %}{{ card }}
<section class="wcc-page"><h2>{{ form_heading }}</h2>{% cookie_choices %}</section>
<p>{{ lead }}</p></main>FOOTER{{ button }}</body></html>"""

#: What the page itself says.
PAGE = {
    "en": (
        "Trees in town",
        "The city plants four hundred trees each year, and publishes where.",
        "Your choices",
    ),
    "fr": (
        "Des arbres en ville",
        "La ville plante quatre cents arbres chaque année, et publie où.",
        "Vos choix",
    ),
    "ar": (
        "أشجار في المدينة",
        "تزرع المدينة أربعمئة شجرة كل عام وتنشر أماكنها.",
        "اختياراتك",
    ),
}

#: A style of the site's own after the others: what docs/theming.md advises.
extras: dict[str, str] = {}


def page(request: HttpRequest, kind: str) -> HttpResponse:
    site, found = SITES.get(kind), visitor.current(request)
    if site is None or found is None:
        raise Http404
    language = request.GET.get("words", "en")
    declaration = worded(found.declaration, language)
    if placement := request.GET.get("placement"):
        declaration = replace(declaration, placement=placement)
    with translation.override(language):
        notice = Notice(declaration, found.site_id, found.number, found.version)
    with translation.override(language if language in PAGE else "en"):
        [media] = [one for one in found.notice().categories if one.key == "media"]
        provider = media.providers[0]
        card = Card(provider.name, "https://film.example/42", "film.example", 640, 360, fluid=True)
        heading, lead, form_heading = PAGE.get(language, PAGE["en"])
        context = {
            "site": site,
            "kind": kind,
            "language": language,
            "dark": site.dark if request.GET.get("theme") == "dark" else "",
            "banner": render_banner(request, notice),
            "card": card.asking(request, f"media {provider.code}"),
            "heading": heading,
            "lead": lead,
            "form_heading": form_heading,
        }
        source = DOCUMENT.replace("HEADER", site.header).replace("FOOTER", site.footer)
        if "button" in request.GET:
            source = source.replace("{{ button }}", "{% cookie_settings_button %}")
        return HttpResponse(engines["django"].from_string(source).render(context, request))


def style(request: HttpRequest, kind: str) -> HttpResponse:
    """A file, since a strict policy allows no style in the page."""
    if kind not in SITES:
        raise Http404
    css = SITES[kind].style + extras.get(kind, "")
    return HttpResponse(css, content_type="text/css")


urlpatterns = [
    path("sites/<slug:kind>/style.css", style),
    path("sites/<slug:kind>/", page),
    path("npm/<path:path>", serve, {"document_root": PACKAGES}),
]
