"""The place in an editor's form that says whether visitors will be asked again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import NoReverseMatch, reverse
from wagtail.admin.panels import Panel


class AskingPanel(Panel):
    """Tells what publishing the form, as it stands on the screen, will mean for visitors.

    ``url_name`` is that of a view that takes the form and answers with a fragment of HTML,
    with the primary key as its argument. It belongs last in a form, or beside its tabs: there
    it stays in sight, just above the buttons, wherever the editor is in the form.
    """

    def __init__(self, url_name: str, **kwargs: Any) -> None:
        super().__init__(**{"classname": "wcc-asking-panel", **kwargs})
        self.url_name = url_name

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "url_name": self.url_name}

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_cookie_charter/admin/asking_panel.html"

        @property
        def url(self) -> str:
            try:
                return reverse(self.panel.url_name, args=[self.instance.pk])
            except NoReverseMatch:
                return ""

        def is_shown(self) -> bool:
            # What was never saved has nothing to compare with, and no address to ask at.
            return bool(self.instance and self.instance.pk and self.url)

        def show_panel_furniture(self) -> bool:
            # Beside tabs, it is none.
            return False

        @property
        def media(self) -> forms.Media:
            return forms.Media(
                css={"all": ["wagtail_cookie_charter/cookie-charter-admin.css"]},
                js=["wagtail_cookie_charter/cookie-charter-admin.js"],
            )

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            return {**super().get_context_data(parent_context), "url": self.url}
