"""The French catalogue: complete, in step with the source, and what visitors really get.

Visitors of a French public site must understand what they consent to (R11), so a string that
was forgotten is a fault like any other. No gettext tool is needed here: sources are read with
``ast`` and Django's own template parser, catalogues with the few lines below.
"""

from __future__ import annotations

import ast
import gettext as gettext_module
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.template import engines
from django.template.base import TextNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.test import Client
from django.urls import reverse
from django.utils import translation
from wagtail.blocks.base import get_error_json_data
from wagtail.models import Locale

from tests.factories import make_home, row
from wagtail_cookie_charter import labels, publishing, wording
from wagtail_cookie_charter.blocks import CharterBodyBlock
from wagtail_cookie_charter.conf import DEFAULT_CATEGORIES
from wagtail_cookie_charter.consent import Duration, DurationKind
from wagtail_cookie_charter.models import ConsentBanner, PublishedDeclaration

PACKAGE = Path(wording.__file__).parent
CATALOGUE = PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "django"

#: What marks a string as one to translate; the second argument of ``n…`` is its plural, the
#: first of ``p…`` its context.
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}

#: Stands between a string's context and the string, as in compiled catalogues.
CONTEXT = "\x04"

# --- Reading catalogues and sources ------------------------------------------------------


@dataclass
class Entry:
    msgid: str = ""
    plural: str = ""
    #: One translation, or one for each plural form.
    texts: list[str] = field(default_factory=list)
    flags: str = ""


def read_po(path: Path) -> list[Entry]:
    """The entries of a catalogue, header left out; obsolete ones are comments."""
    entries = []
    for paragraph in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        entry, context = Entry(), ""
        said: list[tuple[str, str]] = []
        for line in paragraph.splitlines():
            if line.startswith("#,"):
                entry.flags += line
            elif found := re.fullmatch(
                r'(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")', line
            ):
                said.append((found[1], ast.literal_eval(found[2])))
            elif line.startswith('"'):
                said[-1] = (said[-1][0], said[-1][1] + ast.literal_eval(line))
        for keyword, text in said:
            if keyword == "msgctxt":
                context = text + CONTEXT
            elif keyword == "msgid":
                entry.msgid = context + text if text else ""
            elif keyword == "msgid_plural":
                entry.plural = text
            else:
                entry.texts.append(text)
        if entry.msgid:
            entries.append(entry)
    return entries


def marked_in_python(source: str) -> Iterator[tuple[str, str]]:
    """Each string that the code marks for translation, and its plural or ""."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
        if name in MARKS:
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if name.startswith("p"):
                words = [CONTEXT.join(map(str, words))]
            yield str(words[0]), str(words[1]) if name.startswith("n") else ""


def marked_in_template(source: str) -> Iterator[tuple[str, str]]:
    """The same for a template, as Django itself reads it."""
    nodelist = engines["django"].from_string(source).template.nodelist  # type: ignore[attr-defined]
    for node in nodelist.get_nodes_by_type(TranslateNode):
        yield str(node.filter_expression.var.literal), ""
    for node in nodelist.get_nodes_by_type(BlockTranslateNode):
        plural = node.render_token_list(node.plural)[0] if node.plural else ""
        yield node.render_token_list(node.singular)[0], plural


def templates() -> list[Path]:
    return sorted((PACKAGE / "templates").rglob("*.html"))


def marked() -> dict[tuple[str, str], Path]:
    """Every (string, plural) of the package, and a file it is in."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        found.update(dict.fromkeys(marked_in_python(path.read_text(encoding="utf-8")), path))
    for path in templates():
        found.update(dict.fromkeys(marked_in_template(path.read_text(encoding="utf-8")), path))
    return found


class Words(HTMLParser):
    """What people read or hear of some HTML: its text, and attributes that hold words."""

    SPOKEN = {"alt", "aria-label", "data-label", "data-saved", "data-too-many", "placeholder"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in {*self.SPOKEN, "title"}]
        if tag in ("script", "style"):
            self._silent = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(data.strip())


#: What a value is put in for.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|\{\w*\}|<[^<>]*[a-z/][^<>]*>", text))


FRENCH = read_po(CATALOGUE.with_suffix(".po"))

# --- The catalogue -----------------------------------------------------------------------


