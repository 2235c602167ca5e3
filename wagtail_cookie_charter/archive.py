"""Published declarations in Wagtail's Reports: to be read, compared and never changed (R43)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import F, Max, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView
from django_filters import DateFilter, ModelChoiceFilter
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.admin.widgets import AdminDateInput
from wagtail.admin.widgets.button import Button
from wagtail.models import Site
from wagtail.permission_policies import ModelPermissionPolicy

from .blocks import CookieBlock
from .consent import Cookie, Declaration, Wording
from .evidence import LAYERS
from .models import PublishedDeclaration
from .models.ledger import Unreadable, reading
from .moments import local
from .narrative import asked_again, language_name, number_story, record_story, story
from .report.figures import Declared, declared

NAMESPACE = "cookie_declarations"
#: Not how many there are: which one it is.
NUMBER = pgettext_lazy("which one", "Number")
#: Words that Wagtail has too, and means otherwise.
PUBLISHED = pgettext_lazy("declaration", "Published")
FROM, TO = pgettext_lazy("comparison", "From"), pgettext_lazy("comparison", "To")
policy = ModelPermissionPolicy(PublishedDeclaration)


def permissions() -> QuerySet[Permission]:
    """What a group can be given: to read what was published, to ask everybody again."""
    return Permission.objects.filter(
        content_type__app_label="wagtail_cookie_charter",
        codename__in=["view_publisheddeclaration", "ask_again_publisheddeclaration"],
    )


def siblings(published: PublishedDeclaration) -> QuerySet[PublishedDeclaration]:
    """All snapshots of the same site, the newest first, also where the site is gone."""
    found = PublishedDeclaration.objects.order_by("-pk")
    if published.site_id is not None:
        return found.filter(site_id=published.site_id)
    return found.filter(content__cookie_name=published.declaration.cookie_name)


def in_force(day: date, among: QuerySet[PublishedDeclaration]) -> QuerySet[PublishedDeclaration]:
    """Those of ``among`` that visitors could meet on ``day``, in the active time zone (R43).

    Of each site, also of one that is gone: the newest that was published before that day, and
    all that were published on it.
    """
    before = PublishedDeclaration.objects.filter(created_at__date__lt=day).order_by()
    newest = [
        before.filter(site__isnull=gone).values(same).annotate(newest=Max("pk")).values("newest")
        for gone, same in ((False, "site"), (True, "content__cookie_name"))
    ]
    known, unknown = newest
    return among.filter(Q(created_at__date=day) | Q(pk__in=known) | Q(pk__in=unknown))


class DeclarationFilterSet(WagtailFilterSet):
    site = ModelChoiceFilter(label=_("Site"), queryset=Site.objects.all())
    on = DateFilter(label=_("In force on"), method="in_force", widget=AdminDateInput)

    class Meta:
        model = PublishedDeclaration
        fields: list[str] = []

    def in_force(
        self, queryset: QuerySet[PublishedDeclaration], name: str, value: date
    ) -> QuerySet[PublishedDeclaration]:
        return in_force(value, queryset)


class Readable(generic.PermissionCheckedMixin):
    """A view for who may read declarations, and nobody else."""

    permission_policy = policy
    permission_required = "view"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        except Unreadable as unreadable:
            context = {"page_title": _("Published declarations"), "unreadable": unreadable}
            return render(request, "wagtail_cookie_charter/admin/unreadable.html", context)
        return response


class AgainColumn(Column):
    """Whether and why visitors were asked again."""

    def get_value(self, instance: Any) -> str:
        return asked_again(instance, instance.names) or gettext("No")


def names_of(declared: Declared | None, providers: Mapping[str, int]) -> Declaration:
    """What a declaration calls its categories and providers, and no more of it."""
    named = declared.providers if declared else {}
    cookies = tuple(
        Cookie(name="", provider=named.get(slug, slug), provider_id=number)
        for slug, number in providers.items()
    )
    return Declaration(
        site="",
        cookie_name="",
        languages={
            language: Wording({}, {key: (title, "") for key, title in titles.items()}, cookies)
            for language, titles in (declared.titles if declared else {}).items()
        },
    )


class DeclarationsView(Readable, generic.IndexView):
    """All that was published, without the content of any of it."""

    any_permission_required = None
    model = PublishedDeclaration
    page_title = _("Published declarations")
    filterset_class = DeclarationFilterSet
    results_template_name = "wagtail_cookie_charter/admin/declarations_results.html"
    default_ordering = "-pk"
    paginate_by = 50
    #: None: the page for records exports what can be proved, complete.
    FORMATS = ()
    columns = [
        TitleColumn(
            "host",
            label=_("Site"),
            width="30%",
            accessor=lambda row: row.site_name or row.named or "–",
            get_url=lambda row: reverse(f"{NAMESPACE}:inspect", args=[row.pk]),
        ),
        Column("number", label=NUMBER),
        Column(
            "created_at", label=PUBLISHED, sort_key="created_at", accessor=lambda row: moment(row)
        ),
        Column("version", label=_("Version")),
        AgainColumn("again", label=_("Asked again")),
    ]

    def get_base_queryset(self) -> QuerySet[PublishedDeclaration]:
        return PublishedDeclaration.objects.defer("content", "shown").annotate(
            named=KeyTextTransform("site", "content"),
            site_name=F("site__site_name"),
            providers=F("content__providers"),
        )

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        styles = forms.Media(css={"all": ["wagtail_cookie_charter/cookie-charter-report.css"]})
        return {
            **context,
            "unreadable": not self.filters.is_valid(),
            "media": context["media"] + styles,
        }

    def get_table(self, object_list: Any) -> Any:
        # Names are needed of those that asked again, and whole declarations of none.
        known = declared([row.pk for row in object_list if row.added])
        for row in object_list:
            providers = row.providers if isinstance(row.providers, dict) else {}
            row.names = names_of(known.get(row.pk), providers)
        return super().get_table(object_list)

    def get_breadcrumbs_items(self) -> Any:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        if not policy.user_has_permission(self.request.user, "ask_again"):
            return []
        url = reverse("cookie_charter_admin:ask_again")
        return [Button(_("Ask everyone again"), url=url, icon_name="rotate")]


class DeclarationView(Readable, WagtailAdminTemplateMixin, TemplateView):
    """One of them, as visitors saw it."""

    template_name = "wagtail_cookie_charter/admin/declaration.html"
    header_icon = "wcc-cookie"

    @cached_property
    def published(self) -> PublishedDeclaration:
        return get_object_or_404(PublishedDeclaration, pk=self.kwargs["pk"])

    @property
    def page_title(self) -> str:
        site = self.published.site
        name = site.site_name if site else ""
        return gettext("%(site)s: %(title)s") % {
            "site": name or self.published.declaration.site,
            "title": which(self.published),
        }

    def get_breadcrumbs_items(self) -> Any:
        index = {"url": reverse(f"{NAMESPACE}:index"), "label": _("Published declarations")}
        return [*self.breadcrumbs_items, index, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        published = self.published
        declaration = published.declaration
        return {
            **super().get_context_data(**kwargs),
            "published": published,
            "facts": self._facts(declaration),
            "labels": {name: block.label for name, block in CookieBlock.base_blocks.items()},
            "languages": [
                {
                    "panel": f"wcc-{code}",
                    "name": language_name(code),
                    "rows_language": _foreign(wording.cookies_language),
                    "rows": [
                        (cookie, wording.categories.get(cookie.category, (cookie.category,))[0])
                        for cookie in wording.cookies
                    ],
                    "layers": [
                        {
                            "title": LAYER_TITLES[layer],
                            "height": LAYER_HEIGHTS[layer],
                            "url": reverse(f"{NAMESPACE}:shown", args=[published.pk, code, layer]),
                        }
                        for layer in LAYERS
                        if published.shown.get(code, {}).get(layer)
                    ],
                }
                for code, wording in declaration.languages.items()
            ],
            "difference_url": f"{reverse(f'{NAMESPACE}:difference')}?"
            + urlencode({"to": published.pk}),
        }

    def _facts(self, declaration: Declaration) -> list[tuple[Any, Any, bool]]:
        """Label, value and whether it is a code, of what stands above the layers."""
        published = self.published
        return [
            (_("Site"), declaration.site, False),
            (NUMBER, published.number, False),
            (PUBLISHED, moment(published), False),
            (_("Asked again"), asked_again(published, declaration) or _("No"), False),
            (_("Release of the package"), published.version or "–", False),
            (_("SHA-256 of its scripts and styles"), breakable(published.assets), True),
            (_("SHA-256 of the declaration"), breakable(published.digest), True),
            (_("Seal"), breakable(published.seal), True),
        ]


LAYER_TITLES = {"banner": _("First layer"), "preferences": _("Second layer")}
LAYER_HEIGHTS = {"banner": 560, "preferences": 640}


class ShownView(Readable, TemplateView):
    """One layer in one language, out of the ledger: words and forms, nothing that runs."""

    template_name = "wagtail_cookie_charter/admin/shown.html"

    @method_decorator(xframe_options_sameorigin)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response["Content-Security-Policy"] = (
            f"sandbox; default-src 'none'; style-src {static_origin()}; frame-ancestors 'self'"
        )
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        published = get_object_or_404(PublishedDeclaration, pk=kwargs["pk"])
        language, layer = kwargs["language"], kwargs["layer"]
        with reading(published.pk):
            html = published.shown.get(language, {}).get(layer, "")
        if layer not in LAYERS or not html:
            raise Http404(gettext("There is no such declaration."))
        return {"language": language, "html": html, "title": LAYER_TITLES[layer]}


def static_origin() -> str:
    """Where styles may come from, as a content security policy names it."""
    parts = urlsplit(static("wagtail_cookie_charter/cookie-charter.css"))
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else "'self'"


class ComparisonForm(forms.Form):
    """Which two of these to compare."""

    def __init__(self, among: QuerySet[PublishedDeclaration], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choices = [(row.pk, which(row)) for row in among.defer("content", "shown")]
        for name, label in (("from", FROM), ("to", TO)):
            wide = forms.Select(attrs={"class": "w-w-full"})
            nothing = [("", _("Before the first one"))]
            offers_nothing = name == "from" and not self.initial["from"]
            self.fields[name] = forms.ChoiceField(
                choices=[*(nothing if offers_nothing else []), *choices],
                label=label,
                required=False,
                widget=wide,
            )


class DifferenceView(Readable, WagtailAdminTemplateMixin, TemplateView):
    """What changed between any two of one site, in words.

    ``?to=`` is a declaration's key, by default the newest; ``?from=`` another of the same site,
    by default the one before it.
    """

    template_name = "wagtail_cookie_charter/admin/difference.html"
    page_title = _("What changed")
    header_icon = "wcc-cookie"

    def get_breadcrumbs_items(self) -> Any:
        index = {"url": reverse(f"{NAMESPACE}:index"), "label": _("Published declarations")}
        return [*self.breadcrumbs_items, index, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        after = self._chosen("to", PublishedDeclaration.objects.order_by("-pk"))
        if after is None:
            return {**context, "nothing": True}
        of_site = siblings(after)
        before = self._chosen("from", of_site, of_site.filter(pk__lt=after.pk))
        if before is not None and before.pk > after.pk:
            # Told in the order in which it happened, however it is asked.
            before, after = after, before
        told = story(before.declaration if before else None, after.declaration)
        numbers = []
        if before is not None:
            between = of_site.filter(pk__gt=before.pk, pk__lte=after.pk).order_by("pk")
            reasons = between.exclude(reason="").values_list("number", "reason")
            numbers = number_story(before, after, reasons)
        # Where what had gone comes back, more is asked than before, and nobody again.
        asked = before is None or after.declaration.asked_since > before.number
        return {
            **context,
            "before": before,
            "after": after,
            "material": (numbers if asked else [])
            + [sentence for sentence, material in told if material and asked],
            "other": ([] if asked else numbers)
            + [sentence for sentence, material in told if not (material and asked)]
            + (record_story(before, after) if before else []),
            "form": ComparisonForm(
                of_site, initial={"from": before.pk if before else "", "to": after.pk}
            ),
        }

    def _chosen(
        self,
        name: str,
        among: QuerySet[PublishedDeclaration],
        default: QuerySet[PublishedDeclaration] | None = None,
    ) -> PublishedDeclaration | None:
        given = self.request.GET.get(name, "")
        if not given:
            return (among if default is None else default).first()
        if not (given.isascii() and given.isdecimal() and len(given) < 19):
            raise Http404(gettext("There is no such declaration."))
        return get_object_or_404(among, pk=int(given))


def breakable(code: str) -> SafeString:
    """A long code that a narrow screen may break, and that is whole when it is copied."""
    parts = ((code[start : start + 16],) for start in range(0, len(code), 16))
    return format_html_join(mark_safe("<wbr>"), "{}", parts) or mark_safe("–")


def _foreign(language: str) -> str:
    """A language that is not the reader's; "" for the reader's own."""
    return "" if language == get_language() else language


def moment(published: PublishedDeclaration) -> str:
    """When it was published, to the second, in the reader's time zone and format."""
    at = local(published.created_at)
    return f"{date_format(at, 'DATE_FORMAT')}, {at:%H:%M:%S}"


