"""The training report: one HTML file telling how good a model is and how that was measured."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup
from scipy.stats import binomtest

from training.accounting import Accounting
from training.fit import Learned
from triage.confidence import BoolArray, FloatArray, coverage_at
from triage.model import Head
from triage.taxonomy import Taxonomy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_N_BINS = 15  # the bins of `triage.confidence.expected_calibration_error`
_UNCHECKED = {"n": 0, "precision": 0.0, "recall": 0.0, "f1": 0.0}
_MAX_CONFUSED = 20  # labels; a larger matrix is no longer readable on paper
_MAX_POINTS = 300  # of a curve; more cannot be told apart at its size
_FEWEST = 20  # tickets; the share of right ones among fewer is noise

# Drawn colours that stand for those of the page, so that a plot follows its light or dark scheme.
_INK, _MUTED, _LINE, _ACCENT, _WARM = "#010101", "#020202", "#030303", "#040404", "#050505"
_PAGE_COLOURS = {_INK: "ink", _MUTED: "muted", _LINE: "line", _ACCENT: "accent", _WARM: "warm"}


@dataclass(frozen=True, slots=True)
class _Label:
    """A line of the table of labels; ``threshold`` means nothing where it was not learned."""

    label: str
    name: str
    n: int
    precision: float
    recall: float
    f1: float
    is_learned: bool
    threshold: float | None


@dataclass(frozen=True, slots=True)
class _Bin:
    """Tickets of about the same confidence: the share that was right, and its 95% interval."""

    begin: float
    end: float
    n: int
    confidence: float
    right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Confusion:
    """Counts of truth by prediction for the commonest labels, the others in a last column."""

    labels: list[str]
    rows: list[list[int]]
    has_others: bool


@dataclass(frozen=True, slots=True)
class _Target:
    """What the page tells about one target."""

    name: str
    head: Head
    parts: Mapping[str, Mapping[str, Any]]
    commonest_share: float
    labels: list[_Label]
    confusion: _Confusion
    bins: list[_Bin]
    coverage_at_target: float
    calibration_plot: Markup
    coverage_plot: Markup


def render_report(
    learned: Learned,
    *,
    version: str,
    facts: Mapping[str, Any],
    accounting: Accounting,
    correctness: Mapping[str, tuple[FloatArray, BoolArray]],
) -> str:
    """Render the report of a training; the same input gives the same text.

    Parameters
    ----------
    facts : trained_at, training_s, seed, data_hash, model_hash, and libraries (name -> version)
    correctness : target -> (top confidence out of fold, whether that label was right), both of
        shape (n_tickets,)

    Returns
    -------
    str : an HTML page that asks for no other file and runs no script; it holds label names and
        numbers, never ticket text
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count="{:,}".format, percent="{:.1%}".format, decimal="{:.3f}".format
    )
    return environment.get_template("report.html").render(
        version=version,
        facts=facts,
        sentences=accounting.sentences(),
        learned=learned,
        goal=_in_percent(learned.model.target_precision),
        fewest=_FEWEST,
        targets=[
            _describe(target, learned, *correctness[target]) for target in learned.model.heads
        ],
    )


def _describe(target: str, learned: Learned, confidence: FloatArray, correct: BoolArray) -> _Target:
    head, measured = learned.model.heads[target], learned.metrics[target]
    precision = learned.model.target_precision
    labels = _label_rows(target, measured["out_of_fold"], head, learned.model.taxonomy)
    bins = _calibration_bins(confidence, correct)
    return _Target(
        name=target,
        head=head,
        parts=measured,
        commonest_share=labels[0].n / len(correct),
        labels=labels,
        confusion=_confusion(measured["out_of_fold"]["confusion"]),
        bins=bins,
        coverage_at_target=coverage_at(confidence, correct, precision),
        calibration_plot=_svg(f"calibration of {target}", _draw_calibration, bins),
        coverage_plot=_svg(f"coverage of {target}", _draw_coverage, confidence, correct, precision),
    )


