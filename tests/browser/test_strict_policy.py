"""A site with a strict Content Security Policy needs no exception for us (R62)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Route, expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

STRICT = "default-src 'self'; img-src 'self' data:; base-uri 'none'; object-src 'none'"
TRUSTED = f"{STRICT}; require-trusted-types-for 'script'; trusted-types 'none'"

#: Violations as the page itself hears of them.
LISTEN = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
    violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
"""


@pytest.fixture(params=[STRICT, TRUSTED], ids=["strict", "trusted-types"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Watched(Visitor):
    """A visitor who reads the browser's console."""

    def __init__(self, page: Page, home: str) -> None:
        super().__init__(page, home)
        self.complaints: list[str] = []
        page.add_init_script(LISTEN)
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def expect_no_violation(self) -> None:
        assert self.page.evaluate("violations") == []
        assert self.complaints == []
        assert not self.errors


@pytest.fixture
def watched(new_context: Callable[..., BrowserContext], site: str) -> Watched:
    return Watched(new_context().new_page(), site)


@pytest.fixture
def strict_visitor(watched: Watched, policy: str) -> Watched:
    """A visitor to whom every page of the site comes with the policy."""

    def with_policy(route: Route) -> None:
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(response=response, headers=headers)

    watched.page.route(lambda url: "/static/" not in url and "/decide/" not in url, with_policy)
    return watched


def test_both_layers_work(strict_visitor: Watched, write: Callable[..., str]) -> None:
    """Styled, asked, opened, answered, undone: without one violation."""
    visitor = strict_visitor
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}<b>Counted</b>
            <script src="/decision.js" type="module"></script>{% endcookie_consent %}"""
        )
    )
    expect(visitor.banner).to_have_css("position", "fixed")
    visitor.customise()
    visitor.box("Allow: Statistics").check()
    visitor.save()
    visitor.expect_delivered()
    expect(visitor.page.get_by_text("Counted")).to_be_visible()
    visitor.expect_no_violation()
    visitor.reopen()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads == 2)
    visitor.expect_delivered()
    expect(visitor.page.get_by_text("Counted")).to_be_hidden()
    visitor.expect_no_violation()


def test_the_charter_works(strict_visitor: Watched) -> None:
    visitor = strict_visitor
    visitor.open("/cookie-charter/").expect_in_charge()
    visitor.accept()
    visitor.expect_no_violation()


def test_a_gated_script_of_the_site_itself_runs(
    strict_visitor: Watched, write: Callable[..., str]
) -> None:
    """What the policy allows anyway, a gate does not break: Trusted Types included."""
    visitor = strict_visitor
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}
            <script src="/decision.js" type="module"></script>
            <p>After the scripts</p>{% endcookie_consent %}"""
        )
    )
    visitor.accept()
    expect(visitor.page.get_by_text("After the scripts")).to_be_visible()
    visitor.wait_until(lambda: "/decision.js" in visitor.paths())
    visitor.expect_no_violation()


def test_a_nonce_goes_along_into_a_gate(watched: Watched, write: Callable[..., str]) -> None:
    """An inline script that its page vouches for runs after consent; one without does not."""
    visitor = watched
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}
            <script nonce="r4nd0m">(window.ran ??= []).push('vouched')</script>
            <script>(window.ran ??= []).push('injected')</script>
            {% endcookie_consent %}""",
            headers={"Content-Security-Policy": f"{STRICT}; script-src 'self' 'nonce-r4nd0m'"},
        )
    )
    visitor.accept()
    visitor.wait_until(lambda: bool(visitor.page.evaluate("window.ran")))
    visitor.wait_until(lambda: bool(visitor.page.evaluate("violations.length")))
    assert visitor.page.evaluate("ran") == ["vouched"]


def test_an_inline_script_of_a_gate_runs_under_trusted_types(
    watched: Watched, write: Callable[..., str]
) -> None:
    """The parser wrote it, and it was moved, not copied: it is still the page's own."""
    visitor = watched
    visitor.open(
        write(
            """{% cookie_consent "statistics" %}
            <script nonce="r4nd0m">(window.ran ??= []).push('vouched')</script>
            {% endcookie_consent %}""",
            headers={"Content-Security-Policy": f"{TRUSTED}; script-src 'self' 'nonce-r4nd0m'"},
        )
    )
    visitor.accept()
    visitor.wait_until(lambda: bool(visitor.page.evaluate("window.ran")))
    visitor.expect_no_violation()
