"""The nonce by which a Content Security Policy knows our tags (R62)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import empty

from .conf import conf


def nonce_for(request: HttpRequest | None, offered: Any = None) -> str:
    """The nonce for the tags of this response, "" for none.

    ``offered`` is the template's ``csp_nonce`` (Django 6's context processor); else the
    request's of that name counts (django-csp). Both are lazy: to read one is to make one, and
    a page with a nonce is no longer the same for every visitor. So unless ``CSP_NONCE`` says
    to make one, ours is the one that the page already has.
    """
    nonce = getattr(request, "csp_nonce", None) if offered is None else offered
    # Not its truth: to ask that of django-csp's makes a nonce, in versions before 4.
    if nonce is None or (getattr(nonce, "_wrapped", None) is empty and not conf.csp_nonce):
        return ""
    return str(nonce)
