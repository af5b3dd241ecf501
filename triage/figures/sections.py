"""Figures put together for people: the cards, charts and tables that a page shows side by side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from triage.figures.drawn import MAX_BARS, draw_bars, draw_over_time
from triage.figures.figure import Figure, Point, Series
from triage.figures.words import NOT_KNOWN, counted, noun_of, written

FEW = 30
"""Below so many, a share says little; the card says how little."""


@dataclass(frozen=True, slots=True)
class Card:
    """A figure on its own; ``n`` says from how many tickets."""

    title: str
    value: str
    n: str
    how: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as SVG, which is ours and needs no escaping; ``name`` is that of its one series."""

    title: str
    svg: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: for each column a value and what it is made of."""

    label: str
    name: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of charts, a row a point. ``first`` heads the names of the rows."""

    title: str
    first: str
    columns: list[str]
    rows: list[Row]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: figures that belong together, as numbers, charts and tables.

    ``notes`` are sentences for people; ``told`` is what the section rests on, for a CSV file.
    """

    id: str
    title: str
    cards: list[Card]
    charts: list[Chart]
    tables: list[Table]
    told: tuple[Figure | Series, ...] = ()
    notes: tuple[str, ...] = ()
    group: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is no number in it."""
        return not (self.cards or self.charts or self.tables)


class Layout:
    """Makes cards, charts and tables of figures; what nothing tells anything about is left out."""

    def __init__(self, figures: Iterable[Figure], series: Iterable[Series]) -> None:
        self._figures = {one.name: one for one in figures}
        self._series = tuple(series)
        self._known = {
            name: one
            for name, one in self._figures.items()
            if one.unit == "count" or one.count.denominator
        }

    def cards(self, names: Iterable[str]) -> list[Card]:
        """Make a card of each figure that is known."""
        return [self._card(self._known[name]) for name in names if name in self._known]

    def over_time(
        self, names: Sequence[str], title: str = "", *, promised: float | None = None
    ) -> list[Chart]:
        """Draw figures by week or month in one chart, or none.

        Parameters
        ----------
        promised : a share to draw a line at
        """
        series = [
            one
            for name in names
            for one in self._series
            if one.name == name and one.is_over_time and one.n_known
        ]
        if not series:
            return []
        svg = draw_over_time(series, title=title, promised=promised)
        return [Chart(title or series[0].title, svg, series[0].name if len(series) == 1 else "")]

    def by(self, kind: str, name: str, title: str = "") -> list[Chart]:
        """Draw a figure by category, tier and so on as bars, or none."""
        found = [one for one in self._series if one.name == name and one.by == kind and one.n_known]
        charts = []
        for series in found:
            told = title or series.title
            if kind == "category" and name != "specialist_categories" and not title:
                told += ", by category"
            if len(series.points) > MAX_BARS:
                told += f", the first {MAX_BARS}"
            charts.append(Chart(told, draw_bars(series, title=told), series.name))
        return charts

    def table(
        self, kind: str, names: Sequence[str], title: str = "", *, columns: Sequence[str] = ()
    ) -> list[Table]:
        """Put the numbers of figures into one table, by "over time" or a kind of group; or none.

        Parameters
        ----------
        columns : what their columns are called; the titles of the figures unless given
        """
        series = [
            one
            for one in self._series
            if (one.is_over_time if kind == "over time" else one.by == kind)
            and one.name in names
            and one.n_known
        ]
        if not series:
            return []
        points = [{point.label: point for point in one.points} for one in series]
        labels = dict.fromkeys(label for one in points for label in one)
        rows = [
            Row(
                label,
                next(one[label].name for one in points if label in one),
                [_cell(series[n], one.get(label)) for n, one in enumerate(points)],
            )
            for label in labels
        ]
        by, first = series[0].by, series[0].title
        return [
            Table(
                title or (f"{first}, by {by}" if len(names) == 1 else f"By {by}"),
                by.capitalize(),
                [*columns] or [one.title for one in series],
                rows,
                tuple(one.name for one in series),
            )
        ]

    def section(
        self,
        named: tuple[str, str],
        names: Sequence[str],
        charts: Sequence[list[Chart]],
        tables: Sequence[list[Table]],
        *,
        more: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> Section:
        """Put a section together.

        Parameters
        ----------
        named : its id and title
        names : the figures that it shows as cards
        charts, tables : made by this layout
        more : names of series without a figure of their own, for the CSV file
        """
        shown = {*names, *more, *(name for found in tables for one in found for name in one.names)}
        told: list[Figure | Series] = [
            *(one for name, one in self._figures.items() if name in shown),
            *(one for one in self._series if one.name in shown),
        ]
        return Section(
            *named,
            self.cards(names),
            [chart for found in charts for chart in found],
            [table for found in tables for table in found],
            tuple(told),
            tuple(notes),
        )

    def _card(self, figure: Figure) -> Card:
        value = written(figure.value, figure.unit)
        if figure.unit == "count":
            return Card(figure.title, value, "", figure.how)
        noun = noun_of(figure.name)
        n = counted(figure.count, figure.unit, noun)
        interval = figure.count.interval(figure.unit)
        # The articles there are, are all there are: their share is no matter of chance.
        if interval and figure.count.denominator < FEW and noun != "article":
            low, high = interval
            n += f"; so few that anything from {low:.0%} to {high:.0%} is likely"
        return Card(figure.title, value, n, figure.how)


def in_group(group: str, sections: Iterable[Section]) -> Iterator[Section]:
    """Name the group that sections belong to."""
    for one in sections:
        yield replace(one, group=group)


def _cell(series: Series, point: Point | None) -> tuple[str, str]:
    """Give a value and what it is made of; both are empty where nothing belongs."""
    if point is None or series.value(point) is None:
        return NOT_KNOWN if point and point.count.not_known else "", ""
    value = written(series.value(point), series.unit)
    if series.unit == "share":
        return value, f"{point.count.numerator:,.0f} of {point.count.denominator:,}"
    return value, "" if series.unit == "count" else f"of {point.count.denominator:,}"
