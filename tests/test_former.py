"""What was declared once is still deleted when somebody refuses (R50)."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings

from tests.answers import post, value
from tests.factories import make_asking_site, make_home, row, table
from tests.ledger import Commit, latest, one, publish
from wagtail_cookie_charter import publishing
from wagtail_cookie_charter.consent import Declaration
from wagtail_cookie_charter.models import CookieCharterSettings


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    make_home()
    with commit():
        return make_asking_site(
            table(row(name="_stay"), row(name="_gone"), row(name="kept_in", storage="local"))
        )


def test_a_removed_row_is_remembered_by_storage_and_name(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    assert latest(asking.site).declaration.former == ()
    with commit():
        publish(asking, table(row(name="_stay")))
    declaration = latest(asking.site).declaration
    assert declaration.former == (("cookie", "_gone"), ("local", "kept_in"))
    assert Declaration.from_dict(declaration.as_dict()) == declaration


def test_what_is_declared_again_is_not_former(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        publish(asking, table(row(name="_stay")))
    with commit():
        publish(asking, table(row(name="_stay")), one("own", "necessary", name="_gone"))
    assert latest(asking.site).declaration.former == (("local", "kept_in"),)


def test_what_was_exempt_is_nobodys_to_delete(
    asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        publish(asking, table(row(name="_stay")), one("own", "necessary", name="_need"))
    with commit():
        publish(asking, table(row(name="_stay")))
    assert "_need" not in dict(latest(asking.site).declaration.former).values()


def test_the_oldest_are_forgotten_first(
    asking: CookieCharterSettings, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FORMER_KEPT", 1)
    with commit():
        publish(asking, table(row(name="_stay")))
    with commit():
        publish(asking, table(row(name="_other", provider="Other")))
    assert latest(asking.site).declaration.former == (("cookie", "_stay"),)


def test_the_server_expires_them(
    asking: CookieCharterSettings, commit: Commit, client: Client
) -> None:
    with commit():
        publish(asking, table(row(name="_stay")))
    client.cookies["_gone"] = "1"
    response = post(client, {"decision": value()})
    assert response.status_code == 200
    assert "_gone" in {morsel.key for morsel in response.cookies.values() if not morsel.value}


@override_settings(DEBUG=False)
def test_the_second_layer_names_them_to_the_script(
    asking: CookieCharterSettings, commit: Commit, client: Client
) -> None:
    with commit():
        publish(asking, table(row(name="_stay")))
    page = client.get("/").content.decode()
    address = page.partition('data-preferences="')[2].partition('"')[0]
    dialog = client.get(address).content.decode()
    assert '<i data-storage="local" data-name="kept_in"></i>' in dialog
