"""The blocks of a charter's body, and the way from a row to ``consent.Cookie``.

Drafts may have holes: a block complains only when its content is to be published
(``is_deferred_validation`` is Wagtail's word for "this is a draft"), and readers here
never fail on a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockValidationError
from wagtail.blocks.struct_block import (
    BlockGroup,
    StructBlockAdapter,
    StructBlockValidationError,
)

from .conf import NECESSARY, category_choices, conf
from .consent import Cookie, Duration, DurationKind
from .errors import clean_once, duplicate_errors, row_errors, table_error
from .representation import represent_cookie, represent_duration

RICH_TEXT = ["bold", "italic", "link", "document-link", "ol", "ul"]


class Opaque:
    """A block that migrations name, but do not take apart.

    A departure from ``StructBlock``, which writes every label, help text and choice into
    the migration: ours depend on settings and language, and would change the migrations of
    every project that uses them. Core's ``ImageBlock`` departs the same way. The price: the
    dotted path of a subclass is public, and so are the names of its children.
    """

    _constructor_kwargs: dict[str, Any]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, [], self._constructor_kwargs

    def deconstruct_with_lookup(self, lookup: Any) -> tuple[str, list[Any], dict[str, Any]]:
        return self.deconstruct()

    @classmethod
    def construct_from_lookup(cls, lookup: Any, *args: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)


class TrackerNameBlock(blocks.CharBlock):
    """A name as the browser knows it: the same in every language."""

    def get_translatable_segments(self, value: str) -> list[Any]:
        """Tell wagtail-localize, which asks for this method, that nothing is to translate."""
        return []


def storage_choices() -> list[tuple[str, str | Promise]]:
    return [
        ("cookie", _("Cookie")),
        ("local", _("Local storage")),
        ("session", _("Session storage")),
        ("indexeddb", _("IndexedDB")),
        ("pixel", _("Pixel")),
        ("other", _("Other")),
    ]


def party_choices() -> list[tuple[str, str | Promise]]:
    return [("first", _("This site")), ("third", _("Third party"))]


def duration_choices() -> list[tuple[str, str | Promise]]:
    return [
        ("fixed", _("For a fixed time")),
        ("session", _("Until the browser is closed")),
        ("persistent", _("Until the visitor deletes it")),
    ]


def unit_choices() -> list[tuple[str, str | Promise]]:
    return [
        ("second", _("seconds")),
        ("minute", _("minutes")),
        ("hour", _("hours")),
        ("day", _("days")),
        ("week", _("weeks")),
        ("month", _("months")),
        ("year", _("years")),
    ]


def ground_choices() -> list[tuple[str, str | Promise]]:
    return [
        ("consent", _("Consent")),
        ("necessary", _("Exempt: strictly necessary for a service the visitor asked for")),
        ("transmission", _("Exempt: only carries the communication")),
        ("audience", _("Exempt: anonymous audience measurement")),
    ]


def whole(value: Any) -> int | None:
    """A number as a form sends it, in text and not yet checked; None where it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


class DurationValue(blocks.StructValue):
    def duration(self) -> Duration | None:
        """The duration, or None as long as it is not filled in."""
        kind = self.get("kind")
        if kind in ("session", "persistent"):
            return Duration(DurationKind(kind))
        value, unit = whole(self.get("value")), self.get("unit")
        if kind == "fixed" and value and unit:
            return Duration(DurationKind.FIXED, value, unit)
        return None


class DurationBlock(Opaque, blocks.StructBlock):
    """A duration that can be compared and translated: number and unit, not free text."""

    kind = blocks.ChoiceBlock(choices=duration_choices, required=False, label=_("How long"))
    value = blocks.IntegerBlock(required=False, min_value=1, max_value=100_000, label=_("Number"))
    unit = blocks.ChoiceBlock(choices=unit_choices, required=False, label=_("Unit"))

    class Meta:
        label = _("Duration")
        icon = "time"
        value_class = DurationValue
        form_classname = "struct-block wcc-duration"
        label_format = "{kind} {value} {unit}"

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if not self.is_deferred_validation and value.get("kind") == "fixed":
            missing = _("Give a number and a unit, for example 13 months.")
            errors = {
                name: ValidationError(missing) for name in ("value", "unit") if not value.get(name)
            }
            if errors:
                raise StructBlockValidationError(errors)
        return value

    def get_api_representation(self, value: Any, context: Any = None) -> dict[str, Any] | None:
        """Kind, value and unit; None as long as it is not filled in."""
        return represent_duration(value.duration())


