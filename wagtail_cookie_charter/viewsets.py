"""The banner in Wagtail's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from .models import ConsentBanner
from .panels import advice_on, banner_edit_handler


class ConsentBannerViewSet(SnippetViewSet):
    model = ConsentBanner
    icon = "wcc-cookie"
    menu_label = _("Consent banners")
    list_display = ["name", "locale", UpdatedAtColumn()]
    list_filter = ["locale"]
    edit_handler = banner_edit_handler
    copy_view_enabled = True
    inspect_view_enabled = False


def advise(request: HttpRequest, instance: Any) -> None:
    """Say after saving what the editor's panel will say too: which labels are unclear (R17)."""
    if isinstance(instance, ConsentBanner):
        for sentence in advice_on(instance):
            messages.warning(request, sentence)
