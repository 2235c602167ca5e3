"""CSP nonces: ours is the page's own, and a page without one stays the same for everybody (R62)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import django
import pytest
from bs4 import BeautifulSoup
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client, override_settings
from django.urls import path
from django.utils.functional import SimpleLazyObject

from tests.answers import ask
from tests.settings import MIDDLEWARE, TEMPLATES
from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter import checks

#: The stubs know it as generic, Django at run time does not.
Lazy: Any = SimpleLazyObject

HEAD = '{% if head %}<script nonce="{{ request.csp_nonce }}">1</script>{% endif %}'


def page(request: HttpRequest) -> HttpResponse:
    """A page whose head has a script with a nonce, if it is asked for."""
    template = engines["django"].from_string(
        f"{{% load cookie_charter %}}{HEAD}{{% cookie_banner %}}{{% cookie_settings_link %}}"
    )
    return HttpResponse(template.render({"head": "head" in request.GET}, request))


urlpatterns = [path("page/", page), *project_urls]

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_nonce")]


# --- What projects have ---------------------------------------------------------------


def django_csp(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """As django-csp does: a lazy nonce on the request, in the header once somebody read it.

    This is version 3's, which even makes one when asked whether it is true.
    """

    def middleware(request: Any) -> HttpResponse:
        def make() -> str:
            request._csp_nonce = secrets.token_urlsafe(16)
            return str(request._csp_nonce)

        request.csp_nonce = SimpleLazyObject(make)
        response = get_response(request)
        made = getattr(request, "_csp_nonce", None)
        policy = f"script-src 'nonce-{made}'" if made else "script-src 'self'"
        response["Content-Security-Policy"] = policy
        return response

    return middleware


def context_csp(request: HttpRequest) -> dict[str, Any]:
    """As Django 6's context processor: the request's nonce as ``csp_nonce``, or None."""
    return {"csp_nonce": getattr(request, "_the_nonce", None)}


def django_six(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """As Django 6's middleware: the nonce is not where django-csp has it."""

    class Nonce(Lazy):
        def __bool__(self) -> bool:
            return False

    def middleware(request: Any) -> HttpResponse:
        request._the_nonce = Nonce(lambda: "made-by-six")
        return get_response(request)

    return middleware


def templates(processor: str) -> list[dict[str, Any]]:
    engine = TEMPLATES[0]
    processors = [*engine["OPTIONS"]["context_processors"], processor]
    return [{**engine, "OPTIONS": {"context_processors": processors}}]


with_django_csp = override_settings(MIDDLEWARE=[*MIDDLEWARE, "tests.test_nonce.django_csp"])
with_six = override_settings(
    MIDDLEWARE=[*MIDDLEWARE, "tests.test_nonce.django_six"],
    TEMPLATES=templates("tests.test_nonce.context_csp"),
)
make_nonces = override_settings(WAGTAIL_COOKIE_CHARTER={"CSP_NONCE": True})


def ours(content: bytes) -> list[Any]:
    """The tags that load something of ours."""
    soup = BeautifulSoup(content, "html.parser")
    found = soup.select('[src*="cookie-charter"], link[href*="/cookie-charter"]')
    return [tag for tag in found if tag.name in ("script", "link")]


def nonces(content: bytes) -> set[Any]:
    found = ours(content)
    assert found
    return {tag.get("nonce") for tag in found}


def in_header(response: Any) -> str | None:
    found = re.search(r"'nonce-([^']+)'", response["Content-Security-Policy"])
    return found[1] if found else None


# --- Without nonces -------------------------------------------------------------------


def test_without_nonces_the_markup_is_what_it_always_was(client: Client) -> None:
    ask()
    plain = client.get("/page/").content
    assert nonces(plain) == {None} and b"nonce" not in plain
    with make_nonces:
        assert client.get("/page/").content == plain


@with_django_csp
def test_a_nonce_that_nobody_reads_is_not_made(client: Client) -> None:
    """Else every page of a project that merely sends a policy would vary because of us."""
    ask()
    first, second = client.get("/page/"), client.get("/page/")
    assert in_header(first) is None
    assert nonces(first.content) == {None}
    assert first.content == second.content


@with_six
def test_the_same_for_the_context_processor(client: Client) -> None:
    ask()
    assert nonces(client.get("/page/").content) == {None}


# --- With them ------------------------------------------------------------------------


@with_django_csp
def test_the_nonce_that_a_page_has_is_ours_too(client: Client) -> None:
    ask()
    response = client.get("/page/", {"head": ""})
    nonce = in_header(response)
    assert nonce
    assert nonces(response.content) == {nonce}
    assert {tag.name for tag in ours(response.content)} == {"link", "script"}


