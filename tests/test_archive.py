"""Published declarations in Wagtail's admin: read by who may, changed by nobody (R43)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import make_aware
from wagtail.models import Site

from tests.factories import make_asking_site, make_home, make_site, row, table
from tests.ledger import Commit, banner_of, history, one, publish
from wagtail_cookie_charter.models import CookieCharterSettings, PublishedDeclaration
from wagtail_cookie_charter.publishing import publish_declaration

LIST = "/admin/reports/cookie-declarations/"
DIFFERENCE = f"{LIST}difference/"


@pytest.fixture
def asking(commit: Commit) -> CookieCharterSettings:
    """A site that added a provider, then changed a word."""
    make_home()
    with commit():
        settings = make_asking_site(table())
    with commit():
        publish(settings, table(), one("Hotjar"))
    banner = banner_of(settings)
    banner.title = "Choose"
    with commit():
        banner.save_revision().publish()
    return settings


@pytest.fixture
def reader(django_user_model: Any, client: Client) -> Client:
    """Somebody whose group may read declarations, and nothing else."""
    group = Group.objects.create(name="Data protection")
    names = ("access_admin", "view_publisheddeclaration")
    group.permissions.add(*Permission.objects.filter(codename__in=names))
    user = django_user_model.objects.create_user("dpo", password="x")
    user.groups.add(group)
    client.force_login(user)
    return client


@pytest.fixture
def editor(django_user_model: Any, client: Client) -> Client:
    """Somebody who may enter the admin, and no more."""
    group = Group.objects.create(name="Authors")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    user = django_user_model.objects.create_user("editor", password="x")
    user.groups.add(group)
    client.force_login(user)
    return client


def inspect(published: PublishedDeclaration) -> str:
    return f"{LIST}{published.pk}/"


def words(response: Any) -> str:
    soup = BeautifulSoup(response.content, "html.parser")
    assert soup.main is not None
    return soup.main.get_text(" ", strip=True)


# --- Who may read, and that nobody may write ------------------------------------------


def test_who_may_read_finds_it_in_the_reports_menu(
    reader: Client, asking: CookieCharterSettings
) -> None:
    assert LIST in reader.get("/admin/").content.decode()
    assert reader.get(LIST).status_code == 200


def test_others_neither_see_nor_reach_it(editor: Client, asking: CookieCharterSettings) -> None:
    published = history(asking.site)[0]
    home = editor.get("/admin/")
    assert home.status_code == 200
    assert LIST not in home.content.decode()
    for address in (
        LIST,
        f"{LIST}results/",
        inspect(published),
        f"{inspect(published)}en/banner/",
        DIFFERENCE,
    ):
        response = editor.get(address)
        assert response.status_code in (302, 403), address
        assert b"Accept all" not in response.content


def test_strangers_are_asked_to_sign_in(client: Client, asking: CookieCharterSettings) -> None:
    published = history(asking.site)[0]
    for address in (LIST, inspect(published), f"{inspect(published)}en/banner/", DIFFERENCE):
        response = client.get(address)
        assert response.status_code == 302
        assert "/login/" in response["Location"]


def test_groups_can_be_given_the_permission(
    admin_client: Client, asking: CookieCharterSettings
) -> None:
    page = admin_client.get(reverse("wagtailusers_groups:add"))
    permission = Permission.objects.get(codename="view_publisheddeclaration")
    soup = BeautifulSoup(page.content, "html.parser")
    assert soup.select(f'input[name="permissions"][value="{permission.pk}"]')


def test_no_address_writes_anything(admin_client: Client, asking: CookieCharterSettings) -> None:
    """Not even an administrator's, and not by guessing."""
    before = list(PublishedDeclaration.objects.order_by("pk").values())
    pk = before[0]["id"]
    for name in ("add", "new", "create", f"edit/{pk}", f"delete/{pk}", f"copy/{pk}", "reorder"):
        assert admin_client.get(f"{LIST}{name}/").status_code == 404, name
        assert admin_client.post(f"{LIST}{name}/", {"number": 9}).status_code == 404, name
    for address in (LIST, f"{LIST}{pk}/", DIFFERENCE, f"{LIST}{pk}/en/banner/"):
        assert admin_client.post(address, {"number": 9}).status_code == 405, address
        assert admin_client.delete(address).status_code == 405, address
    assert list(PublishedDeclaration.objects.order_by("pk").values()) == before


# --- The list -------------------------------------------------------------------------


