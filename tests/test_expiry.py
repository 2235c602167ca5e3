"""Refused and withdrawn cookies go, those that no script can reach too; all others stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from tests.answers import (
    ask_instead,
    code_of,
    post,
    set_cookies,
    value,
)
from tests.factories import row, table
from wagtail_cookie_charter import answers
from wagtail_cookie_charter.models import CookieCharterSettings

DOMAINS = ["", "www.city.example", "city.example"]


def expired(client: Client, sent: Mapping[str, str], *grants: str, **more: Any) -> Any:
    """Which of these cookies an answer expires: name -> domains."""
    client.cookies.clear()
    for key, content in sent.items():
        client.cookies[key] = content
    response = post(client, {"decision": value(*grants)}, host="www.city.example", **more)
    assert response.status_code == 200, response.content
    found: dict[str, list[str]] = {}
    for key, domain, content in set_cookies(response):
        if not re.fullmatch(r"(__Host-)?cookie-charter-\d+", key) or not content:
            found.setdefault(key, []).append(domain)
            assert content == ""
    return found


@pytest.fixture
def city(asking: CookieCharterSettings) -> Site:
    site = asking.site
    site.hostname = "www.city.example"
    site.save()
    return site


def test_refused_cookies_are_expired_wherever_they_were_set(client: Client, city: Site) -> None:
    """R49, R50: those that no script can reach too, on this host and on those above it."""
    sent = {"_stat_1": "x", "_one": "x", "_own": "x", "unknown": "x"}
    assert expired(client, sent) == {"_stat_1": DOMAINS, "_one": DOMAINS, "_own": DOMAINS}
    assert expired(client, sent, "media") == {"_stat_1": DOMAINS, "_own": DOMAINS}
    assert expired(client, sent, "media", "statistics", "audience") == {}
    assert expired(client, {}) == {}


def test_an_expired_cookie_is_expired_for_good(client: Client, city: Site) -> None:
    client.cookies["_one"] = "x"
    response = post(client, {"decision": value()}, host="www.city.example")
    for morsel in response.cookies.values():
        if morsel.key == "_one":
            assert morsel["max-age"] == "0" or morsel["max-age"] == 0
            assert "1970" in morsel["expires"] and morsel["path"] == "/"
            assert not morsel["httponly"]


def test_choosing_one_provider_expires_the_others(client: Client, city: Site) -> None:
    """R31: a choice inside a category is a choice like any other."""
    sent = {"_one": "x", "_two": "x", "_three": "x"}
    two = code_of("video-two")
    assert set(expired(client, sent, f"media+{two}")) == {"_one", "_three"}
    assert set(expired(client, sent, f"media-{two}")) == {"_two"}


def test_a_name_that_something_allowed_uses_too_is_kept(client: Client, city: Site) -> None:
    """A name alone is no identity (requirements, part B)."""
    assert expired(client, {"_shared": "x"}, "media") == {}
    assert set(expired(client, {"_shared": "x"})) == {"_shared"}


def test_other_storage_of_that_name_is_no_cookie(client: Client, city: Site) -> None:
    assert expired(client, {"_kept": "x"}) == {}


@pytest.mark.parametrize(
    "own", ["sessionid", "csrftoken", "django_language", "messages", "cookie-charter-SITE"]
)
def test_the_sites_own_cookies_are_never_expired(
    client: Client, asking: CookieCharterSettings, own: str
) -> None:
    """A careless pattern must not log people out, nor forget the very answer."""
    own = own.replace("SITE", str(asking.site_id))
    number = ask_instead(asking, table(row(name=f"{own[:4]}*"), row(name="_one")))
    client.cookies[own] = "0123456789abcdef0123456789abcdef"
    client.cookies["_one"] = "x"
    response = post(client, {"decision": value(number=number)})
    assert response.status_code == 200
    gone = {key for key, _domain, content in set_cookies(response) if not content}
    assert gone == {"_one"}


@pytest.mark.parametrize("name", ["_stat[x]", "_stat(1)", "_stat/é", "_stat@1", "_statÿ"])
def test_an_odd_name_in_a_visitors_browser_breaks_nothing(
    client: Client, city: Site, name: str
) -> None:
    """Browsers send names that RFC 6265 does not know. Refusing must work all the same."""
    response = client.post(
        reverse("cookie_charter:decide"),
        {"decision": value()},
        headers={
            "sec-fetch-site": "same-origin",
            "host": "www.city.example",
            "cookie": f"{name}=x; _one=x",
        },
    )
    assert response.status_code == 200
    assert "_one" in {key for key, _domain, _content in set_cookies(response)}


def test_a_cookie_named_like_a_cookies_attribute_breaks_nothing(
    client: Client, asking: CookieCharterSettings
) -> None:
    number = ask_instead(asking, table(row(name="version"), row(name="path"), row(name="_one")))
    response = post(client, {"decision": value(number=number)}, cookie="version=1; path=2; _one=3")
    assert response.status_code == 200
    assert any(key.endswith(str(asking.site_id)) for key in response.cookies)


def test_a_secure_prefix_is_honoured_or_the_browser_ignores_us(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Browsers take a ``__Secure-`` cookie, its expiry included, only with Secure."""
    number = ask_instead(asking, table(row(name="__Secure-visit")))
    response = post(
        client, {"decision": value(number=number)}, secure=True, cookie="__Secure-visit=x"
    )
    morsels = [morsel for morsel in response.cookies.values() if morsel.key == "__Secure-visit"]
    assert morsels and all(morsel["secure"] for morsel in morsels)


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("www.city.example", ["www.city.example", "city.example"]),
        ("www.city.example:8000", ["www.city.example", "city.example"]),
        ("a.b.city.example", ["a.b.city.example", "b.city.example", "city.example"]),
        ("localhost", []),
        ("localhost:8000", []),
        ("127.0.0.1", []),
        ("127.0.0.1:8000", []),
        ("[::1]", []),
        ("[::1]:8000", []),
    ],
)
def test_the_domains_a_cookie_may_have_been_set_on(host: str, domains: list[str]) -> None:
    assert answers.parent_domains(host) == domains


def test_a_partitioned_cookie_is_another_one(client: Client, city: Site) -> None:
    """R50: over HTTPS, where they can be set at all, both are expired; else only the plain one."""

    def headers(secure: bool) -> list[str]:
        client.cookies.clear()
        client.cookies["_one"] = "x"
        sent = {"decision": value()}
        response = post(client, sent, secure=secure, host="www.city.example")
        found = [morsel.OutputString() for morsel in response.cookies.values()]
        return [header for header in found if header.startswith("_one=")]

    secure = headers(secure=True)
    assert len([header for header in secure if "SameSite=None; Partitioned" in header]) == 3
    assert len([header for header in secure if "Partitioned" not in header]) == 3
    assert all("Secure" in header and "Max-Age=0" in header for header in secure)
    assert not [header for header in headers(secure=False) if "Partitioned" in header]
