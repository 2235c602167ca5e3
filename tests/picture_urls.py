"""The sandbox's addresses, and those of other people's sites: for the pictures of the docs."""

from __future__ import annotations

from sandbox.urls import urlpatterns as sandbox_urls
from tests.browser import sites

urlpatterns = [*sites.urlpatterns, *sandbox_urls]
