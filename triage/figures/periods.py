"""Weeks or months: the steps that a stretch of days is told in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

MAX_WEEKS = 26
"""A longer stretch is told in months: more points than that are a thicket on a small screen."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods from the first day to the last, none left out: label -> name for people."""

    by: Literal["week", "month"]
    names: dict[str, str]

    @classmethod
    def of(cls, days: Iterable[date]) -> "Periods":
        """Take ISO weeks for up to `MAX_WEEKS`, months for more; no days have no periods."""
        known = sorted(days)
        if not known:
            return cls("week", {})
        first, last = known[0], known[-1]
        if (last - first).days < 7 * MAX_WEEKS:
            return cls("week", _weeks(first, last))
        return cls("month", _months(first, last))

    def label(self, day: date) -> str:
        """Name the period of a day: ``2026-W09`` or ``2026-03``."""
        return _week_label(day) if self.by == "week" else f"{day:%Y-%m}"


def _weeks(first: date, last: date) -> dict[str, str]:
    monday = first - timedelta(days=first.weekday())
    count = (last - monday).days // 7 + 1
    mondays = [monday + timedelta(weeks=place) for place in range(count)]
    return {_week_label(day): f"{day.day} {_MONTHS[day.month - 1]} {day.year}" for day in mondays}


def _months(first: date, last: date) -> dict[str, str]:
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    places = [first.month - 1 + place for place in range(count)]
    return {
        f"{first.year + place // 12:04d}-{place % 12 + 1:02d}": f"{_MONTHS[place % 12]} "
        f"{first.year + place // 12}"
        for place in places
    }


def _week_label(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"