def which(published: PublishedDeclaration) -> str:
    """How a declaration is called among those of its site."""
    return gettext("Number %(number)d, %(date)s (no. %(pk)d)") % {
        "number": published.number,
        "pk": published.pk,
        "date": moment(published),
    }


class ArchiveMenuItem(MenuItem):
    """Shown to who may read it."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(policy.user_has_permission(request.user, "view"))


class DeclarationArchive(ViewSet):
    """No address adds, edits, copies or deletes anything: there are none but these."""

    name = NAMESPACE
    url_prefix = "reports/cookie-declarations"
    icon = "wcc-cookie"
    menu_label: str | Promise = _("Published declarations")
    menu_hook = "register_reports_menu_item"
    menu_item_class = ArchiveMenuItem
    menu_order = 1100

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {
            "header_icon": self.icon,
            "index_url_name": self.get_url_name("index"),
            "index_results_url_name": self.get_url_name("index_results"),
            **kwargs,
        }

    def get_urlpatterns(self) -> list[Any]:
        listing = self.construct_view(DeclarationsView)
        results = self.construct_view(DeclarationsView, results_only=True)
        return [
            path("", listing, name="index"),
            path("results/", results, name="index_results"),
            path("difference/", DifferenceView.as_view(), name="difference"),
            path("<int:pk>/", DeclarationView.as_view(), name="inspect"),
            path("<int:pk>/<slug:language>/<slug:layer>/", ShownView.as_view(), name="shown"),
        ]
