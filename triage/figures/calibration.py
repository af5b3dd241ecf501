"""Whether confidences keep their word: how sure the answers were, and how many were right."""

import math

from triage.figures.figure import Count, Figure, Point, Series

N_BINS = 10
ENOUGH = 100
"""Tickets below which the error says more about chance than about the confidences."""


class CalibrationCounter:
    """Counts answers by their confidence, right and wrong ones apart."""

    def __init__(self, name: str, by_whom: str, how: str) -> None:
        self.name = name
        self._by_whom = by_whom
        self._how = how
        self._n = [0] * N_BINS
        self._right = [0] * N_BINS
        self._confidence = [0.0] * N_BINS

    def add(self, confidence: float, is_right: bool) -> None:
        """Count an answer."""
        place = min(int(confidence * N_BINS), N_BINS - 1)
        self._n[place] += 1
        self._right[place] += is_right
        self._confidence[place] += confidence

    @property
    def n(self) -> int:
        """How many answers were counted."""
        return sum(self._n)

    @property
    def mean_confidences(self) -> list[float]:
        """The mean confidence of each bin that has answers, as in ``series``."""
        return [total / n for total, n in zip(self._confidence, self._n, strict=True) if n]

    def error(self) -> Figure:
        """Give the expected calibration error (ECE)."""
        gap = sum(
            abs(total - right) for total, right in zip(self._confidence, self._right, strict=True)
        )
        return Figure(
            f"ece_{self.name}",
            f"Calibration error (ECE), by {self._by_whom}",
            "mean",
            Count(gap, self.n),
            f"Mean distance between how sure answers were and how many were right, over {N_BINS} "
            f"steps of confidence. {self._how}",
        )

    def by_chance(self) -> float:
        """Give the error that perfectly true confidences would show on as many tickets.

        The mean distance of a share from its expectation, by the normal approximation.
        """
        spread = 0.0
        for total, n in zip(self._confidence, self._n, strict=True):
            if n:
                mean = total / n
                spread += math.sqrt(2 * n * mean * (1 - mean) / math.pi)
        return spread / self.n if self.n else 0.0

    def series(self) -> Series:
        """Give the share that was right by confidence; steps without an answer are left out."""
        points = tuple(
            Point(
                f"{place / N_BINS:.1f}",
                f"{100 * place // N_BINS}% to {100 * (place + 1) // N_BINS}% sure",
                Count(self._right[place], self._n[place]),
            )
            for place in range(N_BINS)
            if self._n[place]
        )
        return Series(
            f"right_by_confidence_{self.name}",
            f"Right by confidence, by {self._by_whom}",
            "confidence",
            "share",
            points,
            f"Answers that were right, of those of about this confidence. {self._how}",
        )
