"""What ``decide`` does not take: said in a sentence, and nothing is set, stored or guessed."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from wagtail.models import Site

from tests.answers import (
    ask_instead,
    assert_refused,
    latest,
    post,
    value,
)
from tests.factories import make_asking_site, make_site, row, table
from wagtail_cookie_charter.decision import base36
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declarations


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "nonsense"},
        {"sec_fetch_site": "cross-site", "origin": "http://testserver"},
        {"sec_fetch_site": "", "origin": "http://evil.example"},
        {"sec_fetch_site": "", "origin": "http://testserver.evil.example"},
        {"sec_fetch_site": "", "origin": "http://evil.example#testserver"},
        {"sec_fetch_site": "", "origin": "http://testserver:8001"},
        {"sec_fetch_site": "", "origin": "http://testserver@evil.example"},
        {"sec_fetch_site": "", "origin": "null"},
        {"sec_fetch_site": "", "origin": "http://[evil"},
        {"sec_fetch_site": "", "origin": "null", "referer": "http://testserver/"},
        {"sec_fetch_site": "", "origin": "http://evil.example", "referer": "http://testserver/"},
        {"sec_fetch_site": "", "referer": "http://evil.example/http://testserver/"},
        {"sec_fetch_site": "", "referer": "/cookies/"},
        {"sec_fetch_site": ""},
    ],
)
def test_another_sites_page_cannot_answer_for_a_visitor(
    client: Client, asking: CookieCharterSettings, headers: dict[str, Any]
) -> None:
    """Design §4: without a token, the browser's own word is what keeps consent the visitor's."""
    assert_refused(post(client, {"decision": value("media")}, **headers), 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"sec_fetch_site": "", "origin": "http://testserver"},
        {"sec_fetch_site": "", "origin": "http://TestServer"},
        {"sec_fetch_site": "", "referer": "http://testserver/cookies/?x=1"},
    ],
)
def test_an_older_browser_can_answer_too(
    client: Client, asking: CookieCharterSettings, headers: dict[str, Any]
) -> None:
    """Each header counts where the better one is not sent."""
    response = post(client, {"decision": value("media")}, **headers)
    assert f"cookie-charter-{asking.site_id}" in response.cookies


def test_an_insecure_page_cannot_answer_for_a_secure_one(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Who can change pages on the way to a browser must not consent in its place."""
    headers = {"sec_fetch_site": "", "origin": "http://testserver"}
    assert_refused(post(client, {"decision": value("media")}, secure=True, **headers), 403)


def said(*grants: str, number: int = 1) -> str:
    """A value of a fixed time: what names a test must be the same in every process."""
    return value(*grants, number=number, at=1_795_000_000)


