"""From what editors published to what visitors are asked.

Whenever a charter, a banner or what they hang on goes live, changes or goes away, what is live is
compiled (``compiling.py``) and, if it differs from the last, stored for good in the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import swapper
from django.apps import apps
from django.core.cache import caches
from django.db import models, router, transaction
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import AbstractPage, Site, get_page_models
from wagtail.signals import (
    page_published,
    page_slug_changed,
    post_page_move,
    published,
    unpublished,
)

from . import __version__
from .compiling import compile_declaration
from .conf import conf
from .consent import Declaration
from .evidence import assets_digest, shown
from .hosts import domains
from .models import ConsentBanner, CookieCharterMixin, CookieCharterSettings, PublishedDeclaration
from .narrative import pairs_text

logger = logging.getLogger(__name__)

#: What is noted in Wagtail's audit log; ``log_actions.py`` says it in words.
DECLARED = "wagtail_cookie_charter.declare"
ASKED_AGAIN = "wagtail_cookie_charter.ask_again"


# --- Storing --------------------------------------------------------------------------


def newly_asked(
    declaration: Declaration, latest: PublishedDeclaration | None
) -> frozenset[tuple[str, int]]:
    """The pairs of category and provider that not everybody was asked who answered ``latest``.

    If there is one, visitors must be asked again (R65).
    """
    if not declaration.optional:
        return frozenset()
    return declaration.scope - (latest.pairs if latest else frozenset())


def publish_declaration(site: Site, *, reason: str = "") -> PublishedDeclaration | None:
    """Compile what is live for ``site`` and store it if it changed, or what shows it did.

    Returns the declaration in force, or None for a site that never declared anything. All are
    asked again if something is asked for that not everybody was asked whose answer still holds
    (R65), or if there is a ``reason`` to; nothing else asks anybody again. The number goes up
    then, and when something is offered no more, or no more at one of its domains: nothing runs
    on pages made before, which still hold it.
    """
    with transaction.atomic():
        PublishedDeclaration.objects.wait_for_turn()
        latest = PublishedDeclaration.objects.of_site(site).first()
        declaration = compile_declaration(site, latest=latest.declaration if latest else None)
        if latest is None and not declaration.categories:
            return None
        asking = _asking(latest, declaration, reason)
        declaration = replace(
            declaration, news=_news(latest, asking), former=_former(latest, declaration)
        )
        candidate = PublishedDeclaration(
            site=site,
            digest=declaration.digest,
            content=declaration.as_dict(),
            shown=shown(declaration, site.pk, asking["number"]),
            version=__version__,
            assets=assets_digest(),
            created_at=timezone.now(),
            **asking,
        )
        if latest is not None and not reason and _same(latest, candidate):
            return latest
        candidate.save()
        log(
            instance=candidate,
            action=ASKED_AGAIN if candidate.asks_again else DECLARED,
            data={
                "number": candidate.number,
                "reason": candidate.reason,
                # In words, which stay right whatever its rows are called later on.
                "added": pairs_text(declaration, asking.get("added", ())),
            },
        )
    return candidate


def _asking(
    latest: PublishedDeclaration | None, declaration: Declaration, reason: str
) -> dict[str, Any]:
    """Under which number ``declaration`` is asked, whom and why (R65), as the ledger keeps it."""
    if latest is None:
        return {"number": 1, "asked": sorted(declaration.scope)}
    added = newly_asked(declaration, latest)
    if added or (reason and declaration.optional):
        return {
            "number": latest.number + 1,
            "asked": sorted(declaration.scope),
            "added": sorted(added),
            "reason": reason,
        }
    gone = _held(latest.declaration) - _held(declaration)
    # Nothing can be answered while nothing is asked: earlier answers stay good.
    asked = latest.pairs & declaration.scope if declaration.optional else latest.pairs
    return {"number": latest.number + bool(gone), "asked": sorted(asked)}


def _held(declaration: Declaration) -> frozenset[tuple[str, int, str]]:
    """What pages hold for visitors to allow: what is offered and, by their domains, embeds."""
    embedded = {
        (cookie.category, cookie.provider_id, domain)
        for wording in declaration.languages.values()
        for cookie in wording.cookies
        if cookie.category in declaration.optional_keys
        for domain in domains(cookie.domain)
    }
    return frozenset({*((*pair, "") for pair in declaration.offered), *embedded})


#: Each is tried for deletion when somebody refuses.
FORMER_KEPT = 200


def _former(
    latest: PublishedDeclaration | None, declaration: Declaration
) -> tuple[tuple[str, str], ...]:
    """What was optional and is declared no more, the newest last."""
    if latest is None:
        return ()
    before = latest.declaration
    known = dict.fromkeys(before.former)
    known.update(dict.fromkeys(sorted(before.trackers(optional=True))))
    declared = declaration.trackers()
    return tuple(pair for pair in known if pair not in declared)[-FORMER_KEPT:]


#: Whoever answered before all of these is told of these.
NEWS_KEPT = 10


def _news(latest: PublishedDeclaration | None, asking: Mapping[str, Any]) -> Any:
    """What those are told who are asked again, whenever they answered last."""
    if latest is None:
        return ()
    known = latest.declaration.news
    if "added" in asking:
        known = (*known, (asking["number"], tuple(asking["added"])))
    return known[-NEWS_KEPT:]


def _same(latest: PublishedDeclaration, candidate: PublishedDeclaration) -> bool:
    """Whether visitors meet the same in both: content, release, assets, layers."""
    return all(
        getattr(latest, name) == getattr(candidate, name)
        for name in ("digest", "version", "assets", "shown")
    )


def publish_declarations(sites: Iterable[Site] | None = None) -> None:
    """Publish the declaration of each site, or of all; one site's failure is its own."""
    for site in Site.objects.all() if sites is None else sites:
        try:
            publish_declaration(site)
        except Exception:
            logger.exception("The cookie declaration of %s could not be published.", site)
    forget()


