"""Where the bars of the report's charts stand: numbers, for templates that draw SVG.

Pure. Widths are per cent and heights pixels, both as text that no language writes otherwise,
so that a chart fits any screen. Words that must wrap stand beside the SVG, not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: Height in pixels of the columns of a chart over time.
COLUMNS = 180


def shares(parts: Sequence[int], whole: int) -> list[str]:
    """Each part of ``whole`` in per cent, as text: never 0 or 100 for what is not none or all.

    Whole numbers; what is less than one is "< 1", what lacks less than one, "> 99". Parts that
    are ``whole`` together are rounded together, so that the numbers add up to 100 as well.
    """
    if not whole:
        return ["0" for _part in parts]
    exact = [100 * part / whole for part in parts]
    found = [100 * part // whole for part in parts]
    if sum(parts) == whole:
        # The largest remainders are rounded up; what is shown in words has no say.
        countable = [place for place, value in enumerate(exact) if 1 <= value <= 99]
        countable.sort(key=lambda place: found[place] - exact[place])
        for place in countable[: 100 - sum(found)]:
            found[place] += 1
    else:
        found = [round(value) for value in exact]
    return [
        str(number)
        if value in (0, 100)
        else "< 1"
        if value < 1
        else "> 99"
        if value > 99
        else str(number)
        for value, number in zip(exact, found, strict=True)
    ]


def share(part: int, whole: int) -> str:
    """One part alone."""
    return shares([part], whole)[0]


def points(before: str, after: str) -> int:
    """By how many percentage points two shares differ, as they are shown."""
    ends = {"< 1": 0, "> 99": 100}
    old, new = (ends[text] if text in ends else int(text) for text in (before, after))
    return new - old


@dataclass(frozen=True)
class Piece:
    """A part of a bar: its look (a class in the stylesheet), its place and its size."""

    look: str
    start: str
    size: str


def pieces(parts: Mapping[str, int], full: float, unit: str, scale: int = 0) -> list[Piece]:
    """Look -> number, as parts of one bar that is ``full`` units long for ``scale``.

    Without ``scale``, for all the parts together. What is nothing has no part.
    """
    scale = scale or sum(parts.values())
    found, before = [], 0
    for look, value in parts.items():
        if value:
            start, end = full * before / scale, full * (before + value) / scale
            found.append(Piece(look, f"{start:.2f}{unit}", f"{end - start:.2f}{unit}"))
        before += value
    return found


@dataclass(frozen=True)
class Bar:
    """One line of a chart: a name, what it is made of, and the same in words."""

    label: str
    parts: list[Piece]
    note: str = ""


def bars(rows: Iterable[tuple[str, Mapping[str, int], str]], scale: int = 0) -> list[Bar]:
    """Label, look -> number, and note of each line.

    All bars are equally long, and show shares; or as long as they are of ``scale``.
    """
    return [Bar(label, pieces(parts, 100, "%", scale), note) for label, parts, note in rows]


@dataclass(frozen=True)
class Column:
    """What happened in one day, week or month; ``parts`` grow upwards from the ground."""

    label: str
    x: str
    width: str
    parts: list[Piece]
    total: int


@dataclass(frozen=True)
class Columns:
    columns: list[Column]
    #: What the top line stands for.
    top: int

    height = COLUMNS


ROUND = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)


def ceiling(highest: int) -> int:
    """A round number that is at least ``highest``."""
    if highest <= 10:
        return max(highest, 1)
    step = 10 ** (len(str(highest)) - 2)
    return next(step * part for part in ROUND if step * part >= highest)


def columns(periods: Sequence[tuple[str, Mapping[str, int]]]) -> Columns:
    """Label and look -> number of each period, in order."""
    top = ceiling(max((sum(parts.values()) for _label, parts in periods), default=0))
    step = 100 / len(periods) if periods else 100
    found = []
    for place, (label, parts) in enumerate(periods):
        upwards = [
            # SVG counts from above.
            Piece(
                piece.look,
                f"{COLUMNS - float(piece.start) - float(piece.size):.2f}",
                piece.size,
            )
            for piece in pieces(parts, COLUMNS, "", top)
        ]
        found.append(
            Column(
                label,
                f"{(place + 0.1) * step:.3f}%",
                f"{0.8 * step:.3f}%",
                upwards,
                sum(parts.values()),
            )
        )
    return Columns(found, top)
