"""Make what is served from what is written: ``python -m wagtail_cookie_charter.frontend.build``.

Each script gets its imports from the other sources pasted in, then everything is minified by
``tdewolff-minify`` (a build-time dependency; sites need nothing). The results are committed,
and a test compares them with a fresh build.
"""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parent
STATIC = SOURCES.parent / "static" / "wagtail_cookie_charter"

IMPORT = re.compile(r"^import \{[^}]*\} from '\./(?P<name>[\w.-]+)';\n", re.MULTILINE)


#: What each stylesheet is put together from, in this order. The structure of a thing stands
#: alone in the preset that leaves all looks to the site; each preset's banner is one file, so
#: that a first view stays at two requests.
STYLES = {
    "cookie-charter": "cookie-charter",
    "cookie-charter-center": "cookie-charter center",
    "cookie-charter-bootstrap": "cookie-charter center bootstrap",
    "cookie-charter-dsfr": "cookie-charter dsfr",
    "cookie-charter-unstyled": "unstyled center",
    "cookie-charter-embed": "cookie-charter-embed embed-structure",
    "cookie-charter-embed-bootstrap": "cookie-charter-embed embed-structure bootstrap",
    "cookie-charter-embed-dsfr": "cookie-charter-embed embed-structure dsfr",
    "cookie-charter-embed-unstyled": "embed-structure",
    "cookie-charter-page": "cookie-charter-page page-structure",
    "cookie-charter-page-dsfr": "cookie-charter-page page-structure dsfr-form",
    "cookie-charter-page-unstyled": "page-structure",
    "cookie-charter-preferences": "cookie-charter-page page-structure"
    " cookie-charter-preferences preferences-structure",
    "cookie-charter-preferences-dsfr": "cookie-charter-page page-structure"
    " cookie-charter-preferences preferences-structure dsfr-form",
    "cookie-charter-preferences-unstyled": "page-structure preferences-structure",
    "cookie-charter-button": "cookie-charter-button button-structure",
    "cookie-charter-button-bootstrap": "cookie-charter-button button-structure bootstrap",
    "cookie-charter-button-dsfr": "cookie-charter-button button-structure dsfr",
    "cookie-charter-button-unstyled": "button-structure",
    "cookie-charter-admin": "cookie-charter-admin",
    "cookie-charter-report": "cookie-charter-report",
}


def bundle(name: str, pasted: set[str] | None = None) -> str:
    """The source of one script with what it imports in place of the import, each but once."""
    pasted = {name} if pasted is None else pasted

    def paste(found: re.Match[str]) -> str:
        if found["name"] in pasted:
            return ""
        pasted.add(found["name"])
        return re.sub(r"^export ", "", bundle(found["name"], pasted), flags=re.MULTILINE)

    return IMPORT.sub(paste, (SOURCES / name).read_text())


def build() -> dict[str, str]:
    """File name -> minified content, of all that is served."""
    import minify

    modules = ("later", "signals")
    built = {
        f"cookie-charter-{name}.js": minify.string(
            "text/javascript", bundle(f"cookie-charter-{name}.js")
        )
        for name in modules
    }
    # Classic scripts, so that ``async`` and any host for static files will do; in a block of
    # their own, so that they add no name to the page. Run again in the same document, as Turbo
    # does after a visit, the first looks at the new page. (An element with that id is also there
    # under that name.)
    again = "if (window.cookieCharter?.update) cookieCharter.update(); else "
    classic = {
        "cookie-charter.js": again,
        "cookie-charter-signals-default.js": "",
        "cookie-charter-admin.js": "",
    }
    for name, before in classic.items():
        built[name] = minify.string("text/javascript", before + "{" + bundle(name) + "}")
    for name, sources in STYLES.items():
        text = "".join((SOURCES / f"{source}.css").read_text() for source in sources.split())
        built[f"{name}.css"] = minify.string("text/css", text)
    return built


if __name__ == "__main__":
    for name, text in build().items():
        (STATIC / name).write_text(text)
        print(f"{name}: {len(text.encode())} bytes")
