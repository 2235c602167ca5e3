"""No project gets a migration because of a word, a setting or a language.

Each case is a project of its own in a process of its own: settings, languages and labels are
read while models load.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parent.parent

#: Name of the case -> what its settings add to those of the tests.
PROJECTS = {
    "default": "",
    "french": 'LANGUAGE_CODE = "fr"',
    "one language": """
USE_I18N = WAGTAIL_I18N_ENABLED = False
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("en", "English")]
""",
    "own categories": """
WAGTAIL_COOKIE_CHARTER = {
    "CATEGORIES": {
        "marketing": None,
        "statistics": {"title": "Figures", "summary": "Other words."},
        "chat": {"ground": "consent", "title": "Chat", "summary": "Talk to us."},
    },
    "BASE_TEMPLATE": "other.html",
}
""",
    "other default key": 'DEFAULT_AUTO_FIELD = "django.db.models.AutoField"',
}

#: A later release of the package: file -> what is replaced in it.
OTHER_WORDS = {
    "blocks.py": ('=_("', '=_("Reworded: '),
    "conf.py": ('": _("', '": _("Reworded: '),
}
ANOTHER_COLUMN = {
    "models/charter.py": ("models.TextField(_", "models.TextField(null=True, verbose_name=_")
}


def release(tmp_path: Path, changes: Mapping[str, tuple[str, str]]) -> None:
    """Put a changed copy of the package where the project finds it first."""
    copy = tmp_path / "wagtail_cookie_charter"
    shutil.copytree(ROOT / copy.name, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (old, new) in changes.items():
        source = (copy / name).read_text()
        assert old in source
        (copy / name).write_text(source.replace(old, new))


def check(tmp_path: Path, settings: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a management command in a project with these settings added."""
    (tmp_path / "project_settings.py").write_text(f"from tests.settings import *\n{settings}\n")
    return subprocess.run(
        [sys.executable, "-m", "django", *command],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "project_settings",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        },
        text=True,
        timeout=300,
    )


def assert_nothing_to_migrate(tmp_path: Path, settings: str) -> None:
    done = check(tmp_path, settings, "makemigrations", "--check", "--dry-run", "-v", "2")
    assert (done.returncode, done.stdout.strip()) == (0, "No changes detected"), (
        done.stdout + done.stderr
    )


@pytest.mark.parametrize("project", PROJECTS)
def test_settings_and_language_make_no_migration(tmp_path: Path, project: str) -> None:
    """Neither in the package nor in a project with a page and a banner language of its own."""
    assert_nothing_to_migrate(tmp_path, PROJECTS[project])


def test_other_words_make_no_migration(tmp_path: Path) -> None:
    """A release that improves labels, help texts and categories costs no project anything."""
    release(tmp_path, OTHER_WORDS)
    assert_nothing_to_migrate(tmp_path, "")


def test_a_real_change_is_still_noticed(tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    release(tmp_path, ANOTHER_COLUMN)
    done = check(tmp_path, "", "makemigrations", "--check", "--dry-run")
    assert done.returncode == 1, done.stdout + done.stderr
    for label in ("testapp", "wagtail_cookie_charter"):
        assert f"Migrations for '{label}'" in done.stdout


def test_migrations_hold_no_word_of_a_block() -> None:
    """The package's own, and those of a customer who has a page from the mixin."""
    loader = MigrationLoader(None)
    for key in (
        ("wagtail_cookie_charter", "0002_cookie_charter_page"),
        ("testapp", "0001_initial"),
    ):
        source = Path(sys.modules[type(loader.disk_migrations[key]).__module__].__file__ or "")
        text = source.read_text()
        assert "CharterBodyField(" in text
        for frozen in ("block_lookup", "CookieBlock", "wagtail.blocks", "choices"):
            assert frozen not in text


@pytest.mark.django_db
def test_data_migrations_still_reach_the_rows() -> None:
    """A customer's data migration reads the stream through the historical model."""
    state = MigrationExecutor(connection).loader.project_state(
        [("wagtail_cookie_charter", "0002_cookie_charter_page")]
    )
    historical: Any = state.apps.get_model("wagtail_cookie_charter", "CookieCharterPage")
    blocks = historical._meta.get_field("body").stream_block.child_blocks
    now: Any = apps.get_model("wagtail_cookie_charter", "CookieCharterPage")
    assert set(blocks) == set(now._meta.get_field("body").stream_block.child_blocks)
    assert "name" in blocks["cookie_table"].child_blocks["cookies"].child_block.child_blocks
