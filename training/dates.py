"""Dates as people export them, all told in UTC."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Years outside are placeholders (0001-01-01, 9999-12-31), not dates of tickets."""

MAX_LENGTH = 64

_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?"
)
_NUMERIC = re.compile(r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})" + _TIME)
_NAMED = re.compile(
    r"(?:[^\W\d_]{2,10}\.?, ?)?"
    r"(?:(?P<a>\d{1,2})[./ -]{1,2}(?P<month>[^\W\d_]{3,9})"
    r"|(?P<month2>[^\W\d_]{3,9})\.? (?P<a2>\d{1,2}),?)[./ ,-]{1,2}(?P<c>\d{4}|\d{2})" + _TIME
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12,
}  # fmt: skip


class DateColumn:
    """Read the dates of one column, where 03/04/2024 means what the column's other dates show.

    Show it every value first (``observe``), then ``parse`` them. Read are ISO 8601, dates with
    dots (day first), with slashes or dashes, with English or German month names, and seconds or
    milliseconds since 1970. A date without a time zone counts as UTC.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.unread = 0
        """Values that are no date; they are missing from the history."""
        self._day_first = 0
        self._month_first = 0
        self._open = 0
        self._halves = 0
        self._zoned = 0
        self._unzoned = 0

    def observe(self, values: Iterable[str]) -> None:
        """Look for dates that can only be day/month or only month/day."""
        for value in values:
            if value[4:5] == "-" or not value:
                continue
            match = _NUMERIC.match(value.strip()[:MAX_LENGTH])
            if match is None or match["mark"] == "." or len(match["a"]) > 2:
                continue
            self._halves += match["half"] is not None
            first, second = int(match["a"]), int(match["b"])
            if first > 12 >= second:
                self._day_first += 1
            elif second > 12 >= first:
                self._month_first += 1
            else:
                self._open += 1

    def parse(self, values: Sequence[str]) -> npt.NDArray[np.datetime64]:
        """Turn values into UTC times of microseconds; NaT where there is none to read."""
        dates = [self._parse(value) for value in values]
        return np.array(dates, dtype="datetime64[us]")

    @property
    def notes(self) -> list[str]:
        """Say how unclear dates were read, and what the column mixes."""
        notes = []
        order = "day/month" if self._is_day_first() else "month/day"
        if self._day_first and self._month_first:
            notes.append(
                f"{self.name} mixes day/month ({self._day_first}) and month/day "
                f"({self._month_first}); the {self._open} that could be either were read as {order}"
            )
        elif self._day_first or self._month_first:
            notes.append(f"{self.name} was read as {order}")
        elif self._open:
            notes.append(
                f"{self.name} could be day/month or month/day throughout; it was read as {order}"
            )
        if self._zoned and self._unzoned:
            notes.append(
                f"{self.name}: {self._unzoned} dates without a time zone, among {self._zoned} "
                "with one, were taken as UTC"
            )
        return notes

    def _is_day_first(self) -> bool:
        if self._day_first != self._month_first:
            return self._day_first > self._month_first
        return not self._halves  # where clocks say AM and PM, the month comes first

    def _parse(self, value: str) -> datetime | None:
        value = value.strip()
        if not value:
            return None
        date = self._read(value)
        if date is None or not FIRST_YEAR <= date.year <= LAST_YEAR:
            self.unread += 1
            return None
        if date.tzinfo is None:
            self._unzoned += 1
            return date
        self._zoned += 1
        return date.astimezone(UTC).replace(tzinfo=None)

    def _read(self, value: str) -> datetime | None:
        if len(value) > MAX_LENGTH:
            return None
        try:
            if value.isdecimal() and len(value) != 8:
                return _since_1970(value)
            return datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            pass
        try:
            if match := _NUMERIC.fullmatch(value):
                return _at_time(self._numeric_day(match), match)
            if match := _NAMED.fullmatch(value):
                return _at_time(_named_day(match), match)
            return _since_1970(value)
        except (ValueError, OverflowError):
            return None

    def _numeric_day(self, match: re.Match[str]) -> datetime:
        a, b, c = int(match["a"]), int(match["b"]), int(match["c"])
        if len(match["a"]) == 4:
            return datetime(a, b, c)
        is_day_first = match["mark"] == "." or a > 12 or (b <= 12 and self._is_day_first())
        day, month = (a, b) if is_day_first else (b, a)
        return datetime(_full_year(match["c"]), month, day)


def _named_day(match: re.Match[str]) -> datetime:
    month = _MONTHS.get((match["month"] or match["month2"])[:3].casefold(), 0)
    return datetime(_full_year(match["c"]), month, int(match["a"] or match["a2"]))


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 70 else 1900)


def _at_time(day: datetime, match: re.Match[str]) -> datetime:
    if match["hour"] is None:
        return day
    hour = int(match["hour"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"hour {hour} of a half day")
        hour = hour % 12 + 12 * (half in "Pp")
    time = day.replace(hour=hour, minute=int(match["minute"]), second=int(match["second"] or 0))
    zone = match["zone"]
    if zone is None:
        return time
    if zone in ("Z", "UTC", "GMT"):
        return time.replace(tzinfo=UTC)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return time.replace(tzinfo=timezone(-offset if zone[0] == "-" else offset))


def _since_1970(value: str) -> datetime:
    seconds = float(value)
    if not 1e8 <= seconds < 1e14:
        raise ValueError("neither seconds nor milliseconds since 1970")
    return datetime.fromtimestamp(seconds / (1000 if seconds >= 1e11 else 1), UTC)
