"""Proof that leaves the system: answers and declarations as JSON Lines, one answer as DPV.

R46: whoever must prove consent can hand over the declaration and the event. All of it streams:
a million lines need no more memory than one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import OuterRef, Subquery, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext

from ..changes import provider_name
from ..consent import Declaration, Ground
from ..decision import RECEIPT_LENGTH
from ..models import ConsentEvent, CookieCharterSettings, PublishedDeclaration
from ..moments import stored, utc
from ..wording import method_text
from .register import COLUMNS, in_force, register, register_rows
from .tally import grants_in

#: Rows that are in memory at a time; declarations are whole texts in all languages.
EVENTS_AT_A_TIME, DECLARATIONS_AT_A_TIME = 2000, 10


def line(data: Any) -> str:
    return json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"


# --- A period -------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """Days (UTC), both included, of all sites or of one."""

    start: date
    end: date
    site: int | None = None

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first moment to the one that follows the last."""
        # Days that have one before and one after them, in all time zones.
        start, end = (
            min(max(day, date.min + timedelta(1)), date.max - timedelta(2))
            for day in (self.start, self.end)
        )
        first = datetime(start.year, start.month, start.day, tzinfo=timezone.utc)
        last = datetime(end.year, end.month, end.day, tzinfo=timezone.utc)
        return stored(first), stored(last + timedelta(1))


def event_lines(period: Period) -> Iterator[str]:
    """The answers of a period, a JSON object each, oldest first."""
    start, end = period.moments
    events = ConsentEvent.objects.filter(decided_at__gte=start, decided_at__lt=end)
    declarations = PublishedDeclaration.objects.all()
    if period.site is not None:
        events = events.filter(declaration__site_id=period.site)
        declarations = declarations.filter(site_id=period.site)
    # The site may be gone by now, or have got another name: what it declared has it.
    named = {
        pk: {"id": pk, "site": host, "number": number, "digest": digest, "seal": seal}
        for pk, host, number, digest, seal in declarations.annotate(
            host=KeyTextTransform("site", "content")
        )
        .values_list("pk", "host", "number", "digest", "seal")
        .iterator()
    }
    rows = events.order_by("decided_at", "pk").values_list(
        "declaration_id", "decided_at", "method", "language", "grants", "receipt"
    )
    for pk, decided_at, method, language, grants, receipt in rows.iterator(EVENTS_AT_A_TIME):
        yield line(
            {
                "declaration": named.get(pk),
                "decided_at": utc(decided_at),
                "method": method,
                "language": language,
                "grants": grants,
                "receipt": receipt,
            }
        )


def declaration_lines(period: Period) -> Iterator[str]:
    """The declarations published in a period, complete, a JSON object each, oldest first.

    Each line has what its seal covers as ``seal.py`` has it, and the seal ``previous`` to it in
    the whole chain: so each can be verified by itself, whatever is not in the file.
    """
    start, end = period.moments
    found = PublishedDeclaration.objects.filter(created_at__gte=start, created_at__lt=end)
    if period.site is not None:
        found = found.filter(site_id=period.site)
    before = PublishedDeclaration.objects.filter(pk__lt=OuterRef("pk")).order_by("-pk")
    found = found.annotate(previous=Coalesce(Subquery(before.values("seal")[:1]), Value("")))
    rows: Any = found.order_by("pk").iterator(DECLARATIONS_AT_A_TIME)
    for row in rows:
        link = row.link
        beside = {"site_id": link.site_id, "previous": row.previous, "seal": link.seal}
        yield line({**link.fields, **beside})


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def register_csv(found: dict[str, Any]) -> Iterator[str]:
    """A register (``register.register``) as CSV, with the mark by which spreadsheets know UTF-8."""
    writer = csv.DictWriter(_Echo(), COLUMNS)
    yield "\ufeff"
    yield writer.writerow(dict(zip(COLUMNS, COLUMNS, strict=True)))
    for row in register_rows(found):
        yield writer.writerow(row)


def site_register(site: Any, language: str) -> dict[str, Any] | None:
    """The register of what ``site`` declares now; None if it never declared anything."""
    published = in_force(site)
    return register(published, language) if published else None


# --- One answer -----------------------------------------------------------------------


def receipt_in(text: str) -> str:
    """A receipt number as people write it, with spaces, dashes or capitals; "" if it is none."""
    number = re.sub(r"[\s\-–.]", "", text).casefold()
    return number if re.fullmatch(rf"[0-9a-z]{{{RECEIPT_LENGTH}}}", number, re.ASCII) else ""


def find_event(text: str) -> ConsentEvent | None:
    """The answer with this receipt number; None if there is none, or none any more."""
    receipt = receipt_in(text)
    if not receipt:
        return None
    events = ConsentEvent.objects.select_related("declaration__site")
    return events.filter(receipt=receipt).first()


@dataclass(frozen=True)
class Granted:
    """One optional category of an answer, and its providers by what was said to them."""

    key: str
    ground: Ground
    title: str
    summary: str
    granted: tuple[str, ...]
    refused: tuple[str, ...]
    whole: bool

    @property
    def verdict(self) -> str:
        """In the active language: granted, refused, or what of it."""
        if self.whole:
            return gettext("Granted")
        if not self.granted:
            return gettext("Refused")
        return gettext("Granted only for %(names)s") % {"names": ", ".join(self.granted)}


