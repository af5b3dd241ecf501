"""The plots of the report: inline SVG in the colours and typeface of the page."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from scipy.stats import binomtest

from training.intervals import Interval
from training.learning_curve import LearningCurve, Point
from triage.confidence import BoolArray, FloatArray, coverage_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 20
"""Tickets that the coverage curve begins at: among fewer the share of right ones is noise."""

_N_BINS = 15  # the bins of `triage.confidence.expected_calibration_error`
_MAX_POINTS = 300  # of a curve; more cannot be told apart at its size
_POINTS_AN_INCH = 72  # SVG is written in points, whatever the figure's resolution is

# Drawn colours that stand for those of the page, so that a plot follows its light or dark scheme.
_INK, _MUTED, _LINE, _ACCENT, _WARM = "#010101", "#020202", "#030303", "#040404", "#050505"
_PAGE_COLOURS = {_INK: "ink", _MUTED: "muted", _LINE: "line", _ACCENT: "accent", _WARM: "warm"}


@dataclass(frozen=True, slots=True)
class Bin:
    """Tickets of about the same confidence: the share that was right, and its 95% interval."""

    begin: float
    end: float
    n: int
    confidence: float
    right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG, and where its axes lie in it: x0, y0 and x1, y1 of the values 0 and 1."""

    svg: Markup
    corners: tuple[float, ...]


def calibration_bins(confidence: FloatArray, correct: BoolArray) -> list[Bin]:
    """Sort tickets by confidence into equal-width bins; empty ones are left out."""
    bin_of = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    bins = []
    for index in np.unique(bin_of).tolist():
        own = bin_of == index
        n, n_right = int(own.sum()), int(correct[own].sum())
        interval = binomtest(n_right, n).proportion_ci()
        bins.append(
            Bin(
                begin=index / _N_BINS,
                end=(index + 1) / _N_BINS,
                n=n,
                confidence=float(confidence[own].mean()),
                right=n_right / n,
                low=float(interval.low),
                high=float(interval.high),
            )
        )
    return bins


def calibration_plot(salt: str, bins: Sequence[Bin]) -> Plot:
    """Plot the share that was right over the confidence; ``salt`` keeps the plot's ids apart."""
    return _draw(salt, _draw_calibration, bins)


def coverage_plot(salt: str, confidence: FloatArray, correct: BoolArray, target: float) -> Plot:
    """Plot the share that was right over the share answered, the surest first."""
    return _draw(salt, _draw_coverage, confidence, correct, target)


def learning_plot(salt: str, curve: LearningCurve) -> Plot:
    """Plot accuracy and macro-F1 over the tickets learned from."""
    return _draw(salt, _draw_learning, curve)


def in_percent(share: float, _position: float = 0.0) -> str:
    """Write a share as a percentage, with no more digits than it has."""
    return f"{100 * share:g}%"


def _draw(salt: str, draw: Callable[..., "Axes"], *drawn: Any) -> Plot:
    # Half a second to import, which nobody should pay for reading metrics or showing help.
    import matplotlib
    from matplotlib.figure import Figure

    stream = io.StringIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own matplotlibrc has no say in the report
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": salt,
                "figure.facecolor": "none",
                "axes.facecolor": "none",
                "axes.edgecolor": _LINE,
                "axes.labelcolor": _INK,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": _LINE,
                "grid.linewidth": 0.5,
                "text.color": _MUTED,
                "xtick.color": _LINE,
                "ytick.color": _LINE,
                "xtick.labelcolor": _MUTED,
                "ytick.labelcolor": _MUTED,
            }
        )
        figure = Figure(figsize=(5.2, 4.0), dpi=_POINTS_AN_INCH, layout="constrained")
        axes = draw(figure, *drawn)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
        height = figure.bbox.height
        (x0, y0), (x1, y1) = axes.transData.transform([(0, 0), (1, 1)])
    svg = stream.getvalue()
    # Without the XML prologue, and without group ids that the next plot on the page has too.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg[svg.index("<svg") :])
    for drawn_colour, page_colour in _PAGE_COLOURS.items():
        svg = svg.replace(drawn_colour, f"var(--{page_colour})")
    corners = tuple(round(float(place), 2) for place in (x0, height - y0, x1, height - y1))
    return Plot(Markup(svg), corners)


