"""What a piece of HTML calls, as a browser would, and whom a row of the charter speaks of."""

from __future__ import annotations

import pytest

from wagtail_cookie_charter.hosts import UNREADABLE, calls, claims

BOTH = {"a.example", "b.example"}


@pytest.mark.parametrize(
    ("html", "hosts"),
    [
        ('<iframe src="https://www.Video.example:443/embed"></iframe>', {"www.video.example"}),
        ("<script async src=//a.example/x.js></script>", {"a.example"}),
        ('<link rel="preconnect" href="https://a.example">', {"a.example"}),
        ('<img src="/x.png" srcset="https://a.example/1 1x, //b.example/2 2x">', BOTH),
        ('<img srcset="https://a.example/1,https://b.example/2">', BOTH),
        ('<video poster="https://a.example/p"><source src="//b.example/v"></video>', BOTH),
        ('<object data="https://a.example/o"></object>', {"a.example"}),
        ('<svg><image xlink:href="https://a.example/i"/><use href="//b.example/#u"/></svg>', BOTH),
        ('<iframe srcdoc="&lt;img src=https://a.example/&gt;"></iframe>', {"a.example"}),
        ("<p style=\"background: url('https://a.example/b')\">", {"a.example"}),
        ("<style>@import '//a.example/c.css';</style>", {"a.example"}),
        ("<body background=https://a.example/>", {"a.example"}),
        ("<base href='https://a.example/'>", {"a.example"}),
        # As the URL standard reads them, not as they look.
        ('<img src=" https:\\\\a.example\\x">', {"a.example"}),
        ('<img src="ht\ntps:a.example/x">', {"a.example"}),
        ('<img src="/\\a.example/x">', {"a.example"}),
        ('<img src="https://video.example@a.example/x">', {"a.example"}),
        ('<img src="https://a.example./x">', {"a.example"}),
        ('<img src="https://[broken/x">', {UNREADABLE}),
        # What only a click follows.
        ('<a href="https://a.example/">out</a>', set()),
        ('<img src="/local.png">', set()),
    ],
)
def test_what_a_browser_would_call(html: str, hosts: set[str]) -> None:
    assert calls(html).hosts == hosts


@pytest.mark.parametrize(
    "html",
    [
        "<script>fetch('https://' + name)</script>",
        "<img src=x onerror=run()>",
        '<iframe src="javascript:run()"></iframe>',
        '<iframe src="data:text/html,<script src=//a.example></script>"></iframe>',
        '<meta http-equiv="refresh" content="0; url=//a.example">',
        "<p style='background: u\\72l(//a.example)'>",
        '<img src="https://a.example',
    ],
)
def test_what_cannot_be_read_is_known_to_be_hidden(html: str) -> None:
    assert calls(html).hidden


def test_comments_hide_nothing() -> None:
    """Providers write some into their code, and a plain one says nothing about hosts."""
    found = calls("<!-- it's <b>ours</b> --><iframe src='https://a.example/'></iframe><!-- end -->")
    assert found.hosts == {"a.example"} and not found.hidden


def test_what_can_be_read_hides_nothing() -> None:
    found = calls('<iframe src="https://a.example/"></iframe><p class="x">a &lt; b</p>')
    assert not found.hidden and not found.local


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("video.example", "video.example", True),
        (".video.example", "www.video.example", True),
        ("www.video.example", "video.example", True),
        ("www.video.example", "player.video.example", True),
        ("https://www.Video.example:443/path, other.example", "video.example", True),
        ("other.example; video.example", "a.b.video.example", True),
        ("*.video.example", "a.video.example", True),
        ("video.example", "notvideo.example", False),
        ("video.example", "video.example.evil.example", False),
        ("player.video.example", "video.example", False),
        ("video-nocookie.example", "video.example", False),
        ("example", "video.example", False),
        ("", "video.example", False),
        (", ;", "video.example", False),
        ("https://[", "video.example", False),
        ("https://[", UNREADABLE, False),
        (UNREADABLE, UNREADABLE, False),
    ],
)
def test_whom_a_row_speaks_of(text: str, host: str, expected: bool) -> None:
    assert claims(text, host) is expected


@pytest.mark.parametrize(
    "html",
    [
        '<style>@import url("https://a.example/c.css");</style>',
        '<img src="/a"><script/>fetch("https://a.example")</script>',
        '<img src="/a"><!--><img src="https://a.example/p.gif">-->',
        "<img src='/a'><!-- a --!><img src='https://a.example/p.gif'>",
        "<style>p{background:image-set('https://a.example/b' 1x)}</style>",
        '<style>@import/**/"https://a.example/c.css";</style>',
        '<svg><rect fill="url(https://a.example/f#x)"/></svg>',
        "</p x='><a title='><img src='//a.example/'>'>",
        "<textarea><a title='</textarea><img src=//a.example/>'></a>",
        "<title><!--</title><img src=//a.example/>",
        "<noscript><img src=//a.example/></noscript>",
        '<svg><image href="/x"><set attributeName="href" to="https://a.example/i"/></image></svg>',
    ],
)
def test_what_hides_an_address_is_not_taken_for_nothing(html: str) -> None:
    """R55: what a browser would call is found, or the HTML counts as unreadable."""
    found = calls(html)
    assert found.hidden or found.hosts & {"a.example", UNREADABLE}


