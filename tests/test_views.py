"""The two addresses: one takes answers from anybody, one shows the second layer for ever."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from tests.answers import (
    LIFE,
    ask_instead,
    assert_refused,
    code_of,
    latest,
    post,
    value,
)
from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import backdate
from wagtail_cookie_charter import visitor
from wagtail_cookie_charter.decision import decode
from wagtail_cookie_charter.models import (
    ConsentEvent,
    CookieCharterSettings,
    PublishedDeclaration,
)
from wagtail_cookie_charter.publishing import publish_declarations

# --- Answers that are taken -----------------------------------------------------------


@pytest.mark.parametrize("how", ["form", "json"])
def test_the_scripts_answer_comes_back_as_a_cookie(
    client: Client, asking: CookieCharterSettings, name: str, how: str
) -> None:
    """R38: set by the server, or Safari forgets it within days and the banner is back."""
    sent = value("statistics", "media")
    data: Any = {"decision": sent}
    if how == "json":
        response = post(client, json.dumps(data), "application/json")
    else:
        response = post(client, data)
    assert response.status_code == 200
    cookie = response.cookies[name]
    assert json.loads(response.content) == {"decision": cookie.value}
    assert re.fullmatch(re.escape(sent) + r"\*[0-9a-z]{12}", cookie.value)
    assert "no-store" in response["Cache-Control"]


def test_the_cookie_is_what_a_consent_cookie_should_be(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R36, R39: six months, host-only, Lax, whole site; and readable, since gates read it."""
    cookie = post(client, {"decision": value()}).cookies[name]
    assert abs(int(cookie["max-age"]) - LIFE) <= 2
    assert cookie["path"] == "/"
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"] and not cookie["httponly"] and not cookie["secure"]


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_over_https_the_cookie_is_bound_to_the_host(
    client: Client, asking: CookieCharterSettings, name: str, behind_proxy: bool
) -> None:
    """R39: ``__Host-`` needs Secure, Path=/ and no Domain, or browsers drop it silently.

    A proxy may end TLS and not tell; the browser still does, in Origin.
    """
    origin = "https://testserver" if behind_proxy else ""
    response = post(client, {"decision": value()}, secure=not behind_proxy, origin=origin)
    assert name not in response.cookies
    cookie = response.cookies[f"__Host-{name}"]
    assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]


