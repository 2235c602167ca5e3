"""How all of it looks: what the setting ``PRESET`` chooses, in stylesheets and in markup.

A preset is a few files of its own. What nobody chose costs nobody anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.templatetags.static import static

from .conf import conf

#: Preset -> the parts for which it has a stylesheet of its own.
STYLES: Mapping[str, frozenset[str]] = {
    "default": frozenset(),
    "bootstrap": frozenset({"banner", "embed", "button"}),
    "unstyled": frozenset({"banner", "preferences", "page", "embed", "button"}),
    "dsfr": frozenset({"banner", "preferences", "page", "embed", "button"}),
}
#: Presets that also have templates of their own, in a folder of their name.
MARKUP = frozenset({"dsfr"})


def stylesheet(part: str, placement: str = "") -> str:
    """The address of the stylesheet for ``part``: "banner", "preferences", "page", "embed"
    or "button".

    ``placement`` is the banner's. In the middle of the screen it needs rules that no other
    banner pays for.
    """
    name = "cookie-charter" if part == "banner" else f"cookie-charter-{part}"
    if part in STYLES[conf.preset]:
        name = f"{name}-{conf.preset}"
    elif part == "banner" and placement == "center":
        name = f"{name}-center"
    return static(f"wagtail_cookie_charter/{name}.css")


def templates(name: str) -> list[str]:
    """Where to look for one of our small templates, the preset's own first."""
    folders = [conf.preset] if conf.preset in MARKUP else []
    return [
        *(f"wagtail_cookie_charter/{folder}/{name}" for folder in folders),
        f"wagtail_cookie_charter/{name}",
    ]
