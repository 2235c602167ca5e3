"""
Which Chromium the browser tests drive, and how to get one.

`executable()` only looks; `python -m tests.browser.chromium` installs one if need be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "No Chromium or Chrome was found. Install one (Debian: apt-get install chromium), "
    "set CHROMIUM=/path/to/it, or run: python -m tests.browser.chromium"
)


def executable() -> str:
    """The browser's path: what CHROMIUM names, else an installed one, else Playwright's."""
    if chosen := os.environ.get("CHROMIUM"):
        if starts(chosen):
            return chosen
        raise RuntimeError(f"CHROMIUM={chosen} does not start.")
    for name in NAMES:
        if (found := shutil.which(name)) and starts(found):
            return found
    if (bundled := playwrights_own()) and starts(bundled):
        return bundled
    raise RuntimeError(MISSING)


def starts(path: str) -> bool:
    """On Ubuntu `chromium-browser` may be a stub that only points to a snap: ask it."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=180).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else ""


def install() -> str:
    """Make sure there is a browser, by the least surprising means, and return its path."""
    try:
        return executable()
    except RuntimeError:
        if os.environ.get("CHROMIUM"):
            raise
    root = os.geteuid() == 0
    if root and shutil.which("apt-get"):
        print("    by apt-get", flush=True)
        noninteractive = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", "-y", *command], env=noninteractive)
        try:
            return executable()
        except RuntimeError:
            print("    apt-get has none that starts; by Playwright", flush=True)
    with_system_libraries = ["--with-deps"] if root else []
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", *with_system_libraries, "chromium"]
    )
    return executable()


if __name__ == "__main__":
    try:
        print(f"    {install()}")
    except RuntimeError as error:
        sys.exit(str(error))