LONG = said("media" + "-1" * 3000)
MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        # Too long, whichever way.
        (json.dumps({"decision": LONG}), "application/json", 413),
        (f"decision={LONG}", FORM, 413),
        ("number=1&" + "category=media&" * 400, FORM, 413),
        # No decision in it.
        (" ", "application/json", 400),
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("null", "application/json", 400),
        ("NaN", "application/json", 400),
        ("{}", "application/json", 400),
        ("[" * 4000, "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b'{"decision": "\xff"}', "application/json", 400),
        ('{"decision": null}', "application/json", 400),
        ('{"decision": 1}', "application/json", 400),
        ('{"decision": ["1.1.0"]}', "application/json", 400),
        ('{"decision": {"number": 1}}', "application/json", 400),
        ('{"decision": ""}', "application/json", 400),
        ('{"decision": "accept"}', "application/json", 400),
        ('{"decision": "2.1.0.media"}', "application/json", 400),
        ("decision=", FORM, 400),
        ("decision=1.1.0.media.media", FORM, 400),
        ("&", FORM, 400),
        ("answer=accept", FORM, 400),
        ("number=&answer=accept", FORM, 400),
        ("number=one&answer=accept", FORM, 400),
        ("number=1.0&answer=accept", FORM, 400),
        ("number=1&answer=yes", FORM, 400),
        # Unknown numbers, keys, providers.
        ("number=0&answer=accept", FORM, 400),
        ("number=-1&answer=accept", FORM, 400),
        ("number=2&answer=accept", FORM, 400),
        (f"number={2**31}&answer=accept", FORM, 400),
        (f"number={10**4000}&answer=accept", FORM, 400),
        (f"decision={said(number=0)}", FORM, 400),
        (f"decision={said(number=2)}", FORM, 400),
        (f"decision={said(number=36**7 - 1)}", FORM, 400),
        (f"decision={said('nonsense')}", FORM, 400),
        (f"decision={said('necessary')}", FORM, 400),
        (f"decision={said('marketing')}", FORM, 400),
        (f"decision={said('media-zz')}", FORM, 400),
        (f"decision={said('media%2Bzz')}", FORM, 400),
        (f"decision={said('media-0')}", FORM, 400),
        ("number=1&category=nonsense", FORM, 400),
        ("number=1&category=necessary", FORM, 400),
        ("number=1&category=", FORM, 400),
        ("number=1&provider=media", FORM, 400),
        ("number=1&provider=media:", FORM, 400),
        ("number=1&provider=media:!", FORM, 400),
        ("number=1&provider=nonsense:1", FORM, 400),
        ("number=1&provider=media:zz", FORM, 400),
        ("number=1&provider=media:-1", FORM, 400),
        # Not a form, or a broken one.
        ("decision", "text/plain", 415),
        ("<decision/>", "application/xml", 415),
        ("", "", 415),
        ("decision=1.1.0", f"{FORM}; charset=utf-16", 400),
        ("number=1", "multipart/form-data", 400),
        ("number=1", MULTIPART, 400),
        (
            "--b\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: form-data; name=number\r\n\r\n!\r\n--b--\r\n",
            MULTIPART,
            400,
        ),
        ("a&" * 2000, FORM, 400),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence(
    client: Client,
    asking: CookieCharterSettings,
    settings: Any,
    body: str | bytes,
    content_type: str,
    status: int,
) -> None:
    """Issue: a 4xx with a sentence, nothing stored, no traceback. Never a guess at consent."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
    response = client.generic(
        "POST",
        reverse("cookie_charter:decide"),
        body,
        content_type,
        headers={"sec-fetch-site": "same-origin"},
    )
    assert_refused(response, status)  # type: ignore[arg-type]


def test_a_body_that_does_not_say_its_length_is_measured(
    client: Client, asking: CookieCharterSettings
) -> None:
    """A length that is missing, wrong or nonsense must open no way around the limit."""
    for length in ("nonsense", "-1", ""):
        environment: dict[str, Any] = {
            "CONTENT_LENGTH": length,
            "wsgi.input": io.BytesIO(f"decision={LONG}".encode()),
        }
        response = client.generic(
            "POST",
            reverse("cookie_charter:decide"),
            "",
            FORM,
            headers={"sec-fetch-site": "same-origin"},
            **environment,
        )
        assert_refused(response)  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [0, 36**7 - 1])
def test_a_choice_that_just_fits_is_never_an_error_of_ours(
    client: Client, asking: CookieCharterSettings, at: int
) -> None:
    """The server may correct the time, and the value must still fit after that."""
    number = ask_instead(asking, table(*(row(name=f"_{n}", provider=f"P{n}") for n in range(60))))
    codes = [base36(known) for known in sorted(latest().declaration.providers.values())]
    for length in range(86, 95):
        sent = value("statistics", number=number, at=at)
        for code in codes:
            if len(sent) + 1 + len(code) <= length:
                sent += f"-{code}"
        response = post(client, {"decision": sent})
        if response.status_code != 200:
            assert_refused(response, 400)


def test_other_methods_are_not_answers(client: Client, asking: CookieCharterSettings) -> None:
    """A link, an image or a prefetch must not be able to consent."""
    address = reverse("cookie_charter:decide")
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        response = client.generic(
            method,
            f"{address}?decision={value('media')}",
            headers={"sec-fetch-site": "same-origin"},
        )
        assert response.status_code == 405
        assert not response.cookies


def test_an_unknown_site_takes_no_answer(client: Client, asking: CookieCharterSettings) -> None:
    Site.objects.all().delete()
    assert_refused(post(client, {"decision": value("media")}), 404)


def test_another_sites_number_is_unknown_here(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R40: one site's consent says nothing on another, and its numbers mean nothing there."""
    other = make_site("other.example")
    make_asking_site(site=other)
    publish_declarations()
    published = PublishedDeclaration.objects.of_site(other)[0]
    PublishedDeclaration.objects.create(
        site=other, number=7, digest="7" * 64, content=published.content, asked=[]
    )
    assert_refused(post(client, {"decision": value(number=7)}), 400)
    there = post(client, {"decision": value(number=7)}, host="other.example")
    assert list(there.cookies) == [f"cookie-charter-{other.pk}"]


def test_a_browser_gets_words_and_a_script_json(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Without JavaScript a refusal is a page that somebody reads."""
    page = post(client, {"number": "9"}, accept="text/html,application/xhtml+xml")
    assert page["Content-Type"].startswith("text/plain")
    assert "9" in assert_refused(page)
    assert post(client, {"number": "9"}, accept="*/*")["Content-Type"] == "application/json"


text = st.text(max_size=60)
fields = st.sampled_from(["decision", "number", "answer", "category", "provider", "next", "x"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)
cookie_values = st.text(alphabet="1.media-+~09az", max_size=95)
bodies = st.one_of(
    st.tuples(st.binary(max_size=200), st.sampled_from([FORM, "application/json", MULTIPART, "x"])),
    st.dictionaries(fields, text | cookie_values, max_size=5).map(lambda data: (data, "")),
    st.dictionaries(fields, json_values | cookie_values, max_size=4).map(
        lambda data: (json.dumps(data), "application/json")
    ),
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies)
def test_nothing_that_is_sent_breaks_it(
    client: Client, asking: CookieCharterSettings, body: tuple[Any, str]
) -> None:
    """Anybody can post here. What is not an answer gets a sentence, what is gets a cookie."""
    data, content_type = body
    # Multipart's own framing could not carry every character of a generated field.
    response = post(client, data, content_type)
    if response.status_code in (200, 303):
        assert all(re.match(r"cookie-charter-\d+$", key) for key in response.cookies)
    else:
        assert_refused(response)
    client.cookies.clear()


@override_settings(DEBUG=True)
def test_no_traceback_even_while_developing(client: Client, asking: CookieCharterSettings) -> None:
    client.raise_request_exception = False
    for body, content_type in (("number=1", "multipart/form-data"), ("{", "application/json")):
        assert_refused(post(client, body, content_type), 400)