def granted(declaration: Declaration, grants: str, language: str) -> list[Granted]:
    """What ``grants`` (as the cookie writes them) say to all that ``declaration`` asked."""
    found = declaration.wording(language)
    wording = found[1] if found else None
    names: dict[int, str] = {}
    for cookie in wording.cookies if wording else ():
        names.setdefault(cookie.provider_id, cookie.provider or cookie.name)
    by_key = {grant.category: grant for grant in grants_in(grants)}
    answers = []
    for category in declaration.optional:
        grant = by_key.get(category.key)
        yes: list[str] = []
        no: list[str] = []
        for number in sorted(declaration.providers_of(category.key)):
            covered = grant is not None and grant.covers(number)
            (yes if covered else no).append(names.get(number) or provider_name(declaration, number))
        title, summary = (
            wording.categories.get(category.key, (category.key, ""))
            if wording
            else (category.key, "")
        )
        answers.append(
            Granted(
                category.key,
                category.ground,
                title,
                summary,
                tuple(yes),
                tuple(no),
                whole=grant is not None and not no and (bool(yes) or grant.covers(None)),
            )
        )
    return answers


# --- In the words of W3C's Data Privacy Vocabulary ------------------------------------

CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    # What these name are things, not words.
    "dpv:hasDataSubject": {"@type": "@id"},
    "dpv:hasLegalBasis": {"@type": "@id"},
    "dpv:isIndicatedBy": {"@type": "@id"},
}


def controller_of(published: PublishedDeclaration, declaration: Declaration) -> dict[str, str]:
    """Name and, as far as they are known, contacts of whoever asked with ``declaration``.

    It names the controller of its time to visitors, and no more. What the settings have today
    is theirs only if the name is still the same; or if the declaration has none.
    """
    responsible = CookieCharterSettings.existing(published.site) if published.site else None
    today = responsible.contacts["controller"] if responsible else {}
    name = next((one.texts.get("controller") for one in declaration.languages.values()), "")
    return {"name": name} if name and today.get("name") != name else today


def consent_receipt(event: ConsentEvent) -> dict[str, Any]:
    """One answer as JSON-LD: a receipt with a consent record for each thing that was asked.

    The terms are those that DPV's guide gives for ISO/IEC TS 27560. It does not say that it
    conforms to them (``dct:conformsTo``): whose data and which they are is not known here.
    What needs no consent is no consent, so it is not in it.
    """
    published = event.declaration
    declaration = published.declaration
    contacts = controller_of(published, declaration)
    controller = {
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasName": contacts.get("name") or declaration.site,
        "dpv:hasAddress": contacts.get("address", ""),
        "dpv:hasContact": [
            way for way in (contacts.get("email", ""), contacts.get("url", "")) if way
        ],
    }
    with translation.override(event.language or translation.get_language()):
        answers = granted(declaration, event.grants, event.language)
        indication = method_text(event.method)
    found = declaration.wording(event.language)
    control = found[1].texts.get("charter_url", "") if found else ""
    notice = {
        "@type": "dpv:ConsentNotice",
        # Several snapshots can share a number.
        "dct:identifier": f"{declaration.site}/{published.number}/{published.pk}",
        "dct:date": published.published_at.isoformat(),
        "dct:language": event.language,
        "dct:source": f"sha256:{published.digest}",
        "dct:provenance": f"seal:{published.seal}",
    }
    records: list[dict[str, Any]] = []
    for answer in answers:
        if answer.ground is not Ground.CONSENT:
            continue
        sides: list[tuple[list[str], tuple[str, ...]]] = [
            (["dpv:ConsentGiven", "dpv:ExpressedConsent"], answer.granted),
            (["dpv:ConsentRefused"], answer.refused),
        ]
        for status, recipients in sides:
            if not recipients:
                continue
            records.append(
                {
                    "@type": "dpv:ConsentRecord",
                    "dct:identifier": f"{event.receipt}-{len(records) + 1}",
                    "dpv:hasDataSubject": "dpv:DataSubject",
                    "dpv:hasDataController": controller,
                    "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
                    "dpv:hasProcess": {
                        "@type": "dpv:Process",
                        "dpv:hasPurpose": {
                            "@type": "dpv:Purpose",
                            "dct:identifier": answer.key,
                            "dct:title": answer.title,
                            "dct:description": answer.summary,
                        },
                        "dpv:hasRecipient": [
                            {"@type": "dpv:Recipient", "dpv:hasName": name} for name in recipients
                        ],
                    },
                    "dpv:hasNotice": notice,
                    "dpv:hasConsentControl": {
                        "@type": "dpv:WithdrawConsent",
                        "dpv:isExercisedAt": control,
                    },
                    "dpv:hasConsentStatus": {
                        "@type": status,
                        "dpv:isIndicatedBy": "dpv:DataSubject",
                        "dpv:hasIndicationMethod": indication,
                        "dpv:isIndicatedAtTime": utc(event.decided_at).isoformat(),
                        "dpv:hasDuration": {
                            "@type": "dpv:TemporalDuration",
                            "rdf:value": f"P{declaration.days}D",
                        },
                    },
                }
            )
    return {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "dpv:hasIdentifier": event.receipt,
        "dct:created": datetime.now(timezone.utc).isoformat(),
        "dpv:hasRecordOfActivity": records,
    }
