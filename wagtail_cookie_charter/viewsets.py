"""The banner in Wagtail's admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import LiveStatusTagColumn, UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from .asking.views import Asking
from .models import ConsentBanner
from .panels import banner_edit_handler


class ConsentBannerViewSet(SnippetViewSet):
    model = ConsentBanner
    icon = "wcc-cookie"
    menu_label = _("Consent banners")
    list_display = ["name", "locale", LiveStatusTagColumn(), UpdatedAtColumn()]
    list_filter = ["locale"]
    edit_handler = banner_edit_handler
    copy_view_enabled = True
    inspect_view_enabled = False

    @property
    def asking_view(self) -> Callable[..., Any]:
        return self.construct_view(Asking, form_class=self.get_form_class(for_update=True))

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("asking/<int:pk>/", self.asking_view, name="asking"),
        ]
