"""The learning curve: how quality grew with the tickets learned from, and what more would bring."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.intervals import Interval
from training.refit import IndexArray, LabelArray, is_right, macro_f1
from training.split import Split
from triage.confidence import BoolArray, FloatArray

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Parts of the older tickets that are learned from."""

GOAL = 0.9
"""Recall that a forecast is made for."""

MIN_ASKED = 30
"""Newest tickets of a label, without which nothing is said about it."""

_EXPONENTS = np.linspace(0.1, 1.5, 15)
_RESAMPLES = 200
_FARTHEST = 10  # times today's tickets; a curve of four points tells nothing beyond
_MIN_ASKED_OVERALL = 100
_MIN_GAIN = 0.005  # of accuracy from the last doubling; below it more tickets hardly help

Verdict = Literal["reached", "forecast", "far", "level", "unknown"]


@dataclass(frozen=True, slots=True)
class Point:
    """How good the model is that learned from ``n`` of the older tickets."""

    n: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What more tickets would do for a label.

    ``n`` tickets of it are in the history, ``asked`` of the newest were asked about, ``recalls``
    is the share of these answered right at each of `SHARES`. Where the verdict is "forecast",
    ``more`` tickets are expected to reach `GOAL`, between ``low`` and ``high`` of them in 8 of 10
    resamples; ``high`` None means that it may never be.
    """

    label: str
    n: int
    asked: int
    recalls: tuple[float, ...]
    verdict: Verdict
    more: int = 0
    low: int = 0
    high: int | None = None

    def sentence(self) -> str:
        """Say it in plain English."""
        goal = f"{GOAL:.0%}"
        if self.verdict == "reached":
            return f"at {goal} already"
        if self.verdict == "unknown":
            return f"too few newest tickets to tell ({self.asked} of {MIN_ASKED})"
        if self.verdict == "level":
            return f"no forecast: the curve does not lead to {goal}"
        if self.verdict == "far":
            return f"no forecast: {goal} is more than {_FARTHEST} times today's tickets away"
        if self.more <= 0:
            return f"what is there may be enough for {goal} by now"
        if self.high is not None:
            reach = f"{self.low:,} to {self.high:,}"
        elif self.low > 0:
            reach = f"{self.low:,} or more, perhaps never"
        else:
            reach = "very unsure: from none to never"
        return f"about {self.more:,} more tickets to reach {goal} ({reach})"


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The points of the curve, and each label's forecast.

    ``asked`` counts the tickets that all points are about. ``at_double`` is the accuracy expected
    at twice the tickets, None where the points lead to no expectation.
    """

    points: tuple[Point, ...]
    asked: int
    at_double: Interval | None
    forecasts: tuple[Forecast, ...]

    def sentence(self) -> str:
        """Say in plain English what more tickets would bring."""
        before, now = self.points[-2], self.points[-1]
        gain = now.accuracy - before.accuracy
        told = (
            f"Learning from {now.n:,} tickets instead of {before.n:,} took accuracy from "
            f"{before.accuracy:.1%} to {now.accuracy:.1%}."
        )
        if self.asked < _MIN_ASKED_OVERALL:
            return f"{told} Asked about {self.asked:,} tickets only, that may be chance."
        if gain < -_MIN_GAIN:
            return f"{told} More tickets made it worse: the older ones may no longer fit."
        more = " More tickets like these hardly help any more." if gain < _MIN_GAIN else ""
        if self.at_double is None:
            return f"{told}{more}"
        value, low, high = self.at_double
        reach = f"{value:.1%} ({low:.1%} to {high:.1%})"
        return f"{told}{more} Twice the tickets are expected to reach {reach}."


def growing_parts(
    parts: Split, rows: IndexArray, created_at: pd.Series, clusters: IndexArray, seed: int
) -> list[IndexArray]:
    """Choose the rows of each of `SHARES`, each part inside the next.

    Parameters
    ----------
    rows : the labelled ones among the rows to learn from

    Returns
    -------
    list of rows : the most recent ones where the split is by time, else whole clusters of near
        twins dealt at random
    """
    if parts.is_by_time:
        stamps = created_at.to_numpy(dtype="datetime64[us]").astype(np.int64)[rows]
        order = np.argsort(-stamps, kind="stable")
    else:
        _, cluster = np.unique(clusters[rows], return_inverse=True)
        shuffled = np.random.default_rng(seed).permutation(cluster.max(initial=0) + 1)
        order = np.argsort(shuffled[cluster], kind="stable")
    return [np.sort(rows[order[: math.ceil(share * len(rows))]]) for share in SHARES]


