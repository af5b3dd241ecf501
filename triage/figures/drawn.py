"""Series as charts: over time as lines, by kind as bars."""

from collections.abc import Sequence

from triage.charts import NOTHING, Bar, Line, bar_chart, line_chart
from triage.figures.figure import Series
from triage.figures.words import counted, written

MAX_BARS = 12
"""Bars of a chart, the first of the series; the table beside it has them all."""


def draw_over_time(
    series: Sequence[Series],
    *,
    title: str = "",
    names: Sequence[str] = (),
    promised: float | None = None,
    empty: str = NOTHING,
) -> str:
    """Draw one or several series of the same unit and the same periods as lines.

    Parameters
    ----------
    title : of the chart; that of the first series unless given
    names : of the lines; the titles of the series unless given
    promised : a share to draw another line at, all the way

    Notes
    -----
    A share that stands alone has the band that its true value lies in 95 times in 100, Wilson's;
    bands over one another would hide the lines.
    """
    first = series[0]
    lines = [
        Line(
            name,
            [one.value(point) for point in one.points],
            [point.count.interval(one.unit) for point in one.points] if len(series) == 1 else (),
            [counted(point.count, one.unit) for point in one.points],
        )
        for name, one in zip(names or [one.title for one in series], series, strict=True)
    ]
    if promised is not None:
        lines.append(
            Line(f"Promised: {written(promised, first.unit)}", [promised] * len(first.points))
        )
    return line_chart(
        lines,
        [point.name for point in first.points],
        title=title or first.title,
        description=_said(series),
        unit=first.unit,
        empty=empty,
    )


def draw_bars(series: Series, *, title: str = "", empty: str = NOTHING) -> str:
    """Draw the first points of a series as bars, with the intervals of shares."""
    bars = [
        Bar(
            point.name,
            series.value(point),
            ""
            if series.unit == "count"
            else _brief(point.count.numerator, point.count.denominator)
            if series.unit == "share"
            else f"{point.count.denominator:,}",
            point.count.interval(series.unit),
        )
        for point in series.points[:MAX_BARS]
    ]
    return bar_chart(
        bars,
        title=title or series.title,
        description=_said([series]),
        unit=series.unit,
        empty=empty,
    )


def _brief(hits: float, n: int) -> str:
    return f"{hits:,.0f} of {n:,}"


def _said(series: Sequence[Series]) -> str:
    """Tell a reader who cannot see the chart what it shows: from where to where."""
    told = []
    for one in series:
        known = [(point, one.value(point)) for point in one.points]
        found = [(point, value) for point, value in known if value is not None]
        if found:
            (begin, first), (end, last) = found[0], found[-1]
            told.append(
                f"{one.title}: {written(first, one.unit)} ({begin.name}) to "
                f"{written(last, one.unit)} ({end.name}), {len(found)} points."
            )
    return " ".join(told) or "No values."
