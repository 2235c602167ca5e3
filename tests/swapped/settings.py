"""A project with a base page model of its own, as Wagtail 8.0 allows."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [app.replace("tests.testapp", "tests.swapped") for app in BASE_APPS]
WAGTAIL_PAGE_MODEL = "swapped.OurPage"
WAGTAIL_SITE_NAME = "Swapped"
WAGTAIL_COOKIE_CHARTER = {"BASE_TEMPLATE": "swapped/base.html"}
