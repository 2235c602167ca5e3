"""The pictures of README and docs: ``python -m tests.pictures``, or ``make screenshots``.

The sandbox is built in a database of its own, served, and looked at with the browser. Names of
pictures as arguments make only those.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
PRESETS = {"default": "city", "bootstrap": "bootstrap", "unstyled": "tailwind", "dsfr": "dsfr"}
PHONE, DESKTOP = (360, 640), (1024, 640)
QUALITY = 66


@dataclass(frozen=True)
class Picture:
    """One picture: where it is taken, what is pressed first, and what of the page is on it."""

    path: str
    size: tuple[int, int] = (1280, 720)
    theme: str = "light"
    preset: str = "default"
    press: tuple[str, ...] = ()
    part: str = ""
    refused: bool = False
    signed_in: bool = False


BANNER, ALL = "/en/", "[data-cookie-charter-open]"
PICTURES = {
    "banner-phone-light": Picture(BANNER, PHONE),
    "banner-phone-dark": Picture(BANNER, PHONE, "dark"),
    "banner-desktop-light": Picture(BANNER),
    "banner-desktop-dark": Picture(BANNER, theme="dark"),
    "dialog-light": Picture(BANNER, press=(f"#wcc {ALL}",)),
    "dialog-dark": Picture(BANNER, theme="dark", press=(f"#wcc {ALL}",)),
    "placement-corner": Picture("/sites/city/?words=en&placement=corner"),
    "placement-center": Picture("/sites/city/?words=en&placement=center"),
    "charter": Picture(
        "/en/charte-cookies/", (1000, 640), part="section:has(.wcc-table)", refused=True
    ),
    "card": Picture("/en/planter-en-ville/", (1000, 640), part=".wcc-embed", refused=True),
    "button": Picture("/sites/city/?words=en&button=1", (800, 420), refused=True),
    "editor": Picture("/admin/EDITOR/", (1280, 860), signed_in=True),
    "report": Picture("/admin/reports/consent/", (1280, 860), signed_in=True),
}

#: Taken last, with the gallery: the others show the sandbox without a third language.
ARABIC = {
    "arabic-dialog-light": Picture("/sites/city/?words=ar", press=(f"#wcc {ALL}",)),
    "arabic-dialog-dark": Picture("/sites/city/?words=ar", PHONE, "dark", press=(f"#wcc {ALL}",)),
    "arabic-charter-light": Picture(
        "/ar/CHARTER/", (1000, 640), part="section:has(#wcc-saved)", refused=True
    ),
    "arabic-charter-dark": Picture(
        "/ar/CHARTER/", PHONE, "dark", part="section:has(.wcc-table)", refused=True
    ),
}


@contextmanager
def sandbox() -> Iterator[tuple[str, str]]:
    """The sandbox's address and that of the banner's editor, with a month of answers."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    # Playwright keeps an event loop in the thread that publishes.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    os.environ["SANDBOX_DATABASE"] = str(Path(tempfile.mkdtemp()) / "db.sqlite3")
    import django
    from django.conf import settings

    settings.ROOT_URLCONF = "tests.picture_urls"
    # For the pictures, the admin speaks the docs' language.
    settings.WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English")]
    django.setup()
    from tests import arabic

    # One language more than the sandbox has, with words of its own: see `Camera.in_arabic`.
    arabic.spoken(settings.LANGUAGES).enable()

    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    port = server.server_address[1]
    call_command("migrate", verbosity=0)
    call_command("build_sandbox", port=port, stdout=StringIO())
    editor = answers()
    connections.close_all()
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{port}", editor
    server.shutdown()


def answers() -> str:
    """A month in which most refuse or choose, as people do; the address of the editor."""
    from django.contrib.auth.models import User
    from django.urls import reverse
    from wagtail.models import Site
    from wagtail.users.models import UserProfile

    from wagtail_cookie_charter.models import ConsentBanner, DailyCount, PublishedDeclaration
    from wagtail_cookie_charter.publishing import publish_declarations

    publish_declarations()
    site = Site.objects.get(is_default_site=True)
    declaration = PublishedDeclaration.objects.of_site(site)[0]
    keys = [one.key for one in declaration.load().optional] if hasattr(declaration, "load") else []
    everything = ".".join(sorted(keys)) or "media.statistics"
    today = date.today()
    for back in range(30):
        day = today - timedelta(days=back)
        busy = 1 if day.weekday() < 5 else 0.55
        for method, grants, count in (
            ("accept", everything, 61 + 7 * (back % 4)),
            ("refuse", "", 83 + 5 * (back % 3)),
            ("choice", "media", 24 + 3 * (back % 5)),
            ("placeholder", "media", 9 + back % 4),
        ):
            DailyCount.objects.create(
                declaration=declaration,
                day=day,
                method=method,
                grants=grants,
                count=int(count * busy),
            )
    profile = UserProfile.get_for_user(User.objects.get(username="admin"))
    profile.preferred_language = "en"
    profile.save()
    banner = ConsentBanner.objects.filter(locale__language_code="en").first()
    assert banner is not None
    return reverse("wagtailsnippets_wagtail_cookie_charter_consentbanner:edit", args=[banner.pk])


