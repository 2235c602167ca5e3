"""
Builds the wheel and installs it in sites made by `wagtail start`, just as README.md says.

    python -m tests.install.check             # on every Wagtail we support
    python -m tests.install.check 8.0         # on one

The commands and the five lines are read from the README, so it cannot promise what does not work.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAGTAILS = ("7.4", "8.0")
SITE = "citysite"


class Promise:
    """The README's "Install" section: shell commands, and lines to put into files."""

    def __init__(self, readme: str) -> None:
        found = re.search(r"<!-- install:.*?-->(.*?)<!-- /install -->", readme, re.S)
        assert found, "README.md has no install section"
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", found[1], re.S | re.M)

        def lines(language: str) -> list[str]:
            return [line for name, text in blocks if name == language for line in text.splitlines()]

        self.pip, *self.manage = lines("sh")
        self.settings, self.url = lines("python")
        self.load, self.banner, self.link = lines("django")

    def keep(self, site: Path) -> None:
        """Make the five edits in a new site."""
        project = site / SITE
        edit(project / "settings/base.py", r"\Z", f"\n{self.settings}\n")
        edit(
            project / "urls.py",
            r'(?=^    path\("", include\(wagtail_urls\)\))',
            f"    {self.url}\n",
        )
        base = project / "templates/base.html"
        edit(base, r"\A", f"{self.load}\n")
        edit(base, r"(?<=>)(?=\n\s*\{% wagtailuserbar %\})", f"\n        {self.banner}")
        edit(base, r"(?=^\s*</body>)", f"        {self.link}\n")


def edit(path: Path, place: str, text: str) -> None:
    before = path.read_text()
    after, count = re.subn(place, lambda _: text, before, count=1, flags=re.M)
    assert count == 1, f"{path}: no such place: {place}"
    path.write_text(after)


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stdout}")
    return result.stdout


def build(folder: Path) -> Path:
    run(sys.executable, "-m", "build", "--quiet", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    foreign = [
        n for n in names if not re.match(r"wagtail_cookie_charter(/|-[\d.]+\.dist-info/)", n)
    ]
    assert not foreign, f"The wheel carries what it should not: {foreign}"
    for part in ("py.typed", "locale/fr/LC_MESSAGES/django.mo", "migrations/0001_initial.py"):
        assert f"wagtail_cookie_charter/{part}" in names, f"The wheel lacks {part}"
    for folder_name in ("frontend", "static", "templates"):
        shipped = {n for n in names if n.startswith(f"wagtail_cookie_charter/{folder_name}/")}
        sources = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "wagtail_cookie_charter" / folder_name).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert sources <= shipped, f"The wheel lacks {sorted(sources - shipped)}"
    return wheel


def check(wagtail: str, wheel: Path, promise: Promise, folder: Path) -> None:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    # Only the name changes: the wheel that was just built, not what an index may hold.
    words = promise.pip.replace("wagtail-cookie-charter", str(wheel)).split()
    run(python, "-m", *words, "--quiet", "--disable-pip-version-check", f"wagtail=={wagtail}.*")
    site = folder / "site"
    site.mkdir()
    run(folder / "venv/bin/wagtail", "start", SITE, site)
    promise.keep(site)
    # Nothing of this repository on the path: what answers is what the wheel brought.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PATH"] = f"{folder / 'venv/bin'}:{env['PATH']}"
    env["DJANGO_SETTINGS_MODULE"] = f"{SITE}.settings.dev"
    silent = run(python, "manage.py", "check", "--fail-level", "INFO", cwd=site, env=env)
    assert "no issues (0 silenced)" in silent, silent
    for command in promise.manage:
        run(*command.split(), cwd=site, env=env)
    run(python, "manage.py", "makemigrations", "--check", cwd=site, env=env)
    shutil.copy(Path(__file__).with_name("probe.py"), site)
    print(run(python, "probe.py", cwd=site, env=env), end="", flush=True)


def main(wagtails: list[str]) -> None:
    promise = Promise((ROOT / "README.md").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        print(f"    {wheel.name}: {wheel.stat().st_size // 1024} KiB", flush=True)
        for wagtail in wagtails:
            print(f"    Wagtail {wagtail}", flush=True)
            check(wagtail, wheel, promise, folder / wagtail)
    print("    The README's five lines work.")


if __name__ == "__main__":
    main(sys.argv[1:] or list(WAGTAILS))