class DurationBlockAdapter(StructBlockAdapter):
    """As any struct block in the editor, with its three fields side by side."""

    @cached_property
    def media(self) -> forms.Media:
        css = versioned_static("wagtail_cookie_charter/cookie-charter-admin.css")
        return super().media + forms.Media(css={"all": [css]})


register(DurationBlockAdapter(), DurationBlock)


#: What a link may be to.
WEB = re.compile("https?://", re.IGNORECASE)


class CookieValue(blocks.StructValue):
    def cookie(self, category: str = "", row_id: str = "") -> Cookie:
        """This row as the pure core knows it; blanks stay blank."""

        def text(name: str) -> str:
            return str(self.get(name) or "").strip()

        duration = self.get("duration")
        checked = self.get("last_checked")
        return Cookie(
            name=text("name"),
            category=category,
            storage=text("storage") or "cookie",
            provider=text("provider"),
            service=text("service"),
            purpose=text("purpose"),
            duration=duration.duration() if duration else None,
            party=text("party"),
            domain=text("domain"),
            controller=text("controller"),
            country=text("country"),
            # A script may have written the row, past the field that takes nothing else.
            policy_url=text("policy_url") if WEB.match(text("policy_url")) else "",
            recipients=text("recipients"),
            transfer=text("transfer"),
            safeguard=text("safeguard"),
            ground=text("ground"),
            reason=text("reason"),
            retention_months=whole(self.get("retention_months")),
            opt_out=text("opt_out"),
            last_checked=checked.isoformat() if isinstance(checked, date) else text("last_checked"),
            row_id=row_id,
        )


class CookieBlock(Opaque, blocks.StructBlock):
    """One row: one tracker, for one purpose (requirements, part B)."""

    name = TrackerNameBlock(
        required=False,
        label=_("Name"),
        help_text=_(
            "The name as the browser shows it, for example _ga. End it with * for all "
            "names that begin so: _pk_id.*"
        ),
    )
    storage = blocks.ChoiceBlock(
        choices=storage_choices, required=False, default="cookie", label=_("Kind of storage")
    )
    provider = blocks.CharBlock(
        required=False, label=_("Provider"), help_text=_("Who sets or reads it.")
    )
    service = blocks.CharBlock(
        required=False,
        label=_("Service and place"),
        help_text=_("For example: sign-in (front and back office)."),
    )
    purpose = blocks.TextBlock(
        required=False, rows=2, label=_("Purpose"), help_text=_("In plain words.")
    )
    duration = DurationBlock()
    party = blocks.ChoiceBlock(
        choices=party_choices,
        required=False,
        label=_("Party"),
        help_text=_("Does it belong to this site's own domain, or to somebody else's?"),
    )
    domain = blocks.CharBlock(required=False, label=_("Domain"))
    controller = blocks.CharBlock(
        required=False, label=_("Controller"), help_text=_("Legal name of who is responsible.")
    )
    country = blocks.CharBlock(required=False, label=_("Controller's country"))
    policy_url = blocks.URLBlock(required=False, label=_("Privacy policy (URL)"))
    recipients = blocks.CharBlock(required=False, label=_("Recipients: who else can read it"))
    transfer = blocks.CharBlock(
        required=False,
        label=_("Transfer outside the European Union"),
        help_text=_("The country, if there is a transfer."),
    )
    safeguard = blocks.CharBlock(
        required=False,
        label=_("Safeguard of the transfer"),
        help_text=_("For example: adequacy decision, standard contractual clauses."),
    )
    ground = blocks.ChoiceBlock(
        choices=ground_choices,
        required=False,
        label=_("Ground"),
        help_text=_("Empty: as the category says."),
    )
    reason = blocks.CharBlock(required=False, label=_("Reason for this ground"))
    retention_months = blocks.IntegerBlock(
        required=False,
        min_value=0,
        max_value=1200,
        label=_("Data kept on servers (months)"),
        help_text=_("Needed for exempt audience measurement: 25 months at most."),
    )
    opt_out = blocks.CharBlock(
        required=False,
        label=_("How to object"),
        help_text=_("An address or a sentence. A choice on this site is always offered."),
    )
    last_checked = blocks.DateBlock(required=False, label=_("Last checked"))

    class Meta:
        label = _("Tracker")
        icon = "wcc-cookie"
        value_class = CookieValue
        label_format = "{name} {provider}"
        form_layout = BlockGroup(
            children=[
                "name",
                "storage",
                "provider",
                "service",
                "purpose",
                "duration",
                "party",
                BlockGroup(
                    children=[
                        "domain",
                        "controller",
                        "country",
                        "policy_url",
                        "recipients",
                        "transfer",
                        "safeguard",
                        "ground",
                        "reason",
                        "retention_months",
                        "opt_out",
                        "last_checked",
                    ],
                    heading=_("Details"),
                    classname="collapsed",
                    icon="list-ul",
                    label_format="",
                ),
            ],
        )

    def get_api_representation(self, value: Any, context: Any = None) -> dict[str, Any]:
        """The row as ``declaration.json`` has it, but for what only the table knows."""
        row = represent_cookie(value.cookie())
        del row["category"]
        return {**super().get_api_representation(value, context=context), **row}


