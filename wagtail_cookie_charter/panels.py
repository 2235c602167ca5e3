"""The banner's editor: its panels, its form, its advice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    PageChooserPanel,
    Panel,
    PublishingPanel,
    TabbedInterface,
)
from wagtail.models import get_page_models

from .advice import on_labels
from .asking.panel import AskingPanel
from .conf import category_choices
from .models import ConsentBanner, CookieCharterMixin
from .wording import BANNER_DEFAULTS


class BannerForm(WagtailAdminModelForm):
    """Shows in each empty field what visitors read if it stays empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locale = getattr(self.instance, "locale", None) if self.instance.locale_id else None
        with translation.override(locale.language_code if locale else translation.get_language()):
            for name, words in BANNER_DEFAULTS.items():
                if name in self.fields:
                    self.fields[name].widget.attrs["placeholder"] = str(words)


class CharterChooserPanel(PageChooserPanel):
    """Chooses among charter pages: ours, or any that a project made from the mixin."""

    def get_form_options(self) -> dict[str, Any]:
        # The mixin is abstract, so it cannot be named as a page type; its models can be.
        self.page_type = [
            model for model in get_page_models() if issubclass(model, CookieCharterMixin)
        ]
        options: dict[str, Any] = super().get_form_options()
        return options


class LabelAdvicePanel(Panel):
    """Warns about button labels that regulators or browsers reject (R17). Never refuses."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_cookie_charter/admin/label_advice.html"

        def is_shown(self) -> bool:
            return bool(on_labels(self.instance))

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["advice"] = on_labels(self.instance)
            return context


banner_edit_handler = TabbedInterface(
    [
        ObjectList(
            [
                LabelAdvicePanel(),
                FieldPanel("name", required_on_save=True),
                MultiFieldPanel(
                    [
                        HelpPanel(_("Leave a field empty to use the words that it shows in grey.")),
                        FieldPanel("title"),
                        FieldPanel("text", widget=forms.Textarea(attrs={"rows": 6})),
                        FieldRowPanel([FieldPanel("accept_label"), FieldPanel("refuse_label")]),
                        FieldRowPanel([FieldPanel("customise_label"), FieldPanel("save_label")]),
                    ],
                    heading=_("Wording"),
                ),
                InlinePanel(
                    "categories",
                    panels=[
                        FieldPanel("key", widget=forms.Select(choices=category_choices)),  # type: ignore[arg-type]
                        FieldPanel("title"),
                        FieldPanel("summary"),
                    ],
                    heading=_("Categories"),
                    label=_("Category"),
                    help_text=_(
                        "Order and words of the categories. You need not list them: every "
                        "category with a row in the charter is shown, and no other."
                    ),
                ),
            ],
            heading=_("Wording"),
        ),
        ObjectList(
            [
                CharterChooserPanel("charter_page"),
                FieldRowPanel([FieldPanel("privacy_page"), FieldPanel("privacy_url")]),
                FieldPanel(
                    "placement", widget=forms.Select(choices=ConsentBanner.Placement.choices)
                ),
                FieldPanel("days"),
                PublishingPanel(),
            ],
            heading=_("Links and behaviour"),
        ),
        AskingPanel("wagtailsnippets_wagtail_cookie_charter_consentbanner:asking"),
    ],
    base_form_class=BannerForm,
)
