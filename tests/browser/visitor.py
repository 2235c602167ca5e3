"""A visitor: a browser tab, and the few things one does and sees there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Error, Locator, Page, Request, expect

COOKIE = "cookie-charter-"
#: Milliseconds for whatever must happen. A busy machine is slow, not wrong.
PATIENCE = 60_000

#: The page's forms are sent by the browser until the script, which comes later than they do,
#: has taken them over. It does so before it fetches the dialog.
IN_CHARGE = """() => !!window.cookieCharter
    && (!document.querySelector('.wcc-form') || !!document.querySelector('dialog'))"""


class Visitor:
    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.requests: list[Request] = []
        self.errors: list[Error] = []
        self.pending = 0
        self.loads = 0
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)
        page.on("pageerror", lambda error: self.errors.append(error))
        page.on("load", self._loaded)

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        self.pending += 1

    def _answered(self, request: Request) -> None:
        self.pending -= 1

    def _loaded(self, page: Page) -> None:
        self.loads += 1

    def open(self, path: str = "/") -> Visitor:
        self.page.goto(path)
        return self

    def expect_in_charge(self) -> Visitor:
        """Wait until it is the script that answers, to the charter's form as well."""
        # Not `wait_for_function`, which a strict content policy stops.
        self.wait_until(lambda: bool(self.page.evaluate(IN_CHARGE)))
        return self

    def expect_quiet(self) -> None:
        """Wait until nothing goes on any more: what must not happen would have happened."""
        for _moment in range(20):
            before = len(self.requests)
            self.page.wait_for_timeout(400)
            if len(self.requests) == before and not self.pending:
                return

    # --- What stands on the page ----------------------------------------------------

    @property
    def banner(self) -> Locator:
        return self.page.locator("#wcc")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def status(self) -> Locator:
        """Ours: a card may have one of its own."""
        return self.page.locator("#wcc-status[role=status]")

    @property
    def footer_link(self) -> Locator:
        return self.page.locator("footer a")

    def button(self, name: str) -> Locator:
        return self.banner.get_by_role("button", name=name, exact=True)

    def box(self, label: str) -> Locator:
        """A checkbox of the second layer; folded ones included."""
        return self.dialog.get_by_role("checkbox", name=label, exact=True, include_hidden=True)

    # --- What one does --------------------------------------------------------------

    def accept(self) -> None:
        self._answer(self.button("Accept all"))

    def refuse(self) -> None:
        self._answer(self.button("Refuse all"))

    def _answer(self, button: Locator) -> None:
        expect(self.banner).to_be_visible()
        before = self.decision
        button.click()
        expect(self.banner).to_be_hidden()
        # An earlier answer was delivered long ago.
        self.wait_until(lambda: self.decision != before)
        self.expect_delivered()

    def customise(self) -> None:
        self.button("Customise").click()
        expect(self.dialog).to_be_visible()

    def reopen(self) -> None:
        self.footer_link.click()
        expect(self.dialog).to_be_visible()

    def unfold(self) -> None:
        """Open every category's list of providers."""
        for details in self.dialog.locator("details").all():
            if details.get_attribute("open") is None:
                details.locator("summary").click()

    def press_in_dialog(self, name: str) -> None:
        self.dialog.get_by_role("button", name=name, exact=True).first.click()

    def save(self) -> None:
        self.press_in_dialog("Save my choices")
        expect(self.dialog).to_be_hidden()

    def expect_on(self, frame: Locator) -> None:
        """Wait until a frame is where the focus is.

        ``to_be_focused`` asks for more: that the window is active, which a headless one may not be
        any more once the frame has been given a process of its own.
        """
        self.wait_until(lambda: bool(frame.evaluate("it => it === document.activeElement")))

    # --- What the browser holds -----------------------------------------------------

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies of the site the tab is at, HttpOnly ones too."""
        return {
            cookie["name"]: cookie["value"] for cookie in self.page.context.cookies(self.page.url)
        }

    @property
    def decision(self) -> str | None:
        """The consent cookie's value, if there is one."""
        found = [value for name, value in self.cookies.items() if COOKIE in name]
        assert len(found) < 2, self.cookies
        return found[0] if found else None

    @property
    def grants(self) -> set[str] | None:
        """What the consent cookie grants."""
        value = self.decision
        return None if value is None else set(re.split(r"[!~*]", value)[0].split(".")[3:])

    def consent_cookie(self) -> dict[str, Any]:
        cookies = self.page.context.cookies(self.page.url)
        [cookie] = [found for found in cookies if COOKIE in found["name"]]
        return dict(cookie)

    def keep_decision(self, value: str, name: str = f"{COOKIE}%d") -> None:
        """Come with a consent cookie from an earlier visit."""
        from wagtail.models import Site

        site = Site.objects.get(is_default_site=True)
        self.page.context.add_cookies([{"name": name % site.pk, "value": value, "url": self.home}])

    def expect_decision(self, pattern: str) -> None:
        """Wait until the consent cookie's value looks so."""
        self.wait_until(lambda: re.fullmatch(pattern, self.decision or "") is not None)

    def expect_delivered(self) -> None:
        """Wait until the server has confirmed the answer."""
        self.expect_decision(r"1\.[^~]*")

    def expect_grants(self, *grants: str) -> None:
        """Wait until the server has confirmed an answer that grants just this."""
        self.wait_until(lambda: self.grants == set(grants))
        self.expect_delivered()

    def wait_until(self, condition: Callable[..., bool]) -> None:
        end = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except Error as error:
                # The page that was asked has gone, and another comes.
                if "context was destroyed" not in error.message:
                    raise
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never came; the consent cookie is {self.decision!r}")

    # --- What went over the wire ----------------------------------------------------

    def paths(self, part: str = "") -> list[str]:
        """Paths of the requests so far that contain ``part``."""
        found = [urlsplit(request.url).path for request in self.requests]
        return [path for path in found if part in path]

    @property
    def posts(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]
