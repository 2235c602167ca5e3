"""The browser lets run what the server lets run, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

RULES = Path(__file__).parent.parent / "decision_rules.json"

#: Puts page, cookie, signal and clock of each case before the script that the page loaded, has
#: it look at the page again, and returns what it decides otherwise than the table says.
CHECK = """async rules => {
    await new Promise(ready => (function wait() {
        window.cookieCharter ? ready() : setTimeout(wait, 20);
    })());
    const wrong = [];
    const banner = document.getElementById('wcc');
    const name = banner.dataset.cookie;
    let signal;
    Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => signal });
    Date.now = () => rules.now * 1000;
    const set = (attribute, keys) => {
        // The server leaves out what is empty.
        if (keys.length) banner.dataset[attribute] = keys.join(' ');
        else delete banner.dataset[attribute];
    };
    for (const { why, page, cookie, signal: sent, allows } of rules.cases) {
        const asks = rules.pages[page];
        signal = sent ? true : undefined;
        set('consent', asks.consent);
        set('optOut', asks.opt_out);
        set('gpc', asks.gpc);
        banner.dataset.number = asks.number;
        set('since', asks.since == asks.number ? [] : [asks.since]);
        banner.dataset.days = asks.days;
        document.cookie = `${name}=; Path=/; Max-Age=0`;
        if (cookie != null) document.cookie = `${name}=${cookie}; Path=/`;
        cookieCharter.update();
        const stored = document.cookie.split('; ').find(pair => pair.startsWith(name + '='));
        if (stored !== (cookie == null ? undefined : `${name}=${cookie}`))
            wrong.push({ why, stored });
        for (const { category, provider, allowed } of allows) {
            const pair = provider == null ? category : `${category} ${provider.toString(36)}`;
            const seen = cookieCharter.allows(pair);
            if (seen !== allowed) wrong.push({ why, pair, seen });
        }
    }
    document.cookie = `${name}=; Path=/; Max-Age=0`;
    return wrong;
}"""


@pytest.fixture
def rules() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RULES.read_text("utf-8"))
    assert found["cases"]
    return found


def test_the_browser_decides_as_the_shared_rules_say(
    visitor: Visitor, rules: dict[str, Any]
) -> None:
    """Promise 2: where server and browser differ, one of them runs what was refused."""
    assert visitor.open().page.evaluate(CHECK, rules) == []


def test_each_shared_rule_can_fail(visitor: Visitor, rules: dict[str, Any]) -> None:
    """Nothing passes whatever the browser says: the contrary of each answer is noticed."""
    expected = 0
    for case in rules["cases"]:
        for answer in case["allows"]:
            answer["allowed"] = not answer["allowed"]
            expected += 1
    assert len(visitor.open().page.evaluate(CHECK, rules)) == expected
