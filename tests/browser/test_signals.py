"""What vendors' queues hold after each answer (R54, R59), in a browser, without the vendors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from tests.browser.portal import MEASURE
from tests.browser.test_lasting import answered
from tests.browser.visitor import Visitor
from wagtail_cookie_charter.vendors import VENDORS

pytestmark = pytest.mark.browser

#: Calls the module as the core script does, and reads a queue before anything else can run.
TELL = """async ([grants, read]) => {
    const module = await import(document.getElementById('wcc').dataset.signals);
    module.default((category, provider) =>
        grants.includes(provider ? `${category} ${provider}` : category));
    const plain = value => Object.prototype.toString.call(value) == '[object Arguments]'
        ? [...value] : value;
    const found = new Function(`return ${read}`)();
    return Array.isArray(found) ? found.map(plain) : found ?? null;
}"""

DENIED = dict.fromkeys(
    (
        "ad_storage",
        "ad_user_data",
        "ad_personalization",
        "analytics_storage",
        "functionality_storage",
        "personalization_storage",
        "security_storage",
    ),
    "denied",
)
#: Security needs no consent.
NOTHING = {**DENIED, "security_storage": "granted"}

Tell = Callable[..., Any]


@pytest.fixture
def settle() -> Iterator[Callable[[Any], None]]:
    """Set ``SIGNALS`` for the rest of the test."""
    active: list[override_settings] = []

    def settle(value: Any) -> None:
        active.append(override_settings(WAGTAIL_COOKIE_CHARTER={"SIGNALS": value}))
        active[-1].enable()

    yield settle
    for setting in reversed(active):
        setting.disable()


@pytest.fixture
def told(
    visitor: Visitor, write: Callable[..., str], settle: Callable[[Any], None]
) -> Callable[..., Tell]:
    """Open a page of a site with these ``SIGNALS``; then tell vendors what is granted.

    The core script stays away: what is granted is what the test says.
    """

    def told(read: str, body: str = "", layout: str = "base.html", **value: Any) -> Tell:
        settle(value)
        visitor.page.route("**/cookie-charter.js", lambda route: route.abort())
        visitor.open(write(body, layout=layout))
        return lambda *grants: visitor.page.evaluate(TELL, [grants, read])

    return told


@pytest.fixture(autouse=True)
def nobody_is_called(visitor: Visitor, site: str) -> Iterator[None]:
    """R59: to fill a queue takes no request to any vendor, in any test here."""
    yield
    strangers = [found.url for found in visitor.requests if not found.url.startswith(site)]
    assert [url for url in strangers if not url.startswith("data:")] == []
    assert visitor.errors == []


# --- Google ---------------------------------------------------------------------------


def test_google_hears_no_first_then_each_change_once(told: Callable[..., Tell]) -> None:
    tell = told("window.dataLayer", google={"map": {"ad_storage": "media"}})
    said = [["consent", "default", DENIED], ["consent", "update", NOTHING]]
    assert tell() == said
    assert tell() == said
    said.append(["consent", "update", {**NOTHING, "analytics_storage": "granted"}])
    assert tell("statistics") == said
    assert tell("statistics") == said
    both = {**NOTHING, "analytics_storage": "granted", "ad_storage": "granted"}
    said.append(["consent", "update", both])
    assert tell("statistics", "media") == said
    said.append(["consent", "update", NOTHING])
    assert tell() == said


def test_google_hears_no_first_where_the_answer_was_yes(told: Callable[..., Tell]) -> None:
    """Somebody who comes back: the default is the same on every page."""
    tell = told("window.dataLayer", google={})
    granted = {**NOTHING, "analytics_storage": "granted"}
    assert tell("statistics") == [["consent", "default", DENIED], ["consent", "update", granted]]


def test_google_reads_arguments_not_arrays(told: Callable[..., Tell]) -> None:
    """An array in the data layer is something else to Google's tags, and says nothing."""
    kind = "dataLayer.map(said => Object.prototype.toString.call(said))"
    assert told(kind, google={})() == ["[object Arguments]"] * 2


def test_what_is_undeclared_stays_denied_whatever_is_granted(told: Callable[..., Tell]) -> None:
    """The site publishes no row of advertising: promise 2."""
    tell = told("window.dataLayer", google={})
    assert tell("marketing", "preferences", "")[-1] == ["consent", "update", NOTHING]


def test_a_provider_is_heard_by_itself(told: Callable[..., Tell], visitor: Visitor) -> None:
    """Who allows this provider and no other has allowed it; who allows others has not."""
    tell = told("window.dataLayer", google={"provider": MEASURE})
    config = visitor.page.evaluate("JSON.parse(wcc.dataset.signalsConfig)")
    gate = config["google"]["map"]["analytics_storage"]
    assert tell("statistics")[-1][2]["analytics_storage"] == "denied"
    assert tell("statistics 0")[-1][2]["analytics_storage"] == "denied"
    assert tell(gate)[-1][2]["analytics_storage"] == "granted"


