from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .elsewhere import origin


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """What a careful city sends: this site only, and by name the services it embeds."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Wagtail's admin has a policy of its own to find; what visitors get is ours.
        if not request.path.startswith("/admin/"):
            there = origin(request)
            response["Content-Security-Policy"] = "; ".join(
                [
                    "default-src 'self'",
                    f"script-src 'self' {there}",
                    f"connect-src 'self' {there}",
                    f"frame-src {there} http://*.localhost:{request.get_port()}",
                    "object-src 'none'",
                    "base-uri 'self'",
                    "form-action 'self'",
                ]
            )
        return response

    return middleware
