"""Make what is served from what is written: ``python -m wagtail_cookie_charter.frontend.build``.

Each script gets its imports from ``decision.js`` pasted in, then everything is minified by
``tdewolff-minify`` (a build-time dependency; sites need nothing). The results are committed,
and a test compares them with a fresh build.
"""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parent
STATIC = SOURCES.parent / "static" / "wagtail_cookie_charter"

IMPORT = re.compile(r"^import \{[^}]*\} from '\./(?P<name>[\w.-]+)';\n", re.MULTILINE)


def bundle(name: str) -> str:
    """The source of one script with what it imports in place of the import."""
    source = (SOURCES / name).read_text()
    return IMPORT.sub(
        lambda found: re.sub(r"^export ", "", bundle(found["name"]), flags=re.MULTILINE), source
    )


def build() -> dict[str, str]:
    """File name -> minified content, of all that is served."""
    import minify

    module = minify.string("text/javascript", bundle("cookie-charter-preferences.js"))
    # A classic script, so that ``async`` and any host for static files will do; in a block of
    # its own, so that it adds no name to the page.
    script = minify.string("text/javascript", "{" + bundle("cookie-charter.js") + "}")
    built = {"cookie-charter.js": script, "cookie-charter-preferences.js": module}
    page = (SOURCES / "cookie-charter-page.css").read_text()
    styles = {
        "cookie-charter.css": (SOURCES / "cookie-charter.css").read_text(),
        "cookie-charter-admin.css": (SOURCES / "cookie-charter-admin.css").read_text(),
        "cookie-charter-page.css": page,
        "cookie-charter-preferences.css": page
        + (SOURCES / "cookie-charter-preferences.css").read_text(),
    }
    built.update({name: minify.string("text/css", text) for name, text in styles.items()})
    return built


if __name__ == "__main__":
    for name, text in build().items():
        (STATIC / name).write_text(text)
        print(f"{name}: {len(text.encode())} bytes")
