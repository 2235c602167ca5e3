"""The page "Consent records" in Wagtail's admin: one answer by its receipt number, and exports.

All of it is asked for by POST: a receipt number belongs in no address, history or server log.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic import PermissionCheckedMixin, WagtailAdminTemplateMixin
from wagtail.admin.widgets import AdminDateInput
from wagtail.coreutils import get_content_languages
from wagtail.log_actions import LogFormatter, log
from wagtail.models import Site

from ..models import ConsentEvent
from ..models.ledger import Unreadable
from ..wording import method_text
from .downloads import Download
from .figures import today
from .records import (
    Period,
    consent_receipt,
    declaration_lines,
    event_lines,
    find_event,
    granted,
    register_csv,
    site_register,
)
from .views import VIEW_EVENTS, PermittedMenuItem

VIEW_DECLARATIONS = "wagtail_cookie_charter.view_publisheddeclaration"

EXPORTED_EVENTS = "cookie_charter.export_events"
EXPORTED_RECEIPT = "cookie_charter.export_receipt"
FOUND_RECEIPT = "cookie_charter.find_receipt"


class ReceiptForm(forms.Form):
    receipt = forms.CharField(
        label=_("Receipt number"),
        max_length=60,
        help_text=_(
            "12 letters and digits. Visitors find theirs on the cookie charter. Spaces and "
            "capitals do not matter."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class RegisterForm(forms.Form):
    site = forms.ModelChoiceField(label=_("Site"), queryset=Site.objects.all(), empty_label=None)
    language = forms.ChoiceField(label=_("Language"))
    format = forms.ChoiceField(
        label=_("File"),
        choices=[("csv", _("CSV, for a spreadsheet")), ("json", _("JSON, for a program"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages: dict[str, str] = get_content_languages()
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"), choices=list(languages.items()), initial=get_language()
        )


class PeriodForm(forms.Form):
    start = forms.DateField(label=pgettext_lazy("period", "From"), widget=AdminDateInput())
    end = forms.DateField(label=pgettext_lazy("period", "To"), widget=AdminDateInput())
    site = forms.ModelChoiceField(
        label=_("Site"), queryset=Site.objects.all(), required=False, empty_label=_("All sites")
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and start > end:
            self.add_error("end", gettext("The period ends before it begins."))
        return cleaned

    @property
    def period(self) -> Period:
        site = self.cleaned_data["site"]
        return Period(
            self.cleaned_data["start"], self.cleaned_data["end"], site.pk if site else None
        )


class RecordsView(WagtailAdminTemplateMixin, PermissionCheckedMixin, TemplateView):
    """What can be proved. Each part needs the permission to view what it gives out.

    Receipts and answers are personal choices: ``ConsentEvent``. Declarations and the register
    were public: ``PublishedDeclaration``.
    """

    page_title = _("Consent records")
    header_icon = "wcc-cookie"
    template_name = "wagtail_cookie_charter/admin/records.html"
    #: What may be asked for -> the permission for it, and the form.
    parts = {
        "receipt": (VIEW_EVENTS, ReceiptForm),
        "receipt_jsonld": (VIEW_EVENTS, ReceiptForm),
        "events": (VIEW_EVENTS, PeriodForm),
        "declarations": (VIEW_DECLARATIONS, PeriodForm),
        "register": (VIEW_DECLARATIONS, RegisterForm),
    }

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not any(request.user.has_perm(name) for name in (VIEW_EVENTS, VIEW_DECLARATIONS)):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        part = request.POST.get("part", "")
        permission, form_class = self.parts.get(part, ("", ReceiptForm))
        if not permission or not request.user.has_perm(permission):
            raise PermissionDenied
        form = form_class(request.POST, prefix=part.partition("_")[0])
        if form.is_valid():
            try:
                answer: HttpResponseBase | None = getattr(self, part)(form)
            except Unreadable as unreadable:
                form.add_error(None, unreadable.sentence)
                answer = None
            if answer is not None:
                return answer
        context = self.get_context_data(**{f"{part.partition('_')[0]}_form": form})
        return self.render_to_response(context)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        month = {"start": today() - timedelta(30), "end": today()}
        forms_ = {
            "receipt": ReceiptForm(prefix="receipt"),
            "events": PeriodForm(prefix="events", initial=month),
            "declarations": PeriodForm(prefix="declarations", initial=month),
            "register": RegisterForm(prefix="register"),
        }
        for part, form in forms_.items():
            if self.request.user.has_perm(self.parts[part][0]):
                context.setdefault(f"{part}_form", form)
        shown = [context[f"{part}_form"] for part in forms_ if f"{part}_form" in context]
        context["media"] = sum((form.media for form in shown), forms.Media())
        return context

    # --- What each form asks for; None: the page is shown again ---

    def receipt(self, form: Any) -> HttpResponseBase | None:
        event = self._find(form)
        if event is None:
            return None
        log(event, FOUND_RECEIPT, data={"found": 1})
        context = self.get_context_data(receipt_form=form, found=event, **described(event))
        return self.render_to_response(context)

    def receipt_jsonld(self, form: Any) -> HttpResponseBase | None:
        event = self._find(form)
        if event is None:
            return None
        log(event, EXPORTED_RECEIPT)
        return JsonResponse(
            consent_receipt(event),
            content_type="application/ld+json",
            json_dumps_params={"ensure_ascii": False, "indent": 2},
            headers={
                "Content-Disposition": f'attachment; filename="consent-{event.receipt}.jsonld"',
                "Cache-Control": "private, no-store",
            },
        )

    def _find(self, form: Any) -> ConsentEvent | None:
        """None, said in the form and noted in the audit log, where no answer has the number."""
        event = find_event(form.cleaned_data["receipt"])
        if event is None:
            form.add_error(
                "receipt",
                gettext(
                    "No answer has this receipt number. Compare it with the visitor’s: it has 12 "
                    "letters and digits. Answers are deleted when their retention period ends, "
                    "and refusals have no number."
                ),
            )
            # It may be of any site's; it is noted for the one that the officer is at.
            if site := Site.find_for_request(self.request):
                log(site, FOUND_RECEIPT, data={"found": 0})
        return event

    def events(self, form: Any) -> HttpResponseBase:
        period = form.period
        note_export(period)
        name = f"consent-events-{period.start}-{period.end}.jsonl"
        return Download(event_lines(period), "application/jsonl", name)

    def declarations(self, form: Any) -> HttpResponseBase:
        period = form.period
        name = f"declarations-{period.start}-{period.end}.jsonl"
        return Download(declaration_lines(period), "application/jsonl", name)

    def register(self, form: Any) -> HttpResponseBase | None:
        site = form.cleaned_data["site"]
        found = site_register(site, form.cleaned_data["language"])
        if found is None:
            form.add_error("site", gettext("This site has not published a declaration yet."))
            return None
        name = f"trackers-{site.hostname}-{found['language']}"
        if form.cleaned_data["format"] == "json":
            return JsonResponse(
                found,
                json_dumps_params={"ensure_ascii": False, "indent": 2},
                headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
            )
        return Download(register_csv(found), "text/csv; charset=utf-8", f"{name}.csv")


def described(event: ConsentEvent) -> dict[str, Any]:
    """An answer in words, in the reader's language where the declaration has it."""
    declaration = event.declaration.declaration
    site = event.declaration.site
    languages: dict[str, str] = get_content_languages()
    return {
        "found_site": (site.site_name if site else "") or declaration.site,
        "found_method": method_text(event.method),
        "found_language": languages.get(event.language, event.language),
        "found_answers": granted(declaration, event.grants, get_language() or ""),
    }


