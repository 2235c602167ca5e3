from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import AsyncClient, Client, override_settings

from tests.middleware.project import (
    INSTALLED,
    ORDERS,
    cached,
    ran,
)
from wagtail_cookie_charter import middleware


@pytest.fixture(autouse=True)
def our_project() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="tests.middleware.project", MIDDLEWARE=INSTALLED):
        yield
    ran.clear()
    middleware._report.cache_clear()


@pytest.fixture(params=[Client, AsyncClient], ids=["wsgi", "asgi"])
def kind(request: pytest.FixtureRequest) -> type[Client] | type[AsyncClient]:
    return request.param


@pytest.fixture(params=list(ORDERS.values()), ids=list(ORDERS))
def order(request: pytest.FixtureRequest) -> Iterator[None]:
    with cached(*request.param):
        yield
