"""What happened to a declaration, told in the active language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from .blocks import CookieBlock, ground_choices, party_choices, storage_choices
from .changes import Change, Kind, changes, provider_name
from .conf import conf
from .consent import Declaration, Duration, Ground
from .models import ConsentBanner, PublishedDeclaration
from .seal import Flaw
from .wording import BANNER_DEFAULTS, duration_text, ground_text

SENTENCES: Mapping[Kind, Promise] = {
    Kind.CATEGORY_ADDED: _("The category “%(category)s” was added: %(after)s."),
    Kind.CATEGORY_REMOVED: _("The category “%(category)s” was removed."),
    Kind.GROUND_CHANGED: _(
        "The ground of “%(category)s” was changed from “%(before)s” to “%(after)s”."
    ),
    Kind.PROVIDER_ADDED: _("Provider %(provider)s was added to %(category)s."),
    Kind.PROVIDER_REMOVED: _("Provider %(provider)s was removed from %(category)s."),
    Kind.ROW_ADDED: _("Tracker %(row)s was added to %(category)s."),
    Kind.ROW_REMOVED: _("Tracker %(row)s was removed from %(category)s."),
    Kind.ROW_CHANGED: _("Tracker %(row)s was changed (%(language)s): %(fields)s."),
    Kind.LANGUAGE_ADDED: _("The language %(language)s was added."),
    Kind.LANGUAGE_REMOVED: _("The language %(language)s was removed."),
    Kind.TEXT_CHANGED: _("%(fields)s (%(language)s) was changed from “%(before)s” to “%(after)s”."),
    Kind.CATEGORY_WORDS_CHANGED: _(
        "%(fields)s of “%(category)s” (%(language)s) was changed from “%(before)s” to “%(after)s”."
    ),
    Kind.DAYS_CHANGED: _("An answer is kept for %(after)s days; it was %(before)s."),
    Kind.PLACEMENT_CHANGED: _("The banner's place was changed from “%(before)s” to “%(after)s”."),
    Kind.SITE_CHANGED: _("%(fields)s was changed from “%(before)s” to “%(after)s”."),
}

_REMOVED = {Kind.CATEGORY_REMOVED, Kind.PROVIDER_REMOVED, Kind.ROW_REMOVED}

#: What has no field of its own with a label.
LABELS: Mapping[str, Promise] = {
    "category": _("Category"),
    "language": _("Language"),
    "facts": _("Who asks, and for how long"),
    "charter_url": _("Address of the charter"),
    "charter_title": _("Title of the charter"),
    "charter_language": _("Language of the charter"),
    "privacy_url": _("Address of the privacy policy"),
    "cookies_language": _("Language of the tables"),
    "site": _("The site's address"),
    "cookie_name": _("Name of the consent cookie"),
    "summary": _("Description"),
}

#: Fields of a row whose values are keys.
CHOICES = {"storage": storage_choices, "party": party_choices, "ground": ground_choices}

FLAWS: Mapping[Flaw, Promise] = {
    Flaw.UNSEALED: _("It was stored without a seal."),
    Flaw.CONTENT: _("Its content does not match its digest."),
    Flaw.SITE: _("It belongs to another site."),
    Flaw.SEAL: _(
        "Its seal fits neither what is stored nor what stands before it: something was changed, "
        "removed or put in."
    ),
}


def flaw_text(flaw: Flaw) -> str:
    return str(FLAWS[flaw])


def change_text(change: Change, before: Declaration | None, after: Declaration) -> str:
    """One of ``changes(before, after)`` as a sentence: "Provider Hotjar was added to …"."""
    # Who is no longer declared had a name while they were.
    order = (before, after) if change.kind in _REMOVED else (after, before)
    known = [declaration for declaration in order if declaration is not None]
    return str(SENTENCES[change.kind]) % {
        "category": _category(change.category, known),
        "provider": next(
            (
                name
                for declaration in known
                if (name := provider_name(declaration, change.provider, get_language() or ""))
            ),
            str(change.provider),
        ),
        "row": change.row,
        "language": language_name(change.language),
        "fields": _fields(change, known),
        "before": _value(change.kind, change.before),
        "after": _value(change.kind, change.after),
    }


def story(before: Declaration | None, after: Declaration) -> list[tuple[str, bool]]:
    """All changes as sentences, each with whether it asks visitors again (R65)."""
    return [
        (change_text(change, before, after), change.material) for change in changes(before, after)
    ]


def number_story(
    before: PublishedDeclaration,
    after: PublishedDeclaration,
    reasons: Iterable[tuple[int, str]],
) -> list[str]:
    """That the number differs and, of ``reasons`` given meanwhile, under which and why (R66)."""
    if before.number == after.number:
        return []
    changed = gettext("The number was changed from %(before)d to %(after)d.")
    given = gettext("Everybody was asked again, under number %(number)d: %(reason)s")
    return [
        changed % {"before": before.number, "after": after.number},
        *(given % {"number": number, "reason": reason} for number, reason in reasons),
    ]


def record_story(before: PublishedDeclaration, after: PublishedDeclaration) -> list[str]:
    """What changed beside the declaration: the package, its assets, how layers are shown."""
    sentences = []
    if before.version != after.version:
        sentences.append(
            gettext("The package's release was changed from “%(before)s” to “%(after)s”.")
            % {"before": before.version or "–", "after": after.version or "–"}
        )
    if before.assets != after.assets:
        sentences.append(gettext("The scripts and styles of the package were changed."))
    if before.shown != after.shown and before.digest == after.digest:
        sentences.append(gettext("The same declaration was rendered differently."))
    return sentences


def pairs_text(declaration: Declaration, pairs: Iterable[tuple[str, int]]) -> str:
    """Categories and providers in words: "Statistics (Hotjar, Matomo), Videos (Vimeo)"."""
    named: dict[str, list[str]] = {}
    for category, number in pairs:
        name = provider_name(declaration, number, get_language() or "") or str(number)
        named.setdefault(_category(category, [declaration]), []).append(name)
    return ", ".join(f"{title} ({', '.join(names)})" for title, names in named.items())


def asked_again(published: PublishedDeclaration, declaration: Declaration) -> str:
    """Why visitors were asked again with this snapshot, "" if they were not (R65)."""
    reasons = [published.reason] if published.reason else []
    if published.added:
        added = [(category, number) for category, number in published.added]
        new = pairs_text(declaration, added)
        reasons.append(gettext("New, needs consent: %(what)s.") % {"what": new})
    return " ".join(reasons)


def language_name(code: str) -> str:
    """A language's name in the active one; its code if Django does not know it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _category(key: str, known: Iterable[Declaration]) -> str:
    for declaration in known:
        found = declaration.wording(get_language() or "")
        if found and key in found[1].categories:
            return found[1].categories[key][0]
    setting = conf.categories.get(key)
    return str(setting.title) if setting else key


