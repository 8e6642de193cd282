"""Line charts as SVG text, without any library: what a self-contained page can carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite, log10

WIDTH, HEIGHT = 860, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 8, 22
POINTS = 700
COLOURS = ("#0b6e4f", "#8a8f98", "#b3541e", "#3a5fa0")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: a name and its values, evenly spaced in time."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on a chart: its place along the values, its height, and whether it is a purchase."""

    place: int
    value: float
    buys: bool


def chart(
    title: str,
    lines: Sequence[Line],
    first: str,
    last: str,
    *,
    logarithmic: bool = False,
    percent: bool = False,
    marks: Sequence[Mark] = (),
) -> str:
    """Return a chart with its title as accessible text; ``first`` and ``last`` name its ends."""
    count = max(len(line.values) for line in lines)
    values = [
        v for line in lines for v in line.values if isfinite(v) and (v > 0 or not logarithmic)
    ]
    if not values or count < 2:
        return f"<p>{escape(title)}: nothing to draw.</p>"
    scale = _Scale(min(values), max(values), count, logarithmic=logarithmic)
    body = [_grid(scale, percent=percent)]
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        body.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.3" '
            f'points="{_path(scale, line.values)}"/>'
        )
    body.extend(_dot(scale, mark) for mark in marks)
    baseline = TOP + HEIGHT
    body.append(
        f'<text x="{LEFT}" y="{baseline + 16}">{escape(first)}</text>'
        f'<text x="{LEFT + WIDTH}" y="{baseline + 16}" text-anchor="end">{escape(last)}</text>'
    )
    names = " ".join(
        f'<span style="color:{COLOURS[number % len(COLOURS)]}">&#9632; {escape(line.name)}</span>'
        for number, line in enumerate(lines)
    )
    box = f"0 0 {LEFT + WIDTH + RIGHT} {TOP + HEIGHT + BOTTOM}"
    return (
        f"<figure><figcaption>{escape(title)} {names}</figcaption>"
        f'<svg viewBox="{box}" role="img" aria-label="{escape(title)}">'
        f"{''.join(body)}</svg></figure>"
    )


class _Scale:
    def __init__(self, low: float, high: float, count: int, *, logarithmic: bool) -> None:
        self.logarithmic = logarithmic
        self.low, self.high = self._bent(low), self._bent(high)
        if self.high == self.low:
            self.low, self.high = self.low - 1, self.high + 1
        self.count = count

    def _bent(self, value: float) -> float:
        return log10(value) if self.logarithmic else value

    def unbent(self, height: float) -> float:
        """Return the value that a share of the height stands for."""
        value = self.low + height * (self.high - self.low)
        return float(10**value) if self.logarithmic else value

    def x(self, place: float) -> float:
        """Return the horizontal position of a place."""
        return LEFT + WIDTH * place / (self.count - 1)

    def y(self, value: float) -> float:
        """Return the vertical position of a value."""
        share = (self._bent(value) - self.low) / (self.high - self.low)
        return TOP + HEIGHT * (1 - share)


def _path(scale: _Scale, values: Sequence[float]) -> str:
    step = max(1, len(values) // POINTS)
    places = [*range(0, len(values) - 1, step), len(values) - 1]
    return " ".join(
        f"{scale.x(place):.1f},{scale.y(values[place]):.1f}"
        for place in places
        if isfinite(values[place]) and (values[place] > 0 or not scale.logarithmic)
    )


def _grid(scale: _Scale, *, percent: bool) -> str:
    rows = []
    for part in range(5):
        value = scale.unbent(part / 4)
        height = TOP + HEIGHT * (1 - part / 4)
        text = f"{value:.0%}" if percent else _short(value)
        rows.append(
            f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{height:.1f}" y2="{height:.1f}" '
            f'stroke="#dfe3e8"/><text x="{LEFT - 6}" y="{height + 4:.1f}" '
            f'text-anchor="end">{text}</text>'
        )
    return "".join(rows)


def _dot(scale: _Scale, mark: Mark) -> str:
    x, y = scale.x(mark.place), scale.y(mark.value)
    up = f"M{x:.1f},{y + 2:.1f} l-3,6 h6 z" if mark.buys else f"M{x:.1f},{y - 2:.1f} l-3,-6 h6 z"
    return f'<path d="{up}" fill="{"#0b6e4f" if mark.buys else "#b3261e"}"/>'


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
