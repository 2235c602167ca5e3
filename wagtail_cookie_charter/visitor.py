"""What a request meets: which declaration is in force, what is asked, what was answered.

Nothing here reads a cookie while a page is rendered, so every visitor gets the same HTML.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import DisallowedHost
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils.crypto import get_random_string
from django.utils.translation import get_language
from wagtail.models import Site

from . import __version__
from .compiling import compile_declaration
from .conf import conf
from .consent import Declaration, Ground
from .decision import base36, permits
from .models import ConsentBanner, PublishedDeclaration
from .models.ledger import Unreadable, load_declaration
from .notice import Notice, endpoint, version_of
from .providers import provider_slug
from .publishing import GENERATION

logger = logging.getLogger(__name__)

# --- Which declaration ----------------------------------------------------------------


@dataclass(frozen=True)
class Current:
    """The declaration in force for a request's site."""

    site_id: int
    number: int
    digest: str
    declaration: Declaration
    #: Where the ledger has it.
    pk: int
    #: When it was published, in seconds (UTC).
    since: int

    @cached_property
    def version(self) -> str:
        """What the second layer is made of, as an address part: declaration and release."""
        return version_of(self.digest, self.number)

    def notice(self) -> Notice:
        """It, in the active language."""
        return Notice(self.declaration, self.site_id, self.number, self.version)


def current(request: HttpRequest | None) -> Current | None:
    """The declaration in force, or None where there is no site, or none that can be read.

    No query when warm: the shared cache knows which declaration a host has, and the process
    has it in memory. Publishing makes all processes that share the cache look again.
    """
    if request is None:
        return None
    # As Wagtail does with the site: one look a request, however many tags.
    if "_cookie_charter" not in vars(request):
        vars(request)["_cookie_charter"] = _current(request)
    found: Current | None = vars(request)["_cookie_charter"]
    return found


def _current(request: HttpRequest) -> Current | None:
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    cache = caches[conf.cache]
    # Anybody may send any host; caches take no key of any length.
    address = f"{host} {request.get_port()}"
    key = f"cookie-charter:host:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    known = cache.get_many([GENERATION, key])
    generation, entry = known.get(GENERATION), known.get(key)
    if generation is None or entry is None or entry[0] != generation:
        if generation is None:
            generation = get_random_string(12)
            cache.set(GENERATION, generation, None)
        entry = (generation, _look_up(request))
        cache.set(key, entry, conf.cache_seconds)
    if entry[1] is None:
        return None
    site_id, pk, digest, number, since = entry[1]
    try:
        return Current(site_id, number, digest, load_declaration(pk, digest), pk, since)
    except (PublishedDeclaration.DoesNotExist, Unreadable):
        # Also what the cache knows and this database does not: a replica, or a restored one.
        vars(request)["_cookie_charter_unreadable"] = True
        return None


def unreadable(request: HttpRequest) -> bool:
    """Whether a declaration is in force that cannot be read: then nothing may run (promise 2)."""
    return current(request) is None and "_cookie_charter_unreadable" in vars(request)


def _look_up(request: HttpRequest) -> tuple[int, int, str, int, int] | None:
    site = Site.find_for_request(request)
    if site is None:
        return None
    # Without its content, which is large and may be in memory.
    found = PublishedDeclaration.objects.of_site(site).only("digest", "number", "created_at")
    row = found.first()
    return (site.pk, row.pk, row.digest, row.number, row.in_force_since) if row else None


# --- What is asked --------------------------------------------------------------------


def notice(request: HttpRequest | None) -> Notice | None:
    """What there is to say and ask on this page; None where nothing is optional (R26)."""
    found = current(request)
    if found is None or not found.declaration.optional or not endpoint("decide"):
        return None
    return found.notice()


def draft_notice(
    request: HttpRequest, *, banner: ConsentBanner | None = None, charter: Any = None
) -> Notice | None:
    """The same for a draft in Wagtail's preview, as if it were live."""
    site = Site.find_for_request(request)
    if site is None:
        return None
    latest = PublishedDeclaration.objects.of_site(site).first()
    try:
        known = latest.declaration if latest else None
    except Unreadable:
        # It has the providers' numbers, which a draft can do without.
        known = None
    declaration = compile_declaration(site, banner=banner, charter=charter, latest=known)
    return Notice(declaration, site.pk, 0, f"draft-{__version__}")


def charter_url(request: HttpRequest | None) -> str:
    """Where the charter is, in the page's language; "" where there is none."""
    return texts(request).get("charter_url", "")


def texts(request: HttpRequest | None) -> Mapping[str, str]:
    """The declaration's texts in the page's language, as ``Wording.texts``; empty where there is
    none. The charter's ``charter_url``, ``charter_title`` and ``charter_language`` are among them.
    """
    found = current(request)
    wording = found.declaration.wording(get_language() or "") if found else None
    return wording[1].texts if wording else {}


