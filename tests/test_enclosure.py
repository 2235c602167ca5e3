"""What is behind a gate stays there: neither lets out what waits, nor swallows what follows."""

from __future__ import annotations

import pytest

from wagtail_cookie_charter.enclosure import stays_inside

INSIDE = [
    "",
    "a < b",
    "<p title='</p>'>words</p>",
    "<script src=x></script><script>if (a<!b) document.write('<b>')</script>",
    "<script><!--\nrun(i--)\n//--></script>",
    "<!-- <b> --><b>after a comment</b>",
    "<noscript><img src=x></noscript>",
    '<svg viewBox="0 0 1 1"/><svg><title>x</title></svg>',
    '<template data-cookie-charter="media">b</template>',
    "<TEMPLATE><template></template ></template\n>",
    "<!-- Video --><template><script>run()</script></template>",
    "<svg></svg><template><iframe src=x></iframe></template>",
    "<svg><title>x</title><style>a > b {}</style></svg><script>if (a<b) run()</script>",
    "<select><option>a</select><script>if (a<b) run()</script>",
    "<!-- it's a <b>note</b> --!><p>after it",
    "</p title='>'></><!doctype html><?php a ?>",
    "<a =x y= z='>'>",
    # What formats ends with the gate, as long as nothing in it keeps it apart.
    "<b>bold <i>and</b> more<p>open",
    "<table><caption><b>x</b></caption><tr><td><a href=x>y</a></td></tr></table>",
    "<table><tbody><tr><th>x</th><td>y</td></tbody></table>",
    "<tr><td>x</td><td><i>y</i></td></tr><tr><td>z</td></tr>",
    "<td>x</td><td><table><tr><td>y</td></tr></table></td>",
    "<object data=x><param name=a><p>instead</object>",
    "<svg/><b><svg><title>x</title></svg><object></object></b>",
    "<template><td>x</td></template><object></object>",
    "<noscript><object></object></noscript>",
]

#: What leaves the gate by being opened anew after it, with its address or its style.
LEAKS = [
    *(
        f'<{name} href="//evil.example/" style="background:url(//evil.example/)">{marking}x'
        for name in ("a", "b", "font", "nobr", "i", "em", "strong", "u", "s", "small", "big")
        for marking in ("<table><tr><td>", "<table><caption>", "<object>", "<marquee>")
    ),
    *(f"<{name} title=x><applet>" for name in ("code", "tt", "strike")),
    "<b title=x><table><tr><td><a href=x>",
    "<b title=x><table><tr><th></b>",
    "<a href=x><table><tr><td><object><td></td></object></td></tr></table></a>",
    "<a href=x><table><tr><td><object></tr></object></td></table></a>",
    "<b title=x><table><applet><applet>x</applet><table><tr><td></td></tr></table></applet>"
    "</table></b>",
    "<td></td><a href=x><object><table><td></td></table></object></a>",
    "<b title=x><object><math><mi><p></mi></math></object></b>",
]

OUTSIDE = [
    "</template><script src=x></script>",
    "a</TEMPLATE >",
    "</template/>",
    "<template>open",
    "<template/>",
    "</template><template>",
    # What looks like the beginning of a template and is none.
    "<!-- <template> --></template>",
    "<!--><template>--></template>",
    "<!-- -- ><template> --></template>",
    '<script>"<template>"</script></template>',
    '<script>"<!--"</script></template><script src=x>"-->"</script>',
    "<script><!--<script></script><template>--></script></template>",
    "<script></ script><template></script></template>",
    "<textarea><template></textarea></template>",
    "<title><template></title></template>",
    "<style><template></style></template>",
    "<iframe><template></iframe></template>",
    '<a title="<template>"></template>',
    "<template-x></template>",
    "<svg><template><p></template>",
    "<math><template><p></template>",
    "<svg><![CDATA[ > </svg> ]]><template><p></template>",
    "<a title='<!--'><svg><b title='-->'><template><p></template>",
    # What would take the end of the gate for its own text, and the next gate's content with it.
    "<script>run()",
    "<textarea>",
    "<plaintext>",
    "<!-- a comment",
    '<a title="',
    "<a",
    "<style>",
    # Where html.parser ends a comment or a tag earlier than a browser does, or did once.
    "<!---- >",
    "</p x='>",
    "</p x='>'><a title='",
    "<script></script x='>",
    "<!--><b>",
    # Where a <title> is no title, and its tags are tags.
    "<svg><p><style>",
    "<svg><title/></svg>",
    "<svg><style><a title='</style><b title='><p><textarea>'></svg>",
    "<svg><desc></svg><style><a title='</style><b title='><textarea>'>",
    "<math></svg>",
    "<svg><![CDATA[<p>]]></svg>",
    "<select><title><a title='</title>'></select>",
    "<col><title><a title='</title><textarea>'>",
    # Without JavaScript, this is no text.
    "<noscript><textarea></noscript>",
    "<noscript><a title='</noscript>'>",
    *LEAKS,
    # Open, or closed where browsers may not heed it.
    "<object>",
    "<td>",
    "<object></td></object>",
    "<table><tr><td>x<tr><td>y</table>",
    "<b><select></b></select><object></object>",
    "<b><svg><desc></b></desc></svg><object></object>",
    "<table><tr><td><table></td></table></table>",
    "<b><table><object><tr></object></tr></table></b>",
    "<b><noscript><object></noscript></b>",
    "<noscript><b><object></b></object></noscript>",
]


@pytest.mark.parametrize("content", INSIDE)
def test_what_stays_inside(content: str) -> None:
    assert stays_inside(content)


@pytest.mark.parametrize("content", OUTSIDE)
def test_what_does_not(content: str) -> None:
    """Promise 2. ``tests/browser/test_enclosure.py`` asks a browser about these, and many more."""
    assert not stays_inside(content)
