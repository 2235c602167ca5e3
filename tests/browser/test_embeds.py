"""What editors embed waits, in a real browser, with no change to any template (R55, R57)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from wagtail.embeds.embeds import get_embed_hash
from wagtail.embeds.models import Embed

from tests.browser.portal import Stranger, ask_again
from tests.browser.visitor import Visitor
from tests.factories import row
from tests.test_hosts import EVIL

pytestmark = pytest.mark.browser

ADDRESS = "https://film.example/42"
WAYS = {
    "rich text": "{% load wagtailcore_tags %}<div>{{ '"
    f'<p>Words</p><embed embedtype="media" url="{ADDRESS}"/>'
    "'|richtext }}</div>",
    "tag": f"{{% load wagtailembeds_tags %}}<p>Words</p>{{% embed '{ADDRESS}' %}}",
}


@pytest.fixture(params=WAYS)
def embedded(
    request: pytest.FixtureRequest, write: Callable[..., str], stranger: Stranger
) -> Callable[[], str]:
    """A page with a film that the third party serves."""

    def embedded() -> str:
        frame = f'<iframe src="{stranger.origin}/frame/film" title="Film" width="320"></iframe>'
        Embed.objects.create(
            hash=get_embed_hash(ADDRESS),
            url=ADDRESS,
            html=frame,
            type="video",
            width=320,
            height=180,
            provider_name="Film Host",
        )
        return write(WAYS[request.param])

    return embedded


@pytest.fixture
def declared(site: str) -> None:
    ask_again(row(name="_film", provider="Film Host", domain="localhost"))


def test_it_waits_and_comes_for_its_provider_alone(
    declared: None, embedded: Callable[[], str], visitor: Visitor, stranger: Stranger
) -> None:
    page = embedded()
    visitor.open(page)
    expect(visitor.page.get_by_text("Film Host is turned off")).to_be_visible()
    visitor.refuse()
    visitor.open(page)
    visitor.expect_quiet()
    assert stranger.requests == []
    visitor.page.get_by_role("button", name="Allow Film Host", exact=True).click()
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    expect(visitor.page.get_by_text("Film Host is turned off")).to_have_count(0)
    visitor.expect_delivered()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"])
    assert visitor.grants is not None
    assert [grant.split("+")[0] for grant in visitor.grants] == ["marketing"]
    visitor.open(page)
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    visitor.wait_until(lambda: stranger.requests == ["/frame/film"] * 2)
    # And withdrawn again.
    loads = visitor.loads
    visitor.footer_link.click()
    visitor.press_in_dialog("Refuse all")
    visitor.wait_until(lambda: visitor.loads > loads)
    expect(visitor.page.get_by_text("Film Host is turned off")).to_be_visible()
    stranger.requests.clear()
    visitor.open(page)
    visitor.expect_quiet()
    assert stranger.requests == []


def test_always_allowing_is_another_button(
    declared: None, embedded: Callable[[], str], visitor: Visitor
) -> None:
    visitor.open(embedded())
    visitor.refuse()
    visitor.page.get_by_role("button", name="Always allow: Advertising").click()
    expect(visitor.page.get_by_title("Film")).to_be_visible()
    visitor.expect_delivered()
    visitor.expect_grants("marketing")


def test_what_no_row_declares_never_comes(
    embedded: Callable[[], str], visitor: Visitor, stranger: Stranger
) -> None:
    """Promise 2. The link is the way round; editors alone are told what is missing."""
    page = embedded()
    visitor.open(page)
    visitor.accept()
    visitor.open(page)
    expect(visitor.page.get_by_text("is not shown here")).to_be_visible()
    expect(visitor.page.get_by_text("For editors:")).to_be_hidden()
    expect(visitor.page.get_by_role("link", name="Open on film.example")).to_be_visible()
    visitor.expect_quiet()
    assert stranger.requests == []
    # Where Wagtail's user bar is, an editor reads.
    visitor.page.evaluate("document.body.append(document.createElement('wagtail-userbar'))")
    expect(visitor.page.get_by_text("has the domain localhost")).to_be_visible()


def test_without_javascript_the_link_remains(
    declared: None,
    embedded: Callable[[], str],
    new_visitor: Callable[..., Visitor],
    stranger: Stranger,
) -> None:
    visitor = new_visitor(java_script_enabled=False)
    visitor.open(embedded())
    expect(visitor.page.get_by_role("link", name="Open on film.example")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Allow Film Host")).to_have_count(0)
    assert stranger.requests == []


def test_the_card_keeps_the_room_of_what_it_holds_back(
    declared: None, embedded: Callable[[], str], visitor: Visitor
) -> None:
    visitor.open(embedded())
    visitor.refuse()
    card = visitor.page.locator("[data-cookie-charter-placeholder]").bounding_box()
    assert card is not None and card["height"] >= 180


def test_what_only_a_browser_can_read_calls_nobody(
    visitor: Visitor, write: Callable[..., str], site: str, stranger: Stranger
) -> None:
    """R55: from the site's own address, beside an image of its own, and to an undeclared host."""
    host = stranger.origin.partition("//")[2]
    evil = [html.replace("evil.example", host) for html in EVIL]
    addresses = [f"{site}/film/{number}" for number, _html in enumerate(evil)]
    for address, html in zip(addresses, evil, strict=True):
        Embed.objects.create(
            hash=get_embed_hash(address),
            url=address,
            html=f'<img src="/own.png" alt="">{html}',
            type="rich",
        )
    tags = "".join(f"{{% embed '{address}' %}}" for address in addresses)
    visitor.open(write(f"{{% load wagtailembeds_tags %}}<p>Words</p>{tags}<p>End</p>"))
    expect(visitor.page.get_by_text("End", exact=True)).to_be_visible()
    visitor.expect_quiet()
    assert stranger.requests == []
    # Where nothing holds them back, most of them do.
    for number, html in enumerate(evil):
        visitor.open(write(html, name=f"evil-{number}"))
    visitor.wait_until(lambda: len(stranger.requests) > len(evil) / 4)