class Camera:
    """A browser at the sandbox."""

    def __init__(self, browser: Any, home: str, editor: str) -> None:
        self.browser, self.home, self.editor, self.charter = browser, home, editor, ""

    def in_arabic(self) -> None:
        """From now on, the sandbox speaks Arabic too."""
        from wagtail.models import Site

        from tests import arabic

        charter = arabic.publish(Site.objects.get(is_default_site=True))
        self.charter = charter.get_url_parts()[2]

    def shoot(self, picture: Picture) -> Any:
        from django.conf import settings
        from PIL import Image

        own = {**getattr(settings, "WAGTAIL_COOKIE_CHARTER", {}), "PRESET": picture.preset}
        settings.WAGTAIL_COOKIE_CHARTER = own
        width, height = picture.size
        context = self.browser.new_context(
            base_url=self.home,
            viewport={"width": width, "height": height},
            color_scheme=picture.theme,
            reduced_motion="reduce",
            locale="en-GB",
        )
        page = context.new_page()
        if picture.signed_in:
            page.goto("/admin/login/")
            page.locator("[name=username]").fill("admin")
            page.locator("[name=password]").fill("admin")
            page.locator("[type=submit]").first.click()
            page.wait_for_url("**/admin/")
        path = picture.path.replace("/admin/EDITOR/", self.editor)
        page.goto(path.replace("/ar/CHARTER/", self.charter))
        if picture.refused:
            page.locator("[data-wcc=refuse]").click()
            page.locator("#wcc-status").evaluate("element => element.remove()")
        for selector in picture.press:
            page.locator(selector).first.click()
            page.wait_for_timeout(700)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(600)
        if picture.part:
            page.locator(picture.part).first.evaluate("e => e.scrollIntoView()")
            page.evaluate("scrollBy(0, -48)")
            page.wait_for_timeout(200)
        taken = page.screenshot()
        context.close()
        return Image.open(BytesIO(taken)).convert("RGB")

    def gallery(self, preset: str, words: str) -> Any:
        """A phone and a desktop, light above dark."""
        from PIL import Image

        gap = 16
        sheet = Image.new(
            "RGB", (PHONE[0] + DESKTOP[0] + 3 * gap, 2 * PHONE[1] + 3 * gap), "#c9ced6"
        )
        for row, theme in enumerate(("light", "dark")):
            path = f"/sites/{PRESETS[preset]}/?words={words}&theme={theme}"
            for left, size in ((gap, PHONE), (2 * gap + PHONE[0], DESKTOP)):
                shot = self.shoot(Picture(path, size, theme, preset))
                sheet.paste(shot, (left, gap + row * (PHONE[1] + gap)))
        return sheet.resize((round(sheet.width * 0.6), round(sheet.height * 0.6)))


def advice() -> str:
    """The stylesheet that docs/theming.md shows for a site that styles by itself."""
    text = (ROOT / "docs" / "theming.md").read_text()
    found = re.search(r"## A site that styles by itself.*?```css\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def main(wanted: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sandbox() as (home, editor):
        from playwright.sync_api import sync_playwright

        from tests.browser import sites
        from tests.browser.chromium import executable

        sites.extras["tailwind"] = advice()
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
            camera = Camera(browser, home, editor)
            jobs: dict[str, tuple[Any, tuple[Any, ...]]] = {
                name: (camera.shoot, (picture,)) for name, picture in {**PICTURES, **ARABIC}.items()
            }
            for preset in PRESETS:
                for words in ("fr", "ar"):
                    jobs[f"gallery-{preset}-{words}"] = (camera.gallery, (preset, words))
            for name, (take, how) in jobs.items():
                if wanted and not any(name.startswith(one) for one in wanted):
                    continue
                if not camera.charter and name not in PICTURES:
                    camera.in_arabic()
                path = FOLDER / f"{name}.webp"
                take(*how).save(path, quality=QUALITY, method=6)
                print(f"    {path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
