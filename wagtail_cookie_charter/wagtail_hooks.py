from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.urls import URLResolver, include, path
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.contrib.settings.registry import register_setting
from wagtail.snippets.models import register_snippet

from . import admin_urls, advice, log_actions, serving
from .archive import DeclarationArchive, permissions
from .asking import again
from .models import ConsentBanner, CookieCharterMixin, CookieCharterSettings
from .report import exports
from .report import urls as report_urls
from .report import views as reports
from .report.homepage import ConsentPanel
from .viewsets import ConsentBannerViewSet

register_snippet(ConsentBannerViewSet)
register_setting(CookieCharterSettings, icon="wcc-cookie")


@hooks.register("register_admin_viewset")
def register_archive() -> DeclarationArchive:
    return DeclarationArchive()


hooks.register("register_permissions", permissions)
hooks.register("register_log_actions", log_actions.register)


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "wagtail_cookie_charter/icons/wcc-cookie.svg"]


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLResolver]:
    return [path("cookie-charter/", include(admin_urls)), path("reports/", include(report_urls))]


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


@hooks.register("before_serve_page")
def remember_request(page: Any, request: HttpRequest, *args: Any) -> None:
    serving.remember(request)


@hooks.register("register_reports_menu_item")
def register_report_menu_item() -> MenuItem:
    return reports.report_menu_item()


@hooks.register("register_reports_menu_item")
def register_records_menu_item() -> MenuItem:
    return exports.records_menu_item()


@hooks.register("register_reports_menu_item")
def register_ask_again_menu_item() -> MenuItem:
    return again.menu_item()


@hooks.register("register_permissions")
def register_report_permissions() -> Any:
    return exports.permissions()


@hooks.register("register_log_actions")
def register_export_actions(actions: Any) -> None:
    exports.register_log_actions(actions)


@hooks.register("construct_homepage_panels")
def show_consent(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(ConsentPanel())
