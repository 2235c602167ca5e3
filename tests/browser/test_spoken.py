"""What a screen reader is given: names, roles, states and messages (R72, R73, R79).

The first layer is in test_screens.py, the table too.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_card_that_waits_and_one_that_stays_shut(visitor: Visitor, cards: str) -> None:
    visitor.open(cards)
    waiting = visitor.page.locator(".wcc-embed").first
    expect(waiting).to_match_aria_snapshot(
        """
        - group "Film Host":
          - paragraph:
            - strong: Film Host is turned off
          - paragraph:
            - text: /This content waits until you allow Film Host/
            - link "What that means"
          - paragraph:
            - button "Allow Film Host"
            - 'button "Always allow: Advertising and social networks"'
          - paragraph:
            - link "Open on film.example"
        """
    )
    shut = visitor.page.locator(".wcc-embed").last
    expect(shut).to_match_aria_snapshot(
        """
        - group "Film Host":
          - paragraph:
            - strong: Film Host is not shown here
          - paragraph:
            - link "Open on nobody.example"
        """
    )


STATISTICS = """
- group "Statistics":
  - paragraph:
    - text: Understand how the site is used, to improve it.
    - emphasis: Only with your consent
  - 'checkbox "Allow: Statistics"%s'
  - group:
    - checkbox "Example Measurement"
    - table "Example Measurement":
      - caption: Example Measurement
      - rowgroup:
        - row:
          - columnheader "Name"
          - columnheader "Purpose"
          - columnheader "Duration"
          - columnheader "Party"
    - checkbox "Second Counter"%s
    - table "Second Counter"
"""


def test_the_second_layer_and_the_state_of_its_boxes(visitor: Visitor) -> None:
    """R72: a dialog with a name, a group for each purpose; off, on and in between are told."""
    visitor.open()
    visitor.customise()
    expect(visitor.dialog).to_match_aria_snapshot(
        """
        - dialog "Your privacy, your choice":
          - /children: equal
          - heading "Your privacy, your choice" [level=2]
          - button "Close without changing anything"
          - paragraph: /Choose what you allow/
          - button "Accept all"
          - button "Refuse all"
          - group "Necessary for the site to work":
            - text: Necessary for the site to work
            - paragraph:
              - text: Signing in, security and remembering your choices.
              - emphasis: No consent needed
            - paragraph: Always active
            - group: "2 providers: Necessary for the site to work"
          - group "Anonymous audience measurement":
            - text: Anonymous audience measurement
            - paragraph:
              - text: Count visits without recognising you. You can object.
              - emphasis: Active unless you refuse
            - 'checkbox "Allow: Anonymous audience measurement"'
            - text: "Allow: Anonymous audience measurement"
            - group: "1 provider: Anonymous audience measurement"
          - group "Statistics":
            - text: Statistics
            - paragraph:
              - text: Understand how the site is used, to improve it.
              - emphasis: Only with your consent
            - 'checkbox "Allow: Statistics"'
            - text: "Allow: Statistics"
            - group: "2 providers: Statistics"
          - group "Videos, maps and other content from elsewhere":
            - text: Videos, maps and other content from elsewhere
            - paragraph:
              - text: Show content that other sites provide and may follow.
              - emphasis: Only with your consent
            - 'checkbox "Allow: Videos, maps and other content from elsewhere"'
            - text: "Allow: Videos, maps and other content from elsewhere"
            - group: "2 providers: Videos, maps and other content from elsewhere"
          - alert
          - paragraph:
            - button "Save my choices"
          - paragraph:
            - text: /Cookies that third parties have set on their own sites/
          - paragraph:
            - link "Cookie charter":
              - /url: /cookie-charter/
        """
    )
    visitor.unfold()
    statistics = visitor.dialog.get_by_role("group", name="Statistics", exact=True)
    expect(statistics).to_match_aria_snapshot(STATISTICS % ("", ""))
    visitor.box("Second Counter").check()
    expect(statistics).to_match_aria_snapshot(STATISTICS % (" [checked=mixed]", " [checked]"))
    visitor.box("Example Measurement").check()
    expect(statistics).to_match_aria_snapshot(STATISTICS % (" [checked]", " [checked]"))


def test_the_lists_of_providers_say_whether_they_are_open(visitor: Visitor) -> None:
    """R72: what Chromium tells of a `summary`, which the snapshots above leave out."""
    visitor.open()
    visitor.customise()
    session = visitor.page.context.new_cdp_session(visitor.page)

    def lists() -> dict[str, bool]:
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        return {
            node["name"]["value"]: state["value"]["value"]
            for node in nodes
            if node.get("role", {}).get("value") == "DisclosureTriangle"
            for state in node["properties"]
            if state["name"] == "expanded"
        }

    assert lists()["2 providers: Statistics"] is False
    visitor.unfold()
    visitor.wait_until(lambda: set(lists().values()) == {True} and len(lists()) == 4)


def test_the_message_after_an_answer_is_a_status(visitor: Visitor) -> None:
    """R73: it stands in an element that was there before, empty, so that it is read out."""
    visitor.open()
    expect(visitor.status).to_be_attached()
    expect(visitor.status).to_be_empty()
    visitor.status.evaluate("status => window.before = status")
    visitor.button("Refuse all").click()
    expect(visitor.page.locator("body")).to_match_aria_snapshot("- status: Your choices are saved.")
    assert visitor.status.evaluate("status => status === before")


def test_the_charters_form_and_contacts(visitor: Visitor) -> None:
    visitor.open().refuse()
    visitor.open("/cookie-charter/").expect_in_charge()
    expect(visitor.page.locator("#wcc-choices")).to_match_aria_snapshot(
        """
        - heading "Your choices" [level=2]
        - paragraph: /You can accept, refuse or change your mind/
        - paragraph: /Choose what you allow/
        - button "Accept all"
        - button "Refuse all"
        - group "Necessary for the site to work"
        - group "Anonymous audience measurement":
          - 'checkbox "Allow: Anonymous audience measurement"'
        - group "Statistics":
          - 'checkbox "Allow: Statistics"'
          - group:
            - checkbox "Example Measurement"
            - checkbox "Second Counter"
        - group "Videos, maps and other content from elsewhere":
          - 'checkbox "Allow: Videos, maps and other content from elsewhere"'
        - alert
        - paragraph:
          - button "Save my choices"
        """
    )
    expect(visitor.page.locator("#wcc-contacts")).to_match_aria_snapshot(
        """
        - heading "Who is responsible" [level=2]
        - term: Controller
        - definition:
          - text: City of Example 1 Town Hall Square
          - link "hello@city.example"
        - term: Data protection officer
        - definition:
          - text: Data protection officer
          - link "dpo@city.example"
        - term: Where to complain
        - definition:
          - link "CNIL"
        """
    )
