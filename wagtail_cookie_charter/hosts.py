"""Which hosts a piece of HTML calls, and which hosts a row of the charter speaks of.

Pure, and on the safe side: whatever a browser might load counts, and what cannot be read is a
host that nobody declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

from .enclosure import Doubtful, Tag, tags

#: What stands for an address that cannot be read: no row can declare it.
UNREADABLE = "?"

#: Attributes that make a browser load something, on whatever element they stand.
LOADING = frozenset(
    {"src", "data", "poster", "background", "xlink:href", "lowsrc"}
    # A link may tell a host that it was seen.
    | {"attributionsrc"}
)
#: Attributes with which an animation sets others, addresses and styles too.
ANIMATING = frozenset({"to", "from", "by", "values"})
#: Attributes that are words wherever they stand.
WORDS = re.compile(r"(?:title|alt|class|id|aria-.*)\Z", re.DOTALL)
#: Elements whose ``href`` is only followed when somebody clicks.
CLICKED = frozenset({"a", "area"})
CLICKED_ONLY = frozenset({"href", "action", "formaction", "ping", "cite"})

#: What browsers drop from an address before they read it (URL standard).
DROPPED = re.compile(r"[\t\n\r]|^[\x00-\x20]+|[\x00-\x20]+$")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
#: What is in its own address, and calls nobody.
PICTURE = re.compile(r"data:(?:image/(?:png|gif|jpeg|webp|avif)|font/\w+)[;,]|about:blank\Z", re.I)
#: Where an address begins in a style, and all of it if it is one that needs no parser.
STYLE_BEGINS = re.compile(r"url\(|@import", re.IGNORECASE)
PLAIN = r"(?P<address>[^\s\"'()\\<>]*)"
STYLE_PLAIN = re.compile(rf"url\(\s*(?P<quote>[\"']?){PLAIN}(?P=quote)\s*\)", re.IGNORECASE)
IMPORT_PLAIN = re.compile(
    rf"@import\s*(?:(?P<quote>[\"']){PLAIN}(?P=quote)|(?=url\())", re.IGNORECASE
)
#: What can hide an address in a style: an escape, functions that load what is only quoted, and
#: characters that nobody writes.
STYLE_HIDES = re.compile(r"[\\\x00-\x08\x0b\x0e-\x1f\x7f]|image-set|(?:src|image)\(", re.I)
#: What an animation may set without a word about hosts: numbers, colours, names.
HARMLESS = re.compile(r"[\w\s.,;#%+()-]*", re.ASCII)


@dataclass
class Calls:
    """What a piece of HTML calls.

    ``hosts`` in small letters and without ports; the page's own is never among them when it
    is called by a path. ``hidden``: some code in it can call hosts that nobody can read here.
    ``doubtful``: some of its markup can, which is hidden too.
    """

    hosts: set[str] = field(default_factory=set)
    local: bool = False
    hidden: bool = False
    doubtful: bool = False

    def doubt(self) -> None:
        """Take note of markup that a browser may read otherwise."""
        self.hidden = self.doubtful = True

    def add(self, address: str) -> None:
        """Take note of one address as a browser would read it."""
        address = DROPPED.sub("", address).replace("\\", "/")
        scheme = SCHEME.match(address)
        if scheme and scheme[1].lower() not in ("http", "https"):
            # A data: or blob: document, or a script, can do anything.
            self.hidden = True
            self.doubtful = self.doubtful or not PICTURE.match(address)
            return
        # Browsers take any number of slashes, none too, for two.
        rest = address[scheme.end() :] if scheme else address
        if scheme or rest.startswith("//"):
            self.hosts.add(host_of("//" + rest.lstrip("/")))
        else:
            self.local = True

    def add_set(self, addresses: str) -> None:
        """The same for a ``srcset``.

        An address in it may begin after any space or comma; what only looks like one is one
        more local.
        """
        for candidate in re.split(r"[\s,]+", addresses):
            if candidate:
                self.add(candidate)

    def add_style(self, text: str) -> None:
        """The same for a style; what needs a parser of styles to be read is doubtful."""
        for begins in STYLE_BEGINS.finditer(text):
            pattern = IMPORT_PLAIN if begins[0].startswith("@") else STYLE_PLAIN
            found = pattern.match(text, begins.start())
            if found is None:
                self.doubt()
            elif found["address"] is not None:
                self.add(found["address"])
        if STYLE_HIDES.search(text):
            self.doubt()

    def add_animated(self, values: str) -> None:
        """The same for what an animation sets, which may be an address, a style or a list."""
        if not HARMLESS.fullmatch(values) or STYLE_HIDES.search(values):
            self.doubt()


def calls(html: str) -> Calls:
    """All that a browser calls when it shows ``html``."""
    found = Calls()
    _read(html, found)
    return found


def _read(html: str, found: Calls) -> None:
    try:
        drawing = False
        for tag in tags(html):
            if not tag.ends:
                _read_tag(tag, found)
            drawing = drawing or tag.name in ("svg", "math")
            if drawing and tag.name == "script" and "<" in tag.text:
                # There, the tags in a script are tags, and it may end elsewhere.
                found.doubt()
    except Doubtful:
        # What comes after it may call anybody.
        found.doubt()
        found.hosts.add(UNREADABLE)


def _read_tag(tag: Tag, found: Calls) -> None:
    for name, written in tag.attributes:
        value = unescape(written)
        if name in ("srcset", "imagesrcset"):
            found.add_set(value)
        elif name in LOADING or (name == "href" and tag.name not in CLICKED):
            found.add(value)
        elif name in ANIMATING:
            found.add_animated(value)
        elif name == "srcdoc":
            _read(value, found)
        elif tag.name == "meta" and name == "http-equiv":
            # It may lead the whole page elsewhere.
            found.doubt()
        elif name.startswith("on"):
            found.hidden = True
        elif name == "style" or not (name in CLICKED_ONLY or WORDS.match(name)):
            # Many attributes of SVG are styles.
            found.add_style(value)
    if tag.name == "script":
        found.hidden = found.hidden or bool(tag.text.strip())
    else:
        if tag.name == "style":
            found.add_style(tag.text)
            if re.search("[&<]", tag.text):
                # In SVG, a reference stands for a character, and a tag divides nothing.
                found.doubt()
        # Without JavaScript, or in SVG, the tags in a text may be tags.
        _read(tag.text, found)


def host_of(address: str) -> str:
    """The host of an address with ``//``, in small letters; ``UNREADABLE`` if it has none."""
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return UNREADABLE
    return (host or "").rstrip(".") or UNREADABLE


def domains(text: str) -> Iterator[str]:
    """The domains that a row's field names, however an editor wrote them.

    ``".youtube.com, https://www.vimeo.com/x"`` gives ``youtube.com`` and ``vimeo.com``.
    """
    for word in re.split(r"[\s,;]+", text):
        if not word:
            continue
        host = host_of(word if "//" in word else f"//{word}").lstrip("*").lstrip(".")
        yield host.removeprefix("www.")


#: A domain, its letters of any script (IDNA), or an address of the network.
DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)*|[0-9a-f:]+")


def names_domains(text: str) -> bool:
    """Whether all that a row's field names can be a domain: anything else claims nothing."""
    return all(map(DOMAIN.fullmatch, domains(text)))


def claims(text: str, host: str) -> bool:
    """Whether a row whose field says ``text`` speaks of ``host``: the same, or one below it.

    A name without a dot has nothing below it, or ``com`` would claim half the web.
    """
    return any(
        host.removeprefix("www.") == domain or ("." in domain and host.endswith(f".{domain}"))
        for domain in domains(text)
        if domain and domain != UNREADABLE
    )
