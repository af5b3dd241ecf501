"""Charts as SVG text, made where the page is made: no script, no style, nothing to fetch.

They carry classes and plain attributes only, so that a page with a strict content policy can show
them and colour them (`STYLE`) for light and dark. Every text in them may come from strangers. The
numbers belong into a table beside the chart as well, which is the page's affair.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from triage.figures.figure import Unit
from triage.figures.words import written
from triage.svg_text import SMALL, clean, number, shortened, text_at, width

STYLE = """\
.chart { display: block; width: 100%; height: auto; font-variant-numeric: tabular-nums; }
.chart-text { fill: currentColor; }
.chart-muted { fill: var(--chart-muted, currentColor); }
.chart-grid { stroke: var(--chart-grid, currentColor); }
.chart-axis { stroke: var(--chart-axis, currentColor); }
.chart-1 { color: var(--chart-1, currentColor); }
.chart-2 { color: var(--chart-2, currentColor); }
.chart-3 { color: var(--chart-3, currentColor); }
.chart-4 { color: var(--chart-4, currentColor); }
"""
"""What a page puts into its own stylesheet; the colours are the page's custom properties."""

WIDTH = 440
"""Of every chart, in its own units: a column of a page, or the whole of a small screen."""

NOTHING = "Nothing to show yet"