def test_the_french_catalogue_is_complete() -> None:
    """An empty or doubtful translation would show English on a French site (R11)."""
    assert len(FRENCH) > 200
    assert [entry.msgid for entry in FRENCH if "fuzzy" in entry.flags] == []
    assert [entry.msgid for entry in FRENCH if not entry.texts or not all(entry.texts)] == []
    assert [entry.msgid for entry in FRENCH if entry.plural and len(entry.texts) != 2] == []


def test_every_string_of_the_source_is_translated() -> None:
    """Whoever adds words for editors or visitors adds their French (R11)."""
    known = {(entry.msgid, entry.plural) for entry in FRENCH}
    source = marked()
    missing = {words: path.name for words, path in source.items() if words not in known}
    assert missing == {}, "Run makemessages and translate."
    assert known - set(source) == set(), "No longer in the source: run makemessages."


def test_the_search_for_strings_finds_every_way_of_marking_one() -> None:
    """The test above must not pass because it overlooks something."""
    code = (
        "a = _('one ' 'string'); b = x.ngettext('%(n)d day', '%(n)d days', n); c = f('no');"
        "d = pgettext_lazy('which one', 'Number')"
    )
    assert set(marked_in_python(code)) == {
        ("one string", ""),
        ("%(n)d day", "%(n)d days"),
        ("which one\x04Number", ""),
    }
    template = (
        "{% load i18n %}{% if a %}<p title=\"{% translate 'Two' %}\">"
        "{% blocktranslate count n=x with y=z %}One {{ y }}{% plural %}{{ n }} {{ y }}"
        "{% endblocktranslate %}</p>{% translate 'Three' as t %}{% endif %}"
    )
    assert set(marked_in_template(template)) == {
        ("Two", ""),
        ("Three", ""),
        ("One %(y)s", "%(n)s %(y)s"),
    }


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_no_template_has_words_of_its_own(path: Path) -> None:
    """Words outside a translate tag would stay English in every language (R11)."""
    source = path.read_text(encoding="utf-8")
    nodelist = engines["django"].from_string(source).template.nodelist  # type: ignore[attr-defined]
    bare = "".join(node.s for node in nodelist.get_nodes_by_type(TextNode))
    assert [words for words in Words(bare).found if re.search(r"[^\W\d_]{2}", words)] == []


def test_a_translation_says_the_same_names_and_numbers() -> None:
    """A placeholder lost or misspelt is a page that fails, or a link that leads nowhere."""
    for entry in FRENCH:
        wanted = placeholders(entry.plural or entry.msgid)
        for text in entry.texts:
            assert placeholders(text) == wanted, entry.msgid


def test_french_is_typeset_as_french() -> None:
    """A colon or a guillemet alone on the next line makes buttons and tables hard to read."""
    for text in (text for entry in FRENCH for text in entry.texts):
        prose = re.sub(r"<[^<>]*[a-z/][^<>]*>", "", text)
        assert not re.search(r"\w'\w", prose), f"Use the typographic apostrophe: {text}"
        assert not re.search(r"\w [:;!?](?!\w)", prose), f"Non-breaking space needed: {text}"
        assert not re.search(r"«(?!\xa0)|(?<!\xa0)»", prose), f"Non-breaking space needed: {text}"
        assert not re.search(r"[“”]", prose), f"French quotes are « »: {text}"


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    """Django reads the .mo only: a forgotten compilation would lose every correction."""
    data = CATALOGUE.with_suffix(".mo").read_bytes()
    order = "<" if data.startswith(b"\xde\x12\x04\x95") else ">"
    (count,) = struct.unpack_from(f"{order}I", data, 8)
    assert count == len(FRENCH) + 1, "Run compilemessages."  # The header is one.
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext_module.GNUTranslations(file)
    for entry in FRENCH:
        if entry.plural:
            # In French, nothing is singular.
            forms = [compiled.ngettext(entry.msgid, entry.plural, n) for n in (0, 1, 2)]
            assert forms == [entry.texts[0], entry.texts[0], entry.texts[1]]
        else:
            assert [compiled.gettext(entry.msgid)] == entry.texts


def shape(msgid: str) -> str:
    """A pattern for what people read of a string: anything may stand in its placeholders."""
    spoken = re.escape(re.sub(r"</?a\b[^<>]*>", "", msgid.rpartition(CONTEXT)[2]))
    return re.sub(r"%\\\(\w+\\\)[sd]|\\\{\w*\\\}", ".+?", spoken)