EVIL = [
    # In SVG and MathML, a style's references are read as anywhere.
    "<svg><style>@import url(&#47;&#47;evil.example/a.css)</style></svg>",
    '<svg><style>@import "&#x2f;/evil.example/a.css"</style></svg>',
    "<svg><style>p{background:url(&#104;ttp&colon;//evil.example/a)}</style></svg>",
    "<svg><style>p{background:u&#x72;l(//evil.example/a)}</style></svg>",
    "<svg><style>p{background:u<!---->rl(//evil.example/a)}</style></svg>",
    "<iframe srcdoc='<svg><style>@import url(&amp;#47;&amp;#47;evil.example/a.css)'></iframe>",
    "<iframe srcdoc='<svg><style>@import url(&amp;#47;/evil.example/a)</style></svg>'></iframe>",
    # Sets of addresses.
    '<img srcset="/a 9x,HTTP://evil.example/b 1x">',
    '<img srcset="/a 9x,\\\\evil.example/b 1x">',
    '<img srcset="/a 9x,/\\evil.example/b 1x">',
    '<picture><source srcset="/a 9x,/\\evil.example/b 1x"><img src="/a"></picture>',
    '<link rel="preload" as="image" href="/a" imagesrcset="/a 9x,\\/evil.example/b 1x">',
    # Animations.
    '<svg><image href="/x"><animate attributeName="href" values="/x;//evil.example/a.png"'
    ' dur="1s"/></image></svg>',
    '<svg><image href="/x"><set attributeName="href" to=" //evil.example/a.png"/></image></svg>',
    '<svg><image href="/x"><animate attributeName="href" by="h\tttp:evil.example"/></image></svg>',
    '<svg><g><animate attributeName="mask" values="none;\\75rl(//evil.example/a.svg)"/></g></svg>',
    '<svg><g><animate attributeName="mask" from="none" to="url(//evil.example/a.svg)"/></g></svg>',
    """<svg><g style='--x:"//evil.example/a"'><set attributeName="mask" to="src(var(--x))"/></g>"""
    "</svg>",
    # Documents in an address, and what is a script in HTML alone.
    '<iframe src="data:text/html,<img src=//evil.example/a>"></iframe>',
    """<iframe src="data:image/svg+xml,<svg/onload='fetch(`//evil.example/`)'/>"></iframe>""",
    """<svg><script><a title="</script><b title='"><img src=//evil.example/a>'></b>""",
    # What addresses drop, and what a style's parser reads.
    '<style>p{background:url("/\t/evil.example/x")}</style>',
    '<style>p{background:url("h\tttp://evil.example/x")}</style>',
    '<style>p{background:url("/\n/evil.example/x")}</style>',
    "<style>p{background:url(//evil.example/x",
    "<style>p{background:url(//evil.example/x</style>",
    "<style>p{background:image('//evil.example/x')}</style>",
    """<style>p{content:"url('";background:url(//evil.example/x);quotes:"')"}</style>""",
    """<p style='content:"url(";background:url("//evil.example/x")'>""",
    *(
        f"""<svg><g {name}="{value}"/></svg>"""
        for name in ("mask", "filter", "clip-path", "fill", "stroke", "cursor", "marker-start")
        for value in (
            "\\75rl(http://evil.example/m.svg)",
            "image-set('http://evil.example/m.svg' 1x)",
            "-webkit-image-set('http://evil.example/m.svg' 1x)",
            "src('http://evil.example/m.svg')",
            "URL( http://evil.example/m.svg )",
            "url('http://evil.example/m.svg",
        )
    ),
]


@pytest.mark.parametrize("html", EVIL)
def test_what_only_a_browser_can_read_is_never_taken_for_plain(html: str) -> None:
    """R55: it may stand beside an address of the page's own."""
    found = calls(f'<img src="/own.png">{html}')
    assert found.doubtful or found.hosts & {"evil.example", UNREADABLE}


@pytest.mark.parametrize(
    "html",
    [
        '<img srcset="/a.png 1x, /c_fill,w_300/b.png 2x">',
        "<style>\n/* ours */\t.x > p { color: #fff; background: url( '/x.png' ) }</style>",
        "<p style='background:url(/x.png?a=1&b=2)' title='C:\\ \x01'>",
        '<svg><rect fill="url(#x)" d="M0 0"/><animate values="0;1.5;#fff" to="red"/></svg>',
        '<a href="https://a.example/" class="a\\b">x</a>',
    ],
)
def test_what_is_plain_is_not_doubted(html: str) -> None:
    found = calls(html)
    assert not found.hidden and not found.doubtful and not found.hosts


@pytest.mark.parametrize(
    "html",
    [
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        '<iframe src="about:blank"></iframe>',
        "<script>if (a<b) run()</script>",
        '<svg/><script>run()</script><img src="/x" onload="run()">',
    ],
)
def test_code_is_hidden_and_not_doubtful(html: str) -> None:
    """What an embed's own provider answers for, whose row may be exempt."""
    found = calls(html)
    assert found.hidden and not found.doubtful