_HEIGHT = 150  # of the field that lines are drawn in
_ROW = 34  # from one bar to the next
_LEGEND = 17
_EDGE = 8
_DASHES = ("", "7 3", "2 3", "9 3 2 3")  # lines differ in more than colour
_MAX_MARKS = 60  # places; dots on more of them are a thick line
_ROUND = (1, 2, 2.5, 5, 10)

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: a value a place, None for a gap.

    ``band`` holds for each place what the true value lies between, or None. ``notes`` are what a
    pointer is told at each place.
    """

    name: str
    values: Sequence[float | None]
    band: Sequence[tuple[float, float] | None] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from zero. ``note`` stands behind the value; the true value lies in ``interval``."""

    name: str
    value: float | None
    note: str = ""
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a funnel: how many got there; ``note`` says what became of the others."""

    name: str
    n: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reliable:
    """Answers of about the same confidence, and the share of them that was right."""

    confidence: float
    right: float
    n: int
    interval: tuple[float, float] | None = None


def line_chart(
    lines: Sequence[Line],
    labels: Sequence[str],
    *,
    title: str,
    description: str,
    unit: Unit,
    empty: str = NOTHING,
) -> str:
    """Draw lines over places that follow one another, such as weeks.

    Parameters
    ----------
    labels : the names of the places; as many as fit are written
    unit : how values are written; the axis begins at 0, that of shares ends at 1 at most
    empty : what stands there when no line has a value
    """
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return _nothing(title, description, empty)
    highest = max([*known, *(high for line in lines for _, high in filter(None, line.band))])
    ticks = _ticks(min(highest, 1.0) if unit == "share" else highest, unit)
    named = {_tick_text(tick, unit): tick for tick in ticks}
    n_named = len(lines) if len(lines) > 1 else 0
    frame = _Frame(
        left=max(width(name, SMALL) for name in named) + 8,
        top=_LEGEND * n_named + 8,
        n_places=len(labels),
        highest=ticks[-1],
    )
    body = _grid(frame, named) + _place_names(frame, labels)
    for place, line in enumerate(lines):
        if n_named:
            body += _legend(place, line.name)
        body += _drawn(frame, line, place, labels, unit)
    return _svg(title, description, frame.bottom + 24, body)


def bar_chart(
    bars: Sequence[Bar], *, title: str, description: str, unit: Unit, empty: str = NOTHING
) -> str:
    """Draw bars from zero, one below the other as given.

    The highest value is full width, but shares are told of the whole once one is over a half.
    """
    known = [bar.value for bar in bars if bar.value is not None]
    if not known:
        return _nothing(title, description, empty)
    highest = max([*known, *(bar.interval[1] for bar in bars if bar.interval)])
    if unit == "share" and highest > 0.5:
        highest = 1.0
    body: list[str] = []
    for place, bar in enumerate(bars):
        top = _ROW * place
        body += _bar(top, bar.name, written(bar.value, unit), bar.note, bar.value or 0, highest)
        if bar.interval and highest:
            low, high = (number(WIDTH * end / highest) for end in bar.interval)
            body.append(_path(f"M{low} {top + 22}H{high}", "chart-axis", 1.5, 0.8))
    return _svg(title, description, _ROW * len(bars), body)


def funnel_chart(
    stages: Sequence[Stage], *, title: str, description: str, empty: str = NOTHING
) -> str:
    """Draw how many are left stage by stage, each with its share of the stage before."""
    highest = max((stage.n for stage in stages), default=0)
    if not highest:
        return _nothing(title, description, empty)
    body: list[str] = []
    top, before = 0, 0
    for stage in stages:
        share = f"{stage.n / before:.1%} of those before" if before else ""
        body += _bar(top, stage.name, f"{stage.n:,}", share, stage.n, highest)
        top, before = top + _ROW, stage.n
        if stage.note:
            body.append(text_at(stage.note, 0, top + 5, room=WIDTH, size=SMALL, kind="chart-muted"))
            top += 20
    return _svg(title, description, top, body)


def reliability_chart(
    points: Sequence[Reliable], *, title: str, description: str, empty: str = NOTHING
) -> str:
    """Draw how often answers were right against how sure they were; on the diagonal both agree."""
    known = [point for point in points if point.n]
    if not known:
        return _nothing(title, description, empty)
    left, top, wide, high = 40, 22, WIDTH - 40 - 20, 250
    bottom = top + high

    def x_of(confidence: float) -> float:
        return left + wide * confidence

    def y_of(right: float) -> float:
        return bottom - high * right

    body = [text_at("right", 0, 10, room=80, size=SMALL, kind="chart-muted")]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        name, y = f"{tick:.0%}", y_of(tick)
        body += [
            _path(f"M{left} {number(y)}H{left + wide}", "chart-grid", 1, 0.25),
            _tick(name, left - 6, y + 4, "end"),
            _tick(name, x_of(tick), bottom + 16, "middle"),
        ]
    body.append(_path(f"M{left} {bottom}L{left + wide} {top}", "chart-axis", 1, 0.7, "4 4"))
    largest = max(point.n for point in known)
    for point in known:
        x, y = x_of(point.confidence), y_of(point.right)
        radius = 3 + 6 * math.sqrt(point.n / largest)
        over = y - radius
        if point.interval:
            low, up = (y_of(end) for end in point.interval)
            body.append(_path(f"M{number(x)} {number(low)}V{number(up)}", "chart-1", 1.5, 0.6))
            over = min(over, up)
        note = (
            f"{point.confidence:.1%} sure, {point.right:.1%} right, "
            f"{point.n:,} ticket{'s' * (point.n != 1)}"
        )
        body += [
            _dot(x, y, radius, "chart-1", note, 0.65),
            text_at(
                f"{point.n:,}", x, over - 3, room=60, anchor="middle", size=9, kind="chart-muted"
            ),
        ]
    body.append(_tick("confidence", left + wide / 2, bottom + 34, "middle"))
    return _svg(title, description, bottom + 40, body)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where lines are drawn; ``highest`` is the value at the upper edge."""

    left: float
    top: float
    n_places: int
    highest: float

    @property
    def bottom(self) -> float:
        return self.top + _HEIGHT

    @property
    def right(self) -> float:
        return WIDTH - _EDGE

    def x(self, place: int) -> float:
        begin, end = self.left + 2 * _EDGE, self.right - _EDGE
        if self.n_places < 2:
            return (begin + end) / 2
        return begin + (end - begin) * place / (self.n_places - 1)

    def y(self, value: float) -> float:
        return self.bottom - _HEIGHT * value / self.highest


