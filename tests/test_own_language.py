"""A site brings a language that we do not ship: all that visitors read is in it.

Arabic, from right to left and with six plural forms, in ``tests/locale`` as in a project's own
``LOCALE_PATHS``.
"""

from __future__ import annotations

import gettext as gettext_module
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import translation
from wagtail.models import Site

from tests import arabic
from tests.factories import make_asking_site, make_home, row, table
from tests.test_locale import (
    PACKAGE,
    english_in,
    marked,
    marked_in_python,
    marked_in_template,
    placeholders,
    read_po,
    templates,
)
from wagtail_cookie_charter import wording
from wagtail_cookie_charter.consent import Duration, DurationKind
from wagtail_cookie_charter.publishing import publish_declarations

CATALOGUE = arabic.LOCALE / "ar" / "LC_MESSAGES" / "django"
ARABIC = read_po(CATALOGUE.with_suffix(".po"))

#: Modules whose words visitors read. What else is marked in them is for editors.
MODULES = ("wording", "conf", "compiling", "answers", "views", "report/records")
COMMAND = "management/commands/init_cookie_charter"

#: Around a name in another script (U+2068, U+2069).
ISOLATES = "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}"


def read_by_visitors() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in templates():
        if "admin" not in path.parts and path.name != "_nothing_to_ask.html":
            found.update(marked_in_template(path.read_text(encoding="utf-8")))
    for name in (*MODULES, COMMAND):
        found.update(marked_in_python((PACKAGE / f"{name}.py").read_text(encoding="utf-8")))
    return found


def test_all_that_visitors_read_is_translated() -> None:
    known = {(entry.msgid, entry.plural) for entry in ARABIC}
    assert read_by_visitors() - known == set()
    assert known - set(marked()) == set()
    for entry in ARABIC:
        assert len(entry.texts) == (6 if entry.plural else 1) and all(entry.texts), entry.msgid
        for text in entry.texts:
            # One, or two, is said in a word of its own.
            wanted = set(placeholders(entry.plural or entry.msgid))
            assert set(placeholders(text)) <= wanted, entry.msgid
            if not entry.plural:
                assert set(placeholders(text)) == wanted, entry.msgid
            # Names keep their direction to themselves.
            named = re.findall(r"(.?)%\((?!count|number|months|time)\w+\)s(.?)", text)
            assert {"".join(around) for around in named} <= {ISOLATES}, text


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    """A clean checkout has no gettext: run ``make messages`` after a change."""
    data = CATALOGUE.with_suffix(".mo").read_bytes()
    (count,) = struct.unpack_from("<I", data, 8)
    assert count == len(ARABIC) + 1
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext_module.GNUTranslations(file)
    for entry in ARABIC:
        numbers = (0, 1, 2, 3, 11, 100) if entry.plural else (0,)
        forms = [
            compiled.ngettext(entry.msgid, entry.plural, n)
            if entry.plural
            else compiled.gettext(entry.msgid)
            for n in numbers
        ]
        assert forms == entry.texts


@pytest.mark.parametrize(
    ("months", "words"),
    [(1, "شهر واحد"), (2, "شهران"), (6, "6 أشهر"), (13, "13 شهرًا"), (100, "100 شهر")],
)
def test_it_counts_as_arabic_does(months: int, words: str) -> None:
    with translation.override("ar"):
        assert wording.duration_text(Duration(DurationKind.FIXED, months, "month")) == words


@pytest.fixture
def charter(db: None) -> Iterator[Any]:
    make_home()
    names = {"provider": "Sauvage (Paris)", "controller": "Sauvage SA", "country": "France"}
    make_asking_site(
        table(row(name="_ga*", domain=".example.com", recipients="Régie", **names)),
        table(row(name="_film", transfer="Canada", retention_months=12), category="media"),
        table(row(name="local.*", storage="local"), category="audience"),
    )
    publish_declarations()
    with arabic.spoken([("en", "English")]):
        yield arabic.publish(Site.objects.get(is_default_site=True))


def test_visitors_read_arabic_only(charter: Any, client: Client) -> None:
    """Banner, charter, form, second layer and record, each from the right to the left."""
    page = client.get(charter.get_url())
    soup = BeautifulSoup(page.content, "html.parser")
    assert soup.html is not None and soup.html["dir"] == "rtl"
    html = page.content.decode().replace("Skip to content", "")
    assert english_in(html) == []
    banner = soup.select_one("#wcc")
    assert banner is not None and not banner.has_attr("dir")
    # The second layer has an address of its own, which knows the language.
    address = str(banner["data-preferences"])
    assert "/ar/" in address
    dialog = client.get(address)
    assert dialog.status_code == 200
    assert english_in(dialog.content.decode()) == []
    found = BeautifulSoup(dialog.content, "html.parser").select_one("dialog")
    assert found is not None and (found["lang"], found["dir"]) == ("ar", "rtl")
    record = client.get("/cookie-charter/record/?language=ar")
    assert english_in(record.content.decode()) == []
    assert 'lang="ar" dir="rtl"' in record.content.decode()


def test_names_keep_their_own_direction(charter: Any, client: Client) -> None:
    """``_ga*`` begins with its underscore, whatever is around it."""
    soup = BeautifulSoup(client.get(charter.get_url()).content, "html.parser")
    isolated = [bdi.get_text() for bdi in soup.select(".wcc-page bdi")]
    for name in ("_ga*", "local.*", ".example.com", "Sauvage (Paris)", "Sauvage SA, France"):
        assert name in isolated, name
    banner = soup.select_one("#wcc")
    dialog = client.get(str(banner["data-preferences"])) if banner else None
    assert dialog is not None
    soup = BeautifulSoup(dialog.content, "html.parser")
    isolated = [bdi.get_text() for bdi in soup.select("bdi")]
    assert isolated.count("_ga*") == 2 and "Sauvage (Paris)" in isolated
