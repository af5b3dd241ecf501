"""A figure, and a row of them over time or by kind: each says what it is counted from, and how."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from triage.figures.intervals import share_interval
from triage.spreadsheet import csv_text

Unit = Literal["share", "mean", "count"]
"""``share``: from 0 to 1, of the denominator. ``mean``: per ticket. ``count``: the numerator."""

CSV_COLUMNS = (
    "figure", "by", "group", "value", "unit", "numerator", "denominator", "not_known", "how",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """What a value is made of: ``numerator`` of ``denominator`` tickets.

    ``not_known`` counts the tickets that belong to it but do not tell; they are in neither.
    """

    numerator: float
    denominator: int
    not_known: int = 0

    def value(self, unit: Unit) -> float | None:
        """Give the number; None where it would be counted from nothing."""
        if unit == "count":
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None

    def interval(self, unit: Unit) -> tuple[float, float] | None:
        """Give what holds the true share 95 times in 100; only shares have it."""
        if unit != "share" or not self.denominator:
            return None
        return share_interval(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the desk: ``name`` is for programs, ``title`` and ``how`` are for people."""

    name: str
    title: str
    unit: Unit
    count: Count
    how: str

    @property
    def value(self) -> float | None:
        """The number itself; None where nothing was counted."""
        return self.count.value(self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            **_plain(self.count, self.unit),
            "how": self.how,
        }

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Give its row of a table with `CSV_COLUMNS`."""
        return [_row(self.name, "", "", self.unit, self.count, self.how)]


@dataclass(frozen=True, slots=True)
class Point:
    """A figure for one period, category or tier.

    ``label`` is what the desk calls it, or ``2026-W09``, ``2026-03``; empty where it is missing.
    ``name`` is for people.
    """

    label: str
    name: str
    count: Count


@dataclass(frozen=True, slots=True)
class Series:
    """The same figure many times, such as one a week. ``by`` says what the points stand for.

    ``by`` is "week", "month", "category", "tier" or "detail"; others may come. Points over time
    are in order and without a gap, all others stand in the order they are to be shown.
    """

    name: str
    title: str
    by: str
    unit: Unit
    points: tuple[Point, ...]
    how: str

    @property
    def is_over_time(self) -> bool:
        """Say whether the points follow one another."""
        return self.by in ("week", "month")

    @property
    def n_known(self) -> int:
        """Count the tickets in all denominators; 0 means that there is nothing to show."""
        return sum(point.count.denominator for point in self.points)

    def value(self, point: Point) -> float | None:
        """Give the number of one point; None where nothing was counted."""
        return point.count.value(self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Turn it into plain data, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "by": self.by,
            "unit": self.unit,
            "how": self.how,
            "points": [
                {"label": point.label, "name": point.name, **_plain(point.count, self.unit)}
                for point in self.points
            ],
        }

    def csv_rows(self) -> list[tuple[object, ...]]:
        """Give its rows of a table with `CSV_COLUMNS`, one a point."""
        return [
            _row(self.name, self.by, point.label, self.unit, point.count, self.how)
            for point in self.points
        ]


def figures_csv(told: Iterable[Figure | Series]) -> str:
    """Write figures and series as one CSV table that a spreadsheet can open safely."""

    def rows() -> Iterator[tuple[object, ...]]:
        for one in told:
            yield from one.csv_rows()

    return csv_text(CSV_COLUMNS, rows())


def _plain(count: Count, unit: Unit) -> dict[str, Any]:
    return {
        "value": count.value(unit),
        "numerator": count.numerator,
        "denominator": count.denominator,
        "not_known": count.not_known,
    }


def _row(name: str, by: str, group: str, unit: Unit, count: Count, how: str) -> tuple[object, ...]:
    return (
        name,
        by,
        group,
        count.value(unit),
        unit,
        count.numerator,
        count.denominator,
        count.not_known,
        how,
    )
