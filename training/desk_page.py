"""The page of the desk's figures: one HTML file that asks for nothing else and runs nothing."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup

from training.event_log import LogAccount
from triage.charts import STYLE
from triage.figures.desk import DeskFigures
from triage.figures.drawn import MAX_BARS, draw_bars, draw_over_time
from triage.figures.ended import TierOrder
from triage.figures.figure import Figure, Point, Series
from triage.figures.measures import CSAT, ESCALATED, MISSING, REACHED, RESOLVED, TICKETS
from triage.figures.words import counted, written


@dataclass(frozen=True, slots=True)
class _Card:
    """A figure on its own; ``n`` says from how many tickets."""

    title: str
    value: str
    n: str
    how: str


@dataclass(frozen=True, slots=True)
class _Chart:
    title: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class _Table:
    """The numbers of charts: a row a point, and for each column a value and what it is made of."""

    title: str
    first: str
    columns: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the page: figures that belong together, as numbers, charts and tables."""

    id: str
    title: str
    cards: list[_Card]
    charts: list[_Chart]
    tables: list[_Table]


def render_page(figures: DeskFigures, order: TierOrder, account: LogAccount) -> str:
    """Render the report of an event log; the same input gives the same text.

    Returns
    -------
    str : an HTML page that asks for no other file and runs no script
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = "{:,}".format
    style = files("training").joinpath("templates/desk_report.css").read_text("utf-8") + STYLE
    page = _Page(figures, order)
    return environment.get_template("desk_report.html").render(
        figures=figures,
        account=account,
        style=Markup(style),  # our own, and all that the page's policy lets apply
        style_hash=b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        headline=page.headline(),
        sections=list(page.sections()),
        by=figures.over_time(TICKETS).by,
    )


class _Page:
    """Puts the figures together; what no ticket tells anything about is left out."""

    def __init__(self, figures: DeskFigures, order: TierOrder) -> None:
        self._figures = figures
        self._known = {
            one.name: one for one in figures.figures if one.unit == "count" or one.count.denominator
        }
        self._escalated = [f"{ESCALATED}_{tier}" for tier in order.tiers]
        self._resolved = [f"{RESOLVED}_{tier}" for tier in order.tiers]
        self._below = [f"{ESCALATED}_{tier}" for tier in order.daily[:-1]]

    def headline(self) -> list[_Card]:
        """Give what a head of a desk asks first."""
        names = (
            "first_contact_resolution",
            *self._below,
            REACHED,
            "reassigned",
            "reopened",
            "csat",
        )
        return self._cards(names)

    def sections(self) -> Iterator[_Section]:
        """Give the parts of the page that have something to show."""
        yield from self._section(
            ("first-contact", "First contact"),
            ["first_contact_resolution"],
            [
                self._over_time(["first_contact_resolution"]),
                self._over_time([TICKETS]),
                self._by("category", "first_contact_resolution"),
                self._by("category", TICKETS),
            ],
            [
                self._table("over time", [TICKETS, "first_contact_resolution"]),
                self._table("category", [TICKETS, "first_contact_resolution"]),
            ],
        )
        yield from self._section(
            ("escalation", "Escalation"),
            [REACHED, *self._escalated, *self._resolved],
            [
                self._over_time(self._below, "Escalated from each tier"),
                self._over_time([REACHED]),
                self._by("tier", RESOLVED),
                self._by("tier", ESCALATED),
                self._by("category", REACHED),
                *(self._by("category", name) for name in self._below),
            ],
            [
                self._table("tier", [RESOLVED, ESCALATED]),
                self._table("over time", [REACHED, *self._escalated]),
                self._table("category", [REACHED, *self._escalated]),
            ],
        )
        hands = ["reassigned", "reassignments", "reopened", "reopenings"]
        yield from self._section(
            ("hands", "Reassignments and reopenings"),
            hands,
            [
                self._over_time(["reassigned"]),
                self._over_time(["reopened"]),
                self._by("category", "reassignments"),
                self._by("category", "reopened"),
            ],
            [self._table("over time", hands), self._table("category", hands)],
        )
        reasons = [
            *("specialists_directly", "specialists_without_article"),
            *(MISSING, "specialists_user_facing"),
        ]
        yield from self._section(
            ("specialists", self._figures.figure(REACHED).title.replace("Reached", "What reaches")),
            reasons,
            [
                *(self._over_time([name]) for name in reasons),
                self._by("category", "specialist_categories"),
                self._by("detail", "specialist_details"),
                *(self._by("category", name) for name in reasons[1:]),
            ],
            [
                self._table("category", ["specialist_categories"]),
                self._table("detail", ["specialist_details"]),
                self._table("over time", reasons),
                self._table("category", reasons),
            ],
        )
        yield from self._section(
            ("satisfaction", "Satisfaction"),
            ["csat"],
            [
                self._over_time(["csat"]),
                self._by("tier", CSAT),
                self._by("category", "csat"),
            ],
            [
                self._table("tier", [CSAT]),
                self._table("over time", ["csat"]),
                self._table("category", ["csat"]),
            ],
        )

    def _section(
        self,
        named: tuple[str, str],
        names: Sequence[str],
        charts: Sequence[_Chart | None],
        tables: Sequence[_Table | None],
    ) -> Iterator[_Section]:
        cards = self._cards(names)
        if cards:
            yield _Section(
                *named,
                cards,
                [chart for chart in charts if chart],
                [table for table in tables if table],
            )

    def _cards(self, names: Sequence[str]) -> list[_Card]:
        return [_card(self._known[name]) for name in names if name in self._known]

    def _over_time(self, names: Sequence[str], title: str = "") -> _Chart | None:
        series = [self._figures.over_time(name) for name in names if name in self._known]
        if not series or not any(one.n_known for one in series):
            return None
        return _Chart(title or series[0].title, Markup(draw_over_time(series, title=title)))

    def _by(self, kind: str, name: str) -> _Chart | None:
        series = self._figures.grouped(name, kind)
        if not series.n_known:
            return None
        more = f", the {MAX_BARS} largest" if len(series.points) > MAX_BARS else ""
        of = ", by category" if kind == "category" and name != "specialist_categories" else ""
        return _Chart(f"{series.title}{of}{more}", Markup(draw_bars(series)))

    def _table(self, kind: str, names: Sequence[str]) -> _Table | None:
        is_over_time = kind == "over time"
        series = [
            one
            for one in self._figures.series
            if (one.is_over_time if is_over_time else one.by == kind)
            and one.name in names
            and one.n_known
        ]
        if not series:
            return None
        points = [{point.label: point for point in one.points} for one in series]
        labels = dict.fromkeys(label for one in points for label in one)
        rows = [
            (
                next(one[label].name for one in points if label in one),
                [_cell(series[n], one.get(label)) for n, one in enumerate(points)],
            )
            for label in labels
        ]
        by = series[0].by
        title = series[0].title if len(names) == 1 else f"By {by}"
        return _Table(title, by.capitalize(), [one.title for one in series], rows)


def _card(figure: Figure) -> _Card:
    return _Card(
        figure.title,
        written(figure.value, figure.unit),
        "" if figure.unit == "count" else counted(figure.count, figure.unit),
        figure.how,
    )


def _cell(series: Series, point: Point | None) -> tuple[str, str]:
    """Give a value and what it is made of; both are empty where nothing belongs."""
    if point is None or series.value(point) is None:
        return "", ""
    value = written(series.value(point), series.unit)
    if series.unit == "share":
        return value, f"{point.count.numerator:,.0f} of {point.count.denominator:,}"
    return value, "" if series.unit == "count" else f"of {point.count.denominator:,}"
