"""What may stand on the banner's buttons, and what should not."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .wording import BANNER_DEFAULTS

#: Labels that regulators named as unclear, or that browsers and scanners do not know as
#: what they are (R17; design, section 6), lower case -> why.
_UNCLEAR_ACCEPT = _(
    "“%(label)s” does not say what is accepted. Regulators and the browsers that answer for "
    "their users expect plain words such as “%(default)s”."
)
_UNCLEAR_REFUSE = _(
    "“%(label)s” is not seen as a clear refusal by regulators, nor recognised by the browsers "
    "that refuse for their users. Use plain words such as “%(default)s”."
)
_NO_ANSWER = {"ok", "okay", "close", "fermer"}
UNCLEAR_LABELS: Mapping[str, tuple[set[str], Promise]] = {
    "accept_label": (
        _NO_ANSWER
        | {"yes", "got it", "i understand", "understood", "continue"}
        | {"oui", "compris", "j’ai compris", "j'ai compris", "d’accord", "d'accord", "continuer"},
        _UNCLEAR_ACCEPT,
    ),
    "refuse_label": (
        _NO_ANSWER
        | {"no", "no thanks", "later", "more options"}
        | {"continue without accepting", "decline non-essential purposes"}
        | {"non", "non merci", "plus tard", "plus d’options", "plus d'options"}
        | {"continuer sans accepter", "je décline les finalités non essentielles"},
        _UNCLEAR_REFUSE,
    ),
}


#: What is the other answer, where it stands on this button (R14).
CONTRARY_LABELS: Mapping[str, frozenset[str]] = {
    "accept_label": frozenset(
        {"refuse", "refuse all", "reject", "reject all", "decline", "decline all", "deny"}
        | {"deny all", "refuser", "tout refuser", "rejeter", "tout rejeter"}
    ),
    "refuse_label": frozenset(
        {"accept", "accept all", "agree", "agree to all", "allow", "allow all", "accepter"}
        | {"tout accepter", "j’accepte", "j'accepte", "autoriser", "tout autoriser"}
    ),
}


def says_something(text: str) -> bool:
    """Whether visitors can read it: dots, dashes and invisible characters say nothing."""
    return any(character.isalnum() for character in text)


def label_problems(labels: Mapping[str, str]) -> dict[str, str]:
    """Field -> why its button may not be published, for the buttons as visitors meet them.

    Whoever presses one must get what it says, and be able to tell it from the others (R14, R17).
    """
    problems: dict[str, str] = {}
    seen: dict[str, str] = {}
    for field, label in labels.items():
        plain = " ".join(label.split()).casefold()
        other = {"accept_label": "refuse_label", "refuse_label": "accept_label"}.get(field, "")
        contrary = {*CONTRARY_LABELS.get(field, ())}
        if other:
            contrary.add(str(BANNER_DEFAULTS[other]).casefold())
        if plain.rstrip(".!") in contrary:
            problems[field] = gettext(
                "“%(label)s” says the contrary of what this button does. Write it on the other "
                "one, or leave both empty."
            ) % {"label": label}
        elif plain in seen:
            problems[field] = gettext(
                "Another button says “%(label)s” as well. Visitors must be able to tell them apart."
            ) % {"label": label}
        seen.setdefault(plain, field)
    return problems


def label_advice(field: str, label: str) -> str | None:
    """Why ``label`` is a poor choice for this field of the banner, or None if it is not."""
    if field not in UNCLEAR_LABELS:
        return None
    unclear, sentence = UNCLEAR_LABELS[field]
    plain = label.strip().rstrip(".!→>×✕ ").casefold()
    if not plain or plain not in unclear:
        return None
    return str(sentence) % {"label": label.strip(), "default": BANNER_DEFAULTS[field]}