def _draw_calibration(figure: "Figure", bins: Sequence[Bin]) -> "Axes":
    curve: Axes
    curve, counts = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    mean = np.array([part.confidence for part in bins])
    right = np.array([part.right for part in bins])
    reach = np.abs(np.array([(part.low, part.high) for part in bins]).T - right)
    curve.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle="--")
    curve.errorbar(mean, right, yerr=reach, fmt="none", ecolor=_LINE, elinewidth=2.5)
    curve.plot(mean, right, color=_ACCENT, marker="o", markersize=5)
    curve.set(ylabel="share that was right", xlim=(0, 1), ylim=(0, 1.02))
    begins, sizes = [part.begin for part in bins], [part.n for part in bins]
    bars = counts.bar(begins, sizes, width=0.92 / _N_BINS, align="edge", color=_LINE)
    counts.bar_label(bars, [_short(size) for size in sizes], padding=2, fontsize=7.5)
    counts.set(xlabel="confidence", ylabel="tickets", yticks=[])
    counts.margins(y=0.3)
    counts.grid(visible=False)
    counts.xaxis.set_major_formatter(in_percent)
    curve.yaxis.set_major_formatter(in_percent)
    return curve


def _short(count: int) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else str(count)


def _draw_coverage(
    figure: "Figure", confidence: FloatArray, correct: BoolArray, target: float
) -> "Axes":
    n = len(correct)
    totals = np.arange(1, n + 1)
    rates = np.cumsum(correct[np.argsort(-confidence, kind="stable")]) / totals
    first = min(FEWEST, n) - 1
    shown = np.unique(np.linspace(first, n - 1, _MAX_POINTS).astype(int))
    reached = round(coverage_at(confidence, correct, target) * n) - 1
    axes = figure.subplots()
    axes.axhline(target, color=_WARM, linewidth=1, linestyle="--")
    axes.plot(totals[shown] / n, rates[shown], color=_ACCENT)
    if reached >= first:
        axes.plot(totals[reached] / n, rates[reached], color=_WARM, marker="o", markersize=5)
    lowest = max(min(rates[shown].min(), target) - 0.05, 0)
    axes.set(xlabel="share of tickets answered, surest first", xlim=(0, 1.01))
    axes.set(ylabel="share that was right", ylim=(lowest, 1.01))
    axes.annotate(
        f"target {in_percent(target)}",
        (1, target),
        xytext=(0, -9 if rates[-1] >= target else 9),  # away from the curve
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="center",
        color=_WARM,
    )
    axes.xaxis.set_major_formatter(in_percent)
    axes.yaxis.set_major_formatter(in_percent)
    return axes


def _draw_expected(axes: "Axes", last: Point, expected: Interval) -> None:
    double = 2 * last.n
    axes.plot(
        [last.n, double],
        [last.accuracy, expected.value],
        color=_ACCENT,
        linewidth=1,
        linestyle=":",
    )
    axes.plot([double, double], [expected.low, expected.high], color=_ACCENT, linewidth=2.5)
    axes.annotate(
        "accuracy expected",
        (double, expected.high),
        xytext=(4, 7),
        textcoords="offset points",
        horizontalalignment="right",
        color=_ACCENT,
    )


def _draw_learning(figure: "Figure", curve: LearningCurve) -> "Axes":
    sizes = [point.n for point in curve.points]
    lines = {
        "accuracy": ([point.accuracy for point in curve.points], _ACCENT),
        "macro-F1": ([point.macro_f1 for point in curve.points], _MUTED),
    }
    axes = figure.subplots()
    for values, colour in (lines["macro-F1"], lines["accuracy"]):
        axes.plot(sizes, values, color=colour, marker="o", markersize=5)
    ticks = list(sizes)
    if curve.at_double:
        _draw_expected(axes, curve.points[-1], curve.at_double)
        ticks.append(2 * sizes[-1])
    # The two lines end close together: the upper one is named above, the lower one below.
    is_above = curve.points[0].accuracy >= curve.points[0].macro_f1
    for name, (values, colour) in lines.items():
        side = 1 if (name == "accuracy") == is_above else -1
        axes.annotate(
            name,
            (sizes[1], values[1]),
            xytext=(-7 * side, 8 * side),
            textcoords="offset points",
            horizontalalignment="right" if side > 0 else "left",
            verticalalignment="center",
            color=colour,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.minorticks_off()
    axes.set(xlabel="tickets learned from", ylabel="share that was right, F1")
    axes.margins(y=0.15)
    axes.yaxis.set_major_formatter(in_percent)
    return axes