def _ticks(highest: float, unit: Unit) -> list[float]:
    """List round numbers from 0 to the first that is not below the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in _ROUND if one * power >= rough * (1 - 1e-9))
    if unit == "count":
        step = math.ceil(step)
    return [step * place for place in range(math.ceil(highest / step - 1e-9) + 1)]


def _tick_text(value: float, unit: Unit) -> str:
    return f"{round(100 * value, 6):g}%" if unit == "share" else f"{round(value, 9):,.10g}"


def _grid(frame: _Frame, named: dict[str, float]) -> list[str]:
    body = []
    for name, value in named.items():
        y = frame.y(value)
        body += [
            _path(
                f"M{number(frame.left)} {number(y)}H{number(frame.right)}",
                "chart-grid",
                1,
                0.25 if value else 0.6,
            ),
            _tick(name, frame.left - 6, y + 4, "end"),
        ]
    return body


def _place_names(frame: _Frame, labels: Sequence[str]) -> list[str]:
    """Write as many names of places as fit beside one another, evenly from the first."""
    names = [shortened(clean(label), WIDTH / 2, SMALL) for label in labels]
    widest = max(width(name, SMALL) for name in names) + 12
    step = math.ceil(len(names) * widest / (frame.right - frame.left))
    body = []
    free_from = 0.0
    for place in range(0, len(names), step):
        x = frame.x(place)
        middle = min(max(x, widest / 2), WIDTH - widest / 2)  # not beyond the edges
        if middle - widest / 2 < free_from:
            continue
        free_from = middle + widest / 2
        body += [
            _path(f"M{number(x)} {number(frame.bottom)}v4", "chart-axis", 1, 0.6),
            _tick(names[place], middle, frame.bottom + 17, "middle"),
        ]
    return body


def _legend(place: int, name: str) -> list[str]:
    y = _LEGEND * place + 8
    dash = _DASHES[place % len(_DASHES)]
    return [
        _path(f"M0 {y}H26", _colour(place), 2, 1, dash),
        text_at(name, 34, y + 4, room=WIDTH - 34),
    ]


def _drawn(
    frame: _Frame, line: Line, place: int, labels: Sequence[str], unit: Unit
) -> Iterator[str]:
    kind, dash = _colour(place), _DASHES[place % len(_DASHES)]
    for held in _runs(line.band):
        there = [f"{number(frame.x(at))} {number(frame.y(high))}" for at, (_, high) in held]
        back = [f"{number(frame.x(at))} {number(frame.y(low))}" for at, (low, _) in reversed(held)]
        yield (
            f'<path d="M{"L".join(there + back)}Z" class="{kind}" fill="currentColor" '
            'fill-opacity="0.15"/>'
        )
    marks = sum(value is not None for value in line.values) <= _MAX_MARKS
    for run in _runs(line.values):
        points = [(frame.x(at), frame.y(value)) for at, value in run]
        yield _path("M" + "L".join(f"{number(x)} {number(y)}" for x, y in points), kind, 2, 1, dash)
        for (at, value), (x, y) in zip(run, points, strict=True):
            if marks or len(run) == 1:
                more = f" ({line.notes[at]})" if at < len(line.notes) else ""
                yield _dot(x, y, 3, kind, f"{labels[at]}: {written(value, unit)}{more}", 1)


def _runs(values: Sequence[_Value | None]) -> list[list[tuple[int, _Value]]]:
    """Cut values at the gaps; each has its place with it."""
    runs: list[list[tuple[int, _Value]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]


def _bar(top: float, name: str, value: str, note: str, length: float, highest: float) -> list[str]:
    told = f"{value}  ({note})" if note else value
    wide = WIDTH * length / highest if highest else 0
    return [
        text_at(name, 0, top + 13, room=WIDTH - width(told) - 16),
        text_at(told, WIDTH, top + 13, room=WIDTH, anchor="end", kind="chart-muted"),
        f'<rect x="0" y="{number(top + 19)}" width="{WIDTH}" height="6" rx="2" class="chart-track" '
        'fill="currentColor" fill-opacity="0.08"/>',
        f'<rect x="0" y="{number(top + 19)}" width="{number(wide)}" height="6" rx="2" '
        'class="chart-1" fill="currentColor"/>',
    ]


def _tick(text: str, x: float, y: float, anchor: str) -> str:
    return text_at(text, x, y, room=WIDTH, anchor=anchor, size=SMALL, kind="chart-muted")


def _path(line: str, kind: str, wide: float, opacity: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{line}" class="{kind}" fill="none" stroke="currentColor" '
        f'stroke-width="{wide}" stroke-opacity="{opacity}" stroke-linejoin="round"{dashes}/>'
    )


def _dot(x: float, y: float, radius: float, kind: str, note: str, opacity: float) -> str:
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{kind}" '
        f'fill="currentColor" fill-opacity="{opacity}">'
        f"<title>{escape(clean(note))}</title></circle>"
    )


def _colour(place: int) -> str:
    return f"chart-{place % len(_DASHES) + 1}"


def _nothing(title: str, description: str, empty: str) -> str:
    told = text_at(empty, WIDTH / 2, 40, room=WIDTH, anchor="middle", kind="chart-muted")
    return _svg(title, description, 70, [told])


def _svg(title: str, description: str, height: float, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {number(height)}" '
        f'width="{WIDTH}" class="chart" role="img">'
        f"<title>{escape(clean(title))}</title><desc>{escape(clean(description))}</desc>"
        f"{''.join(body)}</svg>"
    )