@with_django_csp
@make_nonces
def test_a_project_can_have_one_made(client: Client) -> None:
    """Where a policy knows scripts by nonce alone, and ours is the first on the page."""
    ask()
    first, second = client.get("/page/"), client.get("/page/")
    for response in (first, second):
        nonce = in_header(response)
        assert nonce and nonces(response.content) == {nonce}
    assert in_header(first) != in_header(second)


@with_six
@make_nonces
def test_the_context_processors_nonce_is_taken(client: Client) -> None:
    ask()
    assert nonces(client.get("/page/").content) == {"made-by-six"}


@with_django_csp
@make_nonces
def test_the_charter_page_carries_it_too(client: Client) -> None:
    settings = ask()
    assert settings.banner is not None
    response = client.get(settings.banner.charter_page.url)
    assert nonces(response.content) == {in_header(response)}
    files = {(tag.get("href") or tag["src"]).rpartition("/")[2] for tag in ours(response.content)}
    assert files == {"cookie-charter.css", "cookie-charter-page.css", "cookie-charter.js"}


@with_django_csp
@make_nonces
def test_what_is_kept_for_everybody_carries_none(client: Client) -> None:
    """The second layer for a year, the declaration for minutes: a nonce there would be stale."""
    ask()
    declaration = client.get("/cookie-charter/declaration.json")
    assert nonces(declaration.json()["banner"].encode()) == {None}
    assert in_header(declaration) is None
    layer = client.get(declaration.json()["urls"]["preferences"])
    assert b"nonce" not in layer.content
    assert in_header(layer) is None


def test_a_nonce_cannot_leave_its_attribute() -> None:
    ask()
    template = engines["django"].from_string("{% load cookie_charter %}{% cookie_banner %}")
    request = HttpRequest()
    request.META = {"SERVER_NAME": "testserver", "SERVER_PORT": "80"}
    html = template.render({"csp_nonce": '"><script>alert(1)</script>'}, request)
    assert "<script>alert" not in html
    assert nonces(html.encode()) == {'"><script>alert(1)</script>'}


# Django has nonces from 6.0 on: with an earlier one there is nothing to try.
if django.VERSION >= (6, 0):

    @pytest.mark.parametrize("made", [False, True])
    def test_djangos_own_policy(client: Client, made: bool) -> None:
        """The real middleware and context processor."""
        ask()
        with override_settings(
            MIDDLEWARE=[*MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"],
            TEMPLATES=templates("django.template.context_processors.csp"),
            # CSP.NONCE, by its value: the module is not there in earlier versions.
            SECURE_CSP={"script-src": ["'self'", "<CSP_NONCE_SENTINEL>"]},
            WAGTAIL_COOKIE_CHARTER={"CSP_NONCE": made},
        ):
            response = client.get("/page/")
        assert (in_header(response) is not None) is made
        assert nonces(response.content) == {in_header(response)}


# A test dependency. Where it is not installed, its stand-in above is tried.
if find_spec("csp"):

    @pytest.mark.parametrize("made", [False, True])
    @pytest.mark.parametrize("address", ["/page/", "/page/?head"])
    def test_the_real_django_csp(client: Client, address: str, made: bool) -> None:
        """Ours is the page's nonce if the page has one, or is to have one."""
        ask()
        constants = import_module("csp.constants")
        with override_settings(
            MIDDLEWARE=[*MIDDLEWARE, "csp.middleware.CSPMiddleware"],
            CONTENT_SECURITY_POLICY={
                "DIRECTIVES": {"script-src": [constants.SELF, constants.NONCE]}
            },
            WAGTAIL_COOKIE_CHARTER={"CSP_NONCE": made},
        ):
            response = client.get(address)
        assert (in_header(response) is not None) is (made or "head" in address)
        assert nonces(response.content) == {in_header(response)}


# --- The setting ----------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["yes", 1, None, "script-src"])
@with_django_csp
def test_e008_a_wrong_value_is_reported_and_makes_no_nonce(client: Client, wrong: Any) -> None:
    ask()
    with override_settings(WAGTAIL_COOKIE_CHARTER={"CSP_NONCE": wrong}):
        assert [found.id for found in checks.check_csp_nonce()] == ["wagtail_cookie_charter.E008"]
        assert "wagtail_cookie_charter.E008" in {found.id for found in run_checks()}
        assert in_header(client.get("/page/")) is None


@pytest.mark.parametrize("right", [True, False])
def test_e008_a_right_value_is_not_reported(right: bool) -> None:
    with override_settings(WAGTAIL_COOKIE_CHARTER={"CSP_NONCE": right}):
        assert checks.check_csp_nonce() == []
