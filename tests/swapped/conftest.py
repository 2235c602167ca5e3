"""
These tests need settings of their own: pytest --ds tests.swapped.settings tests/swapped

Wagtail 7.4 has no swappable page model: there is nothing to test there.
"""

from __future__ import annotations

from django.conf import settings

if not hasattr(settings, "WAGTAIL_PAGE_MODEL") or settings.WAGTAIL_SITE_NAME != "Swapped":
    collect_ignore_glob = ["test_*.py"]
