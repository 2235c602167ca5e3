from typing import Any

from django.http import HttpRequest
from wagtail import hooks
from wagtail.contrib.settings.registry import register_setting
from wagtail.snippets.models import register_snippet

from .models import CookieCharterSettings
from .viewsets import ConsentBannerViewSet, advise

register_snippet(ConsentBannerViewSet)
register_setting(CookieCharterSettings, icon="wcc-cookie")


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "wagtail_cookie_charter/icons/wcc-cookie.svg"]


@hooks.register("after_create_snippet")
@hooks.register("after_edit_snippet")
def advise_on_labels(request: HttpRequest, instance: Any) -> None:
    advise(request, instance)
