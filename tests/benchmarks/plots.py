"""Three plots beside the tables: accuracy, reliability, coverage against precision."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tests.benchmarks.compare import PRECISIONS
from tests.benchmarks.contenders import OURS
from tests.benchmarks.intervals import mean_of
from tests.benchmarks.peers import PEERS

_DPI, _N_COLORS = 90, 64
# Colours that differ for every kind of colour vision, and markers for print in grey.
_STYLES = {
    OURS: ("#0072b2", "o"),
    "majority": ("#999999", "|"),
    "TF-IDF + logistic regression": ("#d55e00", "s"),
    "TF-IDF + linear SVM": ("#009e73", "^"),
    "fastText": ("#cc79a7", "D"),
}

Sets = Mapping[str, Any]


def draw(sets: Sets, folder: Path) -> None:
    """Draw all plots of the measured sets into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (
        ("accuracy", _accuracy(sets)),
        ("reliability", _panels(sets, _reliability, "confidence", "share that is right")),
        ("coverage", _panels(sets, _coverage, "precision", "share of tickets answered")),
    ):
        _save(figure, folder / f"{name}.png")


def _save(figure: Figure, file: Path) -> None:
    """Save with few colours: a third of the size, for files that live in the repository."""
    with BytesIO() as drawn:
        figure.savefig(drawn, dpi=_DPI)
        plt.close(figure)
        Image.open(drawn).convert("RGB").quantize(_N_COLORS).save(file, optimize=True)


def _accuracy(sets: Sets) -> Figure:
    figure, axes = plt.subplots(figsize=(9, 1.4 + 0.6 * len(sets)), layout="constrained")
    names = [OURS, *PEERS]
    for place, one in enumerate(sets.values()):
        for offset, who in enumerate(names):
            runs = one["random"]["contenders"].get(who)
            if runs is None:
                continue
            found = mean_of(runs["accuracy"])
            color, marker = _STYLES[who]
            axes.errorbar(
                found.mean,
                -place - 0.15 * (offset - 2),
                xerr=found.half_width,
                fmt=marker,
                color=color,
                markersize=5,
                label=who,
            )
    axes.set_yticks([-place for place in range(len(sets))], list(sets))
    axes.set_xlabel("accuracy on random splits, with the 95% interval of the mean")
    axes.set_xlim(0, 1)
    axes.grid(axis="x", alpha=0.3)
    _add_legend(figure)
    return figure


def _panels(sets: Sets, draw_one: Callable[[Axes, Any], None], x: str, y: str) -> Figure:
    columns = min(4, len(sets))
    rows = -(-len(sets) // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(2.7 * columns, 2.7 * rows + 0.4),
        layout="constrained",
        squeeze=False,
    )
    for axes in grid.flat[len(sets) :]:
        axes.set_axis_off()
    for axes, (name, one) in zip(grid.flat, sets.items(), strict=False):
        draw_one(axes, one["random"]["contenders"])
        axes.set_title(name.replace(", ", "\n"), fontsize="small")
        axes.grid(alpha=0.3)
    figure.supxlabel(x, fontsize="medium")
    figure.supylabel(y, fontsize="medium")
    _add_legend(figure)
    return figure


def _reliability(axes: Axes, contenders: Mapping[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":")
    for who in [*list(PEERS)[1:], OURS]:
        if points := contenders.get(who, {}).get("reliability"):
            confidence, right, _ = zip(*points, strict=True)
            color, marker = _STYLES[who]
            axes.plot(
                confidence,
                right,
                color=color,
                marker=marker,
                markersize=3,
                label=who,
                linewidth=2 if who == OURS else 1,
            )
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _coverage(axes: Axes, contenders: Mapping[str, Any]) -> None:
    for who in [*list(PEERS)[1:], OURS]:
        if who in contenders:
            axes.plot(
                PRECISIONS,
                contenders[who]["coverage"],
                color=_STYLES[who][0],
                label=who,
                linewidth=2 if who == OURS else 1,
            )
    axes.set(xlim=(PRECISIONS[0], 1), ylim=(0, 1.02))


def _add_legend(figure: Figure) -> None:
    """Name every contender once, also one that some panels lack."""
    drawn = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        drawn.values(),
        drawn.keys(),
        loc="outside upper center",
        ncols=len(_STYLES),
        frameon=False,
        fontsize="small",
    )