def _fields(change: Change, known: Iterable[Declaration]) -> str:
    """What differs; of a row, with what it said before and says now, each on a line."""
    if not change.values:
        return ", ".join(_label(change.kind, name) for name in change.fields)
    return ";\n".join(
        gettext("%(field)s, from “%(before)s” to “%(after)s”")
        % {
            "field": _label(change.kind, name),
            "before": _row_value(name, before, known),
            "after": _row_value(name, after, known),
        }
        for name, (before, after) in zip(change.fields, change.values, strict=True)
    )


def _row_value(name: str, value: Any, known: Iterable[Declaration]) -> str:
    """A value of a row as the editor's form and the tables call it."""
    if value in (None, ""):
        return "–"
    if isinstance(value, Duration):
        return duration_text(value)
    if name == "category":
        return _category(value, known)
    if name == "language":
        return language_name(value)
    choices = CHOICES[name]() if name in CHOICES else []
    return str(dict(choices).get(value, value))


def _label(kind: Kind, name: str) -> str:
    block = CookieBlock.base_blocks.get(name) if kind is Kind.ROW_CHANGED else None
    if block is not None:
        return str(block.label or name)
    if kind is Kind.TEXT_CHANGED and name in BANNER_DEFAULTS or name == "title":
        label = str(ConsentBanner._meta.get_field(name).verbose_name)
        return label[:1].upper() + label[1:]
    return str(LABELS.get(name, name))


def _value(kind: Kind, value: str | int | None) -> str:
    if value in (None, ""):
        return "–"
    if kind in (Kind.GROUND_CHANGED, Kind.CATEGORY_ADDED):
        return ground_text(Ground(value))
    if kind is Kind.PLACEMENT_CHANGED:
        return str(dict(ConsentBanner.Placement.choices).get(str(value), value))
    return str(value)