def test_the_editors_guide_quotes_messages_as_they_are() -> None:
    """Editors search the guide for the words on their screen."""
    guide = (PACKAGE.parent / "docs" / "editors.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| “(.+?)” \| ", guide, re.M)
    assert len(quoted) > 20
    shapes = [shape(entry.msgid) for entry in FRENCH]
    assert [words for words in quoted if not any(re.fullmatch(s, words) for s in shapes)] == []


# --- What must be said -------------------------------------------------------------------


def test_buttons_bear_the_words_that_regulators_and_browsers_know() -> None:
    """Other words than these and tools that refuse for their users fail (R17)."""
    with translation.override("fr"):
        words = {name: str(text) for name, text in wording.BANNER_DEFAULTS.items()}
    unclear = set[str]().union(*(found for found, _why in labels.UNCLEAR_LABELS.values()))
    assert words["accept_label"] == "Tout accepter"
    assert words["refuse_label"] == "Tout refuser"
    assert words["customise_label"] == "Personnaliser"
    assert words["save_label"] == "Enregistrer mes choix"
    assert not unclear & {text.casefold() for text in words.values()}


@pytest.mark.parametrize(
    ("language", "phrase", "withdrawal"),
    [("en", "we use cookies", "withdraw"), ("fr", "nous utilisons des cookies", "retirer")],
)
def test_the_default_text_asks_for_consent_and_says_how_to_withdraw_it(
    language: str, phrase: str, withdrawal: str
) -> None:
    """Without it the request is unlawful (R19, R20) and not recognised as one (design, 6)."""
    with translation.override(language):
        text = str(wording.BANNER_DEFAULTS["text"])
        link = translation.gettext("Manage cookies")
    assert phrase in text
    assert withdrawal in text
    assert re.search("consent" if language == "en" else "consentement", text)
    # The text sends people to a link: it must bear the name that the link has.
    assert re.search(f"[“«]\\s?{link}\\s?[”»]", text)
    assert len(text) <= ConsentBanner._meta.get_field("text").max_length


def test_an_editor_is_refused_in_french() -> None:
    """A refusal to publish that its reader cannot understand is a wall."""
    empty = {"name": "a*", "storage": "cookie"}
    raw = [{"type": "cookie_table", "value": {"category": "statistics", "cookies": [empty]}}]
    with translation.override("fr"), pytest.raises(ValidationError) as refused:
        CharterBodyBlock().clean(CharterBodyBlock().to_python(raw))
    said = json.dumps(get_error_json_data(refused.value), ensure_ascii=False)
    assert "Dites avec des mots simples à quoi il sert." in said
    assert "Mettez au moins 3 caractères avant l’étoile." in said
    assert "Say " not in said


@pytest.mark.parametrize("code", ["en", "fr"])
def test_a_language_without_plural_rules_of_its_own_counts_well(code: str, settings: Any) -> None:
    """English has no catalogue: its words are the source. It must not fall back to French."""
    settings.LANGUAGE_CODE = "fr"
    with translation.override(code):
        said = [
            wording.duration_text(Duration(DurationKind.FIXED, value, "day")) for value in (1, 13)
        ]
    assert said == {"en": ["1 day", "13 days"], "fr": ["1 jour", "13 jours"]}[code]


# --- What visitors get -------------------------------------------------------------------


@pytest.fixture
def french_site(db: None) -> Any:
    """English and French, made by the command, with something to refuse in each category."""
    home = make_home("Home", "en")
    french, _created = Locale.objects.get_or_create(language_code="fr")
    home.copy_for_translation(french).save_revision().publish()
    call_command("init_cookie_charter", publish=True, stdout=StringIO())
    charter: Any = ConsentBanner.objects.get(locale=french).charter_page.specific
    body: Any = charter.body
    words = {
        "provider": "Mesureur",
        "service": "Comptage (site public)",
        "purpose": "Compte les lectures.",
        "recipients": "Régie",
        "transfer": "Canada",
        "safeguard": "Clauses types",
        "retention_months": 12,
        "opt_out": "Écrivez au responsable",
        "policy_url": "https://mesureur.example/",
    }
    for category in DEFAULT_CATEGORIES:
        if category == "necessary":
            continue
        for storage in ("cookie", "local", "session", "pixel", "other"):
            value = row(name=f"_{category}", storage=storage, **words)
            body.append(("cookie_table", {"category": category, "cookies": [value]}))
    charter.save_revision().publish()
    publishing.publish_declarations()
    return charter


