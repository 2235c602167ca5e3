"""What the server puts behind a gate, a browser keeps there: asked of a real one."""

from __future__ import annotations

import random
import re

import pytest
from playwright.sync_api import Page

from tests.test_enclosure import INSIDE, LEAKS, OUTSIDE
from wagtail_cookie_charter.enclosure import stays_inside

pytestmark = pytest.mark.browser

#: Which of the contents leave the gate around them, or take what follows for their own: as
#: parsed with JavaScript, and without.
LEAVE = """contents => contents.filter(content => {
    const html = '<template data-cookie-charter="media">' + content + '</template><p>after</p>';
    const here = document.createElement('div');
    here.innerHTML = html;
    const there = new DOMParser().parseFromString('<div>' + html + '</div>', 'text/html');
    return ![here, there.body.firstChild].every(({ childNodes: [gate, after, ...more] }) =>
        gate.localName == 'template' && after?.localName == 'p' &&
        after.innerHTML == 'after' && !after.attributes.length && !more.length);
})"""

ELEMENTS = (
    *("template", "script", "style", "textarea", "title", "xmp", "iframe", "noembed"),
    *("noframes", "noscript", "plaintext", "svg", "math", "select", "option", "desc", "mi"),
    *("foreignObject", "annotation-xml", "p", "table", "tr", "td", "col", "b", "scr\u0131pt"),
)
PIECES = [
    *(f"<{name}>" for name in ELEMENTS),
    *(f"</{name}>" for name in ELEMENTS),
    *("<title/>", "<script/>", "<svg/>", "<select/>", "</template x='>'>", "<template x='>'>"),
    *("<!--", "-->", "--!>", "-- >", "<!---->", "<!", "<?", "</>", "</ ", "<![CDATA[", "]]>"),
    *("<a title='", '<a title="', "<a ", "</p x='", "'", '"', "=", ">", "/>", "<", "/", "x"),
    *(" ", "\n", "\f", "\v", "\0", "\xa0", "&amp;", "&"),
]
#: What formats, what keeps formatting apart, and what closes either unasked.
NESTED = (
    *("a href=x", "b style=x", "font face=x", "nobr id=x", "i", "code", "td", "th", "caption"),
    *("object", "marquee", "applet", "table", "tr", "tbody", "colgroup", "col", "template", "p"),
    *("div", "button", "select", "option", "svg", "math", "mi", "desc", "noscript", "input"),
)
NESTS = [f"<{tag}>" for tag in NESTED] + 2 * [f"</{tag.split()[0]}>" for tag in NESTED]
FRAMES = ["{}", "{}", "<template>{}</template>", "<svg>{}</svg>", "<noscript>{}</noscript>"]


def made_up(count: int) -> list[str]:
    """The same each time: a test that fails once must fail again."""
    dice = random.Random(3)
    return [
        dice.choice(FRAMES).replace("{}", "".join(dice.choices(PIECES, k=dice.randint(1, 6))))
        for _each in range(count)
    ]


def nested(count: int) -> list[str]:
    """Tags in each other as they should be, with one or two that are not in their place."""
    dice = random.Random(5)

    def some(depth: int) -> str:
        tag = dice.choice(NESTED)
        name = tag.split()[0]
        inner = "".join(some(depth - 1) for _each in range(dice.randint(0, 2))) if depth else "x"
        if name == "table" and dice.random() < 0.7:
            inner = f"<tr><td>{inner}</td></tr>"
        return f"<{tag}>{inner}</{name}>"

    found = []
    for _each in range(count):
        content = "".join(some(dice.randint(0, 4)) for _sibling in range(dice.randint(1, 3)))
        for _twice in range(dice.randint(0, 2)):
            place = dice.choice([at for at, sign in enumerate(content) if sign == "<"])
            content = content[:place] + dice.choice(NESTS) + content[place:]
        found.append(content)
    return found


def test_what_the_server_lets_behind_a_gate_stays_there(page: Page) -> None:
    """Promise 2, whatever editors and developers write."""
    page.goto("/plain/")
    through = [content for content in made_up(60_000) if stays_inside(content)]
    assert len(through) > 10_000
    assert page.evaluate(LEAVE, [*INSIDE, *through]) == []


def test_what_it_formats_ends_with_the_gate(page: Page) -> None:
    """What is left open, or closed in vain, is not opened anew in what the page has after it."""
    page.goto("/plain/")
    contents = nested(40_000)
    through = [content for content in contents if stays_inside(content)]
    marking = [content for content in through if re.search("<(td|th|caption|object)", content)]
    assert len(through) > 5_000 and len(marking) > 1_000
    assert page.evaluate(LEAVE, through) == []
    # And some of the others would.
    refused = [content for content in contents if not stays_inside(content)]
    assert len(page.evaluate(LEAVE, refused)) > 100


def test_what_would_leave_is_noticed(page: Page) -> None:
    """The question can be answered with yes, for each way out and each way of reading."""
    leave = {
        "</template><script src=x></script>",
        "<textarea>",
        "</p x='>",
        "<!---- >",
        "<svg><p><style>",
        "<noscript><textarea></noscript>",
        *LEAKS,
    }
    assert leave <= set(OUTSIDE)
    page.goto("/plain/")
    assert set(page.evaluate(LEAVE, OUTSIDE)) >= leave