def test_the_list_says_whether_visitors_were_asked_again_and_why(
    reader: Client, asking: CookieCharterSettings
) -> None:
    publish_declaration(asking.site, reason="Our new policy.")
    soup = BeautifulSoup(reader.get(LIST).content, "html.parser")
    told = [line.get_text(" ", strip=True) for line in soup.select("table.listing tbody tr")]
    assert len(told) == 4
    assert "Our new policy." in told[0] and " 3 " in told[0]
    assert told[1].endswith("No")
    assert "New, needs consent: Statistics (Hotjar)." in told[2] and " 2 " in told[2]
    assert told[3].endswith("No") and " 1 " in told[3]


def test_the_list_filters_by_site(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    other = make_site("other.example")
    with commit():
        make_asking_site(one("Other"), site=other)
    assert "other.example" in words(reader.get(LIST))
    of_one = reader.get(f"{LIST}results/", {"site": asking.site_id}).content.decode()
    assert "other.example" not in of_one and "localhost" in of_one


def listed(client: Client, **query: str) -> list[int]:
    """Keys of the declarations in the list, the oldest first."""
    soup = BeautifulSoup(client.get(f"{LIST}results/", query).content, "html.parser")
    links = [str(link["href"]) for link in soup.select("table.listing tbody a")]
    return sorted(int(link.rstrip("/").rpartition("/")[2]) for link in links)


def published_on(published: PublishedDeclaration, when: str) -> None:
    """In the time zone of the tests. Its seal no longer fits."""
    at = datetime.fromisoformat(when)
    at = make_aware(at) if settings.USE_TZ else at
    PublishedDeclaration._base_manager.filter(pk=published.pk).update(created_at=at)


def test_for_any_day_the_list_has_what_was_in_force(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    """R43: what visitors were asked at any time of that day, and nothing else."""
    other = make_site("other.example")
    with commit():
        theirs = make_asking_site(one("Other"), site=other)
    first, second, third = history(asking.site)
    (foreign,) = history(other)
    published_on(first, "2026-01-10 23:59:59")
    published_on(second, "2026-02-01 00:00:00")
    published_on(third, "2026-02-01 12:00:00")
    published_on(foreign, "2026-01-20 12:00:00")
    for day, found in {
        "2026-01-09": [],
        "2026-01-10": [first],
        "2026-01-11": [first],
        "2026-01-31": [first, foreign],
        "2026-02-01": [first, second, third, foreign],
        "2026-02-02": [third, foreign],
        "9999-12-31": [third, foreign],
        "0001-01-01": [],
    }.items():
        assert listed(reader, on=day) == [published.pk for published in found], day
    here = str(asking.site_id)
    assert listed(reader, on="2026-01-31", site=here) == [first.pk]
    assert theirs.site_id is not None
    with commit():
        Site.objects.filter(pk__in=[asking.site_id, theirs.site_id]).delete()
    assert listed(reader, on="2026-02-02") == [third.pk, foreign.pk]


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "31/12/2026x", "2026-01-01' OR 1=1"])
def test_a_day_that_cannot_be_read_is_said(
    reader: Client, asking: CookieCharterSettings, day: str
) -> None:
    for address in (LIST, f"{LIST}results/"):
        response = reader.get(address, {"on": day})
        assert response.status_code == 200
        assert "A filter cannot be read, so none is used." in response.content.decode()
    assert len(listed(reader, on=day)) == 3
    assert "cannot be read" not in reader.get(LIST, {"on": "2026-01-31"}).content.decode()


def test_the_list_loads_no_content(reader: Client, asking: CookieCharterSettings) -> None:
    """A declaration may have megabytes; a list of fifty must not."""
    with CaptureQueriesContext(connection) as queries:
        reader.get(LIST)
    quote = connection.ops.quote_name
    table_name = quote(PublishedDeclaration._meta.db_table)
    listed = [query["sql"] for query in queries if f"FROM {table_name}" in query["sql"]]
    assert listed
    for sql in listed:
        # Only what is picked out of it, within the database.
        assert f", {table_name}.{quote('content')}," not in sql
    assert not any(quote("shown") in sql for sql in listed)


def test_a_longer_list_asks_no_more_of_the_database(
    reader: Client, asking: CookieCharterSettings
) -> None:
    counted = []
    for _round in range(2):
        reader.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            reader.get(LIST)
        counted.append(len(queries))
        publish_declaration(asking.site, reason="Again")
    assert counted[0] == counted[1]