def publish_release(using: str) -> None:
    """Leave evidence of an upgrade: what is in force, as this release shows it.

    After ``migrate``, which it never breaks; on the database ``using`` if the ledger is there.
    """
    if using != router.db_for_write(PublishedDeclaration):
        return
    try:
        with transaction.atomic(using=using):
            in_force = PublishedDeclaration.objects.in_force()
            behind = in_force.exclude(version=__version__, assets=assets_digest())
            sites = list(Site.objects.filter(pk__in=list(behind.values_list("site", flat=True))))
        if sites:
            publish_declarations(sites)
    except Exception:
        logger.exception("The cookie declarations could not be published after the migration.")


GENERATION = "cookie-charter:generation"


def forget() -> None:
    """Make every process that shares the cache look again at what is published."""
    caches[conf.cache].delete(GENERATION)


# --- Listening ------------------------------------------------------------------------


def _soon(**kwargs: Any) -> None:
    transaction.on_commit(publish_declarations)


def _if_ours(instance: Any, **kwargs: Any) -> None:
    # A page may come as the plain page it also is.
    model = getattr(instance, "specific_class", None) or type(instance)
    if issubclass(model, (CookieCharterMixin, ConsentBanner)) or _is_privacy_policy(instance):
        _soon()


def _is_privacy_policy(instance: Any) -> bool:
    return isinstance(instance, AbstractPage) and (
        ConsentBanner.objects.filter(
            privacy_page__translation_key=instance.translation_key
        ).exists()
    )


def _if_privacy_policy(instance: Any, **kwargs: Any) -> None:
    if _is_privacy_policy(instance):
        _soon()


def _if_alias(instance: Any, alias: bool = False, **kwargs: Any) -> None:
    """Core says of an alias that follows its source only this; of other pages, more."""
    if alias:
        _if_ours(instance)


#: What Wagtail writes to a live row when it saves a draft of it, or locks it.
OF_A_DRAFT = frozenset(
    {"draft_title", "latest_revision", "latest_revision_created_at", "has_unpublished_changes"}
    | {"locked", "locked_at", "locked_by"}
)


def _if_written(
    instance: Any, raw: bool = False, update_fields: Iterable[str] | None = None, **kwargs: Any
) -> None:
    """A script may write a page, or a banner, with plain ``save()``; a draft's save is none."""
    if not raw and (update_fields is None or set(update_fields) - OF_A_DRAFT):
        _soon()


def _migrated(using: str, **kwargs: Any) -> None:
    publish_release(using)


def connect() -> None:
    """Listen to all that can change what visitors are asked. Called once, when apps are ready."""
    for signal in (published, unpublished):
        signal.connect(_if_ours, dispatch_uid="cookie_charter_published")
    page_published.connect(_if_alias, dispatch_uid="cookie_charter_published")
    # The address of the charter, or of the privacy policy, may hang on any page above.
    page_slug_changed.connect(_soon, dispatch_uid="cookie_charter_slug")
    post_page_move.connect(_soon, dispatch_uid="cookie_charter_move")
    pre_delete.connect(
        _if_privacy_policy,
        sender=swapper.load_model("wagtailcore", "Page"),
        dispatch_uid="cookie_charter_policy",
    )
    # Bound to our models only: a listener to all would take fast deletion from everybody.
    charters: list[type[models.Model]] = [
        model for model in get_page_models() if issubclass(model, CookieCharterMixin)
    ]
    for sender in (*charters, ConsentBanner):
        post_save.connect(_if_written, sender=sender, dispatch_uid="cookie_charter_saved")
        post_delete.connect(_soon, sender=sender, dispatch_uid="cookie_charter_deleted")
    for sender in (CookieCharterSettings, Site):
        post_save.connect(_soon, sender=sender, dispatch_uid="cookie_charter_saved")
        post_delete.connect(_soon, sender=sender, dispatch_uid="cookie_charter_deleted")
    post_migrate.connect(
        _migrated,
        sender=apps.get_app_config("wagtail_cookie_charter"),
        dispatch_uid="cookie_charter_migrated",
    )
