"""The one setting, and the checks that tell a developer what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.test import override_settings
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.models import Site

from wagtail_cookie_charter import checks
from wagtail_cookie_charter.conf import conf
from wagtail_cookie_charter.consent import Ground
from wagtail_cookie_charter.models import PublishedDeclaration

#: A project that forgot our addresses.
urlpatterns = [path("", include(wagtail_urls))]

SHIPPED = ["necessary", "preferences", "audience", "statistics", "media", "marketing"]


def charter_settings(**values: Any) -> override_settings:
    return override_settings(WAGTAIL_COOKIE_CHARTER=values)


def categories(**values: Any) -> override_settings:
    return charter_settings(CATEGORIES=values)


def ids() -> list[str]:
    return [str(message.id) for message in checks.check_categories()]


# --- Reading --------------------------------------------------------------------------


def test_without_a_setting_there_are_the_shipped_categories() -> None:
    assert list(conf.categories) == SHIPPED
    grounds = {key: category.ground.value for key, category in conf.categories.items()}
    assert grounds == {
        "necessary": "exempt",
        "preferences": "consent",
        "audience": "opt_out",
        "statistics": "consent",
        "media": "consent",
        "marketing": "consent",
    }


def test_the_setting_is_merged_over_the_defaults() -> None:
    """Whoever renames one category must not have to copy the other five."""
    with categories(
        media={"title": "Films"},
        marketing=None,
        chat={"ground": "consent", "title": "Chat", "summary": "Talk to us."},
    ):
        found = conf.categories
    assert list(found) == ["necessary", "preferences", "audience", "statistics", "media", "chat"]
    assert found["media"].title == "Films"
    assert found["media"].ground is Ground.CONSENT
    assert str(found["media"].summary)
    assert found["chat"].ground is Ground.CONSENT


def test_the_setting_is_read_each_time() -> None:
    """A value kept from an earlier test or reload would decide what visitors are asked."""
    with categories(media=None):
        assert "media" not in conf.categories
    assert "media" in conf.categories


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Bad-Key", {"ground": "consent"}),
        ("key.with.dots", {"ground": "consent"}),
        ("seventeen_letters", {"ground": "consent"}),
        ("chat", {"title": "No ground"}),
        ("chat", {"ground": "legitimate_interest"}),
        ("chat", "consent"),
        ("chat", ["consent"]),
        ("media", {"ground": "legitimate_interest"}),
        ("media", {"ground": ["consent"]}),
    ],
)
def test_a_wrong_entry_is_left_out_and_reported(key: str, value: Any) -> None:
    """R33 and promise 2: what is not understood is not granted, and breaks no page."""
    with categories(**{key: value}):
        assert key not in conf.categories
        assert set(ids()) & {"wagtail_cookie_charter.E001", "wagtail_cookie_charter.E002"}


def test_a_shipped_category_that_is_switched_to_nonsense_is_no_looser() -> None:
    """Neither "on" nor anything else that is no description makes it exempt."""
    with categories(media=True):
        assert ids() == ["wagtail_cookie_charter.E002"]
        found = conf.categories.get("media")
    assert found is None or found.ground is Ground.CONSENT


# --- Checks, by id --------------------------------------------------------------------


def test_the_shipped_categories_pass_the_checks() -> None:
    assert ids() == []
    assert checks.check_urls() == []


@pytest.mark.parametrize("key", ["Chat", "1chat", "chat-room", "chat.room", "é", "", "c" * 17])
def test_e001_a_key_that_the_cookie_cannot_hold(key: str) -> None:
    """It would make every answer unreadable."""
    with categories(**{key: {"ground": "consent"}}):
        assert "wagtail_cookie_charter.E001" in ids()


@pytest.mark.parametrize("value", [{}, {"ground": ""}, {"ground": "legitimate_interest"}])
def test_e002_a_category_without_a_ground_of_ours(value: dict[str, str]) -> None:
    """R33: consent or an exemption, nothing else."""
    with categories(chat=value):
        assert ids() == ["wagtail_cookie_charter.E002"]


@pytest.mark.parametrize("value", [None, {"ground": "consent"}, {"ground": "opt_out"}])
def test_e003_necessary_stays_and_stays_exempt(value: Any) -> None:
    """Our own cookie is declared there; nobody may be asked whether to remember the answer."""
    with categories(necessary=value):
        assert ids() == ["wagtail_cookie_charter.E003"]


def test_e004_keys_that_leave_no_room_in_the_cookie() -> None:
    """Issue: 120 bytes for the cookie. Found when the site starts, not when a visitor answers."""
    one = {"ground": "consent"}
    with categories(a_long_key_of_16=one):
        assert ids() == ["wagtail_cookie_charter.E004"]
    with categories(fourteen_chars=one, audience=None, preferences=None):
        assert ids() == []


@override_settings(ROOT_URLCONF="tests.test_conf")
def test_w001_addresses_that_are_missing() -> None:
    """Without them no banner is shown, so nothing optional runs: say so to the developer."""
    (message,) = checks.check_urls()
    assert message.id == "wagtail_cookie_charter.W001"
    assert "include" in str(message.hint)


@override_settings(
    ROOT_URLCONF="tests.test_conf",
    WAGTAIL_COOKIE_CHARTER={
        "CATEGORIES": {"Bad-Key": {"ground": "consent"}, "chat": {}, "necessary": None}
    },
)
def test_the_checks_are_bound() -> None:
    """A check that nobody runs warns nobody."""
    found = {str(message.id) for message in run_checks()}
    assert {
        "wagtail_cookie_charter.E001",
        "wagtail_cookie_charter.E002",
        "wagtail_cookie_charter.E003",
        "wagtail_cookie_charter.W001",
    } <= found


@pytest.mark.parametrize(
    "key", ["Bad-Key", "chat"], ids=["a key that cannot be", "a category without ground"]
)
def test_each_message_names_the_culprit_and_the_way_out(key: str) -> None:
    with categories(**{key: {}}):
        for message in checks.check_categories():
            assert repr(key) in message.msg
            assert message.hint


# --- The rest -------------------------------------------------------------------------


def test_the_other_settings_have_defaults_and_are_typed() -> None:
    assert (conf.base_template, conf.cache, conf.cache_seconds) == ("base.html", "default", 300)
    with charter_settings(BASE_TEMPLATE="site.html", CACHE="pages", CACHE_SECONDS="60"):
        assert (conf.base_template, conf.cache, conf.cache_seconds) == ("site.html", "pages", 60)


@pytest.mark.parametrize(
    ("value", "flagged", "wrong"),
    [
        (["marketing", "media"], ("marketing", "media"), 0),
        ([], (), 0),
        ("marketing", ("marketing",), 1),
        (None, ("marketing",), 1),
        (["necessary"], ("necessary",), 1),
        (["marketing", "adverts", 3], ("marketing", "adverts", 3), 2),
    ],
)
def test_e009_what_the_browsers_signal_refuses(value: Any, flagged: Any, wrong: int) -> None:
    """R63: who misspells it does not lose the default, and hears of it."""
    with charter_settings(GPC=value):
        assert conf.gpc == flagged
        found = [message.id for message in run_checks() if "E009" in str(message.id)]
        assert found == ["wagtail_cookie_charter.E009"] * wrong


def found(number: str) -> list[str]:
    return [message.msg for message in run_checks() if str(message.id).endswith(number)]


NOT_A_FUNCTION = 7


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("database", True),
        ("tasks", True),
        ("off", True),
        (None, True),
        ("tests.test_recorders.take", True),
        ("Database", False),
        ("tests.nowhere.at_all", False),
        ("tests.test_conf.NOT_A_FUNCTION", False),
        ("", False),
        (7, False),
        (["database"], False),
    ],
)
def test_e010_what_records_answers(value: Any, right: bool) -> None:
    """R44: found when the site starts, not in a log that says that nothing is on record."""
    with charter_settings(RECORDER=value):
        assert (found("E010") == []) is right


@pytest.mark.parametrize(
    ("value", "right"),
    [(None, True), (1, True), (400, True), (0, False), (-1, False), ("30", False), (True, False)],
)
def test_e011_for_how_long(value: Any, right: bool) -> None:
    """R45: a wrong value deletes nothing before its time."""
    with charter_settings(RETENTION_DAYS=value):
        assert (found("E011") == []) is right
        assert conf.retention_days(182) == (value if right and value else 182 + 183)


@pytest.mark.parametrize(
    ("value", "warns"),
    [(None, False), (1, True), (181, True), (182, False), (400, False), (0, False), ("30", False)],
)
def test_w005_proof_that_goes_while_the_consent_holds(value: Any, warns: bool) -> None:
    """R45: answers are valid for 182 days where no banner says otherwise."""
    with charter_settings(RETENTION_DAYS=value):
        assert bool(found("W005")) is warns


@pytest.mark.parametrize(("days", "value", "warns"), [(365, 300, True), (30, 100, False)])
def test_w005_knows_what_was_declared_where_it_may_ask(
    db: None, days: int, value: int, warns: bool
) -> None:
    """As ``migrate`` and ``check --database default`` run it; others leave databases alone."""
    site = Site.objects.get(is_default_site=True)
    # What it declared before asks nobody any more, and cannot be taken back.
    for declared in (390, days):
        PublishedDeclaration.objects.create(
            site=site, number=1, digest="0" * 64, content={"days": declared}
        )
    with charter_settings(RETENTION_DAYS=value):
        messages = run_checks(databases=["default"])
        assert any(str(message.id).endswith("W005") for message in messages) is warns
        if warns:
            (said,) = [one.msg for one in messages if str(one.id).endswith("W005")]
            assert "365" in said and "300" in said


def test_w005_does_not_mind_that_there_are_no_tables_yet(db: None) -> None:
    """The first ``migrate`` checks before it makes them."""
    table, met = PublishedDeclaration._meta.db_table, []

    def missing(execute: Any, sql: str, *arguments: Any) -> Any:
        if table not in sql:
            return execute(sql, *arguments)
        met.append(sql)
        raise OperationalError(f"no such table: {table}")

    with charter_settings(RETENTION_DAYS=100), connection.execute_wrapper(missing):
        messages = run_checks(databases=["default"])
    assert met and any(str(message.id).endswith("W005") for message in messages)
