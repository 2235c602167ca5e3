"""Whether a piece of HTML stays inside the element that is put around it.

Pure. It reads tags as the HTML standard does (section 13.2.5), so that the answer does not hang
on the release of Python: ``html.parser`` ends comments, end tags and texts elsewhere than
browsers do, and elsewhere in each release.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SPACE = r"[\t\n\f\r ]"
TAG = re.compile(rf"<(/?)([a-z](?:(?!{SPACE})[^/>])*)", re.IGNORECASE | re.ASCII)
BETWEEN = re.compile(r"[\t\n\f\r /]*")
ATTRIBUTE = re.compile(r"[^\t\n\f\r />][^\t\n\f\r />=]*")
EQUALS = re.compile(rf"{SPACE}*={SPACE}*")
VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|(?![\"'])[^\t\n\f\r >]*")
#: But those that are over before they begin: not every parser agrees.
COMMENT = re.compile(r"<!--(?!-?>).*?--!?>", re.DOTALL)
#: A doctype, or what is no tag and yet a comment.
BOGUS = re.compile(r"<(?:[!?]|/(?![a-z]))[^>]*>", re.IGNORECASE | re.ASCII)
LOOSE = re.compile(r"<(?![a-z/!?])", re.IGNORECASE | re.ASCII)
TEMPLATE = re.compile(r"</?template", re.IGNORECASE | re.ASCII)

#: Elements in which tags are text.
TEXT_ONLY = frozenset(
    {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"}
)
#: In these, browsers may ignore a tag or take it for something else: a ``<template>`` is none,
#: and a ``<title>`` has elements or is not there at all.
STRANGE = frozenset({"svg", "math", "select"})
#: Where one of these stands, nobody knows without building the page where that ends.
ENDLESS = frozenset({"foreignobject", "desc", "annotation-xml"}) | frozenset(
    {"mi", "mo", "mn", "ms", "mtext", "col"}
)
#: What browsers open anew after something had closed it too early, with all its attributes.
FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong"}
    | {"tt", "u"}
)
#: What keeps the former apart within and without; left open, it makes the end of a
#: ``<template>`` forget only what is within (HTML standard, "list of active formatting elements").
MARKING = frozenset({"applet", "caption", "marquee", "object", "td", "th"})
#: What closes cells and captions, whatever is open in them.
PARTS = frozenset({"caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})
#: What must be closed in order where something of the second kind stands.
NESTING = FORMATTING | MARKING | STRANGE | {"noscript", "table", "template"}


class Doubtful(ValueError):
    """What has no end, or might be read in two ways."""


@dataclass(frozen=True)
class Tag:
    """A start tag or an end tag, its attributes' values as they are written.

    ``text`` is what an element that holds only text holds.
    """

    name: str
    ends: bool
    closed: bool
    attributes: tuple[tuple[str, str], ...]
    text: str = ""


def tags(html: str) -> Iterator[Tag]:
    """The tags in ``html``. Raises ``Doubtful`` for one that does not end in it."""
    position = 0
    while (position := html.find("<", position)) >= 0:
        if LOOSE.match(html, position):
            position += 1
        elif html.startswith("<![CDATA[", position):
            raise Doubtful("a comment in HTML, a text in SVG")
        elif html.startswith("<!--", position):
            position = _end(COMMENT, html, position)
        elif found := TAG.match(html, position):
            name = found[2].lower()
            position, closed, attributes = _attributes(html, found.end())
            text = ""
            if name == "plaintext" and not found[1]:
                raise Doubtful("never ends")
            if name in TEXT_ONLY and not found[1]:
                text = _text(html, position, name)
                position = _attributes(html, position + len(text) + len(f"</{name}"))[0]
            yield Tag(name, bool(found[1]), closed, attributes, text)
        else:
            position = _end(BOGUS, html, position)


def _end(pattern: re.Pattern[str], html: str, position: int) -> int:
    found = pattern.match(html, position)
    if found is None:
        raise Doubtful("no end")
    return found.end()


def _attributes(html: str, position: int) -> tuple[int, bool, tuple[tuple[str, str], ...]]:
    """Where a tag ends whose attributes begin here, whether with a slash, and what they are."""
    found: list[tuple[str, str]] = []
    while True:
        start = position
        position = _end(BETWEEN, html, position)
        if html.startswith(">", position):
            return position + 1, html[start:position].endswith("/"), tuple(found)
        name = html[position : (position := _end(ATTRIBUTE, html, position))]
        value = ""
        if equals := EQUALS.match(html, position):
            value = html[equals.end() : (position := _end(VALUE, html, equals.end()))]
            if value[:1] in ("'", '"'):
                value = value[1:-1]
        found.append((name.lower(), value))


def _text(html: str, position: int, name: str) -> str:
    """The text of an element that holds only text, and which must end."""
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII)
    found = end.search(html, position)
    if found is None:
        raise Doubtful("no end")
    text = html[position : found.start()]
    if name == "script" and "<!--" in text and "<script" in text.lower():
        raise Doubtful("in the comment of a script, a script's end is none")
    return text


def stays_inside(content: str) -> bool:
    """Whether ``content`` can neither end the ``<template>`` around it nor swallow its end.

    Each ``<template>`` in it is closed in it, and what looks like one is one; and it leaves
    nothing open that would take the end of the gate, and what the page has after it, for its
    own text, or that would be opened anew in what the page has after it. Where it might be read
    in two ways, the answer is no.
    """
    try:
        found = list(tags(content))
    except Doubtful:
        return False
    depth = 0
    strange: list[str] = []
    for tag in found:
        if tag.name == "template":
            depth += -1 if tag.ends else 1
            if depth < 0 or strange:
                return False
        elif tag.name in STRANGE and tag.ends:
            if strange and strange.pop() != tag.name:
                return False
        elif tag.name in STRANGE:
            # The slash counts only among elements that are not HTML's own.
            if tag.name == "select" or not tag.closed:
                strange.append(tag.name)
        elif tag.name in ENDLESS:
            strange.insert(0, tag.name)
        elif strange and ("<" in tag.text or (tag.name in TEXT_ONLY and tag.closed)):
            return False
        elif tag.name == "noscript" and not stays_inside(tag.text):
            # Without JavaScript, its content is no text.
            return False
    looks = len(TEMPLATE.findall(content))
    return depth == 0 and looks == sum(tag.name == "template" for tag in found) and _nest(found)


def _nest(found: list[Tag]) -> bool:
    """Whether nothing is left open that would outlive the ``</template>``.

    Without one of ``MARKING``, all formatting ends with the ``<template>`` around it. With one,
    nothing but strict order will do: browsers ignore a tag or close an element in many places.
    """
    every = list(_with_noscript(found))
    names = {tag.name for tag in every}
    if not names & MARKING:
        return True
    if names & (ENDLESS - PARTS):
        return False
    # What is open, the innermost last. "rows" is a <template> that holds parts of a table.
    open_ = ["template"]
    for tag in every:
        if tag.name in NESTING and tag.ends:
            if {"rows": "template"}.get(last := open_.pop(), last) != tag.name or not open_:
                return False
            continue
        if tag.name in PARTS:
            if open_[-1] not in ("table", "template", "rows"):
                return False
            if open_[-1] == "template":
                open_[-1] = "rows"
        elif tag.name in NESTING - {"template"} and open_[-1] in ("table", "rows"):
            # Browsers put it elsewhere, and what is open in it may close with the next row.
            return False
        if tag.name in NESTING and not (tag.closed and tag.name in ("svg", "math")):
            open_.append(tag.name)
    return len(open_) == 1


def _with_noscript(found: Iterable[Tag]) -> Iterator[Tag]:
    """The same tags, and those in each ``<noscript>``, which count without JavaScript."""
    for tag in found:
        yield tag
        if tag.name == "noscript" and not tag.ends:
            yield from _with_noscript(tags(tag.text))
            yield replace(tag, ends=True)
