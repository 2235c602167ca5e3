"""How the banner comes: with the first paint, not after it, and without moving anything.

Measured on "Fast 4G" with the processor four times slower, as medians of interleaved loads.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.benchmark]

#: Chromium's own preset: round trip in ms, bytes a second.
FAST_4G = {
    "offline": False,
    "latency": 165,
    "downloadThroughput": 9_000_000 * 0.9 / 8,
    "uploadThroughput": 1_500_000 * 0.9 / 8,
}
LOADS = 9
#: ms from the first paint to the banner.
MAX_AFTER = 50
#: Two frames of a 60 Hz screen: what the same page differs by from one run to the next.
MAX_DELAY = 33

DOCUMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"></head>
<body>{banner}<main><h1>A page of some length</h1>{words}</main></body></html>"""
WORDS = "<p>" + "Words of a page that people came to read. " * 12 + "</p>"

#: First frame with the banner in sight, and everything that shifts.
PROBE = """
window.probe = { shifts: 0, banner: null };
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) probe.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
const look = () => {
    const banner = document.getElementById('wcc');
    if (!banner?.checkVisibility() || getComputedStyle(banner).position != 'fixed')
        return requestAnimationFrame(look);
    // The frame in which it was seen is done when the next message is.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (probe.banner = performance.now());
    port2.postMessage(0);
};
requestAnimationFrame(look);
"""
RESULT = """() => ({
    fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    banner: probe.banner,
    shifts: probe.shifts,
})"""


@pytest.fixture
def load(new_context: Callable[..., BrowserContext]) -> Callable[..., dict[str, Any]]:
    """A first visit with a cold cache on a slow line and a slow machine, and its figures."""

    def load(path: str, width: int = 1280, banner: bool = True) -> dict[str, Any]:
        context = new_context(viewport={"width": width, "height": 720})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", FAST_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.add_init_script(PROBE)
        page.goto(path, wait_until="load")
        if banner:
            page.wait_for_function("probe.banner !== null")
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        page.wait_for_load_state("networkidle")
        found: dict[str, Any] = page.evaluate(RESULT)
        context.close()
        return found

    return load


@pytest.fixture
def paths(write: Callable[..., str]) -> tuple[str, str]:
    """The same page with us and without."""

    def document(name: str, banner: str) -> str:
        body = DOCUMENT.format(banner=banner, words=WORDS * 12)
        return write(body, name=name, layout="")

    return document("with", "{% cookie_banner %}"), document("without", "")


def test_the_banner_comes_with_the_first_paint_and_delays_nothing(
    load: Callable[..., dict[str, Any]], paths: tuple[str, str]
) -> None:
    """At most 50 ms after the first paint; the first paint no later than without us."""
    ours, bare = paths
    for path in paths:
        load(path, banner=path == ours)
    # Whatever else the machine does only ever adds time: a busy one gets three tries.
    for _batch in range(3):
        rounds = [(load(ours), load(bare, banner=False)) for _round in range(LOADS)]
        after = median(one["banner"] - one["fcp"] for one, _other in rounds)
        with_us = median(one["fcp"] for one, _other in rounds)
        without = median(other["fcp"] for _one, other in rounds)
        print(
            f"\nfirst paint: {with_us:.0f} ms with us, {without:.0f} ms without; "
            f"banner {after:+.0f} ms after it"
        )
        if after <= MAX_AFTER and with_us - without <= MAX_DELAY:
            return
    raise AssertionError(f"banner {after:+.0f} ms after paint, paint {with_us - without:+.0f} ms")


def test_nothing_shifts(load: Callable[..., dict[str, Any]], paths: tuple[str, str]) -> None:
    """CLS 0.000 over 20 loads, on a phone and on a desk."""
    shifts = [load(paths[0], width=360 if number % 2 else 1280)["shifts"] for number in range(20)]
    print(f"\nlargest layout shift of 20 loads: {max(shifts):.4f}")
    assert max(shifts) == 0


def test_refusing_is_quick_on_a_slow_machine(
    new_context: Callable[..., BrowserContext], paths: tuple[str, str]
) -> None:
    """Forced refusal looks again after 500 ms; people notice a tenth of that."""
    times = []
    for _load in range(LOADS):
        context = new_context()
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(paths[0])
        page.locator("#wcc").wait_for(state="visible")
        page.evaluate(
            """addEventListener('click', event => {
                const look = () => {
                    if (document.getElementById('wcc').checkVisibility())
                        return requestAnimationFrame(look);
                    const { port1, port2 } = new MessageChannel();
                    port1.onmessage = () => (window.gone = performance.now() - event.timeStamp);
                    port2.postMessage(0);
                };
                requestAnimationFrame(look);
            }, { capture: true, once: true })"""
        )
        page.get_by_role("button", name="Refuse all").click()
        page.wait_for_function("window.gone")
        times.append(page.evaluate("gone"))
        context.close()
    print(f"\nrefuse -> gone: {median(times):.0f} ms (at most {max(times):.0f})")
    assert max(times) <= 500
    assert median(times) <= 100
