"""What the ledger keeps beside the declaration: layers, release, assets, and why (R43, R65)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.conf import settings as project
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate
from django.template import TemplateSyntaxError
from django.test import Client, override_settings
from wagtail.models import Locale

from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import Commit, banner_of, charter_of, history, latest, one, publish
from wagtail_cookie_charter import __version__, evidence, publishing
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.notice import version_of
from wagtail_cookie_charter.publishing import publish_declaration, publish_declarations


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(table())


def text(html: str) -> str:
    return BeautifulSoup(html, "html.parser").get_text(" ", strip=True)


# --- The layers -----------------------------------------------------------------------


def test_both_layers_are_kept_as_visitors_met_them(
    client: Client, asking: CookieCharterSettings
) -> None:
    """R43: the words are proved, and so is where each button stood."""
    shown = latest(asking.site).shown["en"]
    page = BeautifulSoup(client.get(charter_of(asking).url).content, "html.parser")
    banner = page.select_one("#wcc")
    assert banner is not None
    assert text(shown["banner"]) == banner.get_text(" ", strip=True)
    second = client.get(str(banner["data-preferences"])).content.decode()
    dialog = BeautifulSoup(second, "html.parser").select_one("dialog")
    assert dialog is not None
    assert text(shown["preferences"]) == dialog.get_text(" ", strip=True)
    for html in shown.values():
        assert not BeautifulSoup(html, "html.parser").select("script, link, style")


def test_each_language_is_kept_in_its_own_words(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    french = Locale.objects.create(language_code="fr")
    with commit():
        banner = banner_of(asking).copy_for_translation(french)
        banner.save()
        banner.save_revision().publish()
    shown = latest(asking.site).shown
    assert "Accept all" in shown["en"]["banner"]
    assert "Tout accepter" in shown["fr"]["banner"]
    assert "Accept all" not in shown["fr"]["preferences"]


def test_the_prefix_a_server_runs_under_is_no_change(asking: CookieCharterSettings) -> None:
    """Else a command and a request would publish in turns for ever."""
    with override_settings(FORCE_SCRIPT_NAME="/portal", STATIC_URL="https://cdn.example/"):
        publish_declarations()
    assert len(history(asking.site)) == 1


def test_a_template_of_the_projects_own_is_kept_without_its_scripts(
    asking: CookieCharterSettings,
) -> None:
    engine: list[dict[str, Any]] = [
        {
            **project.TEMPLATES[0],
            "APP_DIRS": False,
            "OPTIONS": {
                **project.TEMPLATES[0]["OPTIONS"],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "wagtail_cookie_charter/banner.html": "<link rel=x><p>Ours</p>"
                            "<script>\nlet a = '<p>'\n</script><SCRIPT src=y></SCRIPT>"
                        },
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        },
        *project.TEMPLATES[1:],
    ]
    with override_settings(TEMPLATES=engine):
        publish_declarations()
    stored = history(asking.site)
    assert [published.number for published in stored] == [1, 1]
    assert stored[1].shown["en"]["banner"] == "<p>Ours</p>"
    assert stored[1].digest == stored[0].digest


def test_a_broken_template_stops_no_publication(
    asking: CookieCharterSettings,
    commit: Commit,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Visitors must be asked about a new provider, whatever a theme does."""

    def fail(*args: Any, **kwargs: Any) -> str:
        raise TemplateSyntaxError("a bug in the project's theme")

    monkeypatch.setattr(evidence, "render_to_string", fail)
    with commit():
        publish(asking, table(), one("Hotjar"))
    stored = latest(asking.site)
    assert stored.number == 2
    assert stored.shown == {"en": {"banner": "", "preferences": ""}}
    assert "a bug in the project's theme" in caplog.text


