"""
Services that a city might embed, played by this same server under other names.

`localhost` and what is below it are not `127.0.0.1` to a browser: other sites, with cookies of
their own. So there is
something to refuse, and the network panel shows whether anybody went there, without a network.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt

MEASUREMENT = "Mesure d'audience Exemple"
VIDEO = "Vidéo Exemple"
MAP = "Carte Exemple"
#: Hosts that editors' embeds come from, without a port.
VIDEO_HOST, MAP_HOST = "video.localhost", "carte.localhost"


def origin(request: HttpRequest) -> str:
    return f"http://localhost:{request.get_port()}"


def context(request: HttpRequest) -> dict[str, str]:
    return {"elsewhere": origin(request), "measurement": MEASUREMENT, "video": VIDEO, "map": MAP}


@never_cache
def measure(request: HttpRequest) -> HttpResponse:
    """An audience measurement script: recognises the browser, and tells its server."""
    return render(request, "portal/measure.js", content_type="text/javascript")


@never_cache
def ping(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


@never_cache
@xframe_options_exempt
def video_frame(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/video.html")


@never_cache
@xframe_options_exempt
def map_frame(request: HttpRequest) -> HttpResponse:
    response = render(request, "portal/map.html")
    response.set_cookie("_carte_id", "1")
    return response


urlpatterns = [
    path("measure.js", measure, name="measure"),
    path("ping/", ping, name="ping"),
    path("video/", video_frame, name="video"),
    path("map/", map_frame, name="map"),
]