class CookieTableValue(blocks.StructValue):
    def rows(self) -> list[Cookie]:
        """The table's rows, holes and all, in order."""
        rows = self.get("cookies")
        category = str(self.get("category") or "")
        if not rows:
            return []
        # A row written by a script may have no id; the one Wagtail makes up changes each time.
        return [
            child.value.cookie(category, child.original_id or "") for child in rows.bound_blocks
        ]

    def named_rows(self) -> list[Cookie]:
        """The rows that say which tracker they are about: what a draft can show."""
        return [cookie for cookie in self.rows() if cookie.name]


class CookieTableBlock(Opaque, blocks.StructBlock):
    """The trackers of one category, as a table."""

    category = blocks.ChoiceBlock(
        choices=category_choices,
        default=NECESSARY,
        label=_("Category"),
        help_text=_("What the visitor is asked about. One table for each purpose."),
    )
    heading = blocks.CharBlock(
        required=False, label=_("Heading"), help_text=_("Empty: the name of the category.")
    )
    platform_name = blocks.CharBlock(
        required=False,
        label=_("Platform"),
        help_text=_("If the table is about one platform of several."),
    )
    platform_url = blocks.URLBlock(required=False, label=_("Platform's address"))
    introduction = blocks.RichTextBlock(required=False, features=RICH_TEXT, label=_("Introduction"))
    cookies = blocks.ListBlock(CookieBlock(), default=[], label=_("Trackers"), collapsed=True)

    class Meta:
        label = _("Cookie table")
        icon = "table"
        template = "wagtail_cookie_charter/blocks/cookie_table.html"
        value_class = CookieTableValue
        label_format = "{category} {heading}"
        group = _("Trackers")
        description = _("The trackers of one category: what visitors read is what the banner asks.")

    def clean(self, value: Any) -> Any:
        category = conf.categories.get(value.get("category") or "")
        problems = {}
        if not self.is_deferred_validation and category is not None:
            for index, cookie in enumerate(value.rows()):
                fields = row_errors(cookie, category.ground)
                if not cookie.duration and value["cookies"][index]["duration"].get("kind"):
                    # Begun, not finished: the block itself says what is missing.
                    fields.pop("duration", None)
                if fields:
                    problems[index] = fields
        return clean_once(super().clean, value, table_error(problems) if problems else None)

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        context["cookies"] = value.named_rows()
        return context

    def get_api_representation(self, value: Any, context: Any = None) -> dict[str, Any]:
        """The fields, with named rows only, and what an empty heading and the category mean."""
        category = conf.categories.get(value.get("category") or "")
        fields = super().get_api_representation(value, context=context)
        return {
            **fields,
            "cookies": [row for row in fields["cookies"] if row["name"]],
            "ground": category.ground.value if category else "",
            "title": value.get("heading") or (str(category.title) if category else ""),
        }