HEAD = """<!doctype html><html lang="en"><head><title>Advanced</title>{% cookie_signals %}
<script>window.before = window.dataLayer?.length ?? 0</script></head>
<body>{% cookie_banner %}</body></html>"""


def test_advanced_denies_before_any_tag_and_only_once(
    told: Callable[..., Tell], visitor: Visitor
) -> None:
    tell = told("window.dataLayer", HEAD, layout="", google={"mode": "advanced"})
    assert visitor.page.evaluate("before") == 1
    default = ["consent", "default", {**DENIED, "wait_for_update": 500}]
    assert tell() == [default, ["consent", "update", NOTHING]]


def test_advanced_denies_also_where_the_head_forgot_to(told: Callable[..., Tell]) -> None:
    tell = told("window.dataLayer", google={"mode": "advanced"})
    assert tell()[0] == ["consent", "default", DENIED]


def test_basic_says_nothing_before_it_is_called(
    told: Callable[..., Tell], visitor: Visitor
) -> None:
    told("window.dataLayer", HEAD, layout="", google={})
    assert visitor.page.evaluate("before") == 0
    assert visitor.paths("signals") == []


def test_a_strict_policy_needs_no_exception(
    visitor: Visitor, write: Callable[..., str], settle: Callable[[Any], None]
) -> None:
    """R62: neither inline script nor eval, and no sink of Trusted Types."""
    settle({"google": {"mode": "advanced"}, "matomo": {}, "clarity": {}})
    visitor.page.route("**/cookie-charter.js", lambda route: route.abort())
    policy = "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
    head, _script, body = HEAD.splitlines()
    html = f"{head}</head>{body.removeprefix('</head>')}"
    visitor.open(write(html, {"Content-Security-Policy": policy}, layout=""))
    said = visitor.page.evaluate(
        """async () => {
            const module = await import(wcc.dataset.signals);
            module.default(() => true);
            return [dataLayer.length, _paq.length, clarity.q.length];
        }"""
    )
    assert said == [2, 2, 1]


# --- Microsoft ------------------------------------------------------------------------


def test_microsoft_advertising(told: Callable[..., Tell]) -> None:
    tell = told("window.uetq", microsoft={"category": "media"})
    denied, granted = {"ad_storage": "denied"}, {"ad_storage": "granted"}
    said: list[Any] = ["consent", "default", denied, "consent", "update", denied]
    assert tell() == said
    said += ["consent", "update", granted]
    assert tell("media") == said
    assert tell("media") == said
    assert tell() == [*said, "consent", "update", denied]


def test_clarity_is_told_the_state_and_never_a_denial_before_a_yes(
    told: Callable[..., Tell],
) -> None:
    tell = told("window.clarity.q", clarity={})
    granted = {"ad_Storage": "denied", "analytics_Storage": "granted"}
    denied = {"ad_Storage": "denied", "analytics_Storage": "denied"}
    said = [["consentv2", granted]]
    assert tell("statistics") == said
    assert tell("statistics") == said
    assert tell() == [*said, ["consentv2", denied]]


def test_clarity_that_runs_is_told_directly(told: Callable[..., Tell]) -> None:
    body = "<script>heard = []; clarity = (...parts) => heard.push(parts)</script>"
    tell = told("window.heard", body, clarity={})
    assert [command for command, _state in tell()] == ["consentv2"]


# --- Matomo ---------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "what"), [("consent", "Consent"), ("cookies", "CookieConsent")])
def test_matomo_waits_for_consent(told: Callable[..., Tell], mode: str, what: str) -> None:
    tell = told("window._paq", matomo={"mode": mode})
    said = [[f"require{what}"]]
    assert tell() == said
    said.append([f"set{what}Given"])
    assert tell("statistics") == said
    assert tell("statistics") == said
    assert tell() == [*said, [f"forget{what}Given"]]


@pytest.mark.parametrize("cookie", ["mtm_consent=1", "mtm_cookie_consent=1"])
def test_what_matomo_remembers_from_elsewhere_is_forgotten(
    told: Callable[..., Tell], visitor: Visitor, cookie: str
) -> None:
    """`requireConsent` alone would believe its own cookie of last year."""
    tell = told("window._paq", matomo={})
    visitor.page.evaluate(
        "cookie => { document.cookie = `other=1`; document.cookie = cookie }", cookie
    )
    assert tell() == [["requireConsent"], ["forgetConsentGiven"]]


def test_matomo_exempt_can_be_switched_off(told: Callable[..., Tell]) -> None:
    """R3, R4: no consent is asked for; a refusal, and its end, are said."""
    tell = told("window._paq", matomo={"mode": "opt_out"})
    said = [["forgetUserOptOut"]]
    assert tell("audience") == said
    said.append(["optUserOut"])
    assert tell() == said
    assert tell() == said
    assert tell("audience") == [*said, ["forgetUserOptOut"]]


def test_matomo_exempt_hears_a_refusal_on_the_next_page(told: Callable[..., Tell]) -> None:
    assert told("window._paq", matomo={"mode": "opt_out"})() == [["optUserOut"]]