def test_a_declaration_whose_site_is_gone_is_still_listed_and_shown(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        asking.site.delete()
    last = history(None)[-1]
    assert "localhost" in words(reader.get(LIST))
    assert reader.get(inspect(last)).status_code == 200
    assert "Choose" in words(reader.get(DIFFERENCE, {"to": last.pk}))


# --- One ------------------------------------------------------------------------------


def test_one_is_shown_with_its_seal_and_all_its_rows(
    reader: Client, asking: CookieCharterSettings
) -> None:
    published = history(asking.site)[1]
    response = reader.get(inspect(published))
    text = words(response).replace(" ", "")
    for code in (published.seal, published.digest, published.assets):
        assert code in text
    assert published.version in text and "Hotjar" in text and "_measure" in text
    soup = BeautifulSoup(response.content, "html.parser")
    frames = soup.select("main iframe")
    assert [frame["src"] for frame in frames] == [
        f"{inspect(published)}en/banner/",
        f"{inspect(published)}en/preferences/",
    ]
    assert all(frame.has_attr("sandbox") and frame["title"] for frame in frames)
    for element in soup.main.find_all(True) if soup.main else ():
        assert not [name for name in element.attrs if name == "style" or name[:2] == "on"]


def test_its_table_has_all_that_the_law_asks_for(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    """R1, R6, R20: who is responsible, where data go and why they may, how long they are kept."""
    values = {
        "controller": "Example Measurement Ltd",
        "country": "Ireland",
        "policy_url": "https://measure.example/privacy",
        "recipients": "Advertisers",
        "transfer": "United States",
        "safeguard": "Standard contractual clauses",
        "reason": "Agreed with the officer",
        "opt_out": "Write to them",
        "last_checked": "2026-03-03",
        "domain": "measure.example",
    }
    with commit():
        publish(asking, table(row(**values, retention_months=25)))
    response = reader.get(inspect(history(asking.site)[-1]))
    soup = BeautifulSoup(response.content, "html.parser")
    (found,) = soup.select("main table")
    heads = [head.get_text(" ", strip=True) for head in found.select("thead th")]
    lines = [line for line in found.select("tbody tr") if "_measure" in line.get_text()]
    cells = [cell.get_text(" ", strip=True) for cell in lines[0].select("th, td")]
    told = dict(zip(heads, cells, strict=True))
    assert told["Controller"].startswith("Example Measurement Ltd, Ireland")
    assert told["Party"] == "Third party"
    assert told["Data kept on servers (months)"] == "25"
    assert told["Transfer outside the European Union"] == "United States"
    assert told["Safeguard of the transfer"] == "Standard contractual clauses"
    assert [value for value in values.values() if value not in " ".join(cells)] == []
    region = found.parent
    assert region is not None and (region["tabindex"], region["role"]) == ("0", "region")


@pytest.mark.parametrize("layer", ["banner", "preferences"])
def test_a_layer_is_served_as_it_was_stored(
    reader: Client, asking: CookieCharterSettings, layer: str
) -> None:
    first, _second, last = history(asking.site)
    response = reader.get(f"{inspect(first)}en/{layer}/")
    assert first.shown["en"][layer] in response.content.decode()
    assert "Your privacy, your choice" in response.content.decode()
    assert "Choose" in reader.get(f"{inspect(last)}en/{layer}/").content.decode()
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    policy = response["Content-Security-Policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "script" not in policy
    soup = BeautifulSoup(response.content, "html.parser")
    assert soup.select("script, style, iframe, img") == []
    assert soup.select('link[href*="cookie-charter.css"]')


@pytest.mark.parametrize("rest", ["fr/banner/", "en/other/", "en/content/"])
def test_what_was_not_shown_is_not_found(
    reader: Client, asking: CookieCharterSettings, rest: str
) -> None:
    assert reader.get(f"{inspect(history(asking.site)[0])}{rest}").status_code == 404
    assert reader.get(f"{LIST}999999/").status_code == 404


def test_one_from_before_layers_were_kept_says_so(
    reader: Client, asking: CookieCharterSettings
) -> None:
    old = history(asking.site)[-1]
    stored = PublishedDeclaration.objects.create(
        site=asking.site, number=1, digest=old.digest, content=old.content
    )
    assert "earlier release" in words(reader.get(inspect(stored)))


# --- Two ------------------------------------------------------------------------------


def test_the_newest_is_compared_with_the_one_before(
    reader: Client, asking: CookieCharterSettings
) -> None:
    text = words(reader.get(DIFFERENCE))
    assert "Your privacy, your choice" in text and "Choose" in text
    assert "Nobody had to be asked again" in text
    assert "Hotjar" not in text


def test_any_two_are_compared_in_words(reader: Client, asking: CookieCharterSettings) -> None:
    """Issue: "Provider Hotjar was added to Statistics"."""
    first, second, last = history(asking.site)
    text = words(reader.get(DIFFERENCE, {"to": second.pk}))
    assert "Provider Hotjar was added to Statistics." in text
    assert "Visitors had to be asked again" in text
    text = words(reader.get(DIFFERENCE, {"from": first.pk, "to": last.pk}))
    assert "Provider Hotjar was added to Statistics." in text and "Choose" in text
    # The other way round is told in order all the same, and the form says which is which.
    response = reader.get(DIFFERENCE, {"from": last.pk, "to": first.pk})
    assert words(response) == text
    assert response.context["form"].initial == {"from": first.pk, "to": last.pk}
    text = words(reader.get(DIFFERENCE, {"from": first.pk, "to": first.pk}))
    assert "no difference" in text
    text = words(reader.get(DIFFERENCE, {"to": first.pk}))
    assert "Provider Example Measurement was added to Statistics." in text
    assert "Asked for the first time" in text and "had to be asked again" not in text


def test_an_editors_reason_is_a_difference(reader: Client, asking: CookieCharterSettings) -> None:
    """R66: asking everybody again leaves the words alone, and is no small thing."""
    publish_declaration(asking.site, reason="Our new policy.")
    text = words(reader.get(DIFFERENCE))
    assert "Visitors had to be asked again" in text and "no difference" not in text
    assert "The number was changed from 2 to 3." in text
    assert "Everybody was asked again, under number 3: Our new policy." in text
    first = history(asking.site)[0]
    text = words(reader.get(DIFFERENCE, {"from": first.pk}))
    assert "changed from 1 to 3." in text and "Our new policy." in text


def test_what_comes_back_asks_nobody_and_says_so(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        publish(asking)
    with commit():
        publish(asking, table())
    assert history(asking.site)[-1].declaration.asked_since == 2
    text = words(reader.get(DIFFERENCE))
    assert "Provider Example Measurement was added" in text
    assert "Nobody had to be asked again" in text
    assert "Visitors had to be asked again" not in text


def test_snapshots_of_one_minute_are_told_apart(
    reader: Client, asking: CookieCharterSettings
) -> None:
    soup = BeautifulSoup(reader.get(DIFFERENCE).content, "html.parser")
    options = [option.get_text() for option in soup.select("select[name=to] option")]
    assert len(set(options)) == len(options) == 3
    assert re.fullmatch(r"Number 2, .*, \d\d:\d\d:\d\d \(no\. \d+\)", options[0])


def test_a_declarations_title_names_the_site(reader: Client, asking: CookieCharterSettings) -> None:
    """By its name where it has one, with the punctuation of the reader's language."""
    published = history(asking.site)[-1]
    assert "<h1" in reader.get(inspect(published)).content.decode()
    assert "localhost: Number" in words(reader.get(inspect(published)))
    Site.objects.filter(pk=asking.site_id).update(site_name="City of Example")
    assert "City of Example: Number" in words(reader.get(inspect(published)))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_list_is_no_spreadsheet(
    reader: Client, asking: CookieCharterSettings, kind: str
) -> None:
    """It would have empty lines only; the records page exports what can be proved."""
    response = reader.get(LIST, {"export": kind})
    assert response["Content-Type"].startswith("text/html")
    assert "export=" not in reader.get(LIST).content.decode()


def test_the_list_names_the_site_and_the_moment(
    reader: Client, asking: CookieCharterSettings
) -> None:
    Site.objects.filter(pk=asking.site_id).update(site_name="City of Example")
    text = words(reader.get(LIST))
    assert text.count("City of Example") >= 3
    assert len(re.findall(r", \d\d:\d\d:\d\d", text)) == 3 and " ago" not in text


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("value", ["x", "-1", "٣", "9" * 40, "999999", "1 OR 1=1"])
def test_a_wrong_choice_is_not_found(
    reader: Client, asking: CookieCharterSettings, name: str, value: str
) -> None:
    assert reader.get(DIFFERENCE, {name: value}).status_code == 404


def test_two_sites_are_not_compared(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    """Each numbers its providers for itself."""
    with commit():
        other = make_asking_site(one("Other"), site=make_site("other.example"))
    foreign = history(other.site)[0]
    mine = history(asking.site)[0]
    response = reader.get(DIFFERENCE, {"from": foreign.pk, "to": mine.pk})
    assert response.status_code == 404
    assert "other.example" not in words(reader.get(DIFFERENCE, {"to": mine.pk}))


def test_nothing_published_is_said(reader: Client) -> None:
    assert Site.objects.exists()
    assert "Nothing has been published" in words(reader.get(DIFFERENCE))
    assert reader.get(LIST).status_code == 200


def test_what_an_editor_wrote_is_escaped(
    reader: Client, asking: CookieCharterSettings, commit: Commit
) -> None:
    with commit():
        publish(asking, table(row(provider="<b>Eve</b>", purpose="<script>alert(1)</script>")))
    last = history(asking.site)[-1]
    for address in (
        inspect(last),
        f"{DIFFERENCE}?to={last.pk}",
        f"{inspect(last)}en/preferences/",
    ):
        content = reader.get(address).content.decode()
        assert "&lt;b&gt;Eve" in content
        assert "<b>Eve" not in content and "<script>alert" not in content
