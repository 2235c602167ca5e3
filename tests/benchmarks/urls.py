"""The tests' addresses, and what a decision is compared with."""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from tests.urls import urlpatterns as project_urls
from wagtail_cookie_charter.models import ConsentEvent


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Insert the row that ``decide`` inserts, and do nothing else."""
    ConsentEvent.objects.create(
        declaration_id=request.POST["declaration"],
        grants=request.POST["grants"],
        method=request.POST["method"],
        language="en",
        decided_at=timezone.now(),
        receipt=request.POST.get("receipt"),
    )
    return JsonResponse({"stored": True})


def process(request: HttpRequest) -> HttpResponse:
    """Which worker answers."""
    return HttpResponse(str(os.getpid()))


urlpatterns = [path("bare/", bare), path("process/", process), *project_urls]
