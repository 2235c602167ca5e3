"""Promise 2: what is behind a gate stays there, whoever wrote it."""

from __future__ import annotations

import pytest
from django.utils.safestring import SafeString

from tests.test_enclosure import INSIDE, OUTSIDE
from wagtail_cookie_charter.gating import BadGate, nested, wrap

BOLD = SafeString("<b>x</b>")


@pytest.mark.parametrize("content", INSIDE)
def test_what_stays_inside_is_put_there_as_it_is(content: str) -> None:
    assert (
        wrap(SafeString(content), "media")
        == f'<template data-cookie-charter="media">{content}</template>'
    )


@pytest.mark.parametrize("content", OUTSIDE)
def test_what_does_not_is_refused(content: str) -> None:
    with pytest.raises(BadGate, match="does not own"):
        wrap(SafeString(content), "media")


def test_nothing_waits_where_nothing_is_asked() -> None:
    assert wrap(BOLD, None, SafeString("<i>card</i>")) == "<b>x</b>"


def test_gates_in_gates_each_have_their_card() -> None:
    """R57: whoever opened the outer one reads why the inner one still waits."""
    html = nested(BOLD, ["media 1", "statistics"], lambda gate: SafeString(f"<i>{gate}</i>"))
    assert html == (
        '<i>media 1</i><template data-cookie-charter="media 1">'
        '<i>statistics</i><template data-cookie-charter="statistics"><b>x</b></template>'
        "</template>"
    )
    assert nested(BOLD, [], lambda gate: SafeString("card")) == "<b>x</b>"
