"""The banner in Wagtail's admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import LiveStatusTagColumn, UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

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