def test_where_nothing_needs_consent_there_is_no_first_layer(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        publish(asking, table(row(retention_months=12, party="first"), category="audience"))
    shown = latest(asking.site).shown["en"]
    assert shown["banner"] == "" and "audience" in shown["preferences"]
    with commit():
        publish(asking, table(category="necessary"))
    assert latest(asking.site).shown == {}


# --- Why visitors were asked again ----------------------------------------------------


def test_what_made_the_number_go_up_is_kept(asking: CookieCharterSettings, commit: Commit) -> None:
    with commit():
        publish(asking, table(), one("Hotjar"))
    with commit():
        publish(asking, table(row(purpose="Other words.")), one("Hotjar"))
    first, second, third = history(asking.site)
    assert first.added == []
    hotjar = second.declaration.providers["hotjar"]
    assert second.added == [["statistics", hotjar]]
    assert (third.number, third.added, third.reason) == (2, [], "")


def test_an_editors_reason_asks_everybody_again(asking: CookieCharterSettings) -> None:
    """R65: decided in the open, though nothing changed."""
    stored = publish_declaration(asking.site, reason="Our new policy.")
    assert stored is not None
    assert (stored.number, stored.reason, stored.added) == (2, "Our new policy.", [])
    assert sorted(map(tuple, latest(asking.site).asked)) == sorted(stored.declaration.scope)
    publish_declarations()
    assert len(history(asking.site)) == 2


def test_the_second_layer_of_a_number_is_an_address_of_its_own(
    client: Client, asking: CookieCharterSettings
) -> None:
    """Kept for a year by browsers: it must not post an older number than its page's."""
    first = latest(asking.site)
    second = publish_declaration(asking.site, reason="Our new policy.")
    assert second is not None and second.number == first.number + 1
    for published in (first, second):
        address = f"/cookie-charter/preferences/{version_of(published.digest, published.number)}/"
        response = client.get(f"{address}en/")
        assert f'name="number" value="{published.number}"' in response.content.decode()
        assert "immutable" in response["Cache-Control"]
    # A page that an earlier release made named no number.
    old = client.get(f"/cookie-charter/preferences/{first.digest[:16]}-0.0.1/en/")
    assert 'name="number" value="1"' in old.content.decode()
    assert old["Cache-Control"] == "no-cache"


# --- The release ----------------------------------------------------------------------


def migrated() -> None:
    """What ``migrate`` says to our app at its end."""
    app = apps.get_app_config("wagtail_cookie_charter")
    post_migrate.send(
        sender=app, app_config=app, verbosity=0, interactive=False, using="default", plan=[]
    )


def test_release_and_assets_are_kept(asking: CookieCharterSettings) -> None:
    stored = latest(asking.site)
    assert stored.version == __version__
    assert stored.assets == evidence.assets_digest() and len(stored.assets) == 64


def test_the_digest_of_the_assets_covers_names_and_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(evidence, "STATIC", tmp_path)

    def made(**files: str) -> str:
        for path in tmp_path.iterdir():
            path.unlink()
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        return evidence.assets_digest.__wrapped__()

    digests = [made(), made(a="x"), made(a="y"), made(b="x"), made(a="x", b=""), made(a="", b="x")]
    assert len(set(digests)) == len(digests)
    assert made(b="y", a="x") == made(a="x", b="y")


def test_an_upgrade_leaves_its_evidence(
    asking: CookieCharterSettings, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with commit():
        other = make_asking_site(one("Other"), site=make_site("other.example"))
    migrated()
    assert PublishedDeclaration.objects.count() == 2
    monkeypatch.setattr(publishing, "__version__", "9.9.9")
    migrated()
    migrated()
    for settings in (asking, other):
        before, after = history(settings.site)
        assert after.version == "9.9.9"
        assert (after.number, after.digest, after.asked) == (
            before.number,
            before.digest,
            before.asked,
        )
        assert after.added == [] and after.reason == ""
    call_command("verify_cookie_ledger")


def test_a_failing_upgrade_never_breaks_migrate(
    asking: CookieCharterSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As after migrating backwards, where the ledger lacks columns."""
    monkeypatch.setattr(publishing, "__version__", "9.9.9")
    name = PublishedDeclaration._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME COLUMN assets TO gone")
    migrated()
    assert "could not be published after the migration" in caplog.text
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME COLUMN gone TO assets")
    assert len(history(asking.site)) == 1


def test_another_database_is_left_alone(
    asking: CookieCharterSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "__version__", "9.9.9")
    publishing.publish_release("elsewhere")
    assert len(history(asking.site)) == 1


# --- Time -----------------------------------------------------------------------------


@pytest.mark.benchmark
def test_six_hundred_rows_are_published_in_half_a_second(asking: CookieCharterSettings) -> None:
    """Publication is part of an editor's request. Of the processor: others may use it too."""
    charter = charter_of(asking)
    charter.body = [
        table(*(row(name=f"_row_{i}", provider=f"Provider {i % 40}") for i in range(600)))
    ]
    charter.save_revision().publish()
    taken = []
    for place in range(3):
        begun = time.process_time()
        published = publish_declaration(asking.site, reason=f"Round {place}")
        taken.append(time.process_time() - begun)
        assert published is not None and len(published.declaration.languages["en"].cookies) == 601
    print(f"published 600 rows in {min(taken):.3f} s")
    assert min(taken) < 0.5
