"""Asking all visitors of a site again though nothing new needs consent: in the open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.models import Site
from wagtail.permission_policies import ModelPermissionPolicy

from ..models import PublishedDeclaration
from ..models.ledger import Unreadable
from ..publishing import forget, publish_declaration

policy = ModelPermissionPolicy(PublishedDeclaration)

#: Whoever asks again so soon has clicked twice, or does not know of somebody else's click.
SOON = timedelta(minutes=1)


def just_asked(site: Site) -> bool:
    """Whether an editor asked all visitors of ``site`` again within the last minute.

    Both ways: a clock that was ahead locks nobody out for longer.
    """
    now = timezone.now()
    asked = PublishedDeclaration.objects.of_site(site).exclude(reason="")
    return asked.filter(created_at__range=(now - SOON, now + SOON)).exists()


class AskAgainForm(forms.Form):
    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept with the declaration and in the site history. Visitors do not read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        declared = PublishedDeclaration.objects.values("site")
        site: Any = self.fields["site"]
        site.queryset = Site.objects.filter(pk__in=declared)
        if len(site.queryset) == 1:
            # Nothing to choose. Among several, nothing is chosen for anybody.
            site.empty_label = None
        site.widget.attrs["class"] = "w-w-full"

    def clean_site(self) -> Site:
        site: Site = self.cleaned_data["site"]
        published = PublishedDeclaration.objects.of_site(site).first()
        try:
            optional = published.declaration.optional if published else ()
        except Unreadable as unreadable:
            raise forms.ValidationError(unreadable.sentence) from None
        if not optional:
            raise forms.ValidationError(
                _("Nothing optional is declared there, so there is nothing to ask.")
            )
        return site


# Django's FormView takes no form class in brackets where a site runs it, only in its stubs.
class AskAgainView(PermissionCheckedMixin, WagtailAdminTemplateMixin, FormView):  # type: ignore[type-arg]
    """Raises a site's number. Whoever has answered is asked as if they had not (R65, R66)."""

    permission_policy = policy
    permission_required = "ask_again"
    form_class = AskAgainForm
    template_name = "wagtail_cookie_charter/admin/ask_again.html"
    page_title = _("Ask everyone again")
    header_icon = "wcc-cookie"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def form_valid(self, form: AskAgainForm) -> HttpResponse:
        site = form.cleaned_data["site"]
        with transaction.atomic():
            # Before looking: of two that come at once, the second finds the first.
            PublishedDeclaration.objects.wait_for_turn()
            again = just_asked(site)
            if not again:
                publish_declaration(site, reason=form.cleaned_data["reason"])
        if again:
            form.add_error(
                "site",
                gettext("All visitors of this site were asked again less than a minute ago."),
            )
            return self.form_invalid(form)
        # Not before the database has it: where requests are transactions, that is later.
        transaction.on_commit(forget)
        messages.success(
            self.request,
            gettext("All visitors of “%(site)s” are asked again from now on.") % {"site": site},
        )
        reads = policy.user_has_permission(self.request.user, "view")
        return HttpResponseRedirect(
            reverse("cookie_declarations:index" if reads else "wagtailadmin_home")
        )


class AskAgainMenuItem(MenuItem):
    """For who may ask everybody again and may not read the archive, which has a button for it."""

    def is_shown(self, request: HttpRequest) -> bool:
        may = policy.user_has_permission
        return bool(may(request.user, "ask_again") and not may(request.user, "view"))


def menu_item() -> MenuItem:
    return AskAgainMenuItem(
        _("Ask everyone again"),
        reverse("cookie_charter_admin:ask_again"),
        name="cookie-charter-ask-again",
        icon_name="rotate",
        order=1100,
    )