def gate(request: HttpRequest | None, category: str, provider: str = "") -> str | None:
    """What a gate waits for: ``"media"``, ``"media 1a"``, or "" if it can never open.

    None means that no gate is needed: the category is exempt. What no published row
    declares stays shut (promise 2).
    """
    setting = conf.categories.get(category)
    if setting is not None and setting.ground is Ground.EXEMPT:
        return None
    found = current(request)
    if found is None or category not in {known.key for known in found.declaration.categories}:
        return ""
    if not provider:
        return category
    number = found.declaration.providers.get(provider_slug(provider), 0)
    declared = number in found.declaration.providers_of(category)
    return f"{category} {base36(number)}" if declared else ""


def signals(request: HttpRequest | None) -> dict[str, dict[str, Any]]:
    """For each vendor that is told: its mode, and what each of its signals waits for, as a gate.

    ``{"matomo": {"mode": "consent", "map": {"consent": "statistics 1a"}}}``; empty where the
    project sends no signals. What no published row declares is never granted (R54, R59).
    """
    return {
        name: {
            "mode": vendor.mode,
            "map": {
                signal: gate(request, category, vendor.provider) or "" if category else ""
                for signal, category in vendor.signals.items()
            },
        }
        for name, vendor in conf.signals.items()
    }


# --- What was answered ----------------------------------------------------------------


def signals_privacy(request: HttpRequest) -> bool:
    """Whether the browser sends the Global Privacy Control signal: exactly ``1`` (R63).

    Servers join a header that was sent several times, by the browser and by a proxy say. The
    standard knows no such value; one of them that is exactly ``1`` is enough, because a refusal
    that was meant must not be lost.
    """
    return "1" in [value.strip() for value in request.headers.get("Sec-GPC", "").split(",")]


def allows(request: HttpRequest, category: str, provider: str = "") -> bool:
    """Whether this visitor lets ``category`` run or, of it, the ``provider`` of that name.

    The server's word for what a gate does in the browser: what is exempt is allowed, what no
    published row declares is not. Makes the response depend on the visitor: behind a cache,
    ask through ``request.cookie_consent`` (``middleware.py``), which says so.

    A category that the settings do not know is a ``ValueError`` with ``DEBUG``; else it is
    logged, and not allowed.
    """
    if category not in conf.categories:
        problem = f"There is no category {category!r}. There are: {', '.join(conf.categories)}."
        if settings.DEBUG:
            raise ValueError(problem)
        logger.error(problem)
        return False
    waits_for = gate(request, category, provider)
    if waits_for is None:
        return True
    key, _space, code = waits_for.partition(" ")
    found = current(request)
    return found is not None and _granted(request, found, key, int(code, 36) if code else None)


def _granted(request: HttpRequest, found: Current, category: str, provider: int | None) -> bool:
    """The one place where the server reads an answer, and the browser's privacy signal (R63)."""
    return permits(
        consent_cookie(request, found.declaration),
        found.declaration,
        found.number,
        category,
        provider,
        now=int(time.time()),
        objected=category in conf.gpc and signals_privacy(request),
    )


def consent_cookie(request: HttpRequest, declaration: Declaration) -> str | None:
    """What the consent cookie holds.

    Browsers send a ``__Host-`` cookie over HTTPS only, so where there is one, a proxy may hide
    HTTPS from us. Over HTTPS no other counts: another host could have written it (R39).
    """
    host_bound = f"__Host-{declaration.cookie_name}"
    if request.is_secure() or host_bound in request.COOKIES:
        return request.COOKIES.get(host_bound)
    return request.COOKIES.get(declaration.cookie_name)


def django_cookies() -> frozenset[str]:
    """Names of the cookies of Django itself, which are never taken away."""
    return frozenset(
        {
            settings.SESSION_COOKIE_NAME,
            settings.CSRF_COOKIE_NAME,
            settings.LANGUAGE_COOKIE_NAME,
            "messages",
        }
    )


class Verdict(Enum):
    """What becomes of a cookie that a response sets."""

    EXEMPT = "exempt"
    GRANTED = "granted"
    REFUSED = "refused"
    UNDECLARED = "undeclared"


def verdict(request: HttpRequest, found: Current, name: str) -> Verdict:
    """What the charter and this visitor say about a cookie called ``name``.

    One row that is exempt or granted is enough: names are shared. So are Django's own cookies
    and our consent cookie exempt, declared or not.
    """
    own = found.declaration.cookie_name
    if name in (own, f"__Host-{own}") or name in django_cookies():
        return Verdict.EXEMPT
    rows = found.declaration.declaring(name)
    if not rows:
        return Verdict.UNDECLARED
    if any(found.declaration.ground_of(category) is Ground.EXEMPT for category, _number in rows):
        return Verdict.EXEMPT
    if any(_granted(request, found, category, number) for category, number in rows):
        return Verdict.GRANTED
    return Verdict.REFUSED


#: Sent with ``site_id``, ``declaration`` (PublishedDeclaration), ``decision``, ``method``,
#: ``language`` for each answer that was accepted, once. Never with a request: receivers cannot
#: track anybody.
decided = Signal()
