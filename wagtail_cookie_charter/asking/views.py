"""What an editor's form would mean for visitors, as it stands on the screen."""

from __future__ import annotations

from typing import Any

import swapper
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from wagtail.admin.views.generic.preview import PreviewOnEdit

from ..models import CookieCharterMixin
from ..models.ledger import Unreadable
from .outlook import outlooks


class Asking(PreviewOnEdit):
    """Reads a form as Wagtail's preview does, with the same permissions; stores nothing."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = self.get_form(request.POST)
        try:
            # As for publishing: a draft may have holes, and what is then asked is not known.
            valid = form.is_valid()
        except (KeyError, ValueError):
            # Not what the editor's page sends: Wagtail's blocks count on that.
            return HttpResponseBadRequest(gettext("The form cannot be read."))
        if not valid:
            return render(request, "wagtail_cookie_charter/admin/asking_unknown.html")
        form.save(commit=False)
        context: dict[str, Any] = {}
        try:
            context["outlooks"] = outlooks(self.object)
        except Unreadable as unreadable:
            context["unreadable"] = unreadable
        return render(request, "wagtail_cookie_charter/admin/asking.html", context)


class CharterAsking(Asking):
    """For a charter page."""

    def get_object(self) -> Any:
        page = get_object_or_404(swapper.load_model("wagtailcore", "Page"), pk=self.kwargs["pk"])
        if not issubclass(page.specific_class, CookieCharterMixin):
            raise Http404
        if not page.permissions_for_user(self.request.user).can_edit():
            raise PermissionDenied
        return page.get_latest_revision_as_object()

    def get_form(self, query_dict: QueryDict) -> Any:
        return self.object.get_edit_handler().get_form_class()(
            query_dict,
            instance=self.object,
            parent_page=self.object.get_parent().specific,
            for_user=self.request.user,
        )
