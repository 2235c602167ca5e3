from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.conf.urls.static import static
from django.urls import include, path
from django.views.defaults import page_not_found
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from .portal import elsewhere

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("cookie-charter/", include("wagtail_cookie_charter.urls")),
    path("sandbox/", include(elsewhere.urlpatterns)),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    *i18n_patterns(
        # With DEBUG on, Django's own page would hide what visitors see.
        path("404/", page_not_found, {"exception": None}),
        path("", include(wagtail_urls)),
        prefix_default_language=False,
    ),
]