def note_export(period: Period) -> None:
    """In the audit log of each site concerned: who took out which answers, and when."""
    sites = Site.objects.all() if period.site is None else Site.objects.filter(pk=period.site)
    for site in sites:
        log(
            site,
            EXPORTED_EVENTS,
            data={"start": period.start.isoformat(), "end": period.end.isoformat()},
        )


class ExportedEvents(LogFormatter):
    label = _("Export consent events")

    def format_message(self, log_entry: Any) -> str:
        return gettext("Consent events exported, from %(start)s to %(end)s") % {
            "start": log_entry.data.get("start", ""),
            "end": log_entry.data.get("end", ""),
        }


class ExportedReceipt(LogFormatter):
    label = _("Export a consent record")
    message = _("Consent record exported")


class FoundReceipt(LogFormatter):
    """A look-up on the screen. The number itself is not in the log: it is the visitor's."""

    label = _("Look up a receipt number")

    def format_message(self, log_entry: Any) -> str:
        if log_entry.data.get("found"):
            return gettext("Consent record looked up by its receipt number, and found")
        return gettext("Receipt number looked up: no consent record has it")


def register_log_actions(actions: Any) -> None:
    actions.register_action(EXPORTED_EVENTS)(ExportedEvents)
    actions.register_action(EXPORTED_RECEIPT)(ExportedReceipt)
    actions.register_action(FOUND_RECEIPT)(FoundReceipt)


def records_menu_item() -> MenuItem:
    return PermittedMenuItem(
        _("Consent records"),
        reverse("cookie_charter_report:records"),
        name="cookie-charter-records",
        icon_name="wcc-cookie",
        order=1410,
        permissions=[VIEW_EVENTS, VIEW_DECLARATIONS],
    )


def permissions() -> Any:
    """What a group may be given in Wagtail's settings: to see numbers, answers, declarations."""
    return Permission.objects.filter(
        content_type__app_label="wagtail_cookie_charter",
        codename__in=["view_dailycount", "view_consentevent", "view_publisheddeclaration"],
    )