def test_sending_an_answer_again_prolongs_nothing(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R67: life counts from the decision, however often the browser delivers it."""
    backdate(latest(), 101 * 86_400)
    sent = value("media", at=time.time() - 100 * 86_400)
    for _again in range(2):
        response = post(client, {"decision": sent})
        assert response.cookies[name].value.partition("*")[0] == sent
        assert abs(int(response.cookies[name]["max-age"]) - (LIFE - 100 * 86_400)) <= 2


def test_the_mark_of_an_unconfirmed_answer_comes_off(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """Else the browser would deliver it with every page view, for ever."""
    sent = value("media")
    kept = post(client, {"decision": sent + "~"}).cookies[name].value
    assert "~" not in kept and kept.partition("*")[0] == sent


@pytest.mark.parametrize("at", [0, 10**9, "in an hour", 36**7 - 1])
def test_a_wrong_clock_is_set_right(
    client: Client, asking: CookieCharterSettings, name: str, at: Any
) -> None:
    """A clock of 1970 must not ask on every page, one of 2099 must not consent until then."""
    seconds = time.time() + 3_600 if at == "in an hour" else at
    cookie = post(client, {"decision": value("media", at=seconds)}).cookies[name]
    decision = decode(cookie.value)
    assert decision is not None
    assert abs(decision.time - time.time()) <= 2
    assert decision.allows("media")
    assert abs(int(cookie["max-age"]) - LIFE) <= 2


def test_a_clock_a_little_ahead_is_left_alone(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    sent = value(at=time.time() + 120)
    cookie = post(client, {"decision": sent}).cookies[name]
    assert cookie.value == sent
    assert int(cookie["max-age"]) <= LIFE


@pytest.mark.parametrize(
    ("form", "grants"),
    [
        ({"answer": "accept"}, ["statistics", "media", "audience"]),
        ({"answer": "refuse"}, []),
        ({"answer": "refuse", "category": ["media"]}, []),
        ({"answer": "save"}, []),
        ({}, []),
        ({"answer": "save", "category": ["media"]}, ["media"]),
        ({"answer": "save", "category": ["media", "statistics"]}, ["statistics", "media"]),
        ({"answer": "save", "provider": ["media:video-one"]}, ["media+video-one"]),
        (
            {"answer": "save", "provider": ["media:video-one", "media:video-two"]},
            ["media-video-three"],
        ),
        (
            {
                "answer": "save",
                "provider": ["media:video-one", "media:video-two", "media:video-three"],
            },
            ["media"],
        ),
    ],
)
def test_the_form_says_what_was_ticked(
    client: Client,
    asking: CookieCharterSettings,
    name: str,
    form: dict[str, Any],
    grants: list[str],
) -> None:
    """R30, R61: works without JavaScript; what is left empty is refused."""

    def numbered(text: str) -> str:
        return re.sub(r"video-\w+", lambda found: code_of(found[0]), text)

    data = {**form, "number": "1"}
    if "provider" in data:
        data["provider"] = [numbered(item) for item in data["provider"]]
    response = post(client, data)
    assert response.status_code == 200
    decision = decode(response.cookies[name].value)
    assert decision is not None
    expected = decode(value(*(numbered(grant) for grant in grants)))
    assert expected is not None
    assert set(decision.grants) == set(expected.grants)


def test_an_answer_to_an_earlier_declaration_is_taken(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """Pages come from caches: what was asked there can still be answered, as it was asked."""
    number = ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing"))
    assert number == 2
    assert post(client, {"decision": value("marketing", number=2)}).status_code == 200
    old = post(client, {"decision": value("media", number=1)})
    assert old.status_code == 200
    assert old.cookies[name].value.startswith("1.1.")
    assert post(client, {"decision": value("marketing", number=1)}).status_code == 400
    form = post(client, {"number": "1", "answer": "accept"})
    decision = decode(form.cookies[name].value)
    assert decision is not None
    assert decision.number == 1 and not decision.allows("marketing")


@pytest.mark.parametrize("answer", ["accept", "save"])
def test_an_old_form_leads_to_the_choices_as_they_are_now(
    client: Client, asking: CookieCharterSettings, name: str, answer: str
) -> None:
    """R57: it comes from a cache, and would put an older answer in place of a later one."""
    ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing"))
    given = post(client, {"decision": value("marketing", number=2)}).cookies[name].value
    form = {"number": "1", "answer": answer, "category": "media", "next": "/charter/?page=2"}
    response = post(client, form)
    assert response.status_code == 303
    assert re.fullmatch(r"/charter/\?page=2&wcc=\d+#wcc-choices", response["Location"])
    assert name not in response.cookies and client.cookies[name].value == given
    del form["next"]
    response = post(client, form)
    assert response.status_code == 409 and "Open it again" in response.content.decode()
    assert ConsentEvent.objects.count() == 1


def test_a_refusal_in_an_old_form_holds_for_what_was_asked_since(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """R66: who refused is not asked again. A number that nobody published is not believed."""
    ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing"))
    post(client, {"decision": value("marketing", number=2)})
    response = post(client, {"number": "1", "answer": "refuse", "next": "/"})
    decision = decode(response.cookies[name].value)
    assert decision is not None and decision.number == 2 and not decision.grants
    client.cookies[name] = value("marketing", number=3)
    response = post(client, {"number": "1", "answer": "refuse", "next": "/"})
    decision = decode(response.cookies[name].value)
    assert decision is not None and decision.number == 1 and not decision.grants


def test_a_page_from_before_a_removal_can_still_be_answered(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    """A page in a cache offers what is gone by now."""
    assert ask_instead(asking, table(row(name="_one", provider="Video One"), category="media")) == 2
    response = post(client, {"decision": value("statistics", "media")})
    assert response.status_code == 200, response.content
    decision = decode(response.cookies[name].value)
    assert decision is not None and decision.allows("media")


def test_what_grants_only_what_was_never_offered_is_no_refusal(
    client: Client, asking: CookieCharterSettings
) -> None:
    """It would be recorded as one, which nobody said."""
    one, two, three = (code_of(f"video-{number}") for number in ("one", "two", "three"))
    for grants in (f"statistics+{one}", f"media-{one}-{two}-{three}"):
        assert_refused(post(client, {"decision": value(grants)}), 400)
        # With something that is offered, it is left out.
        assert post(client, {"decision": value(grants, "audience")}).status_code == 200
    assert not ConsentEvent.objects.filter(grants="").exists()


@pytest.mark.parametrize("grants", ["statistics", "media+TWO", "media-ONE"])
def test_a_page_from_before_a_removal_may_grant_only_what_is_gone(
    client: Client, asking: CookieCharterSettings, grants: str
) -> None:
    for name in ("one", "two"):
        grants = grants.replace(name.upper(), code_of(f"video-{name}"))
    assert ask_instead(asking, table(row(name="_one", provider="Video One"), category="media")) == 2
    assert post(client, {"decision": value(grants)}).status_code == 200
    assert ConsentEvent.objects.get().grants == grants


def test_a_form_that_ticks_only_what_was_never_offered_is_refused(
    client: Client, asking: CookieCharterSettings
) -> None:
    form = {"number": "1", "answer": "save", "provider": f"statistics:{code_of('video-one')}"}
    assert_refused(post(client, form), 400)
    assert not ConsentEvent.objects.exists()


# --- Redirects ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", "/#wcc-saved"),
        ("/cookies/", "/cookies/#wcc-saved"),
        ("/cookies/?a=1&b=2", "/cookies/?a=1&b=2#wcc-saved"),
        ("/cookies/#wcc-choices", "/cookies/#wcc-saved"),
        ("/fr/charte-été/", "/fr/charte-%C3%A9t%C3%A9/#wcc-saved"),
        ("/クッキー/", "/%E3%82%AF%E3%83%83%E3%82%AD%E3%83%BC/#wcc-saved"),
        ("", "/#wcc-saved"),
    ],
)
def test_the_form_goes_back_to_its_page(
    client: Client, asking: CookieCharterSettings, target: str, location: str
) -> None:
    """Wagtail's slugs may hold any letter; the redirect must still lead to the page."""
    response = post(client, {"number": "1", "answer": "refuse", "next": target})
    assert response.status_code == 303
    assert response["Location"] == location


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http:evil.example",
        "//evil.example/",
        "///evil.example/",
        "////evil.example",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "/\r\n/evil.example/",
        "/a\r\nSet-Cookie: stolen=1",
        "\t//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "http://testserver@evil.example/",
        "http://testserver.evil.example/",
        "/\x00/evil.example",
        "http://[::1",
        "//[evil",
        "／／evil.example",
    ],
)
def test_no_redirect_leaves_the_site(
    client: Client, asking: CookieCharterSettings, name: str, target: str
) -> None:
    """An open redirect on a city's own host name is what phishing mails are made of."""
    response = post(client, {"number": "1", "answer": "refuse", "next": target})
    assert response.status_code == 303
    location = re.sub(r"[\t\r\n]", "", response["Location"]).replace("\\", "/")
    assert location.startswith("/") and not location.startswith("//")
    assert not urlsplit(location).netloc
    # The answer holds all the same.
    assert name in response.cookies and len(response.cookies) == 1


