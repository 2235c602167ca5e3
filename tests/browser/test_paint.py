"""How the banner comes: with the first paint, not after it, and without moving anything.

Measured on "Fast 4G" with the processor four times slower, as medians of interleaved loads.
What is measured is the browser: the pages come from memory, as from a cache in front of the site.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

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
CPU = 4
LOADS = 9
#: ms from the first paint to the banner.
MAX_AFTER = 50
#: Two frames of a 60 Hz screen: what the same page differs by from one run to the next.
MAX_DELAY = 33

DOCUMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/site.css"></head>
<body>{banner}<main><h1>A page of some length</h1>{words}</main></body></html>"""
#: What the visitor looked at before: another site.
ELSEWHERE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Elsewhere</title>
<link rel="icon" href="data:,"></head><body><p>Another site.</p>
<script src="/elsewhere.js"></script></body></html>"""
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
// Once all is there and quiet for a moment, the figures.
const wait = () => {
    const fcp = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    const asking = document.getElementById('wcc') && !probe.banner;
    if (document.readyState != 'complete' || !fcp || asking) return setTimeout(wait, 100);
    setTimeout(() => console.log(JSON.stringify({ ...probe, fcp })), 200);
};
wait();
"""


class Cache(ThreadingHTTPServer):
    """Serves from memory what it has, gzipped; what it has not, it gets from the site once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: str) -> None:
        super().__init__(("127.0.0.1", 0), CacheHandler)
        self.site = site
        self.kept: dict[str, tuple[str, bytes]] = {
            "/elsewhere/": ("text/html; charset=utf-8", gzip.compress(ELSEWHERE.encode())),
            "/elsewhere.js": ("text/javascript", gzip.compress(b"window.elsewhere = true;")),
        }
        self.origin = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get(self, path: str) -> tuple[str, bytes]:
        if path not in self.kept:
            with urlopen(urljoin(self.site, path)) as response:  # noqa: S310
                self.kept[path] = (
                    response.headers["Content-Type"],
                    gzip.compress(response.read(), 6),
                )
        return self.kept[path]


class CacheHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet, as servers send them: in two, the second waits for the
    # first one's receipt.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Cache

    def do_GET(self) -> None:
        kind, body = self.server.get(self.path)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def cache(site: str) -> Iterator[Cache]:
    server = Cache(site)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def load(new_context: Callable[..., BrowserContext], cache: Cache) -> Callable[..., dict[str, Any]]:
    """A first visit with a cold cache on a slow line and a slow machine, and its figures.

    The browser has shown a page of another site before. In a profile where nothing has run
    yet, Chromium holds the first script back until its store of compiled scripts is open:
    some 25 ms that no visitor's browser spends on us.
    """

    def load(path: str, width: int = 1280, cpu: int = CPU) -> dict[str, Any]:
        context = new_context(base_url=cache.origin, viewport={"width": width, "height": 720})
        page = context.new_page()
        page.goto(cache.origin.replace("127.0.0.1", "localhost") + "/elsewhere/")
        page.wait_for_timeout(200)  # It is open by then.
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", FAST_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": cpu})
        page.add_init_script(PROBE)
        # Told by the page itself: asking for them brings 300 kB of Playwright's own script
        # along, right into what is measured.
        with page.expect_console_message() as told:
            page.goto(path)
        found: dict[str, Any] = json.loads(told.value.text)
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


@pytest.mark.parametrize("cpu", [1, CPU])
def test_the_banner_comes_with_the_first_paint_and_delays_nothing(
    load: Callable[..., dict[str, Any]], paths: tuple[str, str], cpu: int
) -> None:
    """Soon after the first paint, which comes no later than without us."""
    ours, bare = paths
    for path in paths:
        load(path, cpu=cpu)
    # Whatever else the machine does only ever adds time: a busy one gets six tries.
    for _batch in range(6):
        rounds = [(load(ours, cpu=cpu), load(bare, cpu=cpu)) for _round in range(LOADS)]
        after = median(one["banner"] - one["fcp"] for one, _other in rounds)
        with_us = median(one["fcp"] for one, _other in rounds)
        without = median(other["fcp"] for _one, other in rounds)
        print(
            f"\nprocessor / {cpu}: first paint {with_us:.0f} ms with us, {without:.0f} ms without; "
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

    def gone() -> float:
        """Milliseconds from the press until the banner is out of sight."""
        context = new_context()
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": CPU})
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
        found: float = page.evaluate("gone")
        context.close()
        return found

    # Whatever else the machine does only ever adds time: a busy one gets six tries.
    for _batch in range(6):
        times = [gone() for _load in range(LOADS)]
        print(f"\nrefuse -> gone: {median(times):.0f} ms (at most {max(times):.0f})")
        if max(times) <= 500 and median(times) <= 100:
            return
    raise AssertionError(f"gone after {median(times):.0f} ms, at most {max(times):.0f}")
