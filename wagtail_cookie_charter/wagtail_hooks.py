from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting
from wagtail.snippets.models import register_snippet

from . import advice
from .models import ConsentBanner, CookieCharterMixin, CookieCharterSettings
from .viewsets import ConsentBannerViewSet

register_snippet(ConsentBannerViewSet)
register_setting(CookieCharterSettings, icon="wcc-cookie")


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "wagtail_cookie_charter/icons/wcc-cookie.svg"]


@hooks.register("after_create_snippet")
@hooks.register("after_edit_snippet")
def advise_on_banner(request: HttpRequest, instance: Any) -> None:
    if isinstance(instance, ConsentBanner):
        # The form's own instance does not know yet whether it was published.
        for sentence in advice.on_banner(ConsentBanner.objects.get(pk=instance.pk), instance):
            messages.warning(request, sentence)


@hooks.register("after_publish_page")
def advise_on_charter(request: HttpRequest, page: Any) -> None:
    if issubclass(page.specific_class, CookieCharterMixin):
        for sentence in advice.on_charter(page.specific_class.objects.get(pk=page.pk)):
            messages.warning(request, sentence)