# --- Meta, Piano ----------------------------------------------------------------------


def test_meta_gets_no_stub_and_hears_when_it_is_there(
    told: Callable[..., Tell], visitor: Visitor
) -> None:
    """Its own snippet does nothing where there is an `fbq`: a stub would switch it off."""
    tell = told("window.heard", meta={"category": "media"})
    assert tell("media") is None
    assert visitor.page.evaluate("typeof fbq") == "undefined"
    visitor.page.evaluate("() => { heard = []; fbq = (...parts) => { heard.push(parts) } }")
    said = [["consent", "grant"]]
    assert tell("media") == said
    assert tell("media") == said
    said.append(["consent", "revoke"])
    assert tell() == said
    assert tell() == said


def test_meta_that_runs_hears_no_at_once(told: Callable[..., Tell]) -> None:
    body = "<script>heard = []; fbq = (...parts) => { heard.push(parts) }</script>"
    assert told("window.heard", body, meta={})() == [["consent", "revoke"]]


def test_piano(told: Callable[..., Tell], visitor: Visitor) -> None:
    tell = told("window._paq", piano={})
    said = [["consent.setMode", "opt-out"]]
    assert tell() == said
    # What Piano falls back on where it remembers nothing; without it, to "opt-in".
    assert visitor.page.evaluate("pdl") == {
        "requireConsent": "v2",
        "consent": {"products": ["PA"], "defaultPreset": {"PA": "opt-out"}},
    }
    said.append(["consent.setMode", "opt-in"])
    assert tell("statistics") == said
    assert tell("statistics") == said
    assert tell() == [*said, ["consent.setMode", "opt-out"]]


def test_piano_exempt(told: Callable[..., Tell]) -> None:
    tell = told("window._paq", piano={"map": {"essential": "audience"}})
    assert tell("audience")[-1] == ["consent.setMode", "essential"]
    assert tell("audience", "statistics")[-1] == ["consent.setMode", "opt-in"]
    assert tell()[-1] == ["consent.setMode", "opt-out"]


def test_piano_beside_matomo_has_a_queue_of_its_own(
    told: Callable[..., Tell], visitor: Visitor
) -> None:
    """And what the site says about other products of Piano's stays."""
    body = """<script>_pac = { queueVarName: '_pianoq' };
    pdl = { consent: { products: ['PA', 'DMP'], defaultPreset: { DMP: 'opt-out' } } }</script>"""
    tell = told("window._pianoq", body, matomo={}, piano={})
    assert tell() == [["consent.setMode", "opt-out"]]
    assert visitor.page.evaluate("_paq") == [["requireConsent"]]
    assert visitor.page.evaluate("pdl.consent") == {
        "products": ["PA", "DMP"],
        "defaultPreset": {"DMP": "opt-out", "PA": "opt-out"},
    }


# --- All of them ----------------------------------------------------------------------


def test_every_vendor_of_the_setting_is_known_to_the_script(
    told: Callable[..., Tell], visitor: Visitor
) -> None:
    complaints: list[str] = []
    visitor.page.on("console", lambda message: complaints.append(message.text))
    told("null", **{name: {} for name in VENDORS})("statistics")
    assert [text for text in complaints if "ERR_FAILED" not in text] == []


def test_a_vendor_that_fails_stops_no_other(told: Callable[..., Tell], visitor: Visitor) -> None:
    """It is told again, since nobody knows what it heard."""
    body = """<script>fails = true; heard = [];
    fbq = (...parts) => { heard.push(parts); if (fails) throw 'broken' }</script>"""
    tell = told("window.heard", body, meta={}, google={}, matomo={})
    assert tell("statistics") == [["consent", "revoke"]]
    assert visitor.page.evaluate("dataLayer.length") == 2
    assert visitor.page.evaluate("_paq") == [["requireConsent"], ["setConsentGiven"]]
    visitor.page.evaluate("fails = false")
    assert tell("statistics") == [["consent", "revoke"]] * 2
    assert tell("statistics") == [["consent", "revoke"]] * 2
    assert visitor.page.evaluate("dataLayer.length") == 2


def test_another_window_in_sight_hears_of_a_withdrawal(
    visitor: Visitor, write: Callable[..., str], settle: Callable[[Any], None]
) -> None:
    """R49, R54: a tag outside of gates runs there, and nothing of ours but this module."""
    settle({"google": {}})
    path = write("<p>Words</p>")
    visitor.keep_decision(answered(1, "statistics", days_ago=1))
    visitor.open(path)
    other = Visitor(visitor.page.context.new_page(), visitor.home).open(path)
    granted = {**NOTHING, "analytics_storage": "granted"}

    def last() -> Any:
        return other.page.evaluate("Object.values(window.dataLayer?.at(-1) ?? [])")

    other.wait_until(lambda: last() == ["consent", "update", granted])
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    other.wait_until(lambda: last() == ["consent", "update", NOTHING])
    assert other.loads == 1
    assert other.paths("cookie-charter-later") == []
