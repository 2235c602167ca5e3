"""Those who judge our pages: axe and HTML_CodeSniffer in the browser, html-validate on the text.

They come from npm, pinned in package-lock.json; ``make test`` installs them.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Page

PACKAGES = Path(__file__).resolve().parents[2] / "node_modules"

#: All that axe knows of WCAG A and AA, of RGAA, and its advice; `target-size` is off by default.
AXE = {
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "RGAAv4",
        "best-practice",
    ],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
    "elementRef": True,
}


@functools.cache
def script(path: str) -> str:
    """The text of an engine's file, by its place in ``node_modules``."""
    try:
        return (PACKAGES / path).read_text()
    except FileNotFoundError:
        raise RuntimeError(f"node_modules/{path} is missing: run `make test`, or npm ci.") from None


def inject(page: Page, name: str, path: str) -> None:
    """Have the engine in the page, once. Evaluated, so that no policy of the page stops it."""
    if not page.evaluate(f"'{name}' in window"):
        page.evaluate(script(path) + f";window.{name} ??= {name}; undefined")


@dataclass(frozen=True)
class LeftOut:
    """What an engine finds and we cannot mend: its rule, the elements, and the reason."""

    rule: str
    selector: str
    why: str


def axe(page: Page, left_out: Sequence[LeftOut] = ()) -> list[str]:
    """What axe finds in the page, one line for each element."""
    inject(page, "axe", "axe-core/axe.min.js")
    found: list[str] = page.evaluate(
        """async ([options, leftOut]) => (await axe.run(document, options)).violations.flatMap(
            rule => rule.nodes
                .filter(({element}) => !leftOut.some(known =>
                    known.rule == rule.id && element.matches(known.selector)))
                .map(node => `axe ${rule.id}: ${node.target} ${node.failureSummary} ${node.html}`))
        """,
        [AXE, [asdict(known) for known in left_out]],
    )
    return found


def codesniffer(page: Page, left_out: Sequence[LeftOut] = ()) -> list[str]:
    """The errors that HTML_CodeSniffer finds in the page against WCAG 2 AA.

    Its warnings and notices are questions to a human, asked of every page alike.
    """
    inject(page, "HTMLCS", "html_codesniffer/build/HTMLCS.js")
    found: list[str] = page.evaluate(
        """leftOut => new Promise((end, fail) => HTMLCS.process('WCAG2AA', document, () => end(
            HTMLCS.getMessages()
                .filter(({type}) => type == HTMLCS.ERROR)
                .filter(({code, element}) => !leftOut.some(known =>
                    code.endsWith(known.rule) && element.matches?.(known.selector)))
                .map(({code, msg, element}) =>
                    `HTMLCS ${code}: ${msg} ${element.outerHTML?.slice(0, 200)}`)), fail))""",
        [asdict(known) for known in left_out],
    )
    return found


def node() -> str:
    """The Node.js of this environment, else the machine's."""
    own = shutil.which("node", path=str(Path(sys.executable).parent))
    return own or shutil.which("node") or "node"


def html_validate(pages: Mapping[str, str], directory: Path) -> list[str]:
    """What html-validate finds in these documents, by name, as the server sent them."""
    program = PACKAGES / "html-validate/bin/html-validate.mjs"
    if not program.exists():
        raise RuntimeError(f"{program} is missing: run `make test`, or npm ci.")
    for name, text in pages.items():
        (directory / f"{name}.html").write_text(text)
    (directory / ".htmlvalidate.json").write_text(json.dumps(RULES))
    done = subprocess.run(
        [node(), str(program), "--formatter", "json", *(f"{name}.html" for name in pages)],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if not done.stdout.strip():
        raise RuntimeError(done.stderr)
    return [
        f"html-validate {message['ruleId']}: {Path(file['filePath']).name}:{message['line']} "
        f"{message['message']}"
        for file in json.loads(done.stdout)
        for message in file["messages"]
    ]


#: The HTML standard and WCAG, as html-validate knows them.
RULES = {
    "root": True,
    "extends": ["html-validate:standard", "html-validate:a11y", "html-validate:document"],
    "rules": {
        # The banner comes first (R71), so its heading stands before the page's own; the dialog's
        # is of the same level.
        "heading-level": ["error", {"minInitialRank": "h2", "sectioningRoots": []}],
        # Not about reading: a hash protects from another host, and ours are the site's own files.
        "require-sri": ["error", {"target": "crossorigin"}],
    },
}
