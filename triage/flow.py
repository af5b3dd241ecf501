"""How many tickets usually come in: so many an hour, by the hour of the week."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

HOURS_A_WEEK = 168

_RECENT_DAYS = 182
"""Days with tickets that tell how many there are; the shape of the week comes from all."""

_PRIOR_WEEKS = 2.0
"""Weeks of an even flow that are mixed in: a few days of tickets say little about a Sunday."""

_EPOCH = 3 * 24  # the clock of computers starts on a Thursday


@dataclass(frozen=True, slots=True)
class Flow:
    """Tickets expected in each hour of a week that begins on Monday, in UTC."""

    per_hour: FloatArray

    @classmethod
    def of(cls, moments: npt.NDArray[np.datetime64]) -> "Flow":
        """Learn the flow of a desk from when its tickets came in.

        Days without any ticket are taken for gaps in the history rather than for quiet ones: with
        too high a flow a burst is seen late, with too low a one there are bursts all the time.
        """
        hours = np.sort(moments.astype("datetime64[h]").astype(np.int64))
        if not len(hours):
            return cls(np.zeros(HOURS_A_WEEK))
        days, first_of_day = np.unique(hours // 24, return_index=True)
        n_days = min(len(days), _RECENT_DAYS)
        per_week = 7 * (len(hours) - first_of_day[-n_days]) / n_days
        counts = np.bincount((hours + _EPOCH) % HOURS_A_WEEK, minlength=HOURS_A_WEEK)
        smooth = (np.roll(counts, 1) + 2 * counts + np.roll(counts, -1)) / 4
        n_weeks = len(days) / 7
        shape = smooth + _PRIOR_WEEKS / n_weeks * smooth.sum() / HOURS_A_WEEK
        return cls(per_week * shape / shape.sum())

    @property
    def per_week(self) -> float:
        """Tickets that a whole week brings."""
        return float(self.per_hour.sum())

    def expected(self, until: datetime, window: timedelta) -> float:
        """Tickets that usually come in within a window that ends at a moment."""
        end = until.astimezone(UTC).timestamp() / 3600 + _EPOCH
        start = end - window.total_seconds() / 3600
        hours = np.arange(np.floor(start), np.ceil(end))
        shares = np.minimum(hours + 1, end) - np.maximum(hours, start)
        return float(shares @ self.per_hour[hours.astype(np.int64) % HOURS_A_WEEK])