class SectionBlock(Opaque, blocks.StructBlock):
    heading = blocks.CharBlock(required=False, label=_("Heading"))
    text = blocks.RichTextBlock(required=False, features=RICH_TEXT, label=_("Text"))

    class Meta:
        label = _("Text")
        icon = "doc-full"
        template = "wagtail_cookie_charter/blocks/section.html"
        label_format = "{heading}"
        group = _("Wording")
        description = _("A heading and a text.")


class DefinitionBlock(SectionBlock):
    class Meta:
        label = _("What is a cookie?")
        icon = "help"
        template = "wagtail_cookie_charter/blocks/definition.html"
        description = _("The definition of a cookie. Left empty, a plain one is shown.")


class KindBlock(Opaque, blocks.StructBlock):
    name = blocks.CharBlock(required=False, label=_("Kind"))
    text = blocks.TextBlock(required=False, rows=3, label=_("Explanation"))

    class Meta:
        label = _("Kind")
        label_format = "{name}"


class KindsBlock(Opaque, blocks.StructBlock):
    heading = blocks.CharBlock(required=False, label=_("Heading"))
    introduction = blocks.RichTextBlock(required=False, features=RICH_TEXT, label=_("Introduction"))
    kinds = blocks.ListBlock(KindBlock(), label=_("Kinds"), collapsed=True)

    class Meta:
        label = _("Kinds of cookies")
        icon = "list-ul"
        template = "wagtail_cookie_charter/blocks/kinds.html"
        label_format = "{heading}"
        group = _("Wording")
        description = _("The kinds of cookies, each with an explanation.")


class PlatformBlock(Opaque, blocks.StructBlock):
    name = blocks.CharBlock(required=False, label=_("Name of the platform"))
    url = blocks.URLBlock(required=False, label=_("Address"))
    text = blocks.RichTextBlock(required=False, features=RICH_TEXT, label=_("Text"))

    class Meta:
        label = _("Platform")
        icon = "site"
        template = "wagtail_cookie_charter/blocks/platform.html"
        label_format = "{name}"
        group = _("Trackers")
        description = _("Names the platform that the tables below are about.")


class ChoicesBlock(SectionBlock):
    class Meta:
        label = _("Your choices")
        icon = "form"
        template = "wagtail_cookie_charter/blocks/choices.html"
        group = _("Trackers")
        description = _("The visitor's own choices: a form that works without JavaScript too.")


class ContactsBlock(SectionBlock):
    class Meta:
        label = _("Who is responsible")
        icon = "user"
        template = "wagtail_cookie_charter/blocks/contacts.html"
        description = _("Controller, data protection officer and authority, from the settings.")


class CharterBodyBlock(Opaque, blocks.StreamBlock):
    """Everything a charter can say. Subclass it to add blocks of a project's own."""

    text = SectionBlock()
    definition = DefinitionBlock()
    kinds = KindsBlock()
    platform = PlatformBlock()
    cookie_table = CookieTableBlock()
    choices = ChoicesBlock()
    contacts = ContactsBlock()

    class Meta:
        required = False
        block_counts = {"choices": {"max_num": 1}, "contacts": {"max_num": 1}}

    def clean(self, value: Any) -> Any:
        rows = ((index, table.rows()) for index, table in tables(value))
        errors = {} if self.is_deferred_validation else duplicate_errors(rows)
        error = StreamBlockValidationError(block_errors=errors) if errors else None
        return clean_once(super().clean, value, error)


def tables(body: Any) -> Iterator[tuple[int, CookieTableValue]]:
    """The cookie tables of a charter's body, each with its place in the stream."""
    for index, child in enumerate(body or ()):
        if isinstance(child.value, CookieTableValue):
            yield index, child.value


def declared_cookies(body: Any) -> list[Cookie]:
    """Every named row of every table in a charter's body, in order."""
    return [cookie for _index, table in tables(body) for cookie in table.named_rows()]
