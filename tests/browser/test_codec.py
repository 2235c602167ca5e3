"""The browser reads and writes the consent cookie exactly as the server does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

VECTORS = Path(__file__).parent.parent / "decision_vectors.json"

#: Runs the script that is served against every vector and returns the ones it gets wrong.
CHECK = """async vectors => {
    const { parse, format, allows } = await import('/decision.js');
    const { receiptOf } = await import('/receipt.js');
    const wrong = [];
    const same = (what, seen, wanted) => {
        if (JSON.stringify(seen) != JSON.stringify(wanted)) wrong.push({what, seen, wanted});
    };
    // A set: the reader keeps a grant as it stands, a number named twice included.
    const numbers = (grant, sign) => [...new Set(
        (grant.match(new RegExp('[' + sign + '][0-9a-z]+', 'g')) ?? [])
            .map(code => parseInt(code.slice(1), 36)),
    )].sort((a, b) => a - b);
    for (const {why, value, canonical, encoded, decision, allows: questions} of vectors.valid) {
        const found = parse(value);
        if (!found) { wrong.push({what: why, seen: 'nothing', wanted: value}); continue; }
        same(why, {
            number: found.number,
            time: found.time,
            grants: found.grants.map(grant => ({
                category: grant.split(/[-+]/)[0],
                but: numbers(grant, '-'),
                only: numbers(grant, '+'),
            })),
            delivered: found.delivered,
            despite_signal: found.despite,
            receipt: receiptOf(value) || undefined,
        }, decision);
        if (canonical) {
            const receipt = receiptOf(value);
            same('written: ' + why, format(found) + (receipt && '*' + receipt), encoded);
            same('written and read: ' + why, parse(format(found)), found);
        }
        for (const {category, provider, allowed} of questions)
            same(`${why}: ${category} ${provider}`,
                !!allows(found, category, provider?.toString(36)), allowed);
    }
    for (const {why, value} of vectors.invalid) {
        same(why, parse(value) ?? null, null);
        same('allows: ' + why, allows(parse(value), 'statistics'), false);
    }
    return wrong;
}"""


@pytest.fixture
def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTORS.read_text())
    assert found["valid"] and found["invalid"]
    return found


def test_the_browser_is_held_to_the_same_vectors(page: Page, vectors: dict[str, Any]) -> None:
    """Promise 2: where the two read a cookie differently, one of them grants too much."""
    page.goto("/plain/")
    assert page.evaluate(CHECK, vectors) == []


def test_the_vectors_can_fail(page: Page, vectors: dict[str, Any]) -> None:
    """The check notices a wrong reading: it is not a check that passes whatever happens."""
    vectors["valid"][0]["decision"]["number"] += 1
    vectors["invalid"].append({"why": "a good value", "value": vectors["valid"][0]["value"]})
    page.goto("/plain/")
    wrong = page.evaluate(CHECK, vectors)
    assert {found["what"] for found in wrong} >= {vectors["valid"][0]["why"], "a good value"}


def test_a_receipt_is_a_letter_and_eleven_characters_of_chance(page: Page) -> None:
    """As ``new_receipt`` makes it: each character equally likely, though 256 is no 36s."""
    page.goto("/plain/")
    # All bytes, once in each 256: what is taken of them must be even, to the last one.
    seen, letters = page.evaluate(
        """async () => {
            const { newReceipt, methodOf } = await import('/receipt.js');
            let next = 0;
            crypto.getRandomValues = bytes => {
                for (const place in bytes) bytes[place] = next++ % 256;
                return bytes;
            };
            const seen = {};
            // 252 of 256 bytes, eleven at a time: whole rounds.
            for (let round = 0; round < 252; round++)
                for (const character of newReceipt('refuse').slice(1))
                    seen[character] = (seen[character] ?? 0) + 1;
            const methods = ['accept', 'refuse', 'choice', 'placeholder', 'withdrawal', 'signal'];
            return [seen, [...methods, 'else', undefined].map(one => {
                const number = newReceipt(one);
                return [number.length, number[0], methodOf('1.1.1~*' + number) ?? null];
            })];
        }"""
    )
    assert seen == dict.fromkeys("0123456789abcdefghijklmnopqrstuvwxyz", 7 * 11)
    assert (
        letters
        == [
            [12, one[0], one]
            for one in ("accept", "refuse", "choice", "placeholder", "withdrawal", "signal")
        ]
        + [[12, "x", None]] * 2
    )


def test_nothing_and_nonsense_are_not_granted(page: Page) -> None:
    """What a browser may hand over instead of a value."""
    page.goto("/plain/")
    seen = page.evaluate(
        """async () => {
            const { parse, allows } = await import('/decision.js');
            return [undefined, '', ' ', '~', '.'.repeat(99), '1.1.1.' + 'a'.repeat(1e6)]
                .map(value => [parse(value) ?? null, allows(parse(value), 'a')]);
        }"""
    )
    assert seen == [[None, False]] * 6
