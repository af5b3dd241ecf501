"""Answers to measures, added up record by record: by day, by category, by whatever there is."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Generic, TypeVar

from triage.figures.figure import Count, Figure, Point, Series
from triage.figures.measure import Measure
from triage.figures.periods import Periods

T = TypeVar("T")

_FIRST_YEAR, _LAST_YEAR = 1970, 2100


_MAX_FACTS = 10_000
"""Different facts whose answers are kept: a desk has far fewer, and memory must not grow."""

Answers = tuple[tuple[int, float | None], ...]
"""A record's answers, each with the place of its measure."""

Counts = Counter[int]
"""How many records gave which answers, by the number of these answers."""


class _Sums:
    """Answers added up, measure by measure; ``n`` counts the records."""

    __slots__ = ("known", "n", "sums", "unknown")

    def __init__(
        self, n_measures: int, answers_of: Sequence[Answers], parts: Iterable[Counts]
    ) -> None:
        self.n = 0
        self.sums: list[float] = [0] * n_measures
        self.known = [0] * n_measures
        self.unknown = [0] * n_measures
        together: Counts = Counter()
        for part in parts:
            together.update(part)
        for number, n in together.items():
            self.n += n
            for place, answer in answers_of[number]:
                if answer is None:
                    self.unknown[place] += n
                else:
                    self.known[place] += n
                    self.sums[place] += answer * n

    def count(self, place: int) -> Count:
        return Count(self.sums[place], self.known[place], self.unknown[place])


class Tally(Generic[T]):
    """Asks measures of records, each shown once (``add``), and tells figures and series of them.

    It keeps numbers for each day and group, no records: memory grows with these alone.

    Parameters
    ----------
    facts : what the answers of a record depend on; equal facts have equal answers
    """

    def __init__(self, measures: Sequence[Measure[T]], facts: Callable[[T], Hashable]) -> None:
        self.measures = tuple(measures)
        self._facts = facts
        self._place_of = {measure.name: place for place, measure in enumerate(measures)}
        self._known: dict[Hashable, int] = {}
        self._answers: list[Answers] = []
        self._number_of: dict[Answers, int] = {}
        self._days: defaultdict[date | None, Counts] = defaultdict(Counter)
        self._groups: defaultdict[str, defaultdict[str, Counts]] = defaultdict(
            lambda: defaultdict(Counter)
        )

    def add(self, record: T, day: date | None, **groups: str | None) -> None:
        """Count a record at a day (None: not known), in a group of each kind ("" or None: none)."""
        facts = self._facts(record)
        number = self._known.get(facts)
        if number is None:
            number = self._ask(record)
            if len(self._known) < _MAX_FACTS:
                self._known[facts] = number
        self._days[day][number] += 1
        for by, label in groups.items():
            self._groups[by][label or ""][number] += 1

    def _ask(self, record: T) -> int:
        """Ask all measures of a record, and number its answers: numbers are quick to count by."""
        answers = tuple(
            (place, measure.of(record))
            for place, measure in enumerate(self.measures)
            if measure.concerns(record)
        )
        number = self._number_of.setdefault(answers, len(self._answers))
        if number == len(self._answers):
            self._answers.append(answers)
        return number

    @property
    def days(self) -> list[date]:
        """The days that records were counted at."""
        return [day for day in self._days if day is not None]

    @property
    def n(self) -> int:
        """How many records were counted."""
        return sum(counter.total() for counter in self._days.values())

    @property
    def n_without_day(self) -> int:
        """How many of them have no day."""
        return self._days[None].total() if None in self._days else 0

    def sizes(self, by: str) -> dict[str, int]:
        """Count the records of each group of a kind, the largest first."""
        sizes = {label: counter.total() for label, counter in self._groups[by].items()}
        return dict(sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0])))

    def count(self, name: str, *, by: str | None = None, label: str = "") -> Count:
        """Give what a measure found, over all records or in one group."""
        counters = self._days.values() if by is None else [self._groups[by][label]]
        return self._sums(counters).count(self._place_of[name])

    def figures(self, measures: Iterable[Measure[T]]) -> list[Figure]:
        """Give each measure over all records."""
        total = self._sums(self._days.values())
        return [
            Figure(one.name, one.title, one.unit, total.count(self._place_of[one.name]), one.how)
            for one in measures
        ]

    def over_time(self, measures: Iterable[Measure[T]]) -> list[Series]:
        """Give each measure by week or by month."""
        periods = Periods.of(self.days)
        parts: dict[str, list[Counts]] = {label: [] for label in periods.names}
        for day in self.days:
            parts[periods.label(day)].append(self._days[day])
        sums_of = {label: self._sums(counters) for label, counters in parts.items()}
        return [self._series(periods.by, sums_of, periods.names, one) for one in measures]

    def grouped(
        self, by: str, measures: Iterable[Measure[T]], names: Mapping[str, str]
    ) -> list[Series]:
        """Give each measure by group, the largest group first; groups without an answer left out.

        Parameters
        ----------
        names : of groups, for people; a group without one is its own name
        """
        sums_of = {label: self._sums([self._groups[by][label]]) for label in self.sizes(by)}
        found = [self._series(by, sums_of, names, one) for one in measures]
        return [
            replace(one, points=tuple(point for point in one.points if _says(point.count)))
            for one in found
        ]

    def _series(
        self, by: str, sums_of: Mapping[str, _Sums], names: Mapping[str, str], measure: Measure[T]
    ) -> Series:
        points = tuple(
            Point(label, names.get(label, label), sums.count(self._place_of[measure.name]))
            for label, sums in sums_of.items()
        )
        return Series(measure.name, measure.title, by, measure.unit, points, measure.how)

    def _sums(self, parts: Iterable[Counts]) -> _Sums:
        return _Sums(len(self.measures), self._answers, parts)


def _says(count: Count) -> bool:
    return bool(count.denominator or count.not_known)


def day_of(moment: datetime | None) -> date | None:
    """Give the day of a moment in UTC; one without a time zone is taken for UTC.

    A placeholder, such as the year 9999, is no day: one of them would stretch every chart to it.
    """
    if moment is None or not _FIRST_YEAR < moment.year < _LAST_YEAR:
        return None
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
