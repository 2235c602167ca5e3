from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CookieCharterConfig(AppConfig):
    name = "wagtail_cookie_charter"
    label = "wagtail_cookie_charter"
    verbose_name = _("Cookie charter")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, embeds, publishing, serving

        for module in (publishing, checks, serving, embeds):
            module.connect()