def english_in(html: str) -> list[str]:
    """Which of our English strings can be read in ``html``."""
    read = "\n".join(Words(html).found)
    found = []
    for entry in FRENCH:
        for msgid in filter(None, (entry.msgid, entry.plural)):
            # The same in French, or all punctuation: nothing that could be told to be English.
            if msgid in entry.texts or not re.search(r"[^\W\d_]", PLACEHOLDER.sub("", msgid)):
                continue
            if re.search(rf"(?<![\w-]){shape(msgid)}(?![\w-])", read):
                found.append(msgid)
    return found


def test_a_french_visitor_reads_french_only(french_site: Any, client: Client) -> None:
    """Consent to what one cannot read is no consent (R11): banner, dialog, charter, form."""
    page = client.get(french_site.get_url())
    assert page.status_code == 200
    html = page.content.decode().replace("Skip to content", "")
    banner = html[html.index('<section id="wcc"') : html.index('id="wcc-status"')]
    read = "\n".join(Words(html).found)
    for words in (
        "Tout accepter",
        "Tout refuser",
        "Personnaliser",
        "nous utilisons des cookies",
        "Publicité et réseaux sociaux",
        "Responsable du traitement",
        "1 tiers peut recevoir des données.",
        "Certaines données quittent l’Union européenne.",
        "Votre réponse est conservée pendant 6 mois.",
    ):
        assert words in banner, words
    for words in (
        "Charte cookies",
        "Qu’est-ce qu’un cookie",
        "Gérer les cookies",
        "Enregistrer mes choix",
        "Vos choix sont enregistrés.",
        "Données conservées 12 mois.",
        "Également lu par",
        "Dernière mise à jour",
        "Qui est responsable",
        "Stockage local",
        "Fournisseur",
        "Actifs, sauf si vous les refusez",
        "1 fournisseur",
    ):
        assert words in read, words
    assert english_in(html) == []

    published = PublishedDeclaration.objects.latest("pk")
    address = re.search(r'data-preferences="([^"]+)"', banner)
    assert address is not None
    dialog = client.get(address[1]).content.decode()
    assert f"/{published.digest[:16]}-" in address[1]
    for words in ("Toujours actifs", "Fermer sans rien modifier", "Autoriser", "Tout refuser"):
        assert words in dialog, words
    assert english_in(dialog) == []


def test_the_french_charter_has_a_french_address(french_site: Any) -> None:
    """People read and dictate addresses: the title makes it, not a translator's tool."""
    assert french_site.title == "Charte cookies"
    assert french_site.slug == "charte-cookies"


def test_the_search_for_english_would_find_it() -> None:
    """The tests above must not pass because they look for nothing."""
    assert english_in("<p>Mairie is responsible for this site.</p>")
    assert english_in('<button aria-label="Close without changing anything">×</button>')
    assert english_in("<p>Bonjour</p>") == []


def test_a_refused_answer_is_explained_in_french(french_site: Any, client: Client) -> None:
    """Whoever uses the form without JavaScript reads why it was not taken (R61)."""
    with translation.override("fr"):
        refused = client.post(
            reverse("cookie_charter:decide") + "?language=fr",
            {"number": "1", "answer": "peut-être", "next": "/"},
            headers={"sec-fetch-site": "same-origin", "accept": "text/html"},
        )
    assert refused.status_code == 400
    assert "Une réponse consiste à accepter" in refused.content.decode()


@pytest.mark.parametrize(("mode", "words"), [("", "Tout refuser"), ("preferences", "Fermer sans")])
def test_a_preview_of_the_banner_is_in_the_banners_language(
    french_site: Any, mode: str, words: str
) -> None:
    """An editor who checks a translation must see it, whatever the admin's own language."""
    banner = ConsentBanner.objects.get(locale__language_code="fr")
    with translation.override("en"):
        response = banner.make_preview_request(preview_mode=mode)
    html = response.content.decode()
    assert words in html
    assert english_in(html) == []
