"""What the server sends is valid HTML, before any script has touched it (RGAA 8.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.engines import html_validate
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_the_validator_does_find_what_is_wrong(tmp_path: Path) -> None:
    wrong = "<!doctype html><html lang='en'><title>T</title><ul><p>Not here</p></ul><img src='a'>"
    findings = "\n".join(html_validate({"wrong": wrong}, tmp_path))
    for rule in ("element-permitted-content", "wcag/h37"):
        assert f"html-validate {rule}: wrong.html:1" in findings


def test_all_that_is_served_is_valid(visitor: Visitor, cards: str, tmp_path: Path) -> None:
    """Banner, cards, charter with its form that works without JavaScript, second layer."""
    pages = {
        "banner-and-cards": cards,
        "charter": "/cookie-charter/",
        "charter-in-french": "/fr/charte-cookies/",
        "second-layer": str(visitor.open().banner.get_attribute("data-preferences")),
    }
    texts = {name: visitor.page.request.get(path).text() for name, path in pages.items()}
    assert "wcc-embed" in texts["banner-and-cards"] and "wcc-form" in texts["charter"]
    assert html_validate(texts, tmp_path) == []