def draw_curve(
    truth: LabelArray,
    learned: Sequence[IndexArray],
    asked: IndexArray,
    answers: Sequence[LabelArray],
    labels: Sequence[str],
    seed: int,
) -> LearningCurve:
    """Fit the curve to what models of growing parts answered.

    Parameters
    ----------
    truth : the history's labels
    learned : rows each model learned from, see `growing_parts`
    asked : rows that all of them were asked about
    answers : each model's labels for them
    labels : those to forecast for

    Notes
    -----
    Recall is taken for ``a - b * n ** -c`` in the label's own tickets (after Cortes et al., 1993,
    on the power laws of learning), with one exponent for all labels of a target: four points bear
    no third parameter a label. The range is the middle eight tenths over resamples of the newest
    tickets.
    """
    right_truth = truth[asked]
    is_correct = np.array([is_right(right_truth, answer) for answer in answers])
    points = tuple(
        Point(len(rows), float(correct.mean()), macro_f1(right_truth, answer))
        for rows, correct, answer in zip(learned, is_correct, answers, strict=True)
    )
    weights = _resample(len(asked), seed)
    sizes = np.array([len(rows) for rows in learned], dtype=np.float64)
    at_double = None
    if len(asked) >= _MIN_ASKED_OVERALL and points[-1].accuracy >= points[-2].accuracy - _MIN_GAIN:
        at_double = _accuracy_at(2 * sizes[-1], sizes, is_correct, weights)
    told = [label for label in labels if (right_truth == label).sum() >= MIN_ASKED]
    counts = np.array([[(truth[rows] == label).sum() for rows in learned] for label in told])
    recalls = (
        np.stack([_shares(is_correct, weights * (right_truth == label)) for label in told], axis=1)
        if told
        else np.empty((len(weights), 0, len(learned)))
    )
    needed = _needed(counts.astype(np.float64).reshape(len(told), len(learned)), recalls)
    forecasts = []
    for label in labels:
        n, n_asked = int((truth == label).sum()), int((right_truth == label).sum())
        if label not in told:
            forecasts.append(Forecast(label, n, n_asked, (), "unknown"))
            continue
        place = told.index(label)
        forecasts.append(_forecast(label, n, n_asked, recalls[0, place], needed[:, place]))
    return LearningCurve(points, len(asked), at_double, tuple(forecasts))


def _resample(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Weigh the tickets of each resample; the first is the tickets as they are."""
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    return np.vstack([np.ones((1, n), dtype=np.int64), drawn])


def _shares(is_correct: BoolArray, weights: npt.NDArray[np.int64]) -> FloatArray:
    """Share of right answers of each resample and model, shape (n_resamples, n_models)."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return np.asarray(weights @ is_correct.T / total, dtype=np.float64)


def _accuracy_at(
    n: float, sizes: FloatArray, is_correct: BoolArray, weights: npt.NDArray[np.int64]
) -> Interval:
    shares = _shares(is_correct, weights)[:, np.newaxis, :]
    limit, slope, exponent = _fit(sizes[np.newaxis, :], shares)
    expected = (limit - slope * n ** -exponent[:, np.newaxis])[:, 0]
    low, high = np.quantile(expected[1:], [0.1, 0.9])
    value = float(expected[0])
    return Interval(value, min(float(low), value), max(float(high), value))


def _needed(counts: FloatArray, recalls: FloatArray) -> FloatArray:
    """Tickets of each label at which it reaches the goal, shape (n_resamples, n_labels)."""
    if not len(counts):
        return np.empty(recalls.shape[:2])
    limit, slope, exponent = _fit(counts, recalls)
    distance = limit - GOAL
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        needed = (slope / distance) ** (1 / exponent[:, np.newaxis])
    return np.asarray(np.where(distance > 0, needed, np.inf), dtype=np.float64)


def _fit(counts: FloatArray, shares: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit the limits and slopes of all curves, with one exponent a resample.

    Parameters
    ----------
    counts : ndarray of shape (n_curves, n_points)
    shares : ndarray of shape (n_resamples, n_curves, n_points)

    Returns
    -------
    limits, slopes : ndarrays of shape (n_resamples, n_curves)
    exponents : ndarray of shape (n_resamples,)
    """
    fits = []
    for exponent in _EXPONENTS:
        x = np.maximum(counts, 1.0) ** -exponent
        offset = x - x.mean(axis=1, keepdims=True)
        spread = np.maximum((offset**2).sum(axis=1), 1e-12)
        slope = np.maximum(-(offset * shares).sum(axis=2) / spread, 0.0)
        limit = shares.mean(axis=2) + slope * x.mean(axis=1)
        # No share passes one: there the line goes through it.
        capped = ((1 - shares) * x).sum(axis=2) / (x**2).sum(axis=1)
        slope = np.where(limit > 1, capped, slope)
        limit = np.minimum(limit, 1.0)
        error = (limit[..., np.newaxis] - slope[..., np.newaxis] * x - shares) ** 2
        fits.append((limit, slope, error.sum(axis=(1, 2))))
    best = np.argmin([error for *_, error in fits], axis=0)
    resamples = np.arange(len(shares))
    limits = np.array([limit for limit, *_ in fits])[best, resamples]
    slopes = np.array([slope for _, slope, _ in fits])[best, resamples]
    return limits, slopes, _EXPONENTS[best]


def _forecast(label: str, n: int, asked: int, recalls: FloatArray, needed: FloatArray) -> Forecast:
    shown = tuple(float(recall) for recall in recalls)
    if shown[-1] >= GOAL:
        return Forecast(label, n, asked, shown, "reached")
    # Sorted by hand: a quantile between a number and infinity is no number.
    ordered = np.sort(needed[1:])
    low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    middle = ordered[len(ordered) // 2]
    if not np.isfinite(needed[0]) or not np.isfinite(middle):
        return Forecast(label, n, asked, shown, "level")
    if needed[0] > _FARTHEST * n:
        return Forecast(label, n, asked, shown, "far")
    is_open = not np.isfinite(high) or high > _FARTHEST * n
    return Forecast(
        label,
        n,
        asked,
        shown,
        "forecast",
        more=_rounded(needed[0] - n),
        low=_rounded(min(low, needed[0]) - n),
        high=None if is_open else _rounded(max(high, needed[0]) - n),
    )


def _rounded(tickets: float) -> int:
    """Round to two digits, the most that such a forecast can mean."""
    if tickets <= 0:
        return 0
    step = int(10 ** max(int(math.log10(tickets)) - 1, 0))
    return max(round(tickets / step), 1) * step