def _label_rows(
    target: str, measured: Mapping[str, Any], head: Head, taxonomy: Taxonomy
) -> list[_Label]:
    """List the labels, the commonest first."""
    names = {"tier": taxonomy.tier_name, "category": taxonomy.category_name}
    name_of = names.get(target, str)
    rows = [
        _Label(
            label=label,
            name=name_of(label),
            **scores,
            is_learned=label in head.thresholds,
            threshold=head.thresholds.get(label),
        )
        # A label whose tickets are all near twins of one another is learned, but not checked.
        for label, scores in {
            **dict.fromkeys(head.labels, _UNCHECKED),
            **measured["per_label"],
        }.items()
    ]
    return sorted(rows, key=lambda row: (-row.n, row.label))


def _confusion(measured: Mapping[str, Any]) -> _Confusion:
    counts = np.array(measured["rows"], dtype=np.int64)
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    shown, others = order[:_MAX_CONFUSED], order[_MAX_CONFUSED:]
    rows = counts[np.ix_(shown, shown)]
    if len(others):
        rows = np.column_stack([rows, counts[np.ix_(shown, others)].sum(axis=1)])
    return _Confusion(
        [measured["labels"][index] for index in shown], rows.tolist(), len(others) > 0
    )


def _calibration_bins(confidence: FloatArray, correct: BoolArray) -> list[_Bin]:
    """Sort tickets by confidence into equal-width bins; empty ones are left out."""
    bin_of = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    bins = []
    for index in np.unique(bin_of).tolist():
        own = bin_of == index
        n, n_right = int(own.sum()), int(correct[own].sum())
        interval = binomtest(n_right, n).proportion_ci()
        bins.append(
            _Bin(
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


def _svg(salt: str, draw: Callable[..., None], *drawn: Any) -> Markup:
    """Draw into an SVG whose colours and typeface are the page's; ``salt`` keeps its ids apart."""
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
        figure = Figure(figsize=(5.2, 4.0), layout="constrained")
        draw(figure, *drawn)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
    svg = stream.getvalue()
    # Without the XML prologue, and without group ids that the next plot on the page has too.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg[svg.index("<svg") :])
    for drawn_colour, page_colour in _PAGE_COLOURS.items():
        svg = svg.replace(drawn_colour, f"var(--{page_colour})")
    return Markup(svg)


def _draw_calibration(figure: "Figure", bins: list[_Bin]) -> None:
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
    counts.xaxis.set_major_formatter(_in_percent)
    curve.yaxis.set_major_formatter(_in_percent)


def _in_percent(share: float, _position: float = 0.0) -> str:
    return f"{100 * share:g}%"


def _short(count: int) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else str(count)


def _draw_coverage(
    figure: "Figure", confidence: FloatArray, correct: BoolArray, precision: float
) -> None:
    n = len(correct)
    totals = np.arange(1, n + 1)
    rates = np.cumsum(correct[np.argsort(-confidence, kind="stable")]) / totals
    first = min(_FEWEST, n) - 1
    shown = np.unique(np.linspace(first, n - 1, _MAX_POINTS).astype(int))
    reached = round(coverage_at(confidence, correct, precision) * n) - 1
    axes = figure.subplots()
    axes.axhline(precision, color=_WARM, linewidth=1, linestyle="--")
    axes.plot(totals[shown] / n, rates[shown], color=_ACCENT)
    if reached >= first:
        axes.plot(totals[reached] / n, rates[reached], color=_WARM, marker="o", markersize=7)
    lowest = max(min(rates[shown].min(), precision) - 0.05, 0)
    axes.set(xlabel="share of tickets answered, surest first", xlim=(0, 1.01))
    axes.set(ylabel="share that was right", ylim=(lowest, 1.01))
    axes.annotate(
        f"target {_in_percent(precision)}",
        (1, precision),
        xytext=(0, -9 if rates[-1] >= precision else 9),  # away from the curve
        textcoords="offset points",
        horizontalalignment="right",
        verticalalignment="center",
        color=_WARM,
    )
    axes.xaxis.set_major_formatter(_in_percent)
    axes.yaxis.set_major_formatter(_in_percent)