# --- Sessions -------------------------------------------------------------------------


def test_no_session_is_opened_and_none_is_read(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Promise 7 and R37: an answer is nobody's in particular."""
    client.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    with CaptureQueriesContext(connection) as queries:
        response = post(client, {"decision": value("media")})
    assert response.status_code == 200
    assert not [query for query in queries if "session" in query["sql"]]
    assert Session.objects.count() == 0
    assert "sessionid" not in response.cookies
    assert "Cookie" not in response.get("Vary", "")


# --- Handing the answer on ------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[list[dict[str, Any]]]:
    """What receivers of the signal are told."""
    found: list[dict[str, Any]] = []

    def hear(**told: Any) -> None:
        found.append(told)

    visitor.decided.connect(hear)
    yield found
    visitor.decided.disconnect(hear)


def test_an_answer_is_handed_on_without_the_person(
    client: Client, asking: CookieCharterSettings, heard: list[dict[str, Any]]
) -> None:
    """Promise 7: no request, no address, no user; and nothing for what was refused."""
    client.post(
        reverse("cookie_charter:decide") + "?language=fr",
        {"decision": value("media")},
        headers={"sec-fetch-site": "same-origin"},
    )
    post(client, {"decision": "nonsense"})
    (told,) = heard
    assert told["site_id"] == asking.site_id
    assert told["declaration"] == PublishedDeclaration.objects.get()
    assert told["decision"].allows("media") and told["decision"].delivered
    assert told["language"] == "fr"
    assert told["method"] == "choice"
    assert set(told) == {
        "signal", "sender", "site_id", "declaration", "decision", "method", "language"
    }  # fmt: skip


def test_a_broken_receiver_harms_no_visitor(
    client: Client, asking: CookieCharterSettings, name: str
) -> None:
    def broken(**told: Any) -> None:
        raise RuntimeError

    visitor.decided.connect(broken)
    try:
        assert name in post(client, {"decision": value("media")}).cookies
    finally:
        visitor.decided.disconnect(broken)


# --- The second layer -----------------------------------------------------------------


def preferences_url(client: Client, page: str = "/", **extra: Any) -> str:
    """What a page announces as its second layer."""
    soup = BeautifulSoup(client.get(page, **extra).content, "html.parser")
    section = soup.select_one("#wcc")
    assert section is not None
    return str(section["data-preferences"])


def test_the_second_layer_is_for_ever(client: Client, asking: CookieCharterSettings) -> None:
    """Design §4: fetched once, kept by browser and CDN, the same for everybody."""
    address = preferences_url(client)
    responses = []
    for answer in ("", value(), value("media")):
        client.cookies.clear()
        if answer:
            client.cookies[f"cookie-charter-{asking.site_id}"] = answer
        responses.append(client.get(address))
    assert len({response.content for response in responses}) == 1
    response = responses[0]
    assert "immutable" in response["Cache-Control"] and "public" in response["Cache-Control"]
    assert "max-age=31536000" in response["Cache-Control"]
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies
    assert b"csrf" not in response.content
    assert "noindex" in response["X-Robots-Tag"]
    for named in ("_stat*", "_one", "_two", "_three", "_own"):
        assert named in response.content.decode()
    # R28: nothing is ticked before the visitor does it.
    assert b"checked" not in response.content


def test_a_page_from_a_cache_gets_the_layer_it_announced(
    client: Client, asking: CookieCharterSettings
) -> None:
    """What is asked on the page and what is explained behind it belong together."""
    old = preferences_url(client)
    before = client.get(old).content
    assert ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing")) == 2
    new = preferences_url(client)
    assert new != old
    assert client.get(old).content == before
    assert b"_ad" in client.get(new).content and b"_ad" not in before
    assert b'name="number" value="1"' in before
    assert b'name="number" value="2"' in client.get(new).content


def test_only_this_release_promises_that_it_never_changes(
    client: Client, asking: CookieCharterSettings
) -> None:
    """During a deployment old and new processes answer side by side, through one CDN."""
    address = preferences_url(client)
    other = re.sub(r"/([0-9a-f]{16})-[^/]*/", r"/\1-999.0/", address)
    assert other != address
    response = client.get(other)
    if response.status_code == 200:
        assert "immutable" not in response["Cache-Control"]
        assert "max-age=31536000" not in response["Cache-Control"]


@pytest.mark.parametrize(
    "version", ["0" * 16, "0" * 16 + "-0.1.0", "x", "a", "%", "________________", "draft-0.1.0"]
)
def test_an_unknown_version_is_not_there(
    client: Client, asking: CookieCharterSettings, version: str
) -> None:
    address = reverse("cookie_charter:preferences", args=[version, "en"])
    response = client.get(address)
    assert response.status_code == 404
    assert "immutable" not in response.get("Cache-Control", "")


@pytest.mark.parametrize("language", ["fr", "de", "xx", "EN", "en-gb", "e", "-"])
def test_an_unknown_language_is_not_there(
    client: Client, asking: CookieCharterSettings, language: str
) -> None:
    """No page announces it; and a cache must not be filled by whoever makes up addresses."""
    address = preferences_url(client)
    assert client.get(address).status_code == 200
    wrong = re.sub(r"/en/$", f"/{language}/", address)
    assert client.get(wrong).status_code == 404


def test_another_sites_layer_is_not_there(client: Client, asking: CookieCharterSettings) -> None:
    """R40: two sites in one project share nothing, though they share a database."""
    make_asking_site(site=make_site("other.example"))
    publish_declarations()
    host: dict[str, Any] = {"headers": {"host": "other.example"}}
    theirs = preferences_url(client, **host)
    ours = preferences_url(client)
    assert theirs != ours
    assert client.get(theirs, **host).status_code == 200
    assert client.get(theirs).status_code == 404
    assert client.get(ours, **host).status_code == 404


def test_the_second_layer_is_only_read(client: Client, asking: CookieCharterSettings) -> None:
    address = preferences_url(client)
    assert client.head(address).status_code == 200
    assert client.post(address).status_code == 405


def test_the_thread_keeps_no_language(client: Client, asking: CookieCharterSettings) -> None:
    """Else one request, refused or not, would choose the language of somebody else's page."""
    with translation.override("en"):
        client.post(f"{reverse('cookie_charter:decide')}?language=fr", {"decision": "x"})
        assert translation.get_language() == "en"


# --- Which number is in force ---------------------------------------------------------


def test_the_number_in_force_is_small_and_soon_forgotten(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Promise 2: asked before a gate opens, so that no page from a cache runs what is gone."""
    url = reverse("cookie_charter:in_force")
    response = client.get(url)
    assert response.json() == {"number": 1}
    assert response["Cache-Control"] == "public, max-age=60"
    assert not response.cookies and "Cookie" not in response.get("Vary", "")
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    assert not queries.captured_queries
    ask_instead(asking, table(row(name="_ad", provider="Ads"), category="marketing"))
    assert client.get(url).json() == {"number": 2}
    assert client.post(url).status_code == 405


def test_where_nothing_is_in_force_there_is_no_number(client: Client, db: None) -> None:
    make_home()
    response = client.get(reverse("cookie_charter:in_force"))
    assert response.status_code == 404 and set(response.json()) == {"error"}


def test_it_stands_beside_the_address_that_answers_go_to() -> None:
    """The script knows that one only."""
    decide, number = reverse("cookie_charter:decide"), reverse("cookie_charter:in_force")
    assert urljoin(decide, "../in-force/") == number
